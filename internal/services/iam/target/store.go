package target

import (
	"context"
	"errors"

	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/memo"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// cachedPolicies is how many of AWS's managed policies are kept in memory.
const cachedPolicies = 4096

// Store has what operations are about: it finds users, groups, roles, instance profiles and managed policies, says under which ARN
// and keys they are judged, and changes them.
type Store struct {
	record.Names
	DB       store.DB
	Patterns request.Patterns
	// Directory has identities and their policies as decisions see them.
	Directory *directory.Directory
	managed   directory.ManagedPolicies
	// policiesOfAWS are those of AWS's managed policies that were asked for.
	policiesOfAWS *memo.Of[*record.ManagedPolicy]
}

// New makes the store, beside the directory of the same records.
func New(c directory.Config, d *directory.Directory) *Store {
	return &Store{
		Names: record.Names{Partition: c.Partition}, DB: c.DB, Patterns: request.NewPatterns(), Directory: d, managed: c.Managed,
		policiesOfAWS: memo.New[*record.ManagedPolicy](cachedPolicies),
	}
}

// Change reads an identity, lets fn change it, and writes it, in one transaction. What belongs to AWS cannot be changed.
func (s *Store) Change(ctx context.Context, account string, k record.Kind, name string, fn func(store.Tx, *record.Identity) error) error {
	return s.changeUnless(ctx, account, k, name, (*record.Identity).IsProtected, fn)
}

// Describe is Change for tags and descriptions, which service-linked roles take, too
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-service-linked-role.html; TagRole's page has no
// UnmodifiableEntity).
func (s *Store) Describe(ctx context.Context, account string, k record.Kind, name string, fn func(store.Tx, *record.Identity) error) error {
	return s.changeUnless(ctx, account, k, name, (*record.Identity).IsReserved, fn)
}

func (s *Store) changeUnless(
	ctx context.Context, account string, k record.Kind, name string, protected func(*record.Identity) bool, fn func(store.Tx, *record.Identity) error,
) error {
	return s.DB.Update(ctx, func(tx store.Tx) error {
		e, err := record.FindIdentity(tx, account, k, name)
		if err != nil {
			return err
		}
		if protected(e) {
			return request.ProtectedRole(e.Name)
		}
		if err := fn(tx, e); err != nil {
			return err
		}
		return record.PutIdentity(tx, account, e)
	})
}

// ReadOrSuppose is Read for what a permission is about: in the place of an identity that does not exist it gives one without a
// path, so that a caller who may not act learns nothing.
func (s *Store) ReadOrSuppose(ctx context.Context, account string, k record.Kind, name string) (*record.Identity, error) {
	e, err := s.Read(ctx, account, k, name)
	if request.IsMissing(err) {
		return &record.Identity{Kind: k, Name: name, Path: "/"}, nil
	}
	return e, err
}

// Read gives an identity, which must not be changed, from memory.
func (s *Store) Read(ctx context.Context, account string, k record.Kind, name string) (*record.Identity, error) {
	e, err := s.Directory.Named(ctx, account, k, name)
	if errors.Is(err, store.ErrNotFound) && k != record.RootKind {
		return nil, record.NoSuchIdentity(k, name)
	}
	if err != nil {
		return nil, err
	}
	return e.Identity, nil
}
