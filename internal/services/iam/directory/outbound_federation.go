package directory

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

// Issuer gives the issuer of an account. The error wraps principal.ErrNoProvider when the account has the feature disabled.
func (d *Directory) Issuer(ctx context.Context, account string) (*oidc.Issuer, error) {
	o, err := d.outbound(ctx, func(store.Reader) (string, error) { return account, nil })
	if err == nil && !o.Enabled {
		err = fmt.Errorf("%w: outbound federation is disabled", principal.ErrNoProvider)
	}
	if err != nil {
		return nil, err
	}
	return d.openIssuer(o)
}

// PublicIssuer gives the issuer of an id, as the world may see it, whether or not it issues tokens now: those that it issued are good
// until they expire. The error wraps principal.ErrNoProvider when there is none.
func (d *Directory) PublicIssuer(ctx context.Context, id string) (*oidc.Issuer, error) {
	if uuid.Validate(id) != nil { // the id becomes part of a key
		return nil, fmt.Errorf("%w: issuer %q", principal.ErrNoProvider, id)
	}
	o, err := d.outbound(ctx, func(r store.Reader) (string, error) {
		item, err := r.Get(record.IssuerKey(id))
		return string(item.Value), err
	})
	if err != nil {
		return nil, err
	}
	return d.openIssuer(o)
}

func (d *Directory) outbound(ctx context.Context, find func(store.Reader) (account string, err error)) (o *record.OutboundFederation, err error) {
	err = d.config.DB.View(ctx, func(r store.Reader) error {
		account, err := find(r)
		if err == nil {
			o, err = store.GetJSON[*record.OutboundFederation](r, record.OutboundKeyOf(account))
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w: outbound federation", principal.ErrNoProvider)
	}
	return o, err
}

func (d *Directory) openIssuer(o *record.OutboundFederation) (*oidc.Issuer, error) {
	issuer := &oidc.Issuer{URL: d.config.IssuerURL(o.ID)}
	for _, k := range o.Keys {
		text, err := record.OpenSecret(d.config.Keyring, record.OutboundPurpose, k.ID, k.Private)
		if err != nil {
			return nil, fmt.Errorf("open signing key %s: %w", k.ID, err)
		}
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("decode signing key %s: %w", k.ID, err)
		}
		key, err := oidc.ParsePrivate(der)
		if err != nil {
			return nil, fmt.Errorf("parse signing key %s: %w", k.ID, err)
		}
		issuer.Keys = append(issuer.Keys, oidc.SigningKey{ID: k.ID, Algorithm: k.Algorithm, Key: key})
	}
	return issuer, nil
}
