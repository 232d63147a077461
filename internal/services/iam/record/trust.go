package record

import (
	"errors"
	"strings"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// isWebIdentityProvider knows the identity providers that need not be made in IAM first.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-federated-web-identity
func isWebIdentityProvider(host string) bool {
	switch host {
	case "cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com", "accounts.google.com":
		return true
	}
	return false
}

// HasProvider tells whether an identity provider exists, in whatever account, or is one that AWS itself knows.
func (n Names) HasProvider(r store.Reader, value string) (bool, error) {
	if isWebIdentityProvider(value) {
		return true, nil
	}
	for _, k := range []ProviderKind{OIDCKind, SAMLKind} {
		account, name, ok := n.ParseProviderARN(k, value)
		if !ok {
			continue
		}
		_, err := n.GetProvider(r, account, k, name)
		if request.IsMissing(err) {
			return false, nil
		}
		return err == nil, err
	}
	return false, nil
}

// FindPrincipal finds the identity that an ARN names: an account (whether or not it is known here: trust may go to accounts that
// are made later), a user, a role, or the role or user of a session. It is nil when there is none. find finds a user or role by its name,
// or fails with NoSuchEntity.
func (n Names) FindPrincipal(a arn.ARN, find func(account string, k Kind, name string) (*Identity, error)) (*Identity, error) {
	if !IsAccount(a.AccountID) || a.Region != "" {
		return nil, nil
	}
	parts := strings.Split(a.Resource, "/")
	var k Kind
	var name string
	switch {
	case a.Service == "iam" && a.Resource == "root":
		return &Identity{Kind: RootKind, ID: a.AccountID}, nil
	case a.Service == "iam" && len(parts) >= 2 && (parts[0] == string(UserKind) || parts[0] == string(RoleKind)):
		k, name = Kind(parts[0]), parts[len(parts)-1]
	case a.Service == "sts" && len(parts) == 3 && parts[0] == "assumed-role":
		k, name = RoleKind, parts[1]
	default:
		return nil, nil
	}
	e, err := find(a.AccountID, k, name)
	if err != nil {
		if request.IsMissing(err) {
			return nil, nil
		}
		return nil, err
	}
	if a.Service == "iam" && n.IdentityARN(a.AccountID, e) != a.String() {
		return nil, nil // another path
	}
	return e, nil
}

// PrincipalKey is where the store has the user or role of a unique id.
func PrincipalKey(id string) (key string, ok bool) {
	account, ok := principal.AccountOf(id)
	k := UserKind
	if strings.HasPrefix(id, principal.RoleIDPrefix) {
		k = RoleKind
	}
	return IdentityKey(account, k, id), ok
}

// IdentityOfID finds a user or role by unique id; nil when there is none.
func IdentityOfID(r store.Reader, id string) (*Identity, error) {
	key, ok := PrincipalKey(id)
	if !ok {
		return nil, nil
	}
	e, err := store.GetJSON[*Identity](r, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return e, err
}

// IsUniqueID tells whether a text has the form of a user's or role's unique id.
func IsUniqueID(text string) bool {
	return strings.HasPrefix(text, principal.UserIDPrefix) || strings.HasPrefix(text, principal.RoleIDPrefix)
}
