package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// Trust policies are kept with the unique ids of users and roles in the place of their ARNs, so that who is made again under an
// old name does not inherit trust (iam.md P4;
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html, "IAM user principals").

// edit puts a text in the place of a string of a document.
type edit struct {
	span policy.Span
	text string
}

// splice gives the document's text with the edits made.
func splice(d *policy.Document, edits []edit) (string, error) {
	if len(edits) == 0 {
		return string(d.Source), nil
	}
	slices.SortFunc(edits, func(a, b edit) int { return a.span.Start - b.span.Start })
	var b strings.Builder
	at := 0
	for _, e := range edits {
		quoted, err := json.Marshal(e.text)
		if err != nil {
			return "", fmt.Errorf("quote principal: %w", err)
		}
		b.Write(d.Source[at:e.span.Start])
		b.Write(quoted)
		at = e.span.End
	}
	b.Write(d.Source[at:])
	return b.String(), nil
}

// principals are the entries of all Principal elements. NotPrincipal does not occur in trust policies (iam.md P6).
func principals(d *policy.Document) []policy.PrincipalEntry {
	var out []policy.PrincipalEntry
	for _, s := range d.Statements {
		if s.Principal != nil {
			out = append(out, s.Principal.Entries...)
		}
	}
	return out
}

// storedTrust checks a trust policy and gives the text to keep.
func (s *Service) storedTrust(r store.Reader, text string) (string, error) {
	d, err := checkDocument(text, policy.Trust)
	if err != nil {
		return "", err
	}
	if limit := policy.Limit(policy.Trust); policy.Size(d.Source, policy.Trust) > limit {
		return "", quotaExceeded("ACLSizePerRole", limit)
	}
	var edits []edit
	for _, p := range principals(d) {
		stored, known, err := s.storedPrincipal(r, p)
		if err != nil {
			return "", err
		}
		if !known {
			return "", malformedPolicy("%s", policy.InvalidPrincipal(p))
		}
		if stored != p.Value.Value {
			edits = append(edits, edit{p.Value.Span, stored})
		}
	}
	return splice(d, edits)
}

// isWebIdentityProvider knows the identity providers that need not be made in IAM first.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-federated-web-identity
func isWebIdentityProvider(host string) bool {
	switch host {
	case "cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com", "accounts.google.com":
		return true
	}
	return false
}

// storedPrincipal gives the form in which a principal is kept; known is false for one that does not exist.
func (s *Service) storedPrincipal(r store.Reader, p policy.PrincipalEntry) (stored string, known bool, err error) {
	value := p.Value.Value
	switch p.Type {
	case "AWS":
		return s.storedAWSPrincipal(r, value)
	case "Service":
		return value, isServicePrincipal(value), nil
	case "Federated":
		known, err := s.hasProvider(r, value)
		return value, known, err
	}
	return "", false, nil
}

// hasProvider tells whether an identity provider exists, in whatever account, or is one that AWS itself knows.
func (n names) hasProvider(r store.Reader, value string) (bool, error) {
	if isWebIdentityProvider(value) {
		return true, nil
	}
	for _, k := range []providerKind{oidcKind, samlKind} {
		account, name, ok := n.parseProviderARN(k, value)
		if !ok {
			continue
		}
		_, err := n.getProvider(r, account, k, name)
		if isMissing(err) {
			return false, nil
		}
		return err == nil, err
	}
	return false, nil
}

// isServicePrincipal takes the names that AWS's services have
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services).
func isServicePrincipal(name string) bool {
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal", ".api.aws"} {
		if strings.HasSuffix(name, domain) && len(name) > len(domain) {
			return true
		}
	}
	return false
}

func (s *Service) storedAWSPrincipal(r store.Reader, value string) (string, bool, error) {
	if value == "*" {
		return value, true, nil
	}
	if isAccount(value) {
		return s.arn(value, "root"), true, nil
	}
	if isUniqueID(value) {
		e, err := identityOfID(r, value)
		return value, e != nil, err
	}
	a, err := arn.Parse(value)
	if err != nil || a.Partition != s.partition {
		return "", false, nil
	}
	e, err := s.findPrincipal(a, func(account string, k kind, name string) (*identity, error) {
		return findIdentity(r, account, k, name)
	})
	switch {
	case err != nil || e == nil:
		return "", false, err
	case e.Kind == rootKind, a.Service == "sts":
		return value, true, nil // a session has no unique id that a policy could name
	default:
		return e.ID, true, nil
	}
}

// findPrincipal finds the identity that an ARN names: an account (whether or not it is known here: trust may go to accounts that
// are made later), a user, a role, or the role or user of a session. It is nil when there is none. find finds a user or role by its name,
// or fails with NoSuchEntity.
func (n names) findPrincipal(a arn.ARN, find func(account string, k kind, name string) (*identity, error)) (*identity, error) {
	if !isAccount(a.AccountID) || a.Region != "" {
		return nil, nil
	}
	parts := strings.Split(a.Resource, "/")
	var k kind
	var name string
	switch {
	case a.Service == "iam" && a.Resource == "root":
		return &identity{Kind: rootKind, ID: a.AccountID}, nil
	case a.Service == "iam" && len(parts) >= 2 && (parts[0] == string(userKind) || parts[0] == string(roleKind)):
		k, name = kind(parts[0]), parts[len(parts)-1]
	case a.Service == "sts" && len(parts) == 3 && parts[0] == "assumed-role":
		k, name = roleKind, parts[1]
	default:
		return nil, nil
	}
	e, err := find(a.AccountID, k, name)
	if err != nil {
		if isMissing(err) {
			return nil, nil
		}
		return nil, err
	}
	if a.Service == "iam" && n.arnOf(a.AccountID, e) != a.String() {
		return nil, nil // another path
	}
	return e, nil
}

// shownTrust gives a kept trust policy as clients see it: ARNs again for those who still exist, unique ids for those who are
// gone. arnOf gives the ARN of an id, or "".
func (s *Service) shownTrust(text string, arnOf func(id string) (string, error)) (string, error) {
	d, err := s.directory.parse(text)
	if err != nil {
		return "", fmt.Errorf("parse stored trust policy: %w", err)
	}
	var edits []edit
	for _, p := range principals(d) {
		if p.Type != "AWS" || !isUniqueID(p.Value.Value) {
			continue
		}
		shown, err := arnOf(p.Value.Value)
		if err != nil {
			return "", err
		}
		if shown != "" {
			edits = append(edits, edit{p.Value.Span, shown})
		}
	}
	return splice(d, edits)
}

// arnsIn gives the ARN that the user or role of a unique id has in a transaction; "" when it is gone.
func (n names) arnsIn(r store.Reader) func(id string) (string, error) {
	return func(id string) (string, error) {
		e, err := identityOfID(r, id)
		if err != nil || e == nil {
			return "", err
		}
		account, _ := principal.AccountOf(id)
		return n.arnOf(account, e), nil
	}
}

// principalKey is where the store has the user or role of a unique id.
func principalKey(id string) (key string, ok bool) {
	account, ok := principal.AccountOf(id)
	k := userKind
	if strings.HasPrefix(id, principal.RoleIDPrefix) {
		k = roleKind
	}
	return identityKey(account, k, id), ok
}

// identityOfID finds a user or role by unique id; nil when there is none.
func identityOfID(r store.Reader, id string) (*identity, error) {
	key, ok := principalKey(id)
	if !ok {
		return nil, nil
	}
	e, err := store.GetJSON[*identity](r, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return e, err
}

func isUniqueID(text string) bool {
	return strings.HasPrefix(text, principal.UserIDPrefix) || strings.HasPrefix(text, principal.RoleIDPrefix)
}

// isAccount tells whether text is an account id: 12 digits.
func isAccount(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}
