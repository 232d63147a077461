// Package report has the operations that tell about an account as a whole, and about what was used: the credential report, the account
// summary, and which services identities, and the accounts of an organization, may use and did use.
//
// It never authorizes, and changes nothing but the reports that it keeps for their askers. What was used it learns from Usage, from
// policies it learns what is granted without evaluating them for a request (granted_services.go). Safe for concurrent use. The behaviour
// is that of https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html, or recorded.
//
// To add an operation: its handler in its own file, and a row in operations.go.
package report
