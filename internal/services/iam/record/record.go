package record

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// Kind is a kind of identity, by AWS's word in ARNs and messages.
type Kind string

const (
	UserKind  Kind = "user"
	GroupKind Kind = "group"
	RoleKind  Kind = "role"
	// profileKind is an instance profile: it has a name, a path, tags and at most one role, and no policies.
	ProfileKind Kind = "instance-profile"
	// rootKind is the account's root user. Its id is the account, its name is empty.
	RootKind Kind = "root"
)

// IdPrefix starts the unique ids of a kind.
func (k Kind) IdPrefix() string {
	switch k {
	case UserKind:
		return principal.UserIDPrefix
	case GroupKind:
		return principal.GroupIDPrefix
	case ProfileKind:
		return principal.ProfileIDPrefix
	default:
		return principal.RoleIDPrefix
	}
}

// Identity is the stored form of a user, group, role, instance profile or root user. All that is granted to it is in this one
// record.
type Identity struct {
	Kind    Kind          `json:"kind"`
	ID      string        `json:"id"`
	Name    string        `json:"name,omitempty"`
	Path    string        `json:"path,omitempty"`
	Created time.Time     `json:"created"`
	Tags    []request.Tag `json:"tags,omitempty"`
	// Inline holds the texts of inline policies by name, Attached the ARNs of managed policies, Boundary that of the boundary.
	Inline   map[string]string `json:"inline,omitempty"`
	Attached []string          `json:"attached,omitempty"`
	Boundary string            `json:"boundary,omitempty"`

	// AccessKeys are ids of a user's or root's access keys, in the order of their making. Groups are ids of a user's groups.
	AccessKeys []string `json:"access_keys,omitempty"`
	Groups     []string `json:"groups,omitempty"`
	// MFADevices are serial numbers of the MFA devices that are enabled for a user.
	MFADevices []string `json:"mfa_devices,omitempty"`
	// Login is a user's password; nil when it has none.
	Login *LoginProfile `json:"login,omitempty"`
	// Other credentials of a user; root, too, may have certificates.
	Certificates       []SigningCertificate `json:"certificates,omitempty"`
	SSHPublicKeys      []SSHPublicKey       `json:"ssh_public_keys,omitempty"`
	ServiceCredentials []ServiceCredential  `json:"service_credentials,omitempty"`
	// RootKeyMade tells that the root user was once given a key: it is not given another when it deletes that one.
	RootKeyMade bool `json:"root_key_made,omitempty"`

	// Description, MaxSessionSeconds, Trust and Generation belong to roles. Trust has unique ids for users and roles (iam.md P4).
	Description       string `json:"description,omitempty"`
	MaxSessionSeconds int32  `json:"max_session_seconds,omitempty"`
	Trust             string `json:"trust,omitempty"`
	Generation        int64  `json:"generation,omitempty"`

	// Role is the id of an instance profile's role.
	Role string `json:"role,omitempty"`
}

// AccessKey is the stored form of an access key. Secret is sealed together with the id.
type AccessKey struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	Kind    Kind      `json:"kind"`
	OwnerID string    `json:"owner_id"`
	Active  bool      `json:"active"`
	Created time.Time `json:"created"`
	Secret  []byte    `json:"secret"`
}

// Keys of the store:
//
//	iam/<account>/<kind>/<unique id>                    identity (for root: iam/<account>/root/<account>)
//	iam/<account>/<kind>-name/<lower-cased name>        the identity's unique id
//	iam/<account>/policy/<lower-cased name>             ManagedPolicy
//	iam/<account>/member/<group id>/<user id>           membership, for listing a group
//	iam/<account>/profile/<role id>/<profile id>        the same for the instance profiles that a role is in
//	iam/<account>/attached/<policy ARN>/<kind>/<id>     attachment, for listing and counting
//	iam/<account>/boundary/<policy ARN>/<kind>/<id>     the same for permissions boundaries
//	iam/<account>/oidc-provider/<URL without scheme>    provider
//	iam/<account>/saml-provider/<name>                  provider
//	iam/<account>/outbound-federation                   OutboundFederation
//	iam/issuer/<id>                                     the account that issues tokens under the id
//	iam/<account>/deletion-task/<uuid>                  deletionTask
//	iam/<account>/token-version                         GlobalEndpointTokenVersion, once it was set
//	iam/<account>/mfa/<lower-cased path and name>       MFADevice
//	iam/<account>/server-certificate/<lower-cased name> serverCertificate
//	iam/<account>/signing-certificate/<id>              the id of its owner
//	iam/<account>/ssh-public-key/<id>                   the id of its user
//	iam/<account>/service-credential/<id>               the id of its user
//	iam/<account>/service-login/<service>/<login>       the id of the service-specific credential
//	iam/<account>/credential-report                     credentialReport
//	iam/<account>/password-policy                       PasswordPolicy
//	iam/<account>/alias                                 the account's alias
//	iam/alias/<alias>                                   the account
//	iam/<account>/access-report/<job id>                accessReport
//	iam/<account>/organizations-access-report/<job id>  organizationsReport
//	iam/key/<access key id>                             AccessKey
//	iam/account/<account>                               Account
//	iam/organization/<organization>                     features of centralized root access that are enabled
//	iam/used/<access key id or role id>                 directory.LastUse
//
// Names compare without regard to case when they are made
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, "IAM name requirements").

func identityPrefix(account string, k Kind) string { return "iam/" + account + "/" + string(k) + "/" }

// IdentityKey is where an identity is kept.
func IdentityKey(account string, k Kind, id string) string { return identityPrefix(account, k) + id }

// nameMark stands behind the kind in the keys of names.
const nameMark = "-name/"

// NamePrefix begins the keys of the names of a kind.
func NamePrefix(account string, k Kind) string { return "iam/" + account + "/" + string(k) + nameMark }

// IdentityKeyOfName is where the identity of a name is kept, by the key and value of the name; ok is false for another key.
func IdentityKeyOfName(key, value string) (identityKey string, ok bool) {
	kindPrefix, _, ok := strings.Cut(key, nameMark)
	return kindPrefix + "/" + value, ok
}

// NameKey is where the unique id of a name is kept.
func NameKey(account string, k Kind, name string) string {
	return NamePrefix(account, k) + strings.ToLower(name)
}

// PolicyPrefix begins the keys of an account's managed policies.
func PolicyPrefix(account string) string { return "iam/" + account + "/policy/" }

// PolicyKey is where a managed policy is kept.
func PolicyKey(account, name string) string { return PolicyPrefix(account) + strings.ToLower(name) }

// MemberPrefix begins the keys of a group's members.
func MemberPrefix(account, groupID string) string {
	return "iam/" + account + "/member/" + groupID + "/"
}

// ProfilePrefix begins the keys of the instance profiles that a role is in.
func ProfilePrefix(account, roleID string) string {
	return "iam/" + account + "/profile/" + roleID + "/"
}

// TokenVersionKey is where the version of an account's tokens is kept.
func TokenVersionKey(account string) string { return "iam/" + account + "/token-version" }

// AccessKeyKey is where an access key is kept.
func AccessKeyKey(id string) string { return "iam/key/" + id }

// LastUsedKey is where the last use of an access key or role is kept.
func LastUsedKey(id string) string { return "iam/used/" + id }

// Use is a way in which an identity uses a managed policy.
type Use string

const (
	Attached Use = "attached"
	Boundary Use = "boundary"
)

// UsesPrefix begins the keys of all uses of a kind in an account.
func UsesPrefix(account string, u Use) string { return "iam/" + account + "/" + string(u) + "/" }

// UsePrefix escapes the ARN, so that no policy's prefix is that of another.
func UsePrefix(account string, u Use, arn string) string {
	return UsesPrefix(account, u) + url.PathEscape(arn) + "/"
}

// UseKey is the key of one use.
func UseKey(account string, u Use, arn string, e *Identity) string {
	return UsePrefix(account, u, arn) + string(e.Kind) + "/" + e.ID
}

// FindIdentity reads an identity by its name, which must be spelled as it was made. It answers NoSuchEntity when there is none.
func FindIdentity(r store.Reader, account string, k Kind, name string) (*Identity, error) {
	if k == RootKind {
		return GetIdentity(r, account, k, account)
	}
	item, err := r.Get(NameKey(account, k, name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, NoSuchIdentity(k, name)
	}
	if err != nil {
		return nil, err
	}
	e, err := GetIdentity(r, account, k, string(item.Value))
	if err != nil {
		return nil, err
	}
	if e.Name != name {
		return nil, NoSuchIdentity(k, name)
	}
	return e, nil
}

// GetIdentity reads an identity by its unique id. The error wraps store.ErrNotFound when there is none.
func GetIdentity(r store.Reader, account string, k Kind, id string) (*Identity, error) {
	return store.GetJSON[*Identity](r, IdentityKey(account, k, id))
}

// PutIdentity keeps an identity.
func PutIdentity(tx store.Tx, account string, e *Identity) error {
	return store.PutJSON(tx, IdentityKey(account, e.Kind, e.ID), e)
}

// ClaimName makes sure that no other identity of the kind has the name, and takes it for e.
func ClaimName(tx store.Tx, account string, e *Identity) error {
	key := NameKey(account, e.Kind, e.Name)
	item, err := tx.Get(key)
	switch {
	case err == nil && string(item.Value) != e.ID:
		return identityExists(e.Kind, e.Name)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	}
	return tx.Put(key, []byte(e.ID))
}

// Count is the number of keys with a prefix, counted up to a limit.
func Count(r store.Reader, prefix string, limit int) (int, error) {
	items, err := r.Scan(prefix, "", limit)
	return len(items), err
}

// ServerCertificatePrefix begins the keys of an account's server certificates.
func ServerCertificatePrefix(account string) string {
	return "iam/" + account + "/server-certificate/"
}
