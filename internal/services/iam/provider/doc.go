// Package provider has the operations on identity providers: those of OpenID Connect and SAML that an account trusts, and the account
// itself as an issuer of tokens to the outside.
//
// It never authorizes and checks no token: sts does, with what directory tells of the same records. Safe for concurrent use; after an
// error nothing was changed. The behaviour is that of https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html.
//
// To add an operation: its handler in its own file, and a row in operations.go.
package provider
