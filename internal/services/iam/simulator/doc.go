// Package simulator has the operations of the policy simulator: it checks what they are given, gathers the policies, and asks simulation,
// which decides as authz does.
//
// It never authorizes and changes nothing. Safe for concurrent use. The behaviour is that of
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html, or recorded.
//
// To add an operation: its handler in its own file, and a row in operations.go.
package simulator
