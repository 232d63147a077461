package credential

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

// onAccessKey is the resource of GetAccessKeyLastUsed: the owner of the key. A key that the account does not have stands for a user
// without a path, so that a caller who may not ask learns nothing.
func (s *handlers) onAccessKey(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	id := target.Member[*string](in, "AccessKeyId")
	if err := s.checkAccessKeyID(id); err != nil {
		return service.Target{}, err
	}
	_, e, err := s.keyAndOwner(ctx, c.Account, *id)
	if err != nil {
		return service.Target{}, err
	}
	if e == nil {
		e = &record.Identity{Kind: record.UserKind, Path: "/", Name: *id}
	}
	t := service.Target{ARN: s.IdentityARN(c.Account, e), Account: c.Account}
	target.IdentityTags(&t.Keys, e)
	return t, nil
}

// getAccessKeyLastUsed answers for a key that is not there as AWS does (recorded).
func (s *handlers) getAccessKeyLastUsed(
	ctx context.Context, c *service.Call, in *sdk.GetAccessKeyLastUsedInput,
) (*sdk.GetAccessKeyLastUsedOutput, error) {
	used, e, err := s.keyAndOwner(ctx, c.Account, *in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, request.AccessDenied("User: " + c.Caller.ARN + " is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key " +
			*in.AccessKeyId)
	}
	return &sdk.GetAccessKeyLastUsedOutput{AccessKeyLastUsed: used.Wire(), UserName: keyOwner(e)}, nil
}

// keyAndOwner finds the last use and the owner of an access key of the account; the owner is nil when there is none.
func (s *handlers) keyAndOwner(ctx context.Context, account, id string) (used directory.LastUse, owner *record.Identity, err error) {
	err = s.DB.View(ctx, func(r store.Reader) error {
		owner = nil
		key, err := store.GetJSON[record.AccessKey](r, record.AccessKeyKey(id))
		if errors.Is(err, store.ErrNotFound) || err == nil && key.Account != account {
			return nil
		}
		if err != nil {
			return err
		}
		if used, err = s.lastUsed.Of(r, id); err != nil {
			return err
		}
		owner, err = record.GetIdentity(r, account, key.Kind, key.OwnerID)
		return err
	})
	return used, owner, err
}
