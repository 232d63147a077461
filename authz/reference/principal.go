package reference

import (
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// principal compares Principal or NotPrincipal with the caller, and sets how the caller was named.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (w walk) principal(s *policy.Statement, t *authz.StatementTrace) truth {
	var result truth
	switch {
	case !namesPrincipals(w.typ):
		if s.Principal == nil && s.NotPrincipal == nil {
			return yes
		}
		return unknown // such a policy must not have this element
	case s.Principal != nil:
		t.Match, result = w.named(s.Principal)
	case s.NotPrincipal != nil:
		if result = w.notPrincipal(s); result == yes {
			t.Match = authz.MatchNotPrincipal
		}
	default:
		return unknown // such a policy needs this element
	}
	return result
}

// namesPrincipals tells which types of policy have a Principal element (iam.md P2, D11, D12).
func namesPrincipals(typ authz.PolicyType) bool {
	switch typ {
	case authz.ResourceBasedPolicy, authz.RoleTrustPolicy, authz.VPCEndpointPolicy, authz.ResourceControlPolicy:
		return true
	default:
		return false
	}
}

// named finds the strongest way in which the list names the caller: that which leaves the fewest other policies to limit a grant.
func (w walk) named(list *policy.Principals) (authz.MatchKind, truth) {
	if list.Any {
		return w.wildcard()
	}
	best, result := authz.MatchNone, no
	for _, entry := range list.Entries {
		kind, r := w.entry(entry)
		if r > result || r == result && strength(kind) > strength(best) {
			best, result = kind, r
		}
	}
	return best, result
}

// strength orders the kinds by what still limits an Allow that matched so (iam.md D6).
func strength(kind authz.MatchKind) int {
	switch kind {
	case authz.MatchDirect:
		return 4
	case authz.MatchWildcard:
		return 3
	case authz.MatchRole, authz.MatchFederatingUser:
		return 2
	case authz.MatchAccount:
		return 1
	default:
		return 0
	}
}

// entry compares one principal. Names are case-sensitive and have no wildcards (iam.md P2, P3).
func (w walk) entry(e policy.PrincipalEntry) (authz.MatchKind, truth) {
	caller := &w.req.Principal
	direct := func(kinds ...authz.PrincipalKind) (authz.MatchKind, truth) {
		for _, k := range kinds {
			if caller.Kind == k && caller.ARN == e.Value.Value {
				return authz.MatchDirect, yes
			}
		}
		return authz.MatchNone, no
	}
	switch e.Type {
	case "AWS":
		return w.awsPrincipal(e.Value.Value)
	case "Service":
		return direct(authz.Service)
	case "Federated":
		return direct(authz.WebIdentity, authz.SAML)
	default:
		return authz.MatchNone, unknown // CanonicalUser: requests carry no canonical id
	}
}

// wildcard is the match of "*". A policy that grants access must name the provider of callers who hold but its token: there "*" is
// unknown. In policies that only limit access it is everybody.
func (w walk) wildcard() (authz.MatchKind, truth) {
	isFederated := w.req.Principal.Kind == authz.WebIdentity || w.req.Principal.Kind == authz.SAML
	grants := w.typ == authz.ResourceBasedPolicy || w.typ == authz.RoleTrustPolicy
	if isFederated && grants {
		return authz.MatchWildcard, unknown
	}
	return authz.MatchWildcard, yes
}

func (w walk) awsPrincipal(value string) (authz.MatchKind, truth) {
	if value == "*" { // equal to the bare "*" (iam.md P1)
		return w.wildcard()
	}
	kind := authz.MatchNone
	switch caller := &w.req.Principal; {
	case !hasAccount(caller.Kind) || value == "":
	case isAccount(value, caller):
		kind = authz.MatchAccount
	case value == caller.ARN:
		kind = authz.MatchDirect
	case value == caller.IssuerARN, value == caller.ID:
		kind = issuerMatch(caller.Kind)
	}
	return kind, truthOf(kind != authz.MatchNone)
}

// issuerMatch is the match of the entity behind a session: its role's ARN or AROA id, its federating user's ARN or AIDA id. A user
// has no session: its id is itself.
func issuerMatch(kind authz.PrincipalKind) authz.MatchKind {
	switch kind {
	case authz.AssumedRole:
		return authz.MatchRole
	case authz.FederatedUser:
		return authz.MatchFederatingUser
	default:
		return authz.MatchDirect
	}
}

// isAccount tells whether value names the caller's account: its 12 digits or the ARN of its root, which mean the same and do not
// mean the root user alone (iam.md P1).
func isAccount(value string, caller *authz.Principal) bool {
	if caller.Account == "" {
		return false
	}
	return value == caller.Account || value == "arn:"+partition(caller.ARN)+":iam::"+caller.Account+":root"
}

// partition of an ARN; "" when there is none.
func partition(arn string) string {
	rest, ok := strings.CutPrefix(arn, "arn:")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, ":")
	return name
}

// notPrincipal denies everybody but the caller who is listed with all that contains it: "AWS might validate the account first, and
// then the user. If an assumed-role user is being evaluated, AWS might validate the account first, then the role, and finally the
// assumed-role user" (iam.md P6).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func (w walk) notPrincipal(s *policy.Statement) truth {
	if s.Effect == policy.Allow {
		return no // not supported
	}
	if w.bounded {
		return yes // it denies every caller that has a permissions boundary (iam.md P7)
	}
	listed := map[authz.MatchKind]bool{}
	if s.NotPrincipal.Any {
		_, result := w.wildcard()
		listed[authz.MatchWildcard] = result == yes
	}
	for _, entry := range s.NotPrincipal.Entries {
		if kind, result := w.entry(entry); result == yes {
			listed[kind] = true
		}
	}
	if listed[authz.MatchWildcard] {
		return no
	}
	for _, level := range levels(w.req.Principal.Kind) {
		if !listed[level] {
			return yes
		}
	}
	return no
}

// levels are the names that NotPrincipal must list to exempt a caller.
func levels(kind authz.PrincipalKind) []authz.MatchKind {
	switch kind {
	case authz.Root:
		return []authz.MatchKind{authz.MatchAccount}
	case authz.User:
		return []authz.MatchKind{authz.MatchAccount, authz.MatchDirect}
	case authz.AssumedRole:
		return []authz.MatchKind{authz.MatchAccount, authz.MatchRole, authz.MatchDirect}
	case authz.FederatedUser:
		return []authz.MatchKind{authz.MatchAccount, authz.MatchFederatingUser, authz.MatchDirect}
	default:
		return []authz.MatchKind{authz.MatchDirect}
	}
}
