package authz

import (
	"strings"

	"github.com/licet/licet/policy"
)

// principal is one entry of a Principal or NotPrincipal element.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
type principal struct {
	form  principalForm
	value string
	// partition and account of the root ARN of an account, which means the account (iam.md P1); "" of all others.
	partition, account string
}

type principalForm uint8

const (
	unknownPrincipal principalForm = iota // CanonicalUser: requests carry no canonical id
	anybody
	namedPrincipal // of type AWS: an account's number, an ARN, or a unique id
	servicePrincipal
	federatedPrincipal
)

// principals compiles the entries of an element.
func (c *compiler) principals(list *policy.Principals) span {
	lo := uint32(len(c.group.principals))
	if list.Any {
		c.group.principals = append(c.group.principals, principal{form: anybody})
	}
	for _, e := range list.Entries {
		c.group.principals = append(c.group.principals, principalOf(e))
	}
	return span{lo, uint32(len(c.group.principals))}
}

func principalOf(e policy.PrincipalEntry) principal {
	value := e.Value.Value
	switch e.Type {
	case "AWS":
		if value == "*" { // equal to the bare "*" (iam.md P1)
			return principal{form: anybody}
		}
		partition, account := splitRoot(value)
		return principal{form: namedPrincipal, value: value, partition: partition, account: account}
	case "Service":
		return principal{form: servicePrincipal, value: value}
	case "Federated":
		return principal{form: federatedPrincipal, value: value}
	default:
		return principal{}
	}
}

// splitRoot takes apart the ARN of an account's root, arn:PARTITION:iam::ACCOUNT:root. Both are "" for all other texts.
func splitRoot(arn string) (partition, account string) {
	rest, isARN := strings.CutPrefix(arn, "arn:")
	partition, rest, _ = strings.Cut(rest, ":")
	account, isIAM := strings.CutPrefix(rest, "iam::")
	account, isRoot := strings.CutSuffix(account, ":root")
	if !isARN || !isIAM || !isRoot {
		return "", ""
	}
	return partition, account
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

// accountOf is the account that an ARN names: the fifth of its segments, if that is 12 digits.
func accountOf(arn string) string {
	if !strings.HasPrefix(arn, "arn:") {
		return ""
	}
	for range 4 {
		_, arn, _ = strings.Cut(arn, ":")
	}
	account, _, _ := strings.Cut(arn, ":")
	if len(account) != len("111122223333") || !isDigits(account) {
		return ""
	}
	return account
}

// hasAccount tells which callers belong to an account, whose administrators grant and limit their permissions.
func (p *Principal) hasAccount() bool {
	switch p.Kind {
	case Root, User, AssumedRole, FederatedUser:
		return true
	default:
		return false
	}
}

// strength orders the kinds by what still limits an Allow that matched so (iam.md D6): nothing, nothing, boundary and session
// policies, everything.
func (k MatchKind) strength() int {
	switch k {
	case MatchDirect:
		return 3
	case MatchWildcard:
		return 2
	case MatchRole, MatchFederatingUser:
		return 1
	default:
		return 0
	}
}

// matchPrincipal compares the element with the caller, and tells how it named the caller.
func (e *evaluation) matchPrincipal(s *statement) (truth, MatchKind) {
	switch {
	case !e.group.namesPrincipals:
		return unknown, MatchNone // a statement of such a policy must not have this element (iam.md P2); one that has none has no step
	case s.who == element:
		return e.named(s)
	case s.who == notElement:
		return e.notPrincipal(s)
	default:
		return unknown, MatchNone
	}
}

// namesPrincipals tells which types of policy have a Principal element (iam.md P2, D11, D12).
func (t PolicyType) namesPrincipals() bool {
	switch t {
	case ResourceBasedPolicy, RoleTrustPolicy, VPCEndpointPolicy, ResourceControlPolicy:
		return true
	default:
		return false
	}
}

// named finds the strongest way in which the element names the caller.
func (e *evaluation) named(s *statement) (truth, MatchKind) {
	result, best := no, MatchNone
	for i := s.principals.lo; i < s.principals.hi; i++ {
		r, kind := e.names(&e.group.principals[i])
		if r > result || r == result && kind.strength() > best.strength() {
			result, best = r, kind
		}
	}
	return result, best
}

// names compares one principal. Names are case-sensitive and have no wildcards (iam.md P2, P3).
func (e *evaluation) names(p *principal) (truth, MatchKind) {
	caller := &e.req.Principal
	switch p.form {
	case anybody:
		return e.anybody()
	case namedPrincipal:
		kind := p.match(caller)
		return truthOf(kind != MatchNone), kind
	case servicePrincipal:
		if caller.Kind == Service && caller.ARN == p.value {
			return yes, MatchDirect
		}
	case federatedPrincipal:
		if caller.isFederated() && caller.ARN == p.value {
			return yes, MatchDirect
		}
	default:
		return unknown, MatchNone
	}
	return no, MatchNone
}

// isFederated tells which callers hold but the token of a provider.
func (p *Principal) isFederated() bool { return p.Kind == WebIdentity || p.Kind == SAML }

// anybody is the match of "*". A policy that grants access must name the provider of callers who hold but its token: there "*" is
// unknown. In policies that only limit access it is everybody.
func (e *evaluation) anybody() (truth, MatchKind) {
	if e.req.Principal.isFederated() && e.typ == resourceType {
		return unknown, MatchWildcard
	}
	return yes, MatchWildcard
}

// match is how a principal of type AWS names the caller. The role or user behind a session is named by its ARN or its unique id; a
// user has no session, so that its id is itself.
func (p *principal) match(caller *Principal) MatchKind {
	if !caller.hasAccount() {
		return MatchNone
	}
	switch {
	case p.value == "":
		return MatchNone
	case p.value == caller.Account, p.namesRootOf(caller):
		return MatchAccount
	case p.value == caller.ARN:
		return MatchDirect
	case p.value != caller.IssuerARN && p.value != caller.ID:
		return MatchNone
	}
	switch caller.Kind {
	case AssumedRole:
		return MatchRole
	case FederatedUser:
		return MatchFederatingUser
	default:
		return MatchDirect
	}
}

func (p *principal) namesRootOf(caller *Principal) bool {
	return p.account != "" && p.account == caller.Account && p.partition == partition(caller.ARN)
}

// notPrincipal denies everybody but the caller who is listed with all that contains it: the account, the role or user of a session,
// and the caller itself (iam.md P6). With a permissions boundary nobody is exempt (iam.md P7).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func (e *evaluation) notPrincipal(s *statement) (truth, MatchKind) {
	if !s.deny {
		return no, MatchNone // not supported
	}
	if e.bounded() || !e.exempted(s) {
		return yes, MatchNotPrincipal
	}
	return no, MatchNone
}

// exempted tells whether NotPrincipal lists the caller on every level.
func (e *evaluation) exempted(s *statement) bool {
	var account, issuer, direct bool
	for i := s.principals.lo; i < s.principals.hi; i++ {
		result, kind := e.names(&e.group.principals[i])
		if result != yes {
			continue
		}
		switch kind {
		case MatchWildcard:
			return true
		case MatchAccount:
			account = true
		case MatchRole, MatchFederatingUser:
			issuer = true
		case MatchDirect:
			direct = true
		}
	}
	switch e.req.Principal.Kind {
	case Root:
		return account
	case User:
		return account && direct
	case AssumedRole, FederatedUser:
		return account && issuer && direct
	default:
		return direct
	}
}
