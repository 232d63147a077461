// Package audit is the decision log: every decided call, with all that is needed to decide it again.
//
// It keeps records and the texts of the policies they rest on, finds them by request id or account, and restores the policies. It
// never decides, and never changes a record. A Log is safe for concurrent use.
//
// A record begins in a bounded buffer (Begin). The first change that is made under the returned context, through the store that
// Recorded gives, commits the record in the same transaction; records of calls that change nothing are written by Run within a
// second. A call is refused when the buffer is full and cannot be written. Recorded refuses a change under a context without a
// record, so that no service can change anything without a decision; the server's own housekeeping says so with System.
//
// Records are written in batches: what an account's callers did within some seconds, packed into one row (pack.go); a change's record
// is a batch of its own. Batches overlap in time, and a call whose failure is known after its record was written is in two. Request ids
// tell their time, so that one row of an index for each batch finds a record by its id.
//
// Beside the records it is kept when a principal last asked for each action (LastUses), longer than the records themselves. That is
// noted in memory and written with the next flush, so that a call costs no write of its own.
//
// What Begin took in can be read at once. After a crash the records of changes are there; those of the last second's reads and
// invocations may be lost. A policy text is stored once, under its hash, and kept as long as a record may refer to it.
//
// Keys in the store:
//
//	decision/<account>/<time of the last>-<last id>-<revision>   a batch of records
//	decision-id/<last id>-<revision>                             the first id in the batch, and its key
//	decision-policy/<sha256>                                     the day of last use and the text of a policy
//	decision-use/<account>/<id>/<service>                        what a principal last asked of a service: the time, and a ServiceUse
//
// To add a fact about a call: a field of Record, filled by dispatch; pack and unpack under the next packVersion, which goes on to read
// the versions before. Fields are never renamed or removed: old records stay.
package audit
