package credential

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

func (s *handlers) createAccessKey(
	ctx context.Context, c *service.Call, in *sdk.CreateAccessKeyInput,
) (*sdk.CreateAccessKeyOutput, error) {
	id, err := principal.NewAccessKeyID(principal.AccessKeyPrefix, c.Account)
	if err != nil {
		return nil, err
	}
	out := &sdk.CreateAccessKeyOutput{}
	err = s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *record.Identity) error {
		if len(e.AccessKeys) >= request.MaxAccessKeys {
			return request.QuotaExceeded("AccessKeysPerUser", request.MaxAccessKeys)
		}
		key, secretKey, err := record.PutNewKey(tx, s.keyring, c.Account, e, id, c.Time)
		out.AccessKey = &types.AccessKey{
			AccessKeyId: aws.String(id), SecretAccessKey: aws.String(secretKey), Status: types.StatusTypeActive,
			CreateDate: aws.Time(key.Created), UserName: keyOwner(e),
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *handlers) listAccessKeys(
	ctx context.Context, c *service.Call, in *sdk.ListAccessKeysInput,
) (*sdk.ListAccessKeysOutput, error) {
	p, k, name, err := s.PageOfUser(c, in.UserName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var all []types.AccessKeyMetadata
	err = s.DB.View(ctx, func(r store.Reader) error {
		all = nil
		e, err := record.FindIdentity(r, c.Account, k, name)
		if err != nil {
			return err
		}
		for _, id := range slices.Sorted(slices.Values(e.AccessKeys)) {
			key, err := store.GetJSON[record.AccessKey](r, record.AccessKeyKey(id))
			if err != nil {
				return err
			}
			all = append(all, types.AccessKeyMetadata{
				AccessKeyId: aws.String(id), CreateDate: aws.Time(key.Created), Status: record.WireStatus(key.Active), UserName: keyOwner(e),
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	l := request.Cut(p, all, func(m types.AccessKeyMetadata) string { return *m.AccessKeyId })
	return &sdk.ListAccessKeysOutput{
		AccessKeyMetadata: append([]types.AccessKeyMetadata{}, l.Items...), IsTruncated: l.Truncated, Marker: l.Marker,
	}, nil
}

func (s *handlers) updateAccessKey(
	ctx context.Context, c *service.Call, in *sdk.UpdateAccessKeyInput,
) (*sdk.UpdateAccessKeyOutput, error) {
	active, err := record.NewStatus(in.Status)
	if err != nil {
		return nil, err
	}
	err = s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *record.Identity) error {
		key, err := s.ownKey(tx, e, in.AccessKeyId)
		if err != nil {
			return err
		}
		key.Active = active
		return store.PutJSON(tx, record.AccessKeyKey(key.ID), key)
	})
	return &sdk.UpdateAccessKeyOutput{}, err
}

func (s *handlers) deleteAccessKey(
	ctx context.Context, c *service.Call, in *sdk.DeleteAccessKeyInput,
) (*sdk.DeleteAccessKeyOutput, error) {
	err := s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *record.Identity) error {
		key, err := s.ownKey(tx, e, in.AccessKeyId)
		if err != nil {
			return err
		}
		e.AccessKeys = slices.DeleteFunc(e.AccessKeys, func(id string) bool { return id == key.ID })
		if err := tx.Delete(record.LastUsedKey(key.ID)); err != nil {
			return err
		}
		return tx.Delete(record.AccessKeyKey(key.ID))
	})
	return &sdk.DeleteAccessKeyOutput{}, err
}

// changeKeys is Change for the user that a call on access keys is about.
func (s *handlers) changeKeys(ctx context.Context, c *service.Call, userName *string, fn func(store.Tx, *record.Identity) error) error {
	k, name, err := s.UserOrCaller(c, userName)
	if err != nil {
		return err
	}
	return s.Change(ctx, c.Account, k, name, fn)
}

// ownKey finds an access key among those of an identity.
func (s *handlers) ownKey(r store.Reader, e *record.Identity, id *string) (record.AccessKey, error) {
	if err := s.checkAccessKeyID(id); err != nil {
		return record.AccessKey{}, err
	}
	text := *id
	missing := request.NoSuchEntity("The Access Key with id %s cannot be found.", text)
	if !slices.Contains(e.AccessKeys, text) {
		return record.AccessKey{}, missing
	}
	key, err := store.GetJSON[record.AccessKey](r, record.AccessKeyKey(text))
	if errors.Is(err, store.ErrNotFound) {
		return record.AccessKey{}, missing
	}
	return key, err
}

func (s *handlers) checkAccessKeyID(id *string) error {
	text := aws.ToString(id)
	if err := request.CheckLength("accessKeyId", text, 16, 128); err != nil {
		return err
	}
	return s.Patterns.AccessKeyID.Check("accessKeyId", text)
}

// keyOwner is the user name of a key; root's keys have none.
func keyOwner(e *record.Identity) *string {
	if e.Kind == record.RootKind {
		return nil
	}
	return aws.String(e.Name)
}
