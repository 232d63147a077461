package authz

import "strings"

// combination makes the decision from what each type of policy says.
type combination struct {
	e *evaluation
	v *verdicts
	d *Decision
	// hasAccount tells that the caller is an identity of an account, crossAccount that the resource belongs to another.
	hasAccount, crossAccount bool
}

func (c *combination) decide() {
	caller, owner := &c.e.req.Principal, c.e.req.owner()
	c.hasAccount = caller.hasAccount()
	c.crossAccount = c.hasAccount && owner != "" && owner != caller.Account
	c.d.CrossAccount = c.crossAccount
	for i := range c.v {
		if c.v[i].verdict == ExplicitDeny { // iam.md D1
			c.denyExplicitly(&c.v[i])
			return
		}
	}
	c.weigh()
}

// weigh decides where no type denies explicitly.
func (c *combination) weigh() {
	resource := &c.v[resourceType]
	if c.crossesPartitions() { // iam.md D5
		c.d.By, c.d.Note = c.e.typeOf(resourceType), "access never crosses partitions"
		return
	}
	if guard := c.firstImplicit(rcpType, scpType, endpointType); guard != nil {
		c.deny(guard)
		return
	}
	// Within an account identity-based or resource-based policies grant access (iam.md D4). Elsewhere the resource must: for trust
	// policies and their like (T1), for callers without account (D13, D14, T3), and across accounts, where both must allow and how
	// the caller is named frees it from nothing (D5).
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html and …-cross-account.html
	own := c.firstImplicit(identityType, boundaryType, sessionType)
	mustGrant := c.e.set.policies.Trust || c.crossAccount || !c.hasAccount
	limit := resource
	if resource.verdict == Allowed {
		if limit = c.limitOfGrant(own); limit == nil {
			c.allow(resource)
			return
		}
	}
	switch {
	case mustGrant:
		c.deny(limit)
	case own == nil:
		c.allow(&c.v[identityType])
	case resource.verdict == Allowed:
		c.deny(limit)
	default:
		c.deny(own)
	}
}

// crossesPartitions tells whether caller and resource have partitions, and different ones.
func (c *combination) crossesPartitions() bool {
	const common = "arn:aws:"
	if strings.HasPrefix(c.e.req.Principal.ARN, common) && strings.HasPrefix(c.e.req.Resource, common) {
		return false
	}
	a, b := partition(c.e.req.Principal.ARN), partition(c.e.req.Resource)
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

// allow points at the statement of the type that allows.
func (c *combination) allow(v *verdictOf) {
	c.d.Allowed = true
	if v.group == nil { // only the root user gets here without a policy (iam.md D3)
		c.d.Note = c.e.noteOn(v)
		return
	}
	c.by(v, v.allow)
}

func (c *combination) deny(v *verdictOf) { c.d.By, c.d.Note = c.e.typeOf(v.typ), c.e.noteOn(v) }

// denyExplicitly points at the first Deny of the type, or at the policy that could not be read (iam.md D17).
func (c *combination) denyExplicitly(v *verdictOf) {
	c.d.Explicit = true
	if g := v.group; g.lost >= 0 {
		c.d.By, c.d.Policy, c.d.Statement = c.e.typeOf(v.typ), &g.policies[g.lost], -1
		c.d.Note = "a policy without a document denies everything"
		return
	}
	c.by(v, v.deny)
}

// by says where the deciding statement of the type stands; at is 1 + its index.
func (c *combination) by(v *verdictOf, at uint32) {
	s := &v.group.statements[at-1]
	c.d.By, c.d.Policy, c.d.Statement = c.e.typeOf(v.typ), &v.group.policies[s.policy], int(s.index)
}
