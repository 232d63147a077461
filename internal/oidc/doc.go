// Package oidc verifies identity tokens of OpenID Connect providers: JSON Web Tokens that are signed with a key which the provider
// publishes.
//
// It decides nothing and knows no account: who trusts a provider says so in a Provider. Over the network it asks the provider's own
// host for two documents (discovery and keys), and nothing else: no redirects are followed, no proxy is used, and a key set on
// another host is refused. Plain HTTP is for loopback addresses only.
//
// A Verifier is safe for concurrent use. It keeps key sets for an hour, a bounded number of them; an unknown key id makes it ask
// again, but not more often than every few seconds. After an error nothing is kept.
//
// The rules are those of https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation, with AWS's reading of azp
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif) and of thumbprints
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html).
//
// To accept another signature algorithm: a line in algorithms.
package oidc
