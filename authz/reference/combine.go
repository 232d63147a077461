package reference

import (
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// combine makes the decision from the verdicts. It turns implicit denials in v that a resource-based grant makes irrelevant into
// Bypassed.
func combine(req *authz.Request, trust bool, v *verdicts) authz.Decision {
	c := combination{req: req, v: v, trust: trust, kind: grantKind(&v.resource)}
	owner := ownerOf(req)
	c.crossAccount = hasAccount(req.Principal.Kind) && owner != "" && owner != req.Principal.Account
	d := c.decide()
	d.CrossAccount = c.crossAccount
	c.markBypassed()
	return d
}

// ownerOf is the account of the resource: as the request says, else as its ARN says. "" means the caller's.
func ownerOf(req *authz.Request) string {
	segments := strings.SplitN(req.Resource, ":", arnColons+1)
	if req.ResourceAccount != "" || segments[0] != "arn" || len(segments) < arnColons {
		return req.ResourceAccount
	}
	if account := segments[arnColons-1]; len(account) == len("111122223333") && isDigits(account) {
		return account
	}
	return ""
}

// grantKind is how the resource's policy grants access to the caller: of its matching Allow statements, that which the fewest other
// policies limit. MatchNone means that it does not.
func grantKind(t *authz.TypeTrace) authz.MatchKind {
	best := authz.MatchNone
	for _, p := range t.Policies {
		for _, s := range p.Statements {
			if s.Matched && s.Effect == policy.Allow && strength(s.Match) > strength(best) {
				best = s.Match
			}
		}
	}
	return best
}

type combination struct {
	req          *authz.Request
	v            *verdicts
	trust        bool
	crossAccount bool
	kind         authz.MatchKind
}

func (c combination) decide() authz.Decision {
	// "If the enforcement code finds even one explicit deny that applies, the code returns a final decision of Deny" (iam.md D1).
	for _, t := range c.v.inOrder() {
		if t.Verdict == authz.ExplicitDeny {
			return explicitlyDenied(t)
		}
	}
	if a, b := partition(c.req.Principal.ARN), partition(c.req.Resource); a != "" && b != "" && a != b { // iam.md D5
		return authz.Decision{By: c.v.resource.Type, Note: "access never crosses partitions"}
	}
	if guard := firstImplicitDeny(&c.v.rcp, &c.v.scp, &c.v.endpoint); guard != nil {
		return denied(guard)
	}
	if !hasAccount(c.req.Principal.Kind) || c.crossAccount || c.trust {
		return c.resourceMustAllow()
	}
	return c.eitherMayAllow()
}

// eitherMayAllow is the rule of a single account: identity-based or resource-based policies grant access (iam.md D4).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
func (c combination) eitherMayAllow() authz.Decision {
	limit := &c.v.resource
	if c.kind != authz.MatchNone {
		limit = c.limitOfGrant()
	}
	identity := c.identitySide()
	switch {
	case limit == nil:
		return allowed(&c.v.resource, c.kind)
	case identity == nil:
		return allowed(&c.v.identity, authz.MatchNone)
	case c.kind != authz.MatchNone:
		return denied(limit)
	default:
		return denied(identity)
	}
}

// resourceMustAllow is the rule where identity-based policies do not suffice: role trust policies and their like (iam.md D4, T1),
// callers without account (D13, D14, T3), and cross-account access, where both sides must allow and how the caller is named frees it
// from nothing (D5).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
func (c combination) resourceMustAllow() authz.Decision {
	if c.kind == authz.MatchNone {
		return denied(&c.v.resource)
	}
	limit := c.limitOfGrant()
	if c.crossAccount {
		limit = c.identitySide()
	}
	if limit != nil {
		return denied(limit)
	}
	return allowed(&c.v.resource, c.kind)
}

// identitySide is the first type that keeps the caller's own policies from allowing: the identity-based policies, the permissions
// boundary and the session policies must all allow (iam.md D9). nil means that they do.
func (c combination) identitySide() *authz.TypeTrace {
	return firstImplicitDeny(&c.v.identity, &c.v.boundary, &c.v.session)
}

// limitOfGrant is the first type that limits what the resource-based policy grants within the account. nil means that none does.
// The cases are the rows of "Resource-based policies and implicit denies in other policy types" (iam.md D6).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
func (c combination) limitOfGrant() *authz.TypeTrace {
	switch c.kind {
	case authz.MatchDirect, authz.MatchWildcard:
		return nil
	case authz.MatchRole, authz.MatchFederatingUser:
		return firstImplicitDeny(&c.v.boundary, &c.v.session)
	default:
		return c.identitySide() // a grant to the account delegates to its identity-based policies
	}
}

// markBypassed marks the types whose implicit denial limitOfGrant passes over.
func (c combination) markBypassed() {
	var bypassed []*authz.TypeTrace
	switch c.kind {
	case authz.MatchDirect, authz.MatchWildcard:
		bypassed = []*authz.TypeTrace{&c.v.identity, &c.v.boundary, &c.v.session}
	case authz.MatchRole, authz.MatchFederatingUser:
		bypassed = []*authz.TypeTrace{&c.v.identity}
	}
	if c.crossAccount {
		bypassed = nil
	}
	for _, t := range bypassed {
		if t.Verdict == authz.ImplicitDeny {
			t.Verdict = authz.Bypassed
		}
	}
}

func firstImplicitDeny(types ...*authz.TypeTrace) *authz.TypeTrace {
	for _, t := range types {
		if t.Verdict == authz.ImplicitDeny {
			return t
		}
	}
	return nil
}

// allowed points at the first Allow of the type that names the caller in this way.
func allowed(t *authz.TypeTrace, kind authz.MatchKind) authz.Decision {
	d := authz.Decision{Allowed: true}
	if t.Verdict == authz.NotApplicable { // only the root user gets here without a policy (iam.md D3)
		d.Note = t.Note
		return d
	}
	d.By = t.Type
	d.Policy, d.Statement = firstMatch(t, func(s authz.StatementTrace) bool { return s.Effect == policy.Allow && s.Match == kind })
	return d
}

func denied(t *authz.TypeTrace) authz.Decision { return authz.Decision{By: t.Type, Note: t.Note} }

// explicitlyDenied points at the first Deny of the type, or at the policy that could not be read.
func explicitlyDenied(t *authz.TypeTrace) authz.Decision {
	d := authz.Decision{By: t.Type, Explicit: true}
	d.Policy, d.Statement = firstMatch(t, func(s authz.StatementTrace) bool { return s.Effect != policy.Allow })
	for _, p := range t.Policies {
		if p.Policy.Document == nil {
			d.Policy, d.Statement = &p.Policy, -1
			d.Note = "a policy without a document denies everything"
		}
	}
	return d
}

func firstMatch(t *authz.TypeTrace, wanted func(authz.StatementTrace) bool) (*authz.Policy, int) {
	for _, p := range t.Policies {
		for _, s := range p.Statements {
			if s.Matched && wanted(s) {
				return &p.Policy, s.Index
			}
		}
	}
	return nil, 0
}
