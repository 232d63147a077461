package directory

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
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// OIDCProvider finds the OpenID Connect provider of an account by its issuer. The error wraps principal.ErrNoProvider when there is none.
func (d *Directory) OIDCProvider(ctx context.Context, account, issuer string) (oidc.Provider, error) {
	_, name, _ := strings.Cut(issuer, "://")
	if !record.IsAccount(account) || name == "" {
		return oidc.Provider{}, noProvider(record.OIDCKind, name)
	}
	var p *record.Provider
	err := d.config.DB.View(ctx, func(r store.Reader) (err error) {
		p, err = store.GetJSON[*record.Provider](r, record.ProviderKey(account, record.OIDCKind, name))
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && p.Url() != issuer {
		return oidc.Provider{}, noProvider(record.OIDCKind, name)
	}
	if err != nil {
		return oidc.Provider{}, err
	}
	return oidc.Provider{URL: issuer, ClientIDs: p.ClientIDs, Thumbprints: p.Thumbprints}, nil
}

// SAMLProvider finds a SAML provider by its ARN. The error wraps principal.ErrNoProvider when there is none. What it points to is shared
// and must not be changed.
func (d *Directory) SAMLProvider(ctx context.Context, providerARN string) (saml.Provider, error) {
	account, name, ok := d.ParseProviderARN(record.SAMLKind, providerARN)
	if !ok || len(name) > record.MaxSAMLName {
		return saml.Provider{}, noProvider(record.SAMLKind, providerARN)
	}
	p, err := d.samlProviders.Get(ctx, record.ProviderKey(account, record.SAMLKind, name))
	if errors.Is(err, store.ErrNotFound) {
		return saml.Provider{}, noProvider(record.SAMLKind, providerARN)
	}
	if err != nil {
		return saml.Provider{}, fmt.Errorf("load %s: %w", providerARN, err)
	}
	return p, nil
}

func noProvider(k record.ProviderKind, name string) error {
	return fmt.Errorf("%w: %s %q", principal.ErrNoProvider, k, name)
}

// decodeSAMLProvider reads the metadata and opens the keys.
func (d *Directory) decodeSAMLProvider(item store.Item) (saml.Provider, error) {
	p, err := store.DecodeJSON[*record.Provider](item)
	if err != nil {
		return saml.Provider{}, err
	}
	out := saml.Provider{UUID: p.UUID, ValidUntil: p.ValidUntil}
	out.Keys.Required = p.Encryption == string(types.AssertionEncryptionModeTypeRequired)
	if out.Metadata, err = saml.ParseMetadata(p.Metadata); err != nil {
		return saml.Provider{}, err
	}
	for _, k := range p.PrivateKeys {
		text, err := record.OpenSecret(d.config.Keyring, record.SAMLKeyPurpose, k.ID, k.PEM)
		if err != nil {
			return saml.Provider{}, fmt.Errorf("open private key %s: %w", k.ID, err)
		}
		key, err := request.ParseRSAKey(text)
		if err != nil {
			return saml.Provider{}, fmt.Errorf("private key %s: %w", k.ID, err)
		}
		out.Keys.Private = append(out.Keys.Private, key)
	}
	return out, nil
}

// federatedCaller makes of a user, or root user, the session that it made for somebody else (GetFederationToken).
func (d *Directory) federatedCaller(owner principal.Caller, t *knownToken) principal.Caller {
	session := arn.ARN{
		Partition: d.Partition, Service: "sts", AccountID: owner.Account, Resource: "federated-user/" + t.Session.Name,
	}
	owner.IssuerARN, owner.ARN = owner.ARN, session.String()
	owner.Kind, owner.SessionName, owner.UserName = authz.FederatedUser, t.Session.Name, ""
	return owner
}
