package iam

import (
	"context"
	"iter"
	"time"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// ManagedPolicy is an AWS managed policy, as far as it is known.
type ManagedPolicy struct {
	ARN  string
	Name string
	Path string
	// VersionID of the default version, the only one.
	VersionID string
	Created   time.Time
	Updated   time.Time
	Document  string
}

// ManagedPolicies is the catalogue of AWS managed policies. It never changes and is safe for concurrent use.
type ManagedPolicies interface {
	// ManagedPolicy finds a policy by its ARN.
	ManagedPolicy(arn string) (ManagedPolicy, bool)
	// All yields the policies sorted by ARN. It may leave out the documents.
	All() iter.Seq[ManagedPolicy]
}

// Config is what Service and Directory need. All fields but FixedRoot and Issuer are required.
type Config struct {
	DB      store.DB
	Keyring *secret.Keyring
	Managed ManagedPolicies
	// Partition of the ARNs, such as "aws".
	Partition string
	// Now tells the time to which session tokens are held.
	Now func() time.Time
	// FixedRoot gives accounts a root access key for as long as this process runs. It is never stored.
	FixedRoot map[string]principal.Credentials
	// Issuer gives the URL under which the world finds an issuer of tokens (PublicIssuer); without it issuers have no URL.
	Issuer func(id string) string
}

func (c *Config) issuer(id string) string {
	if c.Issuer == nil {
		return ""
	}
	return c.Issuer(id)
}

// Service is the IAM API.
type Service struct {
	names
	db       store.DB
	keyring  *secret.Keyring
	managed  ManagedPolicies
	issuer   func(id string) string
	patterns patterns
}

// New makes the service.
func New(c Config) *Service {
	return &Service{
		names: names{c.Partition}, db: c.DB, keyring: c.Keyring, managed: c.Managed, issuer: c.issuer, patterns: newPatterns(),
	}
}

// Definition joins the operations with their wire form.
func (s *Service) Definition(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Operations: s.operations(), Denial: accessDenied}
}

// change reads an identity, lets fn change it, and writes it, in one transaction. What belongs to AWS cannot be changed.
func (s *Service) change(ctx context.Context, account string, k kind, name string, fn func(store.Tx, *identity) error) error {
	return s.db.Update(ctx, func(tx store.Tx) error {
		e, err := findIdentity(tx, account, k, name)
		if err != nil {
			return err
		}
		if e.isProtected() {
			return protectedRole(e.Name)
		}
		if err := fn(tx, e); err != nil {
			return err
		}
		return putIdentity(tx, account, e)
	})
}

// read reads an identity.
func (s *Service) read(ctx context.Context, account string, k kind, name string) (e *identity, err error) {
	err = s.db.View(ctx, func(r store.Reader) (err error) {
		e, err = findIdentity(r, account, k, name)
		return err
	})
	return e, err
}
