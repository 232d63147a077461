package credential

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

// findCredentialService finds a service by its name, in any case.
func (s *handlers) findCredentialService(name *string) (record.CredentialService, error) {
	text := aws.ToString(name)
	if err := s.Patterns.ServiceName.Check("serviceName", text); err != nil {
		return record.CredentialService{}, err
	}
	all := record.CredentialServices()
	i := slices.IndexFunc(all, func(c record.CredentialService) bool { return c.Name == strings.ToLower(text) })
	if i < 0 {
		return record.CredentialService{}, request.NoSuchEntity("No such service %s is supported for Service Specific Credentials", text)
	}
	return all[i], nil
}

// freeLogin is a login of a user that nobody has.
func freeLogin(r store.Reader, account, service, user string) (string, error) {
	for n := 0; ; n++ {
		login := fmt.Sprintf("%s-at-%s", user, account)
		if n > 0 {
			login = fmt.Sprintf("%s+%d-at-%s", user, n, account)
		}
		_, err := r.Get(record.ServiceLoginKey(account, service, login))
		if errors.Is(err, store.ErrNotFound) {
			return login, nil
		}
		if err != nil {
			return "", err
		}
	}
}

// ownServiceCredential finds a credential among those of an identity.
func (s *handlers) ownServiceCredential(r store.Reader, account string, e *record.Identity, id *string) (*record.ServiceCredential, error) {
	if err := s.checkServiceCredentialID(id); err != nil {
		return nil, err
	}
	if c := e.ServiceCredential(*id); c != nil {
		return c, nil
	}
	_, err := r.Get(record.ServiceCredentialKey(account, *id))
	switch {
	case err == nil:
		return nil, request.ValidationError("User %s does not have a service specific credential with id %s", e.Name, *id)
	case errors.Is(err, store.ErrNotFound):
		return nil, request.NoSuchEntity("No such credential %s exists", *id) // AWS's text is not known
	}
	return nil, err
}

func (s *handlers) checkServiceCredentialID(id *string) error {
	if err := request.CheckLength("serviceSpecificCredentialId", aws.ToString(id), 20, 128); err != nil {
		return err
	}
	return s.Patterns.AccessKeyID.Check("serviceSpecificCredentialId", *id)
}

// onNewServiceCredential is the resource of CreateServiceSpecificCredential.
func (s *handlers) onNewServiceCredential(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	found, err := s.findCredentialService(target.Member[*string](in, "ServiceName"))
	if err != nil && !request.IsMissing(err) {
		return service.Target{}, err
	}
	return s.On(record.UserKind, func(in any, _ *record.Identity, k *authz.Context) {
		if found.Name != "" {
			k.Set("iam:ServiceSpecificCredentialServiceName", found.Name)
		}
		if days := target.Member[*int32](in, "CredentialAgeDays"); days != nil {
			k.Set("iam:ServiceSpecificCredentialAgeDays", fmt.Sprint(*days))
		}
	})(ctx, c, in)
}

// onServiceCredential is the resource of operations on one credential: its user, with the service as it is kept.
func (s *handlers) onServiceCredential(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	id := target.Member[*string](in, "ServiceSpecificCredentialId")
	if err := s.checkServiceCredentialID(id); err != nil {
		return service.Target{}, err
	}
	k, name, err := s.UserOrCaller(c, target.Member[*string](in, "UserName"))
	if err != nil {
		return service.Target{}, err
	}
	return s.IdentityTarget(ctx, c, k, name, in, []target.Keys{func(_ any, e *record.Identity, k *authz.Context) {
		if e == nil {
			return
		}
		if found := e.ServiceCredential(*id); found != nil {
			k.Set("iam:ServiceSpecificCredentialServiceName", found.Service)
		}
	}})
}

// onServiceCredentials is the resource of the list: a user, or all.
func (s *handlers) onServiceCredentials(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	if aws.ToBool(target.Member[*bool](in, "AllUsers")) {
		return service.Target{ARN: s.ARN(c.Account, "user/*"), Account: c.Account}, nil
	}
	return s.OnUserOrCaller(ctx, c, in)
}
