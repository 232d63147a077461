package iam

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/saml"
	"github.com/licet/licet/internal/store"
)

// OIDCProvider finds the OpenID Connect provider of an account by its issuer. The error wraps principal.ErrNoProvider when there is none.
func (d *Directory) OIDCProvider(ctx context.Context, account, issuer string) (oidc.Provider, error) {
	_, name, _ := strings.Cut(issuer, "://")
	p, err := d.provider(ctx, account, oidcKind, name)
	if err != nil {
		return oidc.Provider{}, err
	}
	if p.url() != issuer {
		return oidc.Provider{}, fmt.Errorf("%w: %s", principal.ErrNoProvider, issuer)
	}
	return oidc.Provider{URL: issuer, ClientIDs: p.ClientIDs, Thumbprints: p.Thumbprints}, nil
}

// SAMLProvider finds a SAML provider by its ARN. The error wraps principal.ErrNoProvider when there is none.
func (d *Directory) SAMLProvider(ctx context.Context, providerARN string) (saml.Provider, error) {
	account, name, ok := d.parseProviderARN(samlKind, providerARN)
	if !ok {
		return saml.Provider{}, fmt.Errorf("%w: %s", principal.ErrNoProvider, providerARN)
	}
	p, err := d.provider(ctx, account, samlKind, name)
	if err != nil {
		return saml.Provider{}, err
	}
	out := saml.Provider{UUID: p.UUID, ValidUntil: p.ValidUntil}
	out.Keys.Required = p.Encryption == string(types.AssertionEncryptionModeTypeRequired)
	if out.Metadata, err = saml.ParseMetadata(p.Metadata); err != nil {
		return saml.Provider{}, fmt.Errorf("metadata of %s: %w", providerARN, err)
	}
	for _, k := range p.PrivateKeys {
		text, err := openSecret(d.config.Keyring, samlKeyPurpose, k.ID, k.PEM)
		if err != nil {
			return saml.Provider{}, fmt.Errorf("open private key %s: %w", k.ID, err)
		}
		key, err := parseRSAKey(text)
		if err != nil {
			return saml.Provider{}, fmt.Errorf("private key %s: %w", k.ID, err)
		}
		out.Keys.Private = append(out.Keys.Private, key)
	}
	return out, nil
}

func (d *Directory) provider(ctx context.Context, account string, k providerKind, name string) (p *provider, err error) {
	if !isAccount(account) || name == "" {
		return nil, fmt.Errorf("%w: %s %q", principal.ErrNoProvider, k, name)
	}
	err = d.config.DB.View(ctx, func(r store.Reader) (err error) {
		p, err = store.GetJSON[*provider](r, providerKey(account, k, name))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w: %s %q", principal.ErrNoProvider, k, name)
	}
	return p, err
}

// federatedCaller makes of a user, or root user, the session that it made for somebody else (GetFederationToken).
func (d *Directory) federatedCaller(owner principal.Caller, t *knownToken) principal.Caller {
	session := arn.ARN{
		Partition: d.partition, Service: "sts", AccountID: owner.Account, Resource: "federated-user/" + t.Session.Name,
	}
	owner.IssuerARN, owner.ARN = owner.ARN, session.String()
	owner.Kind, owner.SessionName, owner.UserName = authz.FederatedUser, t.Session.Name, ""
	return owner
}
