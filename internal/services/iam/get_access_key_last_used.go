package iam

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// onAccessKey is the resource of GetAccessKeyLastUsed: the owner of the key. A key that the account does not have stands for a user
// without a path, so that a caller who may not ask learns nothing.
func (s *credentialHandlers) onAccessKey(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	id := member[*string](in, "AccessKeyId")
	if err := s.checkAccessKeyID(id); err != nil {
		return service.Target{}, err
	}
	_, e, err := s.keyAndOwner(ctx, c.Account, *id)
	if err != nil {
		return service.Target{}, err
	}
	if e == nil {
		e = &identity{Kind: userKind, Path: "/", Name: *id}
	}
	t := service.Target{ARN: s.arnOf(c.Account, e), Account: c.Account}
	identityTags(&t.Keys, e)
	return t, nil
}

// getAccessKeyLastUsed answers for a key that is not there as AWS does (recorded).
func (s *credentialHandlers) getAccessKeyLastUsed(
	ctx context.Context, c *service.Call, in *sdk.GetAccessKeyLastUsedInput,
) (*sdk.GetAccessKeyLastUsedOutput, error) {
	used, e, err := s.keyAndOwner(ctx, c.Account, *in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, accessDenied("User: " + c.Caller.ARN + " is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key " +
			*in.AccessKeyId)
	}
	return &sdk.GetAccessKeyLastUsedOutput{AccessKeyLastUsed: used.wire(), UserName: keyOwner(e)}, nil
}

// keyAndOwner finds the last use and the owner of an access key of the account; the owner is nil when there is none.
func (s *credentialHandlers) keyAndOwner(ctx context.Context, account, id string) (used lastUse, owner *identity, err error) {
	err = s.db.View(ctx, func(r store.Reader) error {
		owner = nil
		key, err := store.GetJSON[accessKey](r, accessKeyKey(id))
		if errors.Is(err, store.ErrNotFound) || err == nil && key.Account != account {
			return nil
		}
		if err != nil {
			return err
		}
		if used, err = s.lastUsed.of(r, id); err != nil {
			return err
		}
		owner, err = getIdentity(r, account, key.Kind, key.OwnerID)
		return err
	})
	return used, owner, err
}

// neverUsed stands for region and service of what was not used
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html).
const neverUsed = "N/A"

// wire is a use as AWS shows it: to the minute.
func (u lastUse) wire() *types.AccessKeyLastUsed {
	if u.Time.IsZero() {
		return &types.AccessKeyLastUsed{Region: aws.String(neverUsed), ServiceName: aws.String(neverUsed)}
	}
	return &types.AccessKeyLastUsed{
		LastUsedDate: aws.Time(u.Time.UTC().Truncate(time.Minute)), Region: aws.String(u.Region), ServiceName: aws.String(u.Service),
	}
}
