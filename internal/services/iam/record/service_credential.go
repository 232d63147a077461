package record

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// ServiceCredential is the stored form of a service-specific credential, in the record of its user. Of its secret, which nobody can
// guess, only the hash is kept.
type ServiceCredential struct {
	ID      string `json:"id"`
	Service string `json:"service"`
	// Login is the user name, or the alias of an API key, that goes with the secret.
	Login   string    `json:"login"`
	Hash    []byte    `json:"hash"`
	Active  bool      `json:"active"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
}

// CredentialService is a service that has credentials of its own; tokenPrefix begins its API keys, and is "" for user names with
// passwords.
type CredentialService struct{ Name, tokenPrefix string }

// CredentialServices are those that AWS has (recorded).
func CredentialServices() []CredentialService {
	return []CredentialService{
		{"codecommit.amazonaws.com", ""}, {"cassandra.amazonaws.com", ""}, {"bedrock.amazonaws.com", "ABSK"}, {"logs.amazonaws.com", "ACWL"},
		{"cloudwatch.amazonaws.com", "APIAACWM"}, {"aws-external-anthropic.amazonaws.com", "AEAA"},
	}
}

// ServiceCredentialKey keeps whose a credential is, ServiceLoginKey which credential has a login.
func ServiceCredentialKey(account, id string) string {
	return ServiceCredentialPrefix(account) + id
}

// ServiceCredentialPrefix begins the keys of an account's credentials.
func ServiceCredentialPrefix(account string) string {
	return "iam/" + account + "/service-credential/"
}

// ServiceLoginKey is where the id of the credential with a login is kept.
func ServiceLoginKey(account, service, login string) string {
	return "iam/" + account + "/service-login/" + service + "/" + login
}

// NewSecret gives the credential a new secret, and returns it.
func (c *ServiceCredential) NewSecret() string {
	var b [45]byte
	rand.Read(b[:]) // never fails: crypto/rand
	text := base64.StdEncoding.EncodeToString(b[:])
	hash := sha256.Sum256([]byte(text))
	c.Hash = hash[:]
	return text
}

func (c ServiceCredential) status(now time.Time) types.StatusType {
	if !c.Expires.IsZero() && !now.Before(c.Expires) {
		return types.StatusTypeExpired
	}
	return WireStatus(c.Active)
}

// tokenPrefix begins an API key; "" when the secret is a password.
func (c ServiceCredential) tokenPrefix() string {
	all := CredentialServices()
	i := slices.IndexFunc(all, func(s CredentialService) bool { return s.Name == c.Service })
	if i < 0 {
		return ""
	}
	return all[i].tokenPrefix
}

// Wire is the credential as it is shown with its secret: once.
func (c ServiceCredential) Wire(e *Identity, now time.Time, secret string) *types.ServiceSpecificCredential {
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

// Listed is the credential as lists show it.
func (c ServiceCredential) Listed(e *Identity, now time.Time) types.ServiceSpecificCredentialMetadata {
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
