package authz

import "strings"

// combination makes the decision from what each type of policy says.
type combination struct {
	req   *Request
	v     *verdicts
	trust bool
	// hasAccount tells that the caller is an identity of an account, crossAccount that the resource belongs to another.
	hasAccount, crossAccount bool
}

func (c *combination) decide() Decision {
	caller, owner := &c.req.Principal, c.req.owner()
	c.hasAccount = caller.hasAccount()
	c.crossAccount = c.hasAccount && owner != "" && owner != caller.Account
	d := c.verdict()
	d.CrossAccount = c.crossAccount
	return d
}

func (c *combination) verdict() Decision {
	for i := range c.v {
		if c.v[i].verdict == ExplicitDeny { // iam.md D1
			return explicitlyDenied(&c.v[i])
		}
	}
	resource := &c.v[resourceType]
	if c.crossesPartitions() { // iam.md D5
		return Decision{By: resource.typ, Note: "access never crosses partitions"}
	}
	if guard := c.firstImplicit(rcpType, scpType, endpointType); guard != nil {
		return denied(guard)
	}
	// Within an account identity-based or resource-based policies grant access (iam.md D4). Elsewhere the resource must: for trust
	// policies and their like (T1), for callers without account (D13, D14, T3), and across accounts, where both must allow and how
	// the caller is named frees it from nothing (D5).
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html and …-cross-account.html
	own := c.firstImplicit(identityType, boundaryType, sessionType)
	mustGrant := c.trust || c.crossAccount || !c.hasAccount
	limit := resource
	if resource.verdict == Allowed {
		if limit = c.limitOfGrant(own); limit == nil {
			return allowed(resource)
		}
	}
	switch {
	case mustGrant:
		return denied(limit)
	case own == nil:
		return allowed(&c.v[identityType])
	case resource.verdict == Allowed:
		return denied(limit)
	default:
		return denied(own)
	}
}

// crossesPartitions tells whether caller and resource have partitions, and different ones.
func (c *combination) crossesPartitions() bool {
	const common = "arn:aws:"
	if strings.HasPrefix(c.req.Principal.ARN, common) && strings.HasPrefix(c.req.Resource, common) {
		return false
	}
	a, b := partition(c.req.Principal.ARN), partition(c.req.Resource)
	return a != "" && b != "" && a != b
}

// limitOfGrant is the first type that limits what the resource's policy grants; nil when none does. own is the first that keeps the
// caller's own policies from allowing. The cases are the rows of "Resource-based policies and implicit denies in other policy types"
// (iam.md D6).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
func (c *combination) limitOfGrant(own *verdictOf) *verdictOf {
	if c.crossAccount {
		return own
	}
	switch c.v[resourceType].kind {
	case MatchDirect, MatchWildcard:
		return nil
	case MatchRole, MatchFederatingUser:
		return c.firstImplicit(boundaryType, sessionType)
	default:
		return own // a grant to the account delegates to its identity-based policies
	}
}

// isBypassed tells whether limitOfGrant passes over an implicit denial of the type.
func (c *combination) isBypassed(i typeIndex) bool {
	if c.v[i].verdict != ImplicitDeny || c.crossAccount {
		return false
	}
	switch c.v[resourceType].kind {
	case MatchDirect, MatchWildcard:
		return i == identityType || i == boundaryType || i == sessionType
	case MatchRole, MatchFederatingUser:
		return i == identityType
	default:
		return false
	}
}

func (c *combination) firstImplicit(types ...typeIndex) *verdictOf {
	for _, i := range types {
		if c.v[i].verdict == ImplicitDeny {
			return &c.v[i]
		}
	}
	return nil
}

// allowed points at the statement of the type that allows.
func allowed(v *verdictOf) Decision {
	if v.verdict == NotApplicable { // only the root user gets here without a policy (iam.md D3)
		return Decision{Allowed: true, Note: v.note}
	}
	return v.decision(Decision{Allowed: true, By: v.typ}, v.allow)
}

func denied(v *verdictOf) Decision { return Decision{By: v.typ, Note: v.note} }

// explicitlyDenied points at the first Deny of the type, or at the policy that could not be read (iam.md D17).
func explicitlyDenied(v *verdictOf) Decision {
	d := Decision{By: v.typ, Explicit: true}
	if v.group.lost >= 0 {
		d.Policy, d.Statement = &v.group.policies[v.group.lost], -1
		d.Note = "a policy without a document denies everything"
		return d
	}
	return v.decision(d, v.deny)
}

// decision adds where the statement stands; at is 1 + its index.
func (v *verdictOf) decision(d Decision, at uint32) Decision {
	s := &v.group.statements[at-1]
	d.Policy, d.Statement = &v.group.policies[s.policy], int(s.index)
	return d
}
