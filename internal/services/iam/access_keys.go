package iam

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// putNewKey makes an access key for an identity and keeps it. It returns the secret, which is not shown again.
func putNewKey(tx store.Tx, k *secret.Keyring, account string, e *identity, id string, now time.Time) (accessKey, string, error) {
	secretKey := principal.NewSecretAccessKey()
	sealed, err := sealSecret(k, accessKeyPurpose, id, secretKey)
	if err != nil {
		return accessKey{}, "", err
	}
	key := accessKey{
		ID: id, Account: account, Kind: e.Kind, OwnerID: e.ID, Active: true, Secret: sealed,
		Created: now.UTC().Truncate(time.Second),
	}
	e.AccessKeys = append(e.AccessKeys, id)
	return key, secretKey, store.PutJSON(tx, accessKeyKey(id), key)
}

func (s *credentialHandlers) createAccessKey(
	ctx context.Context, c *service.Call, in *sdk.CreateAccessKeyInput,
) (*sdk.CreateAccessKeyOutput, error) {
	id, err := principal.NewAccessKeyID(principal.AccessKeyPrefix, c.Account)
	if err != nil {
		return nil, err
	}
	out := &sdk.CreateAccessKeyOutput{}
	err = s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *identity) error {
		if len(e.AccessKeys) >= maxAccessKeys {
			return quotaExceeded("AccessKeysPerUser", maxAccessKeys)
		}
		key, secretKey, err := putNewKey(tx, s.keyring, c.Account, e, id, c.Time)
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

func (s *credentialHandlers) listAccessKeys(
	ctx context.Context, c *service.Call, in *sdk.ListAccessKeysInput,
) (*sdk.ListAccessKeysOutput, error) {
	p, k, name, err := s.pageOfUser(c, in.UserName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var all []types.AccessKeyMetadata
	err = s.db.View(ctx, func(r store.Reader) error {
		all = nil
		e, err := findIdentity(r, c.Account, k, name)
		if err != nil {
			return err
		}
		for _, id := range slices.Sorted(slices.Values(e.AccessKeys)) {
			key, err := store.GetJSON[accessKey](r, accessKeyKey(id))
			if err != nil {
				return err
			}
			all = append(all, types.AccessKeyMetadata{
				AccessKeyId: aws.String(id), CreateDate: aws.Time(key.Created), Status: wireStatus(key.Active), UserName: keyOwner(e),
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	l := cut(p, all, func(m types.AccessKeyMetadata) string { return *m.AccessKeyId })
	return &sdk.ListAccessKeysOutput{
		AccessKeyMetadata: append([]types.AccessKeyMetadata{}, l.items...), IsTruncated: l.truncated, Marker: l.marker,
	}, nil
}

func (s *credentialHandlers) updateAccessKey(
	ctx context.Context, c *service.Call, in *sdk.UpdateAccessKeyInput,
) (*sdk.UpdateAccessKeyOutput, error) {
	active, err := newStatus(in.Status)
	if err != nil {
		return nil, err
	}
	err = s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *identity) error {
		key, err := s.ownKey(tx, e, in.AccessKeyId)
		if err != nil {
			return err
		}
		key.Active = active
		return store.PutJSON(tx, accessKeyKey(key.ID), key)
	})
	return &sdk.UpdateAccessKeyOutput{}, err
}

func (s *credentialHandlers) deleteAccessKey(
	ctx context.Context, c *service.Call, in *sdk.DeleteAccessKeyInput,
) (*sdk.DeleteAccessKeyOutput, error) {
	err := s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *identity) error {
		key, err := s.ownKey(tx, e, in.AccessKeyId)
		if err != nil {
			return err
		}
		e.AccessKeys = slices.DeleteFunc(e.AccessKeys, func(id string) bool { return id == key.ID })
		if err := tx.Delete(lastUsedKey(key.ID)); err != nil {
			return err
		}
		return tx.Delete(accessKeyKey(key.ID))
	})
	return &sdk.DeleteAccessKeyOutput{}, err
}

// changeKeys is change for the user that a call on access keys is about.
func (s *credentialHandlers) changeKeys(ctx context.Context, c *service.Call, userName *string, fn func(store.Tx, *identity) error) error {
	k, name, err := s.userOrCaller(c, userName)
	if err != nil {
		return err
	}
	return s.change(ctx, c.Account, k, name, fn)
}

// ownKey finds an access key among those of an identity.
func (s *credentialHandlers) ownKey(r store.Reader, e *identity, id *string) (accessKey, error) {
	if err := s.checkAccessKeyID(id); err != nil {
		return accessKey{}, err
	}
	text := *id
	missing := noSuchEntity("The Access Key with id %s cannot be found.", text)
	if !slices.Contains(e.AccessKeys, text) {
		return accessKey{}, missing
	}
	key, err := store.GetJSON[accessKey](r, accessKeyKey(text))
	if errors.Is(err, store.ErrNotFound) {
		return accessKey{}, missing
	}
	return key, err
}

func (s *credentialHandlers) checkAccessKeyID(id *string) error {
	text := aws.ToString(id)
	if err := checkLength("accessKeyId", text, 16, 128); err != nil {
		return err
	}
	return s.patterns.accessKeyID.check("accessKeyId", text)
}

// keyOwner is the user name of a key; root's keys have none.
func keyOwner(e *identity) *string {
	if e.Kind == rootKind {
		return nil
	}
	return aws.String(e.Name)
}
