package iam

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// outboundFederation is the stored form of an account's issuer of tokens about its principals. It stays when the feature is disabled: the
// URL of an account never changes.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
type outboundFederation struct {
	Enabled bool `json:"enabled"`
	// ID is part of the URL.
	ID   string        `json:"id"`
	Keys []outboundKey `json:"keys"`
}

// outboundKey signs tokens. Private is sealed together with the id.
type outboundKey struct {
	ID        string `json:"id"`
	Algorithm string `json:"algorithm"`
	Private   []byte `json:"private"`
}

func outboundKeyOf(account string) string { return "iam/" + account + "/outbound-federation" }

// issuerKey finds the account of an issuer.
func issuerKey(id string) string { return "iam/issuer/" + id }

func (s *Service) newOutboundFederation() (*outboundFederation, error) {
	keys, err := oidc.NewSigningKeys()
	if err != nil {
		return nil, err
	}
	o := &outboundFederation{ID: uuid.NewString()}
	for _, k := range keys {
		der, err := k.Private()
		if err != nil {
			return nil, fmt.Errorf("encode signing key: %w", err)
		}
		sealed, err := sealSecret(s.keyring, outboundPurpose, k.ID, base64.StdEncoding.EncodeToString(der))
		if err != nil {
			return nil, fmt.Errorf("seal signing key: %w", err)
		}
		o.Keys = append(o.Keys, outboundKey{ID: k.ID, Algorithm: k.Algorithm, Private: sealed})
	}
	return o, nil
}

// changeOutbound switches the feature. fresh is kept for an account that has none.
func (s *Service) changeOutbound(ctx context.Context, account string, enable bool, fresh *outboundFederation) (o *outboundFederation, err error) {
	err = s.db.Update(ctx, func(tx store.Tx) error {
		o, err = store.GetJSON[*outboundFederation](tx, outboundKeyOf(account))
		if errors.Is(err, store.ErrNotFound) {
			o, err = fresh, nil
		}
		switch {
		case err != nil:
			return err
		case enable && o != nil && o.Enabled:
			return featureEnabled()
		case !enable && (o == nil || !o.Enabled):
			return featureDisabled()
		}
		changed := *o
		changed.Enabled = enable
		if err := tx.Put(issuerKey(o.ID), []byte(account)); err != nil {
			return err
		}
		o = &changed
		return store.PutJSON(tx, outboundKeyOf(account), o)
	})
	return o, err
}

func (s *Service) enableOutboundWebIdentityFederation(
	ctx context.Context, c *service.Call, _ *sdk.EnableOutboundWebIdentityFederationInput,
) (*sdk.EnableOutboundWebIdentityFederationOutput, error) {
	fresh, err := s.newOutboundFederation()
	if err != nil {
		return nil, err
	}
	o, err := s.changeOutbound(ctx, c.Account, true, fresh)
	if err != nil {
		return nil, err
	}
	return &sdk.EnableOutboundWebIdentityFederationOutput{IssuerIdentifier: aws.String(s.issuer(o.ID))}, nil
}

func (s *Service) disableOutboundWebIdentityFederation(
	ctx context.Context, c *service.Call, _ *sdk.DisableOutboundWebIdentityFederationInput,
) (*sdk.DisableOutboundWebIdentityFederationOutput, error) {
	_, err := s.changeOutbound(ctx, c.Account, false, nil)
	return &sdk.DisableOutboundWebIdentityFederationOutput{}, err
}

func (s *Service) getOutboundWebIdentityFederationInfo(
	ctx context.Context, c *service.Call, _ *sdk.GetOutboundWebIdentityFederationInfoInput,
) (*sdk.GetOutboundWebIdentityFederationInfoOutput, error) {
	var o *outboundFederation
	err := s.db.View(ctx, func(r store.Reader) (err error) {
		o, err = store.GetJSON[*outboundFederation](r, outboundKeyOf(c.Account))
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && !o.Enabled {
		return nil, featureDisabled()
	}
	if err != nil {
		return nil, err
	}
	return &sdk.GetOutboundWebIdentityFederationInfoOutput{
		IssuerIdentifier: aws.String(s.issuer(o.ID)), JwtVendingEnabled: true,
	}, nil
}

// knownIssuer is an issuer with its keys open.
type knownIssuer struct {
	oidc.Issuer
	enabled bool
}

// Issuer gives the issuer of an account. The error wraps principal.ErrNoProvider when the account has the feature disabled.
func (d *Directory) Issuer(ctx context.Context, account string) (*oidc.Issuer, error) {
	known, err := d.issuers.Get(ctx, outboundKeyOf(account))
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
	account, err := d.issuerAccounts.Get(ctx, issuerKey(id))
	if err != nil {
		return nil, issuerError(err)
	}
	known, err := d.issuers.Get(ctx, outboundKeyOf(account))
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
	o, err := store.DecodeJSON[*outboundFederation](item)
	if err != nil {
		return nil, err
	}
	issuer := &knownIssuer{Issuer: oidc.Issuer{URL: d.config.issuer(o.ID)}, enabled: o.Enabled}
	for _, k := range o.Keys {
		text, err := openSecret(d.config.Keyring, outboundPurpose, k.ID, k.Private)
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
