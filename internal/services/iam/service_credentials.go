package iam

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// maxCredentialAge is in days (recorded).
const maxCredentialAge = 36600

func (s *credentialHandlers) createServiceSpecificCredential(
	ctx context.Context, c *service.Call, in *sdk.CreateServiceSpecificCredentialInput,
) (*sdk.CreateServiceSpecificCredentialOutput, error) {
	if err := checkRange("credentialAgeDays", in.CredentialAgeDays, 1, maxCredentialAge); err != nil {
		return nil, err
	}
	of, err := s.findCredentialService(in.ServiceName)
	if err != nil {
		return nil, err
	}
	id, err := principal.NewUniqueID(principal.ServiceCredentialIDPrefix, c.Account)
	if err != nil {
		return nil, err
	}
	made := serviceCredential{ID: id, Service: of.name, Active: true, Created: c.Time.UTC().Truncate(time.Second)}
	if in.CredentialAgeDays != nil {
		made.Expires = made.Created.AddDate(0, 0, int(*in.CredentialAgeDays))
	}
	secret := made.newSecret()
	out := &sdk.CreateServiceSpecificCredentialOutput{}
	err = s.change(ctx, c.Account, userKind, *in.UserName, func(tx store.Tx, e *identity) error {
		same := 0
		for _, had := range e.ServiceCredentials {
			if had.Service == of.name {
				same++
			}
		}
		if same >= maxServiceCredentials {
			return quotaExceeded("ContextSpecificCredentialsPerUserPerContext", maxServiceCredentials)
		}
		if made.Login, err = freeLogin(tx, c.Account, of.name, e.Name); err != nil {
			return err
		}
		e.ServiceCredentials = append(e.ServiceCredentials, made)
		out.ServiceSpecificCredential = made.wire(e, c.Time, secret)
		if err := tx.Put(serviceLoginKey(c.Account, of.name, made.Login), []byte(id)); err != nil {
			return err
		}
		return tx.Put(serviceCredentialKey(c.Account, id), []byte(e.ID))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *credentialHandlers) listServiceSpecificCredentials(
	ctx context.Context, c *service.Call, in *sdk.ListServiceSpecificCredentialsInput,
) (*sdk.ListServiceSpecificCredentialsOutput, error) {
	p, err := newPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	of := credentialService{}
	if aws.ToString(in.ServiceName) != "" {
		if of, err = s.findCredentialService(in.ServiceName); err != nil {
			return nil, err
		}
	}
	owners, err := s.credentialOwners(c, in)
	if err != nil {
		return nil, err
	}
	var all []types.ServiceSpecificCredentialMetadata
	err = s.db.View(ctx, func(r store.Reader) error {
		all = nil
		found, err := owners(r)
		for _, e := range found {
			for _, cred := range e.ServiceCredentials {
				if of.name == "" || cred.Service == of.name {
					all = append(all, cred.listed(e, c.Time))
				}
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	id := func(m types.ServiceSpecificCredentialMetadata) string { return *m.ServiceSpecificCredentialId }
	l := cut(p, sortedBy(all, id), id)
	return &sdk.ListServiceSpecificCredentialsOutput{
		ServiceSpecificCredentials: append([]types.ServiceSpecificCredentialMetadata{}, l.items...), IsTruncated: l.truncated, Marker: l.marker,
	}, nil
}

// credentialOwners finds whose credentials a list is about.
func (s *credentialHandlers) credentialOwners(
	c *service.Call, in *sdk.ListServiceSpecificCredentialsInput,
) (func(store.Reader) ([]*identity, error), error) {
	if aws.ToBool(in.AllUsers) {
		if in.UserName != nil {
			return nil, validationError("UserName and AllUsers cannot be specified together") // AWS's text is not known
		}
		return func(r store.Reader) ([]*identity, error) { return usersWithServiceCredentials(r, c.Account) }, nil
	}
	k, name, err := s.userOrCaller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	return func(r store.Reader) ([]*identity, error) {
		e, err := findIdentity(r, c.Account, k, name)
		if err != nil {
			return nil, err
		}
		return []*identity{e}, nil
	}, nil
}

func usersWithServiceCredentials(r store.Reader, account string) ([]*identity, error) {
	items, err := r.Scan(serviceCredentialPrefix(account), "", 0)
	if err != nil {
		return nil, err
	}
	var out []*identity
	for _, item := range items {
		id := string(item.Value)
		if slices.ContainsFunc(out, func(e *identity) bool { return e.ID == id }) {
			continue
		}
		e, err := getIdentity(r, account, userKind, id)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (s *credentialHandlers) updateServiceSpecificCredential(
	ctx context.Context, c *service.Call, in *sdk.UpdateServiceSpecificCredentialInput,
) (*sdk.UpdateServiceSpecificCredentialOutput, error) {
	active, err := newStatus(in.Status)
	if err != nil {
		return nil, err
	}
	err = s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *identity) error {
		cred, err := s.ownServiceCredential(tx, c.Account, e, in.ServiceSpecificCredentialId)
		if err == nil {
			cred.Active = active
		}
		return err
	})
	return &sdk.UpdateServiceSpecificCredentialOutput{}, err
}

// resetServiceSpecificCredential changes the secret and nothing else.
func (s *credentialHandlers) resetServiceSpecificCredential(
	ctx context.Context, c *service.Call, in *sdk.ResetServiceSpecificCredentialInput,
) (*sdk.ResetServiceSpecificCredentialOutput, error) {
	out := &sdk.ResetServiceSpecificCredentialOutput{}
	err := s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *identity) error {
		cred, err := s.ownServiceCredential(tx, c.Account, e, in.ServiceSpecificCredentialId)
		if err != nil {
			return err
		}
		out.ServiceSpecificCredential = cred.wire(e, c.Time, cred.newSecret())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *credentialHandlers) deleteServiceSpecificCredential(
	ctx context.Context, c *service.Call, in *sdk.DeleteServiceSpecificCredentialInput,
) (*sdk.DeleteServiceSpecificCredentialOutput, error) {
	err := s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *identity) error {
		cred, err := s.ownServiceCredential(tx, c.Account, e, in.ServiceSpecificCredentialId)
		if err != nil {
			return err
		}
		gone := *cred
		e.ServiceCredentials = slices.DeleteFunc(e.ServiceCredentials, func(c serviceCredential) bool { return c.ID == gone.ID })
		if err := tx.Delete(serviceLoginKey(c.Account, gone.Service, gone.Login)); err != nil {
			return err
		}
		return tx.Delete(serviceCredentialKey(c.Account, gone.ID))
	})
	return &sdk.DeleteServiceSpecificCredentialOutput{}, err
}
