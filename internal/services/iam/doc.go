// Package iam provides AWS Identity and Access Management: the API by which users, groups, roles and policies are made, and the table of
// all its operations (Service).
//
// Its rooms, lowest first; each imports only those above it in this list, and none imports this package:
//
//	request      the words of requests: constraints, errors, pages, tags
//	record       all that is stored, and how it is named
//	memo         what was made from texts that never change
//	directory    what authentication and decisions ask about identities
//	target       what operations are about, and the rows of tables
//	credential   operations on access keys, passwords, MFA devices, SSH keys, certificates of users
//	certificate  operations on server certificates
//	provider     operations on identity providers
//	report       operations that tell about an account, or an organization, and what was used
//	simulation   what the policy simulator decides
//	simulator    its operations
//
// It never authorizes: a row of the operation table says what a call needs, and dispatch decides. It never checks signatures,
// and never evaluates a policy.
//
// Identities are kept by unique id, so that a renamed user keeps its keys, memberships and trust, and one that is made again under an
// old name inherits nothing: trust policies are kept with unique ids in the place of ARNs (trust.go). A document is checked when it is
// saved; one that cannot be parsed when it is read is an error, which denies.
//
// Service is safe for concurrent use. Every operation that changes something is one transaction: after an error nothing was changed,
// after an answer the change is durable, and the directory of the same process sees it at the next question, others soon after.
//
// The behaviour is that of https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html. Where a comment says "recorded",
// the answer was recorded from AWS. A name must be spelled as it was made, and no two names of a kind differ in case only.
//
// To add an operation: its handler in its own file of the room that it belongs to, and a row in the room's operations.go with resource
// and condition keys.
package iam
