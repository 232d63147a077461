package record

import (
	"errors"
	"net/url"
	"time"

	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// ProviderKind is a kind of identity provider, by AWS's word in ARNs.
type ProviderKind string

const (
	OIDCKind ProviderKind = "oidc-provider"
	SAMLKind ProviderKind = "saml-provider"
)

// Provider is the stored form of an identity provider.
type Provider struct {
	Kind ProviderKind `json:"kind"`
	// Name is the last part of the ARN: the name of a SAML provider, the URL of an OpenID Connect provider without its scheme.
	Name    string        `json:"name"`
	Created time.Time     `json:"created"`
	Tags    []request.Tag `json:"tags,omitempty"`

	// Insecure marks the URL as one of scheme http, which only a provider on this machine may have.
	Insecure    bool     `json:"insecure,omitempty"`
	ClientIDs   []string `json:"client_ids,omitempty"`
	Thumbprints []string `json:"thumbprints,omitempty"`

	// Metadata, ValidUntil, UUID and Encryption belong to SAML providers. PrivateKeys are sealed.
	Metadata    string       `json:"metadata,omitempty"`
	ValidUntil  time.Time    `json:"valid_until,omitzero"`
	UUID        string       `json:"uuid,omitempty"`
	Encryption  string       `json:"encryption,omitempty"`
	PrivateKeys []PrivateKey `json:"private_keys,omitempty"`
}

// MaxSAMLName is the limit of https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateSAMLProvider.html.
const MaxSAMLName = 128

// PrivateKey decrypts assertions. PEM is sealed together with the id.
type PrivateKey struct {
	ID       string    `json:"id"`
	Uploaded time.Time `json:"uploaded"`
	PEM      []byte    `json:"pem"`
}

// Url is the issuer of an OpenID Connect provider.
func (p *Provider) Url() string {
	if p.Insecure {
		return "http://" + p.Name
	}
	return "https://" + p.Name
}

// ProviderPrefix begins the keys of an account's providers of a kind.
func ProviderPrefix(account string, k ProviderKind) string {
	return "iam/" + account + "/" + string(k) + "/"
}

// ProviderKey escapes the name: a URL has slashes.
func ProviderKey(account string, k ProviderKind, name string) string {
	return ProviderPrefix(account, k) + url.PathEscape(name)
}

// NoSuchProvider has the texts that clients report.
func (n Names) NoSuchProvider(account string, k ProviderKind, name string) error {
	if k == SAMLKind {
		return request.NoSuchEntity("Manifest not found for arn %s", n.ProviderARN(account, k, name))
	}
	return request.NoSuchEntity("OpenIDConnect Provider not found for arn %s", n.ProviderARN(account, k, name))
}

// GetProvider reads a provider. It answers NoSuchEntity when there is none.
func (n Names) GetProvider(r store.Reader, account string, k ProviderKind, name string) (*Provider, error) {
	p, err := store.GetJSON[*Provider](r, ProviderKey(account, k, name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, n.NoSuchProvider(account, k, name)
	}
	return p, err
}
