package sts

import (
	"context"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
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

// Service is the STS API.
type Service struct {
	directory Directory
	keyring   principal.Keyring
	patterns  patterns
}

// New makes the service. Tokens are sealed with keyring.
func New(directory Directory, keyring principal.Keyring) *Service {
	return &Service{directory: directory, keyring: keyring, patterns: newPatterns()}
}

// Definition joins the operations with their wire form.
func (s *Service) Definition(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Operations: s.operations(), Denial: accessDenied}
}
