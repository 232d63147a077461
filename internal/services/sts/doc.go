// Package sts provides the operations of AWS Security Token Service: it says who a caller is and makes temporary credentials.
//
// It keeps nothing and reads roles through the Directory interface only. Credentials are sealed tokens (principal.Token):
// whoever has the server's key can honour them without a look-up. Neither does it authorize: the role's trust policy goes with
// the target of sts:AssumeRole, where the decision weighs it against the caller's own policies (iam.md T1).
//
// A Service is immutable and safe for concurrent use. After an error no credentials were made. A crash loses nothing, and ends no
// session: they live as long as the key, the role and their expiry.
//
// The behaviour is that of https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html; error texts were recorded from AWS
// unless a comment says otherwise.
//
// To add an operation: its handler in its own file and a row in operations.go.
package sts
