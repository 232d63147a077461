// Package organizations provides AWS Organizations: the API by which accounts are put under one management account, into a tree of
// organizational units, and under policies (Service), and what decisions ask of it (Directory).
//
// It never authorizes, and never evaluates a policy: dispatch decides, by the SCPs and RCPs that Directory gives for an account.
//
// An organization's tree (root, units, accounts, what is attached to them) is one record of the store, each policy another; record.go
// lists the keys. Accounts themselves belong to IAM: the consumer's interface Accounts makes and finds them inside the same
// transaction. Service and Directory are safe for concurrent use. Every operation that changes something is one transaction: after an
// error nothing was changed, after an answer the change is durable, and the Directory of the same process sees it at the next question.
//
// The behaviour is that of https://docs.aws.amazon.com/organizations/latest/APIReference/Welcome.html and of the SDK's model. An
// operation first needs the caller's own permission, then that its account has a say in the organization: the management account in
// everything, delegated administrators in what reads, every member in what concerns itself (the sentence "You can only call this
// operation from …" of each operation's page), and in what the organization's resource policy delegates to it.
//
// To add an operation: its handler in the file of its family, and a row in operations.go.
package organizations
