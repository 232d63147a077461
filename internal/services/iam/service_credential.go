package iam

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// serviceCredential is the stored form of a service-specific credential, in the record of its user. Of its secret, which nobody can
// guess, only the hash is kept.
type serviceCredential struct {
	ID      string `json:"id"`
	Service string `json:"service"`
	// Login is the user name, or the alias of an API key, that goes with the secret.
	Login   string    `json:"login"`
	Hash    []byte    `json:"hash"`
	Active  bool      `json:"active"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
}

// credentialService is a service that has credentials of its own; tokenPrefix begins its API keys, and is "" for user names with
// passwords.
type credentialService struct{ name, tokenPrefix string }

// credentialServices are those that AWS has (recorded).
func credentialServices() []credentialService {
	return []credentialService{
		{"codecommit.amazonaws.com", ""}, {"cassandra.amazonaws.com", ""}, {"bedrock.amazonaws.com", "ABSK"}, {"logs.amazonaws.com", "ACWL"},
		{"cloudwatch.amazonaws.com", "APIAACWM"}, {"aws-external-anthropic.amazonaws.com", "AEAA"},
	}
}

// findCredentialService finds a service by its name, in any case.
func (s *credentialHandlers) findCredentialService(name *string) (credentialService, error) {
	text := aws.ToString(name)
	if err := s.patterns.serviceName.check("serviceName", text); err != nil {
		return credentialService{}, err
	}
	all := credentialServices()
	i := slices.IndexFunc(all, func(c credentialService) bool { return c.name == strings.ToLower(text) })
	if i < 0 {
		return credentialService{}, noSuchEntity("No such service %s is supported for Service Specific Credentials", text)
	}
	return all[i], nil
}

// serviceCredentialKey keeps whose a credential is, serviceLoginKey which credential has a login.
func serviceCredentialKey(account, id string) string {
	return serviceCredentialPrefix(account) + id
}

func serviceCredentialPrefix(account string) string {
	return "iam/" + account + "/service-credential/"
}

func serviceLoginKey(account, service, login string) string {
	return "iam/" + account + "/service-login/" + service + "/" + login
}

// newSecret gives the credential a new secret, and returns it.
func (c *serviceCredential) newSecret() string {
	var b [45]byte
	rand.Read(b[:]) // never fails: crypto/rand
	text := base64.StdEncoding.EncodeToString(b[:])
	hash := sha256.Sum256([]byte(text))
	c.Hash = hash[:]
	return text
}

// freeLogin is a login of a user that nobody has.
func freeLogin(r store.Reader, account, service, user string) (string, error) {
	for n := 0; ; n++ {
		login := fmt.Sprintf("%s-at-%s", user, account)
		if n > 0 {
			login = fmt.Sprintf("%s+%d-at-%s", user, n, account)
		}
		_, err := r.Get(serviceLoginKey(account, service, login))
		if errors.Is(err, store.ErrNotFound) {
			return login, nil
		}
		if err != nil {
			return "", err
		}
	}
}

// ownServiceCredential finds a credential among those of an identity.
func (s *credentialHandlers) ownServiceCredential(r store.Reader, account string, e *identity, id *string) (*serviceCredential, error) {
	if err := s.checkServiceCredentialID(id); err != nil {
		return nil, err
	}
	if c := e.serviceCredential(*id); c != nil {
		return c, nil
	}
	_, err := r.Get(serviceCredentialKey(account, *id))
	switch {
	case err == nil:
		return nil, validationError("User %s does not have a service specific credential with id %s", e.Name, *id)
	case errors.Is(err, store.ErrNotFound):
		return nil, noSuchEntity("No such credential %s exists", *id) // AWS's text is not known
	}
	return nil, err
}

// serviceCredential is the one of an id; nil when there is none.
func (e *identity) serviceCredential(id string) *serviceCredential {
	i := slices.IndexFunc(e.ServiceCredentials, func(c serviceCredential) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &e.ServiceCredentials[i]
}

func (s *credentialHandlers) checkServiceCredentialID(id *string) error {
	if err := checkLength("serviceSpecificCredentialId", aws.ToString(id), 20, 128); err != nil {
		return err
	}
	return s.patterns.accessKeyID.check("serviceSpecificCredentialId", *id)
}

func (c serviceCredential) status(now time.Time) types.StatusType {
	if !c.Expires.IsZero() && !now.Before(c.Expires) {
		return types.StatusTypeExpired
	}
	return wireStatus(c.Active)
}

// tokenPrefix begins an API key; "" when the secret is a password.
func (c serviceCredential) tokenPrefix() string {
	all := credentialServices()
	i := slices.IndexFunc(all, func(s credentialService) bool { return s.name == c.Service })
	if i < 0 {
		return ""
	}
	return all[i].tokenPrefix
}

// wire is the credential as it is shown with its secret: once.
func (c serviceCredential) wire(e *identity, now time.Time, secret string) *types.ServiceSpecificCredential {
	out := &types.ServiceSpecificCredential{
		CreateDate: aws.Time(c.Created), ServiceName: aws.String(c.Service), ServiceSpecificCredentialId: aws.String(c.ID),
		Status: c.status(now), UserName: aws.String(e.Name), ExpirationDate: timeOrNil(c.Expires),
	}
	if prefix := c.tokenPrefix(); prefix != "" {
		out.ServiceCredentialAlias = aws.String(c.Login)
		out.ServiceCredentialSecret = aws.String(prefix + base64.StdEncoding.EncodeToString([]byte(c.Login+":"+secret)))
	} else {
		out.ServiceUserName, out.ServicePassword = aws.String(c.Login), aws.String(secret)
	}
	return out
}

// listed is the credential as lists show it.
func (c serviceCredential) listed(e *identity, now time.Time) types.ServiceSpecificCredentialMetadata {
	out := types.ServiceSpecificCredentialMetadata{
		CreateDate: aws.Time(c.Created), ServiceName: aws.String(c.Service), ServiceSpecificCredentialId: aws.String(c.ID),
		Status: c.status(now), UserName: aws.String(e.Name), ExpirationDate: timeOrNil(c.Expires),
	}
	if c.tokenPrefix() != "" {
		out.ServiceCredentialAlias = aws.String(c.Login)
	} else {
		out.ServiceUserName = aws.String(c.Login)
	}
	return out
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// onNewServiceCredential is the resource of CreateServiceSpecificCredential.
func (s *credentialHandlers) onNewServiceCredential(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	found, err := s.findCredentialService(member[*string](in, "ServiceName"))
	if err != nil && !isMissing(err) {
		return service.Target{}, err
	}
	return s.on(userKind, func(in any, _ *identity, k *authz.Context) {
		if found.name != "" {
			k.Set("iam:ServiceSpecificCredentialServiceName", found.name)
		}
		if days := member[*int32](in, "CredentialAgeDays"); days != nil {
			k.Set("iam:ServiceSpecificCredentialAgeDays", fmt.Sprint(*days))
		}
	})(ctx, c, in)
}

// onServiceCredential is the resource of operations on one credential: its user, with the service as it is kept.
func (s *credentialHandlers) onServiceCredential(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	id := member[*string](in, "ServiceSpecificCredentialId")
	if err := s.checkServiceCredentialID(id); err != nil {
		return service.Target{}, err
	}
	k, name, err := s.userOrCaller(c, member[*string](in, "UserName"))
	if err != nil {
		return service.Target{}, err
	}
	return s.identityTarget(ctx, c, k, name, in, []keys{func(_ any, e *identity, k *authz.Context) {
		if e == nil {
			return
		}
		if found := e.serviceCredential(*id); found != nil {
			k.Set("iam:ServiceSpecificCredentialServiceName", found.Service)
		}
	}})
}

// onServiceCredentials is the resource of the list: a user, or all.
func (s *credentialHandlers) onServiceCredentials(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	if aws.ToBool(member[*bool](in, "AllUsers")) {
		return service.Target{ARN: s.arn(c.Account, "user/*"), Account: c.Account}, nil
	}
	return s.onUserOrCaller(ctx, c, in)
}
