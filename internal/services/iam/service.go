package iam

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/simulation"
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

// Organizations knows which accounts belong together.
type Organizations interface {
	// Member gives what an account is in its organization; nil when it is in none.
	Member(ctx context.Context, account string) (*organization.Member, error)
}

// DirectoryConfig is what a Directory needs. All fields but FixedRoot, Issuer and Organizations are required.
type DirectoryConfig struct {
	DB      store.DB
	Keyring *secret.Keyring
	Managed ManagedPolicies
	// Partition of the ARNs, such as "aws".
	Partition string
	// Now tells the time to which session tokens are held.
	Now func() time.Time
	// FixedRoot gives accounts a root access key for as long as this process runs. It is never stored.
	FixedRoot map[string]principal.Credentials
	// Organizations is asked by what concerns root users of member accounts. Without it no account is in an organization.
	Organizations Organizations
	// Issuer gives the URL under which the world finds an issuer of tokens (PublicIssuer); without it issuers have no URL.
	Issuer func(id string) string
}

// Config is what the service needs: what its directory does, and more. All is required.
type Config struct {
	DirectoryConfig
	Actions interface {
		simulation.Actions
		Actions
	}
	Usage Usage
	// LastUsed tells when access keys and roles were last used.
	LastUsed *LastUsed
}

// IssuerURL is the URL of an issuer; "" when it has none.
func (c *DirectoryConfig) IssuerURL(id string) string {
	if c.Issuer == nil {
		return ""
	}
	return c.Issuer(id)
}

// Service is the IAM API.
type Service struct {
	*Store
	lastUsed *LastUsed
	linked   []linkedService
	// entriesOfAWS are all of AWS's managed policies for lists, without documents.
	entriesOfAWS  func() []entry
	organizations Organizations
	// rooms are the operations of the rooms below this one.
	rooms []service.Operation
}

// New makes the service, beside the directory of the same store.
func New(c Config, d *Directory) *Service { return newService(c, d, passwordRounds) }

func newService(c Config, d *Directory, passwordRounds int) *Service {
	t := NewStore(c.DirectoryConfig, d)
	return &Service{
		Store: t, lastUsed: c.LastUsed, linked: linkedServices(), organizations: c.Organizations,
		entriesOfAWS: sync.OnceValue(func() []entry { return entriesOfAWS(c.Managed) }),
		rooms: slices.Concat(
			credentialOperations(t, c.Keyring, c.LastUsed, passwordRounds),
			certificateOperations(t, c.Keyring),
			providerOperations(t, c.Keyring, c.IssuerURL),
			reportOperations(t, c.LastUsed, c.Actions, c.Usage),
			simulatorOperations(t, c.Actions, c.Organizations),
		),
	}
}

// Definition joins the operations with their wire form.
func (s *Service) Definition(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Operations: s.operations(), Denial: accessDenied}
}

// change reads an identity, lets fn change it, and writes it, in one transaction. What belongs to AWS cannot be changed.
func (s *Store) change(ctx context.Context, account string, k kind, name string, fn func(store.Tx, *identity) error) error {
	return s.changeUnless(ctx, account, k, name, (*identity).isProtected, fn)
}

// describe is change for tags and descriptions, which service-linked roles take, too
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-service-linked-role.html; TagRole's page has no
// UnmodifiableEntity).
func (s *Store) describe(ctx context.Context, account string, k kind, name string, fn func(store.Tx, *identity) error) error {
	return s.changeUnless(ctx, account, k, name, (*identity).isReserved, fn)
}

func (s *Store) changeUnless(
	ctx context.Context, account string, k kind, name string, protected func(*identity) bool, fn func(store.Tx, *identity) error,
) error {
	return s.db.Update(ctx, func(tx store.Tx) error {
		e, err := findIdentity(tx, account, k, name)
		if err != nil {
			return err
		}
		if protected(e) {
			return protectedRole(e.Name)
		}
		if err := fn(tx, e); err != nil {
			return err
		}
		return putIdentity(tx, account, e)
	})
}

// readOrSuppose is read for what a permission is about: in the place of an identity that does not exist it gives one without a
// path, so that a caller who may not act learns nothing.
func (s *Store) readOrSuppose(ctx context.Context, account string, k kind, name string) (*identity, error) {
	e, err := s.read(ctx, account, k, name)
	if isMissing(err) {
		return &identity{Kind: k, Name: name, Path: "/"}, nil
	}
	return e, err
}

// read gives an identity, which must not be changed, from memory.
func (s *Store) read(ctx context.Context, account string, k kind, name string) (*identity, error) {
	e, err := s.directory.named(ctx, account, k, name)
	if errors.Is(err, store.ErrNotFound) && k != rootKind {
		return nil, noSuchIdentity(k, name)
	}
	if err != nil {
		return nil, err
	}
	return e.identity, nil
}
