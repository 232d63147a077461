package iam

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// providerKind is a kind of identity provider, by AWS's word in ARNs.
type providerKind string

const (
	oidcKind providerKind = "oidc-provider"
	samlKind providerKind = "saml-provider"
)

// provider is the stored form of an identity provider.
type provider struct {
	Kind providerKind `json:"kind"`
	// Name is the last part of the ARN: the name of a SAML provider, the URL of an OpenID Connect provider without its scheme.
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Tags    []tag     `json:"tags,omitempty"`

	// Insecure marks the URL as one of scheme http, which only a provider on this machine may have.
	Insecure    bool     `json:"insecure,omitempty"`
	ClientIDs   []string `json:"client_ids,omitempty"`
	Thumbprints []string `json:"thumbprints,omitempty"`

	// Metadata, ValidUntil, UUID and Encryption belong to SAML providers. PrivateKeys are sealed.
	Metadata    string       `json:"metadata,omitempty"`
	ValidUntil  time.Time    `json:"valid_until,omitzero"`
	UUID        string       `json:"uuid,omitempty"`
	Encryption  string       `json:"encryption,omitempty"`
	PrivateKeys []privateKey `json:"private_keys,omitempty"`
}

// maxSAMLName is the limit of https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateSAMLProvider.html.
const maxSAMLName = 128

// privateKey decrypts assertions. PEM is sealed together with the id.
type privateKey struct {
	ID       string    `json:"id"`
	Uploaded time.Time `json:"uploaded"`
	PEM      []byte    `json:"pem"`
}

// url is the issuer of an OpenID Connect provider.
func (p *provider) url() string {
	if p.Insecure {
		return "http://" + p.Name
	}
	return "https://" + p.Name
}

func providerPrefix(account string, k providerKind) string {
	return "iam/" + account + "/" + string(k) + "/"
}

// providerKey escapes the name: a URL has slashes.
func providerKey(account string, k providerKind, name string) string {
	return providerPrefix(account, k) + url.PathEscape(name)
}

// providerARN is the ARN of a provider.
func (n names) providerARN(account string, k providerKind, name string) string {
	return n.arn(account, string(k)+"/"+name)
}

// parseProviderARN takes a provider's ARN apart; ok is false for any other text.
func (n names) parseProviderARN(k providerKind, text string) (account, name string, ok bool) {
	a, err := arn.Parse(text)
	if err != nil || a.Partition != n.partition || a.Service != "iam" || a.Region != "" || !isAccount(a.AccountID) {
		return "", "", false
	}
	name, ok = strings.CutPrefix(a.Resource, string(k)+"/")
	return a.AccountID, name, ok && name != ""
}

// providerMember is the member of inputs that names a provider.
func providerMember(k providerKind) string {
	if k == samlKind {
		return "SAMLProviderArn"
	}
	return "OpenIDConnectProviderArn"
}

// checkProviderARN checks an ARN of an input.
func (s *providerHandlers) checkProviderARN(k providerKind, text *string) (account, name string, err error) {
	member := providerMember(k)
	member = strings.ToLower(member[:1]) + member[1:]
	if text == nil {
		return "", "", violation(member, "Member must not be null")
	}
	if err := checkLength(member, *text, 20, maxARN); err != nil {
		return "", "", err
	}
	account, name, ok := s.parseProviderARN(k, *text)
	if !ok {
		return "", "", validationError("Invalid ARN: %s", *text) // AWS's text is not known
	}
	return account, name, nil
}

// onProvider is the resource of operations on one provider.
func (s *providerHandlers) onProvider(k providerKind, more ...keys) resource {
	return func(ctx context.Context, c *service.Call, in any) (service.Target, error) {
		text := member[*string](in, providerMember(k))
		account, name, err := s.checkProviderARN(k, text)
		if err != nil {
			return service.Target{}, err
		}
		t := service.Target{ARN: *text, Account: account}
		p, err := s.readProvider(ctx, account, k, name)
		switch {
		case err == nil:
			resourceTags(&t.Keys, p.Tags)
		case !isMissing(err):
			return service.Target{}, err
		}
		for _, m := range more {
			m(in, nil, &t.Keys)
		}
		return t, nil
	}
}

// noSuchProvider has the texts that clients report.
func (n names) noSuchProvider(account string, k providerKind, name string) error {
	if k == samlKind {
		return noSuchEntity("Manifest not found for arn %s", n.providerARN(account, k, name))
	}
	return noSuchEntity("OpenIDConnect Provider not found for arn %s", n.providerARN(account, k, name))
}

// getProvider reads a provider. It answers NoSuchEntity when there is none.
func (n names) getProvider(r store.Reader, account string, k providerKind, name string) (*provider, error) {
	p, err := store.GetJSON[*provider](r, providerKey(account, k, name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, n.noSuchProvider(account, k, name)
	}
	return p, err
}

func (s *providerHandlers) readProvider(ctx context.Context, account string, k providerKind, name string) (p *provider, err error) {
	err = s.db.View(ctx, func(r store.Reader) (err error) {
		p, err = s.getProvider(r, account, k, name)
		return err
	})
	return p, err
}

// ownProvider reads the provider of the caller's account that an ARN names.
func (s *providerHandlers) ownProvider(ctx context.Context, c *service.Call, k providerKind, text *string) (*provider, error) {
	name, err := s.ownProviderName(c, k, text)
	if err != nil {
		return nil, err
	}
	return s.readProvider(ctx, c.Account, k, name)
}

// ownProviderName is the name in an ARN, which was checked. Of other accounts' providers there is none here.
func (s *providerHandlers) ownProviderName(c *service.Call, k providerKind, text *string) (string, error) {
	account, name, _ := s.parseProviderARN(k, aws.ToString(text))
	if account != c.Account {
		return "", s.noSuchProvider(account, k, name)
	}
	return name, nil
}

// changeProvider reads a provider, lets fn change it, and writes it, in one transaction.
func (s *providerHandlers) changeProvider(ctx context.Context, c *service.Call, k providerKind, text *string, fn func(*provider) error) error {
	name, err := s.ownProviderName(c, k, text)
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx store.Tx) error {
		p, err := s.getProvider(tx, c.Account, k, name)
		if err != nil {
			return err
		}
		if err := fn(p); err != nil {
			return err
		}
		return store.PutJSON(tx, providerKey(c.Account, k, name), p)
	})
}

// addProvider keeps a new provider if there is none like it.
func (s *providerHandlers) addProvider(ctx context.Context, c *service.Call, p *provider, exists error, quota string, limit int) error {
	p.Created = c.Time.UTC().Truncate(time.Second)
	key := providerKey(c.Account, p.Kind, p.Name)
	return s.db.Update(ctx, func(tx store.Tx) error {
		switch _, err := tx.Get(key); {
		case err == nil:
			return exists
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		n, err := count(tx, providerPrefix(c.Account, p.Kind), limit)
		if err != nil {
			return err
		}
		if n >= limit {
			return quotaExceeded(quota, limit)
		}
		return store.PutJSON(tx, key, p)
	})
}

// listProviders gives all providers of a kind in an account, by name.
func (s *providerHandlers) listProviders(ctx context.Context, account string, k providerKind) (all []*provider, err error) {
	err = s.db.View(ctx, func(r store.Reader) error {
		all = all[:0]
		items, err := r.Scan(providerPrefix(account, k), "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			p, err := store.DecodeJSON[*provider](item)
			if err != nil {
				return err
			}
			all = append(all, p)
		}
		return nil
	})
	return all, err
}
