package credential

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// maxCredentialAge is in days (recorded).
const maxCredentialAge = 36600

func (s *handlers) createServiceSpecificCredential(
	ctx context.Context, c *service.Call, in *sdk.CreateServiceSpecificCredentialInput,
) (*sdk.CreateServiceSpecificCredentialOutput, error) {
	if err := request.CheckRange("credentialAgeDays", in.CredentialAgeDays, 1, maxCredentialAge); err != nil {
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
	made := record.ServiceCredential{ID: id, Service: of.Name, Active: true, Created: c.Time.UTC().Truncate(time.Second)}
	if in.CredentialAgeDays != nil {
		made.Expires = made.Created.AddDate(0, 0, int(*in.CredentialAgeDays))
	}
	secret := made.NewSecret()
	out := &sdk.CreateServiceSpecificCredentialOutput{}
	err = s.Change(ctx, c.Account, record.UserKind, *in.UserName, func(tx store.Tx, e *record.Identity) error {
		same := 0
		for _, had := range e.ServiceCredentials {
			if had.Service == of.Name {
				same++
			}
		}
		if same >= request.MaxServiceCredentials {
			return request.QuotaExceeded("ContextSpecificCredentialsPerUserPerContext", request.MaxServiceCredentials)
		}
		if made.Login, err = freeLogin(tx, c.Account, of.Name, e.Name); err != nil {
			return err
		}
		e.ServiceCredentials = append(e.ServiceCredentials, made)
		out.ServiceSpecificCredential = made.Wire(e, c.Time, secret)
		if err := tx.Put(record.ServiceLoginKey(c.Account, of.Name, made.Login), []byte(id)); err != nil {
			return err
		}
		return tx.Put(record.ServiceCredentialKey(c.Account, id), []byte(e.ID))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *handlers) listServiceSpecificCredentials(
	ctx context.Context, c *service.Call, in *sdk.ListServiceSpecificCredentialsInput,
) (*sdk.ListServiceSpecificCredentialsOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	of := record.CredentialService{}
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
	err = s.DB.View(ctx, func(r store.Reader) error {
		all = nil
		found, err := owners(r)
		for _, e := range found {
			for _, cred := range e.ServiceCredentials {
				if of.Name == "" || cred.Service == of.Name {
					all = append(all, cred.Listed(e, c.Time))
				}
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	id := func(m types.ServiceSpecificCredentialMetadata) string { return *m.ServiceSpecificCredentialId }
	l := request.Cut(p, request.SortedBy(all, id), id)
	return &sdk.ListServiceSpecificCredentialsOutput{
		ServiceSpecificCredentials: append([]types.ServiceSpecificCredentialMetadata{}, l.Items...), IsTruncated: l.Truncated, Marker: l.Marker,
	}, nil
}

// credentialOwners finds whose credentials a list is about.
func (s *handlers) credentialOwners(
	c *service.Call, in *sdk.ListServiceSpecificCredentialsInput,
) (func(store.Reader) ([]*record.Identity, error), error) {
	if aws.ToBool(in.AllUsers) {
		if in.UserName != nil {
			return nil, request.ValidationError("UserName and AllUsers cannot be specified together") // AWS's text is not known
		}
		return func(r store.Reader) ([]*record.Identity, error) { return usersWithServiceCredentials(r, c.Account) }, nil
	}
	k, name, err := s.UserOrCaller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	return func(r store.Reader) ([]*record.Identity, error) {
		e, err := record.FindIdentity(r, c.Account, k, name)
		if err != nil {
			return nil, err
		}
		return []*record.Identity{e}, nil
	}, nil
}

func usersWithServiceCredentials(r store.Reader, account string) ([]*record.Identity, error) {
	items, err := r.Scan(record.ServiceCredentialPrefix(account), "", 0)
	if err != nil {
		return nil, err
	}
	var out []*record.Identity
	for _, item := range items {
		id := string(item.Value)
		if slices.ContainsFunc(out, func(e *record.Identity) bool { return e.ID == id }) {
			continue
		}
		e, err := record.GetIdentity(r, account, record.UserKind, id)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (s *handlers) updateServiceSpecificCredential(
	ctx context.Context, c *service.Call, in *sdk.UpdateServiceSpecificCredentialInput,
) (*sdk.UpdateServiceSpecificCredentialOutput, error) {
	active, err := record.NewStatus(in.Status)
	if err != nil {
		return nil, err
	}
	err = s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *record.Identity) error {
		cred, err := s.ownServiceCredential(tx, c.Account, e, in.ServiceSpecificCredentialId)
		if err == nil {
			cred.Active = active
		}
		return err
	})
	return &sdk.UpdateServiceSpecificCredentialOutput{}, err
}

// resetServiceSpecificCredential changes the secret and nothing else.
func (s *handlers) resetServiceSpecificCredential(
	ctx context.Context, c *service.Call, in *sdk.ResetServiceSpecificCredentialInput,
) (*sdk.ResetServiceSpecificCredentialOutput, error) {
	out := &sdk.ResetServiceSpecificCredentialOutput{}
	err := s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *record.Identity) error {
		cred, err := s.ownServiceCredential(tx, c.Account, e, in.ServiceSpecificCredentialId)
		if err != nil {
			return err
		}
		out.ServiceSpecificCredential = cred.Wire(e, c.Time, cred.NewSecret())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *handlers) deleteServiceSpecificCredential(
	ctx context.Context, c *service.Call, in *sdk.DeleteServiceSpecificCredentialInput,
) (*sdk.DeleteServiceSpecificCredentialOutput, error) {
	err := s.changeKeys(ctx, c, in.UserName, func(tx store.Tx, e *record.Identity) error {
		cred, err := s.ownServiceCredential(tx, c.Account, e, in.ServiceSpecificCredentialId)
		if err != nil {
			return err
		}
		gone := *cred
		e.ServiceCredentials = slices.DeleteFunc(e.ServiceCredentials, func(c record.ServiceCredential) bool { return c.ID == gone.ID })
		if err := tx.Delete(record.ServiceLoginKey(c.Account, gone.Service, gone.Login)); err != nil {
			return err
		}
		return tx.Delete(record.ServiceCredentialKey(c.Account, gone.ID))
	})
	return &sdk.DeleteServiceSpecificCredentialOutput{}, err
}
