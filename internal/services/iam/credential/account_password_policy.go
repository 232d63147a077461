package credential

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// Limits of https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html.
const (
	leastPasswordLength   = 6
	maxPasswordAge        = 1095
	defaultPasswordLength = 6
)

// updateAccountPasswordPolicy replaces the policy: what the call does not mention has its default.
func (s *handlers) updateAccountPasswordPolicy(
	ctx context.Context, c *service.Call, in *sdk.UpdateAccountPasswordPolicyInput,
) (*sdk.UpdateAccountPasswordPolicyOutput, error) {
	if err := request.Violations(
		request.RangeProblem("minimumPasswordLength", in.MinimumPasswordLength, leastPasswordLength, record.MaxPassword),
		request.RangeProblem("passwordReusePrevention", in.PasswordReusePrevention, 1, record.MaxPasswordHistory),
		request.RangeProblem("maxPasswordAge", in.MaxPasswordAge, 1, maxPasswordAge),
	); err != nil {
		return nil, err
	}
	p := record.PasswordPolicy{
		MinimumLength: defaultPasswordLength, RequireUppercase: in.RequireUppercaseCharacters, RequireLowercase: in.RequireLowercaseCharacters,
		RequireNumbers: in.RequireNumbers, RequireSymbols: in.RequireSymbols, AllowChange: in.AllowUsersToChangePassword,
		HardExpiry: in.HardExpiry, MaxAge: in.MaxPasswordAge, ReusePrevention: in.PasswordReusePrevention,
	}
	if in.MinimumPasswordLength != nil {
		p.MinimumLength = *in.MinimumPasswordLength
	}
	return &sdk.UpdateAccountPasswordPolicyOutput{}, s.DB.Update(ctx, func(tx store.Tx) error {
		return store.PutJSON(tx, record.PasswordPolicyKey(c.Account), p)
	})
}

func (s *handlers) getAccountPasswordPolicy(
	ctx context.Context, c *service.Call, _ *sdk.GetAccountPasswordPolicyInput,
) (*sdk.GetAccountPasswordPolicyOutput, error) {
	var p *record.PasswordPolicy
	err := s.DB.View(ctx, func(r store.Reader) (err error) {
		p, err = record.GetPasswordPolicy(r, c.Account)
		return err
	})
	if err == nil && p == nil {
		err = request.NoSuchEntity("The Password Policy with domain name %s cannot be found.", c.Account)
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

func (s *handlers) deleteAccountPasswordPolicy(
	ctx context.Context, c *service.Call, _ *sdk.DeleteAccountPasswordPolicyInput,
) (*sdk.DeleteAccountPasswordPolicyOutput, error) {
	return &sdk.DeleteAccountPasswordPolicyOutput{}, s.DB.Update(ctx, func(tx store.Tx) error {
		p, err := record.GetPasswordPolicy(tx, c.Account)
		if err == nil && p == nil {
			err = request.NoSuchEntity("The account policy with name PasswordPolicy cannot be found.")
		}
		if err != nil {
			return err
		}
		return tx.Delete(record.PasswordPolicyKey(c.Account))
	})
}
