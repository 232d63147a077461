// Package directory answers what authentication and decisions ask about identities: whose an access key or session is, what policies they
// have, whom a role trusts, which providers an account knows.
//
// It never authorizes, never checks signatures, and never evaluates a policy. It reads from memory what it has read once; a change is
// seen by the next question in the same process, by others soon after. What cannot be read is an error, which denies. It writes nothing
// but new accounts, which MFA codes were used (mfa_code.go), and when keys and roles were last used (last_used.go). Safe for concurrent
// use.
//
// The behaviour is that of https://docs.aws.amazon.com/IAM/latest/UserGuide/introduction.html; iam.md names the places.
package directory
