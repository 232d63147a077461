// Package saml reads the metadata of SAML 2.0 identity providers and verifies the authentication responses that they make.
//
// It decides nothing, asks nobody and knows no clock: Verify tells who made an assertion, and what the assertion says of times and
// audiences is for the caller to judge. Functions keep nothing and are safe for concurrent use.
//
// What Verify returns was read from the bytes that a key of the metadata signed, and from no others; that is what keeps signatures from
// being wrapped around other content. Besides, a document with more than one assertion, an id that occurs twice, a document type, or
// text that does not survive being read and written again is refused. The certificates in a response are not looked at, and the dates
// of those in the metadata are not either, as at AWS
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml.html).
//
// The rules are those of https://docs.oasis-open.org/security/saml/v2.0/saml-profiles-2.0-os.pdf, section 4.1.4.
package saml
