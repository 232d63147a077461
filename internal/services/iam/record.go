package iam

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/store"
)

// kind is a kind of identity, by AWS's word in ARNs and messages.
type kind string

const (
	userKind  kind = "user"
	groupKind kind = "group"
	roleKind  kind = "role"
	// profileKind is an instance profile: it has a name, a path, tags and at most one role, and no policies.
	profileKind kind = "instance-profile"
	// rootKind is the account's root user. Its id is the account, its name is empty.
	rootKind kind = "root"
)

// idPrefix starts the unique ids of a kind.
func (k kind) idPrefix() string {
	switch k {
	case userKind:
		return principal.UserIDPrefix
	case groupKind:
		return principal.GroupIDPrefix
	case profileKind:
		return principal.ProfileIDPrefix
	default:
		return principal.RoleIDPrefix
	}
}

// identity is the stored form of a user, group, role, instance profile or root user. All that is granted to it is in this one
// record.
type identity struct {
	Kind    kind      `json:"kind"`
	ID      string    `json:"id"`
	Name    string    `json:"name,omitempty"`
	Path    string    `json:"path,omitempty"`
	Created time.Time `json:"created"`
	Tags    []tag     `json:"tags,omitempty"`
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
	Login *loginProfile `json:"login,omitempty"`
	// Other credentials of a user; root, too, may have certificates.
	Certificates       []signingCertificate `json:"certificates,omitempty"`
	SSHPublicKeys      []sshPublicKey       `json:"ssh_public_keys,omitempty"`
	ServiceCredentials []serviceCredential  `json:"service_credentials,omitempty"`
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

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// managedPolicy is the stored form of a customer managed policy.
type managedPolicy struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Path        string    `json:"path"`
	Description string    `json:"description,omitempty"`
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"`
	Tags        []tag     `json:"tags,omitempty"`
	// Default is the id of the version in effect, Last the number of the newest version ever made.
	Default  string          `json:"default"`
	Last     int             `json:"last"`
	Versions []policyVersion `json:"versions"`
}

type policyVersion struct {
	ID       string    `json:"id"`
	Document string    `json:"document"`
	Created  time.Time `json:"created"`
}

// version finds a version by id.
func (p *managedPolicy) version(id string) (policyVersion, bool) {
	i := slices.IndexFunc(p.Versions, func(v policyVersion) bool { return v.ID == id })
	if i < 0 {
		return policyVersion{}, false
	}
	return p.Versions[i], true
}

// accessKey is the stored form of an access key. Secret is sealed together with the id.
type accessKey struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	Kind    kind      `json:"kind"`
	OwnerID string    `json:"owner_id"`
	Active  bool      `json:"active"`
	Created time.Time `json:"created"`
	Secret  []byte    `json:"secret"`
}

// Keys of the store:
//
//	iam/<account>/<kind>/<unique id>                    identity (for root: iam/<account>/root/<account>)
//	iam/<account>/<kind>-name/<lower-cased name>        the identity's unique id
//	iam/<account>/policy/<lower-cased name>             managedPolicy
//	iam/<account>/member/<group id>/<user id>           membership, for listing a group
//	iam/<account>/profile/<role id>/<profile id>        the same for the instance profiles that a role is in
//	iam/<account>/attached/<policy ARN>/<kind>/<id>     attachment, for listing and counting
//	iam/<account>/boundary/<policy ARN>/<kind>/<id>     the same for permissions boundaries
//	iam/<account>/oidc-provider/<URL without scheme>    provider
//	iam/<account>/saml-provider/<name>                  provider
//	iam/<account>/outbound-federation                   outboundFederation
//	iam/issuer/<id>                                     the account that issues tokens under the id
//	iam/<account>/deletion-task/<uuid>                  deletionTask
//	iam/<account>/token-version                         GlobalEndpointTokenVersion, once it was set
//	iam/<account>/mfa/<lower-cased path and name>       mfaDevice
//	iam/<account>/server-certificate/<lower-cased name> serverCertificate
//	iam/<account>/signing-certificate/<id>              the id of its owner
//	iam/<account>/ssh-public-key/<id>                   the id of its user
//	iam/<account>/service-credential/<id>               the id of its user
//	iam/<account>/service-login/<service>/<login>       the id of the service-specific credential
//	iam/<account>/credential-report                     credentialReport
//	iam/<account>/password-policy                       passwordPolicy
//	iam/<account>/alias                                 the account's alias
//	iam/alias/<alias>                                   the account
//	iam/<account>/access-report/<job id>                accessReport
//	iam/key/<access key id>                             accessKey
//	iam/account/<account>                               Account
//	iam/organization/<organization>                     features of centralized root access that are enabled
//	iam/used/<access key id or role id>                 lastUse
//
// Names compare without regard to case when they are made
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, "IAM name requirements").

func identityPrefix(account string, k kind) string { return "iam/" + account + "/" + string(k) + "/" }

func identityKey(account string, k kind, id string) string { return identityPrefix(account, k) + id }

// nameMark stands behind the kind in the keys of names.
const nameMark = "-name/"

func namePrefix(account string, k kind) string { return "iam/" + account + "/" + string(k) + nameMark }

func nameKey(account string, k kind, name string) string {
	return namePrefix(account, k) + strings.ToLower(name)
}

func policyPrefix(account string) string { return "iam/" + account + "/policy/" }

func policyKey(account, name string) string { return policyPrefix(account) + strings.ToLower(name) }

func memberPrefix(account, groupID string) string {
	return "iam/" + account + "/member/" + groupID + "/"
}

func profilePrefix(account, roleID string) string {
	return "iam/" + account + "/profile/" + roleID + "/"
}

func tokenVersionKey(account string) string { return "iam/" + account + "/token-version" }

func accessKeyKey(id string) string { return "iam/key/" + id }

func lastUsedKey(id string) string { return "iam/used/" + id }

// use is a way in which an identity uses a managed policy.
type use string

const (
	attached use = "attached"
	boundary use = "boundary"
)

func usesPrefix(account string, u use) string { return "iam/" + account + "/" + string(u) + "/" }

// usePrefix escapes the ARN, so that no policy's prefix is that of another.
func usePrefix(account string, u use, arn string) string {
	return usesPrefix(account, u) + url.PathEscape(arn) + "/"
}

func useKey(account string, u use, arn string, e *identity) string {
	return usePrefix(account, u, arn) + string(e.Kind) + "/" + e.ID
}

// findIdentity reads an identity by its name, which must be spelled as it was made. It answers NoSuchEntity when there is none.
func findIdentity(r store.Reader, account string, k kind, name string) (*identity, error) {
	if k == rootKind {
		return getIdentity(r, account, k, account)
	}
	item, err := r.Get(nameKey(account, k, name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, noSuchIdentity(k, name)
	}
	if err != nil {
		return nil, err
	}
	e, err := getIdentity(r, account, k, string(item.Value))
	if err != nil {
		return nil, err
	}
	if e.Name != name {
		return nil, noSuchIdentity(k, name)
	}
	return e, nil
}

// getIdentity reads an identity by its unique id. The error wraps store.ErrNotFound when there is none.
func getIdentity(r store.Reader, account string, k kind, id string) (*identity, error) {
	return store.GetJSON[*identity](r, identityKey(account, k, id))
}

func putIdentity(tx store.Tx, account string, e *identity) error {
	return store.PutJSON(tx, identityKey(account, e.Kind, e.ID), e)
}

// claimName makes sure that no other identity of the kind has the name, and takes it for e.
func claimName(tx store.Tx, account string, e *identity) error {
	key := nameKey(account, e.Kind, e.Name)
	item, err := tx.Get(key)
	switch {
	case err == nil && string(item.Value) != e.ID:
		return identityExists(e.Kind, e.Name)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	}
	return tx.Put(key, []byte(e.ID))
}

// count is the number of keys with a prefix, counted up to a limit.
func count(r store.Reader, prefix string, limit int) (int, error) {
	items, err := r.Scan(prefix, "", limit)
	return len(items), err
}
