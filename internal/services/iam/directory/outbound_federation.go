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

// knownIssuer is an issuer with its keys open.
type knownIssuer struct {
	oidc.Issuer
	enabled bool
}

// Issuer gives the issuer of an account. The error wraps principal.ErrNoProvider when the account has the feature disabled.
func (d *Directory) Issuer(ctx context.Context, account string) (*oidc.Issuer, error) {
	known, err := d.issuers.Get(ctx, record.OutboundKeyOf(account))
	if err == nil && !known.enabled {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, issuerError(err)
	}
	return &known.Issuer, nil
}

// PublicIssuer gives the issuer of an id, as the world may see it, whether or not it issues tokens now: those that it issued are good
// until they expire. The error wraps principal.ErrNoProvider when there is none.
func (d *Directory) PublicIssuer(ctx context.Context, id string) (*oidc.Issuer, error) {
	if uuid.Validate(id) != nil { // the id becomes part of a key
		return nil, fmt.Errorf("%w: issuer %q", principal.ErrNoProvider, id)
	}
	account, err := d.issuerAccounts.Get(ctx, record.IssuerKey(id))
	if err != nil {
		return nil, issuerError(err)
	}
	known, err := d.issuers.Get(ctx, record.OutboundKeyOf(account))
	if err != nil {
		return nil, issuerError(err)
	}
	return &known.Issuer, nil
}

func issuerError(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: outbound federation", principal.ErrNoProvider)
	}
	return err
}

func (d *Directory) decodeIssuer(item store.Item) (*knownIssuer, error) {
	o, err := store.DecodeJSON[*record.OutboundFederation](item)
	if err != nil {
		return nil, err
	}
	issuer := &knownIssuer{Issuer: oidc.Issuer{URL: d.config.IssuerURL(o.ID)}, enabled: o.Enabled}
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
