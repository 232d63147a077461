package credential

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

// onLoginProfile is the resource of operations on the password of a user whose name may be left out. The root user has none here.
func (s *handlers) onLoginProfile(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	name, err := s.loginUser(c, target.Member[*string](in, "UserName"))
	if err != nil {
		return service.Target{}, err
	}
	return s.IdentityTarget(ctx, c, record.UserKind, name, in, nil)
}

func (s *handlers) loginUser(c *service.Call, name *string) (string, error) {
	k, user, err := s.UserOrCaller(c, name)
	if err == nil && k == record.RootKind {
		// It needs a session of AssumeRoot: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html, UserName.
		err = request.NoUserName()
	}
	return user, err
}

func (s *handlers) createLoginProfile(
	ctx context.Context, c *service.Call, in *sdk.CreateLoginProfileInput,
) (*sdk.CreateLoginProfileOutput, error) {
	name, err := s.loginUser(c, in.UserName)
	if err != nil {
		return nil, err
	}
	if err := s.Patterns.CheckLatin("password", in.Password, record.MaxPassword); err != nil {
		return nil, err
	}
	made, err := record.NewPasswords(*in.Password, s.passwordRounds)
	if err != nil {
		return nil, err
	}
	now := c.Time.UTC().Truncate(time.Second)
	var out *types.LoginProfile
	err = s.Change(ctx, c.Account, record.UserKind, name, func(tx store.Tx, e *record.Identity) error {
		if e.Login != nil {
			return request.AlreadyExists("Login Profile for user %s already exists.", e.Name)
		}
		policy, err := record.GetPasswordPolicy(tx, c.Account)
		if err != nil {
			return err
		}
		if err := policy.Accept(*in.Password); err != nil {
			return err
		}
		e.Login = &record.LoginProfile{Created: now, Changed: now, ResetRequired: in.PasswordResetRequired, Passwords: made}
		out = wireLoginProfile(e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateLoginProfileOutput{LoginProfile: out}, nil
}

func (s *handlers) getLoginProfile(
	ctx context.Context, c *service.Call, in *sdk.GetLoginProfileInput,
) (*sdk.GetLoginProfileOutput, error) {
	name, err := s.loginUser(c, in.UserName)
	if err != nil {
		return nil, err
	}
	e, err := s.userWithPassword(ctx, c.Account, name)
	if err != nil {
		return nil, err
	}
	return &sdk.GetLoginProfileOutput{LoginProfile: wireLoginProfile(e)}, nil
}

// updateLoginProfile leaves alone what the call does not mention (recorded).
func (s *handlers) updateLoginProfile(
	ctx context.Context, c *service.Call, in *sdk.UpdateLoginProfileInput,
) (*sdk.UpdateLoginProfileOutput, error) {
	var set func(store.Tx, *record.Identity) error
	if in.Password != nil {
		if err := s.Patterns.CheckLatin("password", in.Password, record.MaxPassword); err != nil {
			return nil, err
		}
		e, err := s.userWithPassword(ctx, c.Account, *in.UserName)
		if err != nil {
			return nil, err
		}
		if set, err = setPassword(c, e, *in.Password); err != nil {
			return nil, err
		}
	}
	err := s.Change(ctx, c.Account, record.UserKind, *in.UserName, func(tx store.Tx, e *record.Identity) error {
		if e.Login == nil {
			return noSuchLoginProfile(e.Name)
		}
		if in.PasswordResetRequired != nil {
			e.Login.ResetRequired = *in.PasswordResetRequired
		}
		if set == nil {
			return nil
		}
		return set(tx, e)
	})
	return &sdk.UpdateLoginProfileOutput{}, err
}

func (s *handlers) deleteLoginProfile(
	ctx context.Context, c *service.Call, in *sdk.DeleteLoginProfileInput,
) (*sdk.DeleteLoginProfileOutput, error) {
	name, err := s.loginUser(c, in.UserName)
	if err != nil {
		return nil, err
	}
	err = s.Change(ctx, c.Account, record.UserKind, name, func(_ store.Tx, e *record.Identity) error {
		if e.Login == nil {
			return noSuchLoginProfile(e.Name)
		}
		e.Login = nil
		return nil
	})
	return &sdk.DeleteLoginProfileOutput{}, err
}

// setPassword prepares a new password of a user, for a transaction that may not wait for the hash.
func setPassword(c *service.Call, user *record.Identity, password string) (func(store.Tx, *record.Identity) error, error) {
	hash, err := user.Login.Hash(password)
	if err != nil {
		return nil, err
	}
	salt := user.Login.Salt
	return func(tx store.Tx, e *record.Identity) error {
		if e.Login == nil || !bytes.Equal(e.Login.Salt, salt) {
			return loginProfileBusy(e.Name)
		}
		policy, err := record.GetPasswordPolicy(tx, c.Account)
		if err != nil {
			return err
		}
		if err := policy.Accept(password); err != nil {
			return err
		}
		e.Login.Changed = c.Time.UTC().Truncate(time.Second)
		return e.Login.Replace(hash, policy)
	}, nil
}

// userWithPassword reads a user who has a login profile.
func (s *handlers) userWithPassword(ctx context.Context, account, name string) (*record.Identity, error) {
	e, err := s.Read(ctx, account, record.UserKind, name)
	if err == nil && e.Login == nil {
		err = noSuchLoginProfile(name)
	}
	return e, err
}

func wireLoginProfile(e *record.Identity) *types.LoginProfile {
	return &types.LoginProfile{
		CreateDate: aws.Time(e.Login.Created), PasswordResetRequired: e.Login.ResetRequired, UserName: aws.String(e.Name),
	}
}

func noSuchLoginProfile(user string) error {
	return request.NoSuchEntity("Login Profile for User %s cannot be found.", user)
}

// loginProfileBusy has the text of third-party logs.
func loginProfileBusy(user string) error {
	return awserr.New("EntityTemporarilyUnmodifiable", http.StatusConflict,
		"Login Profile for User %s cannot be modified while login profile is being created.", user)
}
