package iam

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// Limits of https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html.
const (
	leastPasswordLength   = 6
	maxPasswordAge        = 1095
	defaultPasswordLength = 6
)

// passwordPolicy is the stored form of an account's password policy.
type passwordPolicy struct {
	MinimumLength    int32 `json:"minimum_length"`
	RequireUppercase bool  `json:"require_uppercase,omitempty"`
	RequireLowercase bool  `json:"require_lowercase,omitempty"`
	RequireNumbers   bool  `json:"require_numbers,omitempty"`
	RequireSymbols   bool  `json:"require_symbols,omitempty"`
	AllowChange      bool  `json:"allow_change,omitempty"`
	HardExpiry       *bool `json:"hard_expiry,omitempty"`
	// MaxAge is in days.
	MaxAge          *int32 `json:"max_age,omitempty"`
	ReusePrevention *int32 `json:"reuse_prevention,omitempty"`
}

func passwordPolicyKey(account string) string { return "iam/" + account + "/password-policy" }

// getPasswordPolicy reads the policy of an account; nil when it has none.
func getPasswordPolicy(r store.Reader, account string) (*passwordPolicy, error) {
	p, err := store.GetJSON[*passwordPolicy](r, passwordPolicyKey(account))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return p, err
}

// updateAccountPasswordPolicy replaces the policy: what the call does not mention has its default.
func (s *credentialHandlers) updateAccountPasswordPolicy(
	ctx context.Context, c *service.Call, in *sdk.UpdateAccountPasswordPolicyInput,
) (*sdk.UpdateAccountPasswordPolicyOutput, error) {
	if err := violations(
		rangeProblem("minimumPasswordLength", in.MinimumPasswordLength, leastPasswordLength, maxPassword),
		rangeProblem("passwordReusePrevention", in.PasswordReusePrevention, 1, maxPasswordHistory),
		rangeProblem("maxPasswordAge", in.MaxPasswordAge, 1, maxPasswordAge),
	); err != nil {
		return nil, err
	}
	p := passwordPolicy{
		MinimumLength: defaultPasswordLength, RequireUppercase: in.RequireUppercaseCharacters, RequireLowercase: in.RequireLowercaseCharacters,
		RequireNumbers: in.RequireNumbers, RequireSymbols: in.RequireSymbols, AllowChange: in.AllowUsersToChangePassword,
		HardExpiry: in.HardExpiry, MaxAge: in.MaxPasswordAge, ReusePrevention: in.PasswordReusePrevention,
	}
	if in.MinimumPasswordLength != nil {
		p.MinimumLength = *in.MinimumPasswordLength
	}
	return &sdk.UpdateAccountPasswordPolicyOutput{}, s.db.Update(ctx, func(tx store.Tx) error {
		return store.PutJSON(tx, passwordPolicyKey(c.Account), p)
	})
}

func (s *credentialHandlers) getAccountPasswordPolicy(
	ctx context.Context, c *service.Call, _ *sdk.GetAccountPasswordPolicyInput,
) (*sdk.GetAccountPasswordPolicyOutput, error) {
	var p *passwordPolicy
	err := s.db.View(ctx, func(r store.Reader) (err error) {
		p, err = getPasswordPolicy(r, c.Account)
		return err
	})
	if err == nil && p == nil {
		err = noSuchEntity("The Password Policy with domain name %s cannot be found.", c.Account)
	}
	if err != nil {
		return nil, err
	}
	return &sdk.GetAccountPasswordPolicyOutput{PasswordPolicy: &types.PasswordPolicy{
		AllowUsersToChangePassword: p.AllowChange, ExpirePasswords: p.MaxAge != nil, HardExpiry: p.HardExpiry, MaxPasswordAge: p.MaxAge,
		MinimumPasswordLength: aws.Int32(p.MinimumLength), PasswordReusePrevention: p.ReusePrevention,
		RequireLowercaseCharacters: p.RequireLowercase, RequireNumbers: p.RequireNumbers, RequireSymbols: p.RequireSymbols,
		RequireUppercaseCharacters: p.RequireUppercase,
	}}, nil
}

func (s *credentialHandlers) deleteAccountPasswordPolicy(
	ctx context.Context, c *service.Call, _ *sdk.DeleteAccountPasswordPolicyInput,
) (*sdk.DeleteAccountPasswordPolicyOutput, error) {
	return &sdk.DeleteAccountPasswordPolicyOutput{}, s.db.Update(ctx, func(tx store.Tx) error {
		p, err := getPasswordPolicy(tx, c.Account)
		if err == nil && p == nil {
			err = noSuchEntity("The account policy with name PasswordPolicy cannot be found.")
		}
		if err != nil {
			return err
		}
		return tx.Delete(passwordPolicyKey(c.Account))
	})
}
