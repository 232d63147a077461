package provider

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

// providerMember is the member of inputs that names a provider.
func providerMember(k record.ProviderKind) string {
	if k == record.SAMLKind {
		return "SAMLProviderArn"
	}
	return "OpenIDConnectProviderArn"
}

// checkProviderARN checks an ARN of an input.
func (s *handlers) checkProviderARN(k record.ProviderKind, text *string) (account, name string, err error) {
	member := providerMember(k)
	member = strings.ToLower(member[:1]) + member[1:]
	if text == nil {
		return "", "", request.Violation(member, "Member must not be null")
	}
	if err := request.CheckLength(member, *text, 20, request.MaxARN); err != nil {
		return "", "", err
	}
	account, name, ok := s.ParseProviderARN(k, *text)
	if !ok {
		return "", "", request.ValidationError("Invalid ARN: %s", *text) // AWS's text is not known
	}
	return account, name, nil
}

// onProvider is the resource of operations on one provider.
func (s *handlers) onProvider(k record.ProviderKind, more ...target.Keys) target.Resource {
	return func(ctx context.Context, c *service.Call, in any) (service.Target, error) {
		text := target.Member[*string](in, providerMember(k))
		account, name, err := s.checkProviderARN(k, text)
		if err != nil {
			return service.Target{}, err
		}
		t := service.Target{ARN: *text, Account: account}
		p, err := s.readProvider(ctx, account, k, name)
		switch {
		case err == nil:
			target.ResourceTags(&t.Keys, p.Tags)
		case !request.IsMissing(err):
			return service.Target{}, err
		}
		for _, m := range more {
			m(in, nil, &t.Keys)
		}
		return t, nil
	}
}

func (s *handlers) readProvider(ctx context.Context, account string, k record.ProviderKind, name string) (p *record.Provider, err error) {
	err = s.DB.View(ctx, func(r store.Reader) (err error) {
		p, err = s.GetProvider(r, account, k, name)
		return err
	})
	return p, err
}

// ownProvider reads the provider of the caller's account that an ARN names.
func (s *handlers) ownProvider(ctx context.Context, c *service.Call, k record.ProviderKind, text *string) (*record.Provider, error) {
	name, err := s.ownProviderName(c, k, text)
	if err != nil {
		return nil, err
	}
	return s.readProvider(ctx, c.Account, k, name)
}

// ownProviderName is the name in an ARN, which was checked. Of other accounts' providers there is none here.
func (s *handlers) ownProviderName(c *service.Call, k record.ProviderKind, text *string) (string, error) {
	account, name, _ := s.ParseProviderARN(k, aws.ToString(text))
	if account != c.Account {
		return "", s.NoSuchProvider(account, k, name)
	}
	return name, nil
}

// changeProvider reads a provider, lets fn change it, and writes it, in one transaction.
func (s *handlers) changeProvider(ctx context.Context, c *service.Call, k record.ProviderKind, text *string, fn func(*record.Provider) error) error {
	name, err := s.ownProviderName(c, k, text)
	if err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx store.Tx) error {
		p, err := s.GetProvider(tx, c.Account, k, name)
		if err != nil {
			return err
		}
		if err := fn(p); err != nil {
			return err
		}
		return store.PutJSON(tx, record.ProviderKey(c.Account, k, name), p)
	})
}

// addProvider keeps a new provider if there is none like it.
func (s *handlers) addProvider(ctx context.Context, c *service.Call, p *record.Provider, exists error, quota string, limit int) error {
	p.Created = c.Time.UTC().Truncate(time.Second)
	key := record.ProviderKey(c.Account, p.Kind, p.Name)
	return s.DB.Update(ctx, func(tx store.Tx) error {
		switch _, err := tx.Get(key); {
		case err == nil:
			return exists
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		n, err := record.Count(tx, record.ProviderPrefix(c.Account, p.Kind), limit)
		if err != nil {
			return err
		}
		if n >= limit {
			return request.QuotaExceeded(quota, limit)
		}
		return store.PutJSON(tx, key, p)
	})
}

// listProviders gives all providers of a kind in an account, by name.
func (s *handlers) listProviders(ctx context.Context, account string, k record.ProviderKind) (all []*record.Provider, err error) {
	err = s.DB.View(ctx, func(r store.Reader) error {
		all = all[:0]
		items, err := r.Scan(record.ProviderPrefix(account, k), "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			p, err := store.DecodeJSON[*record.Provider](item)
			if err != nil {
				return err
			}
			all = append(all, p)
		}
		return nil
	})
	return all, err
}
