// Package credential has the operations on what users prove themselves with: access keys, passwords, MFA devices, SSH keys, signing
// certificates and service-specific credentials.
//
// It never authorizes, and authenticates nobody: directory does, from the same records. A secret is shown once, by the operation that
// makes it. Hashes of passwords are made outside of transactions: they take long. Safe for concurrent use; after an error nothing was
// changed. The behaviour is that of https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html, or recorded.
//
// To add an operation: its handler in its own file, and a row in operations.go.
package credential
