// Package iam provides AWS Identity and Access Management: the API by which users, groups, roles and policies are made
// (Service), and the directory that authentication and decisions ask about them (Directory).
//
// It never authorizes: a row of the operation table says what a call needs, and dispatch decides. It never checks signatures,
// and never evaluates a policy.
//
// All that belongs to an identity (inline policies, attachments, groups, tags) is in one record of the store; record.go lists
// the keys. Identities are kept by unique id, so that a renamed user keeps its keys, memberships and trust, and one that is made
// again under an old name inherits nothing: trust policies are kept with unique ids in the place of ARNs (trust.go). Secrets that are
// needed again (of access keys and MFA devices, private keys) are sealed; of passwords only hashes are kept (password.go). A
// document is checked when it is saved; one that cannot be parsed when it is read is an error, which denies.
//
// Service and Directory are safe for concurrent use. Every operation that changes something is one transaction: after an error
// nothing was changed, after an answer the change is durable, and the Directory of the same process sees it at the next
// question, others soon after. The Directory reads from memory what it has read once.
//
// The behaviour is that of https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html. Where a comment says "recorded",
// the answer was recorded from AWS. A name must be spelled as it was made, and no two names of a kind differ in case only.
//
// To add an operation: its handler in its own file, and a row in operations.go with resource and condition keys. To add a
// condition key: a keys function in target.go. To add a kind of identity: a kind in record.go.
package iam
