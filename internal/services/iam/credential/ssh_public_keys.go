package credential

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
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// sshPublicKeyKey keeps whose an SSH public key is.
func sshPublicKeyKey(account, id string) string { return "iam/" + account + "/ssh-public-key/" + id }

func (s *handlers) uploadSSHPublicKey(
	ctx context.Context, c *service.Call, in *sdk.UploadSSHPublicKeyInput,
) (*sdk.UploadSSHPublicKeyOutput, error) {
	if err := s.Patterns.CheckLatin("sshPublicKeyBody", in.SSHPublicKeyBody, request.MaxCertificateBody); err != nil {
		return nil, err
	}
	key, err := record.ParseSSHPublicKey(*in.SSHPublicKeyBody)
	if err != nil {
		return nil, err
	}
	id, err := principal.NewAccessKeyID(principal.PublicKeyIDPrefix, c.Account)
	if err != nil {
		return nil, err
	}
	made := record.SSHPublicKey{ID: id, Key: key, Active: true, Uploaded: c.Time.UTC().Truncate(time.Second)}
	out := &sdk.UploadSSHPublicKeyOutput{}
	err = s.Change(ctx, c.Account, record.UserKind, *in.UserName, func(tx store.Tx, e *record.Identity) error {
		if slices.ContainsFunc(e.SSHPublicKeys, func(k record.SSHPublicKey) bool { return bytes.Equal(k.Key, key) }) {
			return awserr.New("DuplicateSSHPublicKey", http.StatusBadRequest, "Duplicate SSH public key uploaded.")
		}
		if len(e.SSHPublicKeys) >= request.MaxSSHPublicKeys {
			return request.QuotaExceeded("SSHPublicKeysPerUser", request.MaxSSHPublicKeys) // the quota's name is not known
		}
		e.SSHPublicKeys = append(e.SSHPublicKeys, made)
		out.SSHPublicKey = made.Wire(e, *in.SSHPublicKeyBody)
		return tx.Put(sshPublicKeyKey(c.Account, id), []byte(e.ID))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *handlers) getSSHPublicKey(
	ctx context.Context, c *service.Call, in *sdk.GetSSHPublicKeyInput,
) (*sdk.GetSSHPublicKeyOutput, error) {
	if in.Encoding != types.EncodingTypeSsh && in.Encoding != types.EncodingTypePem {
		return nil, request.Violation("encoding", "Member must satisfy enum value set: [SSH, PEM]")
	}
	var out *types.SSHPublicKey
	err := s.DB.View(ctx, func(r store.Reader) error {
		e, err := record.FindIdentity(r, c.Account, record.UserKind, *in.UserName)
		if err != nil {
			return err
		}
		key, err := s.ownSSHPublicKey(r, c.Account, e, in.SSHPublicKeyId)
		if err != nil {
			return err
		}
		body := key.SSH()
		if in.Encoding == types.EncodingTypePem {
			if body, err = key.PEM(); err != nil {
				return err
			}
		}
		out = key.Wire(e, body)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.GetSSHPublicKeyOutput{SSHPublicKey: out}, nil
}

func (s *handlers) listSSHPublicKeys(
	ctx context.Context, c *service.Call, in *sdk.ListSSHPublicKeysInput,
) (*sdk.ListSSHPublicKeysOutput, error) {
	p, k, name, err := s.PageOfUser(c, in.UserName, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	e, err := s.Read(ctx, c.Account, k, name)
	if err != nil {
		return nil, err
	}
	id := func(k record.SSHPublicKey) string { return k.ID }
	l := request.Cut(p, request.SortedBy(e.SSHPublicKeys, id), id)
	out := &sdk.ListSSHPublicKeysOutput{IsTruncated: l.Truncated, Marker: l.Marker, SSHPublicKeys: []types.SSHPublicKeyMetadata{}}
	for _, key := range l.Items {
		out.SSHPublicKeys = append(out.SSHPublicKeys, types.SSHPublicKeyMetadata{
			SSHPublicKeyId: aws.String(key.ID), Status: record.WireStatus(key.Active), UploadDate: aws.Time(key.Uploaded), UserName: aws.String(e.Name),
		})
	}
	return out, nil
}

func (s *handlers) updateSSHPublicKey(
	ctx context.Context, c *service.Call, in *sdk.UpdateSSHPublicKeyInput,
) (*sdk.UpdateSSHPublicKeyOutput, error) {
	active, err := record.NewStatus(in.Status)
	if err != nil {
		return nil, err
	}
	err = s.Change(ctx, c.Account, record.UserKind, *in.UserName, func(tx store.Tx, e *record.Identity) error {
		key, err := s.ownSSHPublicKey(tx, c.Account, e, in.SSHPublicKeyId)
		if err == nil {
			key.Active = active
		}
		return err
	})
	return &sdk.UpdateSSHPublicKeyOutput{}, err
}

func (s *handlers) deleteSSHPublicKey(
	ctx context.Context, c *service.Call, in *sdk.DeleteSSHPublicKeyInput,
) (*sdk.DeleteSSHPublicKeyOutput, error) {
	err := s.Change(ctx, c.Account, record.UserKind, *in.UserName, func(tx store.Tx, e *record.Identity) error {
		key, err := s.ownSSHPublicKey(tx, c.Account, e, in.SSHPublicKeyId)
		if err != nil {
			return err
		}
		id := key.ID
		e.SSHPublicKeys = slices.DeleteFunc(e.SSHPublicKeys, func(k record.SSHPublicKey) bool { return k.ID == id })
		return tx.Delete(sshPublicKeyKey(c.Account, id))
	})
	return &sdk.DeleteSSHPublicKeyOutput{}, err
}

// ownSSHPublicKey finds a key among those of a user. For a key of another AWS has other words than for none (recorded).
func (s *handlers) ownSSHPublicKey(r store.Reader, account string, e *record.Identity, id *string) (*record.SSHPublicKey, error) {
	text := aws.ToString(id)
	if err := request.CheckLength("sshPublicKeyId", text, 20, 128); err != nil {
		return nil, err
	}
	if err := s.Patterns.AccessKeyID.Check("sshPublicKeyId", text); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(e.SSHPublicKeys, func(k record.SSHPublicKey) bool { return k.ID == text })
	if i >= 0 {
		return &e.SSHPublicKeys[i], nil
	}
	_, err := r.Get(sshPublicKeyKey(account, text))
	switch {
	case err == nil:
		return nil, request.NoSuchEntity("User has no Public Key with id %s.", text)
	case errors.Is(err, store.ErrNotFound):
		return nil, request.NoSuchEntity("The Public Key with id %s cannot be found.", text)
	}
	return nil, err
}
