package iam

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// sshPublicKeyKey keeps whose an SSH public key is.
func sshPublicKeyKey(account, id string) string { return "iam/" + account + "/ssh-public-key/" + id }

func (s *credentialHandlers) uploadSSHPublicKey(
	ctx context.Context, c *service.Call, in *sdk.UploadSSHPublicKeyInput,
) (*sdk.UploadSSHPublicKeyOutput, error) {
	if err := s.patterns.checkLatin("sshPublicKeyBody", in.SSHPublicKeyBody, maxCertificateBody); err != nil {
		return nil, err
	}
	key, err := parseSSHPublicKey(*in.SSHPublicKeyBody)
	if err != nil {
		return nil, err
	}
	id, err := principal.NewAccessKeyID(principal.PublicKeyIDPrefix, c.Account)
	if err != nil {
		return nil, err
	}
	made := sshPublicKey{ID: id, Key: key, Active: true, Uploaded: c.Time.UTC().Truncate(time.Second)}
	out := &sdk.UploadSSHPublicKeyOutput{}
	err = s.change(ctx, c.Account, userKind, *in.UserName, func(tx store.Tx, e *identity) error {
		if slices.ContainsFunc(e.SSHPublicKeys, func(k sshPublicKey) bool { return bytes.Equal(k.Key, key) }) {
			return awserr.New("DuplicateSSHPublicKey", http.StatusBadRequest, "Duplicate SSH public key uploaded.")
		}
		if len(e.SSHPublicKeys) >= maxSSHPublicKeys {
			return quotaExceeded("SSHPublicKeysPerUser", maxSSHPublicKeys) // the quota's name is not known
		}
		e.SSHPublicKeys = append(e.SSHPublicKeys, made)
		out.SSHPublicKey = made.wire(e, *in.SSHPublicKeyBody)
		return tx.Put(sshPublicKeyKey(c.Account, id), []byte(e.ID))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *credentialHandlers) getSSHPublicKey(
	ctx context.Context, c *service.Call, in *sdk.GetSSHPublicKeyInput,
) (*sdk.GetSSHPublicKeyOutput, error) {
	if in.Encoding != types.EncodingTypeSsh && in.Encoding != types.EncodingTypePem {
		return nil, violation("encoding", "Member must satisfy enum value set: [SSH, PEM]")
	}
	var out *types.SSHPublicKey
	err := s.db.View(ctx, func(r store.Reader) error {
		e, err := findIdentity(r, c.Account, userKind, *in.UserName)
		if err != nil {
			return err
		}
		key, err := s.ownSSHPublicKey(r, c.Account, e, in.SSHPublicKeyId)
		if err != nil {
			return err
		}
		body := key.ssh()
		if in.Encoding == types.EncodingTypePem {
			if body, err = key.pem(); err != nil {
				return err
			}
		}
		out = key.wire(e, body)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.GetSSHPublicKeyOutput{SSHPublicKey: out}, nil
}

func (s *credentialHandlers) listSSHPublicKeys(
	ctx context.Context, c *service.Call, in *sdk.ListSSHPublicKeysInput,
) (*sdk.ListSSHPublicKeysOutput, error) {
	p, k, name, err := s.pageOfUser(c, in.UserName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	e, err := s.read(ctx, c.Account, k, name)
	if err != nil {
		return nil, err
	}
	id := func(k sshPublicKey) string { return k.ID }
	l := cut(p, sortedBy(e.SSHPublicKeys, id), id)
	out := &sdk.ListSSHPublicKeysOutput{IsTruncated: l.truncated, Marker: l.marker, SSHPublicKeys: []types.SSHPublicKeyMetadata{}}
	for _, key := range l.items {
		out.SSHPublicKeys = append(out.SSHPublicKeys, types.SSHPublicKeyMetadata{
			SSHPublicKeyId: aws.String(key.ID), Status: wireStatus(key.Active), UploadDate: aws.Time(key.Uploaded), UserName: aws.String(e.Name),
		})
	}
	return out, nil
}

func (s *credentialHandlers) updateSSHPublicKey(
	ctx context.Context, c *service.Call, in *sdk.UpdateSSHPublicKeyInput,
) (*sdk.UpdateSSHPublicKeyOutput, error) {
	active, err := newStatus(in.Status)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, c.Account, userKind, *in.UserName, func(tx store.Tx, e *identity) error {
		key, err := s.ownSSHPublicKey(tx, c.Account, e, in.SSHPublicKeyId)
		if err == nil {
			key.Active = active
		}
		return err
	})
	return &sdk.UpdateSSHPublicKeyOutput{}, err
}

func (s *credentialHandlers) deleteSSHPublicKey(
	ctx context.Context, c *service.Call, in *sdk.DeleteSSHPublicKeyInput,
) (*sdk.DeleteSSHPublicKeyOutput, error) {
	err := s.change(ctx, c.Account, userKind, *in.UserName, func(tx store.Tx, e *identity) error {
		key, err := s.ownSSHPublicKey(tx, c.Account, e, in.SSHPublicKeyId)
		if err != nil {
			return err
		}
		id := key.ID
		e.SSHPublicKeys = slices.DeleteFunc(e.SSHPublicKeys, func(k sshPublicKey) bool { return k.ID == id })
		return tx.Delete(sshPublicKeyKey(c.Account, id))
	})
	return &sdk.DeleteSSHPublicKeyOutput{}, err
}

// ownSSHPublicKey finds a key among those of a user. For a key of another AWS has other words than for none (recorded).
func (s *credentialHandlers) ownSSHPublicKey(r store.Reader, account string, e *identity, id *string) (*sshPublicKey, error) {
	text := aws.ToString(id)
	if err := checkLength("sshPublicKeyId", text, 20, 128); err != nil {
		return nil, err
	}
	if err := s.patterns.accessKeyID.check("sshPublicKeyId", text); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(e.SSHPublicKeys, func(k sshPublicKey) bool { return k.ID == text })
	if i >= 0 {
		return &e.SSHPublicKeys[i], nil
	}
	_, err := r.Get(sshPublicKeyKey(account, text))
	switch {
	case err == nil:
		return nil, noSuchEntity("User has no Public Key with id %s.", text)
	case errors.Is(err, store.ErrNotFound):
		return nil, noSuchEntity("The Public Key with id %s cannot be found.", text)
	}
	return nil, err
}

func (k sshPublicKey) wire(e *identity, body string) *types.SSHPublicKey {
	return &types.SSHPublicKey{
		Fingerprint: aws.String(k.fingerprint()), SSHPublicKeyBody: aws.String(body), SSHPublicKeyId: aws.String(k.ID),
		Status: wireStatus(k.Active), UploadDate: aws.Time(k.Uploaded), UserName: aws.String(e.Name),
	}
}
