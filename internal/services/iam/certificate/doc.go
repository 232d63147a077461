// Package certificate has the operations on server certificates.
//
// It never authorizes, and gives no private key away: keys are stored sealed, and no operation shows them. Safe for concurrent use; after
// an error nothing was changed. The behaviour is that of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_server-certs.html, or recorded.
//
// To add an operation: its handler in its own file, and a row in operations.go.
package certificate
