package iam

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// aliasKey keeps the account of an alias, ownAliasKey the alias of an account.
func aliasKey(alias string) string { return "iam/alias/" + alias }

func ownAliasKey(account string) string { return "iam/" + account + "/alias" }

// ownAlias reads the alias of an account; "" when it has none.
func ownAlias(r store.Reader, account string) (string, error) {
	item, err := r.Get(ownAliasKey(account))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return string(item.Value), err
}

// createAccountAlias takes the place of the alias that the account may have
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/console-account-alias.html).
func (s *Service) createAccountAlias(
	ctx context.Context, c *service.Call, in *sdk.CreateAccountAliasInput,
) (*sdk.CreateAccountAliasOutput, error) {
	if err := s.checkAlias(in.AccountAlias); err != nil {
		return nil, err
	}
	alias := *in.AccountAlias
	err := s.DB.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Get(aliasKey(alias))
		if err == nil {
			return request.AlreadyExists("The account alias %s already exists.", alias)
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		had, err := ownAlias(tx, c.Account)
		if err != nil {
			return err
		}
		if had != "" {
			if err := tx.Delete(aliasKey(had)); err != nil {
				return err
			}
		}
		if err := tx.Put(aliasKey(alias), []byte(c.Account)); err != nil {
			return err
		}
		return tx.Put(ownAliasKey(c.Account), []byte(alias))
	})
	return &sdk.CreateAccountAliasOutput{}, err
}

func (s *Service) listAccountAliases(
	ctx context.Context, c *service.Call, in *sdk.ListAccountAliasesInput,
) (*sdk.ListAccountAliasesOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var all []string
	err = s.DB.View(ctx, func(r store.Reader) error {
		alias, err := ownAlias(r, c.Account)
		all = nil
		if alias != "" {
			all = []string{alias}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	l := request.Cut(p, all, func(alias string) string { return alias })
	return &sdk.ListAccountAliasesOutput{AccountAliases: append([]string{}, l.Items...), IsTruncated: l.Truncated, Marker: l.Marker}, nil
}

func (s *Service) deleteAccountAlias(
	ctx context.Context, c *service.Call, in *sdk.DeleteAccountAliasInput,
) (*sdk.DeleteAccountAliasOutput, error) {
	if err := s.checkAlias(in.AccountAlias); err != nil {
		return nil, err
	}
	err := s.DB.Update(ctx, func(tx store.Tx) error {
		alias, err := ownAlias(tx, c.Account)
		if err != nil {
			return err
		}
		if alias != *in.AccountAlias {
			return request.NoSuchEntity("The account alias %s cannot be found.", *in.AccountAlias) // AWS's text is not known
		}
		if err := tx.Delete(aliasKey(alias)); err != nil {
			return err
		}
		return tx.Delete(ownAliasKey(c.Account))
	})
	return &sdk.DeleteAccountAliasOutput{}, err
}

func (s *Service) checkAlias(alias *string) error {
	if err := request.CheckLength("accountAlias", aws.ToString(alias), 3, 63); err != nil {
		return err
	}
	return s.Patterns.AccountAlias.Check("accountAlias", *alias)
}
