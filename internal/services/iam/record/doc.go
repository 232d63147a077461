// Package record is all that IAM stores: users, groups, roles, policies, credentials and providers, under which keys (record.go), and how
// they are named by ARNs (names.go).
//
// It decides nothing and authorizes nothing; what it reads and writes is in the transaction of its caller. All that belongs to an identity
// (inline policies, attachments, groups, tags) is in one record. Secrets that are needed again (of access keys and MFA devices, private
// keys) are sealed with the id of what they belong to (secret.go); of passwords only hashes are kept (password.go). A record is changed
// as a whole, and old ones can always be read: a member is added, never given another meaning.
//
// To add a kind of identity: a Kind in record.go, and its limits in request. To add something else: its type in a file of its own, its
// key in the list of record.go.
package record
