package provider

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

func (s *handlers) newOutboundFederation() (*record.OutboundFederation, error) {
	keys, err := oidc.NewSigningKeys()
	if err != nil {
		return nil, err
	}
	o := &record.OutboundFederation{ID: uuid.NewString()}
	for _, k := range keys {
		der, err := k.Private()
		if err != nil {
			return nil, fmt.Errorf("encode signing key: %w", err)
		}
		sealed, err := record.SealSecret(s.keyring, record.OutboundPurpose, k.ID, base64.StdEncoding.EncodeToString(der))
		if err != nil {
			return nil, fmt.Errorf("seal signing key: %w", err)
		}
		o.Keys = append(o.Keys, record.OutboundKey{ID: k.ID, Algorithm: k.Algorithm, Private: sealed})
	}
	return o, nil
}

// changeOutbound switches the feature. fresh is kept for an account that has none.
func (s *handlers) changeOutbound(
	ctx context.Context, account string, enable bool, fresh *record.OutboundFederation,
) (o *record.OutboundFederation, err error) {
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		o, err = store.GetJSON[*record.OutboundFederation](tx, record.OutboundKeyOf(account))
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
		if err := tx.Put(record.IssuerKey(o.ID), []byte(account)); err != nil {
			return err
		}
		o = &changed
		return store.PutJSON(tx, record.OutboundKeyOf(account), o)
	})
	return o, err
}

func (s *handlers) enableOutboundWebIdentityFederation(
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

func (s *handlers) disableOutboundWebIdentityFederation(
	ctx context.Context, c *service.Call, _ *sdk.DisableOutboundWebIdentityFederationInput,
) (*sdk.DisableOutboundWebIdentityFederationOutput, error) {
	_, err := s.changeOutbound(ctx, c.Account, false, nil)
	return &sdk.DisableOutboundWebIdentityFederationOutput{}, err
}

func (s *handlers) getOutboundWebIdentityFederationInfo(
	ctx context.Context, c *service.Call, _ *sdk.GetOutboundWebIdentityFederationInfoInput,
) (*sdk.GetOutboundWebIdentityFederationInfoOutput, error) {
	var o *record.OutboundFederation
	err := s.DB.View(ctx, func(r store.Reader) (err error) {
		o, err = store.GetJSON[*record.OutboundFederation](r, record.OutboundKeyOf(c.Account))
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
