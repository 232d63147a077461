package directory

import (
	"context"
	"errors"
	"fmt"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

// EnsureAccount makes an account with a root user and its access key, if it is not there. It returns the root user's first active
// access key, which is zero when the root user has none left, and whether it made one. For an account with a fixed root key it
// returns that, and makes no other. The context must permit changes that no caller asked for, if the store wants that.
func (d *Directory) EnsureAccount(ctx context.Context, account string) (root principal.Credentials, created bool, err error) {
	id, err := principal.NewAccessKeyID(principal.AccessKeyPrefix, account)
	if err != nil {
		return principal.Credentials{}, false, err
	}
	fixed, isFixed := d.config.FixedRoot[account]
	root, done, err := d.rootKey(ctx, account)
	if err != nil || done && !isFixed {
		return root, false, err
	}
	if isFixed {
		return fixed, false, d.ensureRoot(ctx, account, func(store.Tx, *record.Identity) error { return nil })
	}
	err = d.ensureRoot(ctx, account, func(tx store.Tx, e *record.Identity) error {
		created = !e.RootKeyMade
		if e.RootKeyMade {
			return nil // another process was faster
		}
		e.RootKeyMade = true
		_, _, err := record.PutNewKey(tx, d.config.Keyring, account, e, id, d.config.Now())
		return err
	})
	if err != nil {
		return principal.Credentials{}, false, fmt.Errorf("make account %s: %w", account, err)
	}
	root, _, err = d.rootKey(ctx, account)
	return root, created, err
}

// rootKey finds the root user's first active access key; done is true when the root user was given one already.
func (d *Directory) rootKey(ctx context.Context, account string) (root principal.Credentials, done bool, err error) {
	err = d.config.DB.View(ctx, func(r store.Reader) error {
		root, done = principal.Credentials{}, false
		e, err := record.GetIdentity(r, account, record.RootKind, account)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = ReadAccount(r, account)
		if err != nil && !errors.Is(err, ErrNoAccount) {
			return err
		}
		done = e.RootKeyMade && err == nil // an older server made no record of the account
		for _, id := range e.AccessKeys {
			key, err := store.GetJSON[record.AccessKey](r, record.AccessKeyKey(id))
			if err != nil {
				return err
			}
			if !key.Active {
				continue
			}
			secretKey, err := record.OpenSecret(d.config.Keyring, record.AccessKeyPurpose, id, key.Secret)
			if err != nil {
				return fmt.Errorf("open secret of access key %s: %w", id, err)
			}
			root = principal.Credentials{AccessKeyID: id, SecretAccessKey: secretKey}
			return nil
		}
		return nil
	})
	return root, done, err
}

// ensureRoot lets fn change the root user, which it makes if it is not there.
func (d *Directory) ensureRoot(ctx context.Context, account string, fn func(store.Tx, *record.Identity) error) error {
	return d.config.DB.Update(ctx, func(tx store.Tx) error {
		e, err := record.GetIdentity(tx, account, record.RootKind, account)
		if errors.Is(err, store.ErrNotFound) {
			e, err = newRoot(account, d.config.Now()), nil
		}
		if err != nil {
			return err
		}
		if err := d.ensureRecord(tx, account); err != nil {
			return err
		}
		if err := fn(tx, e); err != nil {
			return err
		}
		return record.PutIdentity(tx, account, e)
	})
}

// ensureRecord names an account that has no name yet.
func (d *Directory) ensureRecord(tx store.Tx, account string) error {
	_, err := ReadAccount(tx, account)
	if !errors.Is(err, ErrNoAccount) {
		return err
	}
	a, err := NewAccount(tx, Account{ID: account}, d.config.Now())
	if err != nil {
		return err
	}
	return putAccount(tx, a)
}
