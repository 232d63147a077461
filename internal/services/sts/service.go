package sts

import (
	"context"

	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/saml"
	"github.com/licet/licet/internal/service"
)

// Directory knows roles and managed policies. Everything it returns is shared and must not be changed.
type Directory interface {
	// Role finds a role by its ARN. The error wraps principal.ErrNoRole when there is none.
	Role(ctx context.Context, arn string) (principal.Role, error)
	// HasPolicy tells whether a managed policy exists in an account or among those of AWS.
	HasPolicy(ctx context.Context, account, arn string) (bool, error)
	// CheckMFACode tells whether a code of an MFA device is good for a caller. The error wraps principal.ErrMFADevice when the device
	// is not the caller's, principal.ErrMFACode for a wrong or used code.
	CheckMFACode(ctx context.Context, caller *principal.Caller, serial, code string) error
	// UseMFACode is CheckMFACode that uses the code up.
	UseMFACode(ctx context.Context, caller *principal.Caller, serial, code string) error
}

// Providers knows the identity providers that accounts trust. The errors wrap principal.ErrNoProvider when there is none.
type Providers interface {
	// OIDCProvider finds the OpenID Connect provider of an account by its issuer.
	OIDCProvider(ctx context.Context, account, issuer string) (oidc.Provider, error)
	// SAMLProvider finds a SAML provider by its ARN.
	SAMLProvider(ctx context.Context, arn string) (saml.Provider, error)
}

// Organization knows which accounts belong together.
type Organization interface {
	// MayAssumeRoot tells whether the member account belongs to an organization with root sessions, in which account is the management
	// account or the delegated administrator for IAM.
	MayAssumeRoot(ctx context.Context, account, member string) (bool, error)
}

// Config is what Service needs. Every field is required.
type Config struct {
	Directory Directory
	Providers Providers
	// Keyring seals session tokens.
	Keyring principal.Keyring
	// Tokens verifies those of OpenID Connect providers.
	Tokens *oidc.Verifier
	// KnownKey tells whether AWS's tables have a condition key of STS. They name which claims of which providers are keys.
	KnownKey func(key string) bool
	// Organization says who may call AssumeRoot.
	Organization Organization
	// Denials are what DecodeAuthorizationMessage tells of.
	Denials Denials
	// Issuers sign the tokens of GetWebIdentityToken.
	Issuers Issuers
}

// Service is the STS API.
type Service struct {
	directory    Directory
	providers    Providers
	keyring      principal.Keyring
	tokens       *oidc.Verifier
	knownKey     func(string) bool
	organization Organization
	denials      Denials
	issuers      Issuers
	patterns     patterns
}

// New makes the service.
func New(c Config) *Service {
	return &Service{
		directory: c.Directory, providers: c.Providers, keyring: c.Keyring, tokens: c.Tokens, knownKey: c.KnownKey,
		organization: c.Organization, denials: c.Denials, issuers: c.Issuers, patterns: newPatterns(),
	}
}

// Definition joins the operations with their wire form.
func (s *Service) Definition(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Operations: s.operations(), Denial: accessDenied}
}
