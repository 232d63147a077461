package directory

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// The ways in which an account cannot be made, or is not there.
var (
	ErrNoAccount     = errors.New("iam: no such account")
	ErrAccountExists = errors.New("iam: the account exists already")
	ErrEmailTaken    = errors.New("iam: another account has the email address")
	ErrAccountID     = errors.New("iam: an account id has 12 digits")
)

// Account is an AWS account of this server.
type Account struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Email   string    `json:"email"`
	Created time.Time `json:"created"`
}

const accountPrefix = "iam/account/"

// NewAccount completes an account that is to be made: without an id it gets a random one that is not in use, without name and email
// address those of nobody.
func NewAccount(r store.Reader, a Account, now time.Time) (Account, error) {
	if a.ID == "" {
		id, err := freeAccountID(r)
		if err != nil {
			return Account{}, err
		}
		a.ID = id
	}
	if a.Name == "" {
		a.Name = a.ID
	}
	if a.Email == "" {
		a.Email = a.ID + "@licet.invalid" // a domain that never exists (RFC 2606)
	}
	a.Created = now.UTC().Truncate(time.Second)
	return a, nil
}

// freeAccountID finds an id that no account has. Those of AWS, too, are random.
func freeAccountID(r store.Reader) (string, error) {
	const smallest, count = 100_000_000_000, 900_000_000_000 // no leading zero, which tools that take ids for numbers lose
	for {
		n, err := rand.Int(rand.Reader, big.NewInt(count))
		if err != nil {
			return "", fmt.Errorf("choose an account id: %w", err)
		}
		id := fmt.Sprint(smallest + n.Int64())
		_, err = record.GetIdentity(r, id, record.RootKind, id)
		if errors.Is(err, store.ErrNotFound) {
			return id, nil
		}
		if err != nil {
			return "", err
		}
	}
}

// AddAccount makes an account with a root user that has no access key yet; EnsureAccount gives it one. The error wraps one of those
// above when the account cannot be made.
func AddAccount(tx store.Tx, a Account) error {
	if !record.IsAccount(a.ID) {
		return fmt.Errorf("%w: %q", ErrAccountID, a.ID)
	}
	_, err := record.GetIdentity(tx, a.ID, record.RootKind, a.ID)
	if err == nil {
		return fmt.Errorf("%w: %s", ErrAccountExists, a.ID)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	all, err := ReadAccounts(tx)
	if err != nil {
		return err
	}
	for _, other := range all {
		if strings.EqualFold(other.Email, a.Email) {
			return fmt.Errorf("%w: %s", ErrEmailTaken, a.Email)
		}
	}
	if err := record.PutIdentity(tx, a.ID, newRoot(a.ID, a.Created)); err != nil {
		return err
	}
	return putAccount(tx, a)
}

func newRoot(account string, created time.Time) *record.Identity {
	return &record.Identity{Kind: record.RootKind, ID: account, Created: created.UTC().Truncate(time.Second)}
}

func putAccount(tx store.Tx, a Account) error { return store.PutJSON(tx, accountPrefix+a.ID, a) }

// ReadAccount finds an account. The error wraps ErrNoAccount when there is none.
func ReadAccount(r store.Reader, id string) (Account, error) {
	a, err := store.GetJSON[Account](r, accountPrefix+id)
	if errors.Is(err, store.ErrNotFound) {
		return Account{}, fmt.Errorf("%w: %s", ErrNoAccount, id)
	}
	return a, err
}

// ReadAccounts gives all accounts, by id.
func ReadAccounts(r store.Reader) ([]Account, error) {
	items, err := r.Scan(accountPrefix, "", 0)
	if err != nil {
		return nil, err
	}
	out := make([]Account, len(items))
	for i, item := range items {
		if out[i], err = store.DecodeJSON[Account](item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CreateAccount makes an account, completed by NewAccount, and gives it with the key of its root user.
func (d *Directory) CreateAccount(ctx context.Context, a Account) (Account, principal.Credentials, error) {
	var made Account
	err := d.config.DB.Update(ctx, func(tx store.Tx) (err error) {
		if made, err = NewAccount(tx, a, d.config.Now()); err != nil {
			return err
		}
		return AddAccount(tx, made)
	})
	if err != nil {
		return Account{}, principal.Credentials{}, err
	}
	root, _, err := d.EnsureAccount(ctx, made.ID)
	return made, root, err
}

// Accounts gives all accounts, by id.
func (d *Directory) Accounts(ctx context.Context) (all []Account, err error) {
	err = d.config.DB.View(ctx, func(r store.Reader) (err error) {
		all, err = ReadAccounts(r)
		return err
	})
	return all, err
}

// AddAdministratorRole makes a role in an account that another account may assume and that may do everything, as AWS Organizations
// does in the accounts that it makes.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
func (d *Directory) AddAdministratorRole(tx store.Tx, account, name, trusted string, now time.Time) error {
	id, err := principal.NewUniqueID(record.RoleKind.IdPrefix(), account)
	if err != nil {
		return err
	}
	administrator := d.ARN(record.AWSAccount, "policy/AdministratorAccess")
	e := &record.Identity{
		Kind: record.RoleKind, ID: id, Name: name, Path: "/", Created: now.UTC().Truncate(time.Second), MaxSessionSeconds: request.MinSessionSeconds,
		Attached: []string{administrator},
		Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + d.ARN(trusted, string(record.RootKind)) +
			`"},"Action":"sts:AssumeRole"}]}`,
	}
	if err := record.ClaimName(tx, account, e); err != nil {
		return err
	}
	if err := tx.Put(record.UseKey(account, record.Attached, administrator, e), nil); err != nil {
		return err
	}
	return record.PutIdentity(tx, account, e)
}
