package credential

import (
	"context"
	"net/http"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// onOwnPassword is the resource of ChangePassword: who calls.
func (s *handlers) onOwnPassword(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	if c.Caller.Kind != authz.User {
		return service.Target{ARN: c.Caller.ARN, Account: c.Account}, nil
	}
	return s.IdentityTarget(ctx, c, record.UserKind, c.Caller.UserName, in, nil)
}

func (s *handlers) changePassword(
	ctx context.Context, c *service.Call, in *sdk.ChangePasswordInput,
) (*sdk.ChangePasswordOutput, error) {
	if c.Caller.Kind != authz.User {
		return nil, awserr.New("InvalidUserType", http.StatusBadRequest, "Only IAM Users can change their own password")
	}
	if err := s.Patterns.CheckLatin("oldPassword", in.OldPassword, record.MaxPassword); err != nil {
		return nil, err
	}
	if err := s.Patterns.CheckLatin("newPassword", in.NewPassword, record.MaxPassword); err != nil {
		return nil, err
	}
	e, err := s.userWithPassword(ctx, c.Account, c.Caller.UserName)
	if err != nil {
		return nil, err
	}
	old, err := e.Login.Hash(*in.OldPassword)
	if err != nil {
		return nil, err
	}
	// The same password again is denied, too (recorded).
	if !e.Login.IsCurrent(old) || *in.OldPassword == *in.NewPassword {
		return nil, wrongPassword()
	}
	set, err := setPassword(c, e, *in.NewPassword)
	if err != nil {
		return nil, err
	}
	err = s.Change(ctx, c.Account, record.UserKind, c.Caller.UserName, func(tx store.Tx, e *record.Identity) error {
		if e.Login == nil || !e.Login.IsCurrent(old) {
			return wrongPassword()
		}
		e.Login.ResetRequired = false
		return set(tx, e)
	})
	return &sdk.ChangePasswordOutput{}, err
}

// wrongPassword has the text of third-party logs.
func wrongPassword() error { return request.AccessDenied("The old password was incorrect.") }
