// Package principal says who makes a request: the identity that authentication found, with its session.
//
// It is plain data: it neither authenticates nor authorizes. Values are immutable once made. Principal facts follow
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (properties of the principal).
package principal

import (
	"log/slog"
	"time"

	"github.com/licet/licet/authz"
)

// Caller is an authenticated identity.
type Caller struct {
	authz.Principal
	// AccessKeyID of the signing key; "" for service principals and anonymous callers.
	AccessKeyID string `json:"access_key_id,omitempty"`
	// UserName of an IAM user; "" otherwise.
	UserName string `json:"user_name,omitempty"`
	// Tags of the principal: a user's or a role's tags, overlaid by session tags (iam.md T7).
	Tags Tags `json:"tags,omitzero"`
	// Session is set for temporary credentials.
	Session *Session `json:"session,omitempty"`
}

// UserID is the id that AWS shows of a caller: the unique one of a user, and with the name of its session that of a role
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html, UserId).
func (c Caller) UserID() string {
	switch c.Kind {
	case authz.Root:
		return c.Account
	case authz.AssumedRole:
		return c.ID + ":" + c.SessionName
	case authz.FederatedUser:
		return c.Account + ":" + c.SessionName
	}
	return c.ID
}

// Session is what a session token carries. It is sealed into the token: no store is read to honour it.
type Session struct {
	// RoleARN is the role with its path; "" for a session of a user.
	RoleARN string `json:"role_arn,omitempty"`
	// RoleID is the role's unique id, AROA….
	RoleID string `json:"role_id,omitempty"`
	// UserARN and UserID are set for GetSessionToken and GetFederationToken sessions.
	UserARN string `json:"user_arn,omitempty"`
	UserID  string `json:"user_id,omitempty"`
	// Name is the session name of a role session, or that of a federated user.
	Name string `json:"name,omitempty"`
	// Generation of the role when the session was made; a role raises it to revoke its sessions.
	Generation int64 `json:"generation,omitempty"`
	// Policy is the inline session policy's text; HasPolicies tells whether any session policy was given.
	Policy      string   `json:"policy,omitempty"`
	PolicyARNs  []string `json:"policy_arns,omitempty"`
	HasPolicies bool     `json:"has_policies,omitempty"`
	// Tags are session tags, TransitiveTagKeys those that role chaining passes on.
	Tags              map[string]string `json:"tags,omitempty"`
	TransitiveTagKeys []string          `json:"transitive_tag_keys,omitempty"`
	SourceIdentity    string            `json:"source_identity,omitempty"`
	// FederatedProvider vouched for who got the session of AssumeRoleWithWebIdentity or AssumeRoleWithSAML: the provider's ARN, or the
	// name of one that AWS itself knows, such as "accounts.google.com"; "" for other sessions.
	FederatedProvider string `json:"federated_provider,omitempty"`
	// ProviderKeys are the condition keys of the provider that stay with its sessions, such as "idp.example.com:sub".
	ProviderKeys map[string]authz.Value `json:"provider_keys,omitempty"`
	// SourceFunctionARN is the unqualified ARN of the function whose environment the credentials were made for (lambda:SourceFunctionArn).
	SourceFunctionARN string `json:"source_function_arn,omitempty"`
	// MFA tells that the session was made with a code of an MFA device.
	MFA      bool      `json:"mfa,omitempty"`
	IssuedAt time.Time `json:"issued_at"`
	Expires  time.Time `json:"expires"`
}

// SetProviderKeys sets the condition keys that stay with the sessions of a provider.
func SetProviderKeys(k *authz.Context, keys map[string]authz.Value) {
	for name, value := range keys {
		if value.Multi {
			k.SetList(name, value.Values...)
		} else if len(value.Values) == 1 {
			k.Set(name, value.Values[0])
		}
	}
}

// Credentials are keys as a client uses them.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Expires         time.Time
}

// LogValue keeps secrets out of logs.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.AccessKeyID) }
