// Package s3 is the part of Amazon S3 that programs and their tools need: buckets with policies, public access blocks, versioning, tags and
// notifications; objects with versions, tags and checksums, put at once or in parts, listed, copied and read in ranges.
//
// It keeps what it knows in the store, and bytes in a blob store of its own; it never decides. Bodies are streams, verified while they are
// read: what does not have the signature's hash, or the client's checksum, is not kept. Operations read no clock (the time is the call's) and
// start no goroutine; Run is the server's own work. A Service is safe for concurrent use. An operation that answers an error has changed
// nothing; a write is one transaction with the notes of the events that it makes, after its bytes are on the disk.
//
// Owners enforce: objects belong to the account of their bucket, and there are no access control lists (BucketOwnerEnforced). Names of
// buckets are one set for all accounts. Callers of other accounts, and those without any, get in by the bucket's policy.
//
// Behaviour: each operation's page of https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html;
// permissions: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html; errors: package fault.
//
// Rooms below: bucket, object and content keep what their names say, checksum and notification know no store of buckets, fault has the
// errors.
//
// To add an operation: its file, and its row in operations. To add a condition key: a line in keys.go.
package s3
