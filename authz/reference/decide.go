package reference

import (
	"fmt"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// Decide says whether the policies let the request pass, and why. The trace refers to the policies given.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
func Decide(req authz.Request, p authz.Policies) authz.Decision {
	v := judge(&req, &p)
	d := combine(&req, p.Trust, v)
	for _, t := range v.inOrder() {
		d.Types = append(d.Types, *t)
	}
	return d
}

// verdicts holds what each type of policy says, each on its own.
type verdicts struct {
	rcp, scp, endpoint, resource, identity, boundary, session authz.TypeTrace
}

// inOrder lists the types in the order of evaluation, which is the order in which a denial is reported (iam.md D2, M3).
func (v *verdicts) inOrder() []*authz.TypeTrace {
	return []*authz.TypeTrace{&v.rcp, &v.scp, &v.endpoint, &v.resource, &v.identity, &v.boundary, &v.session}
}

// judge evaluates every policy that binds the caller.
func judge(req *authz.Request, p *authz.Policies) *verdicts {
	e := evaluation{req: req, bounded: p.Boundary != nil}
	v := &verdicts{
		rcp:      e.levels(authz.ResourceControlPolicy, p.RCPs),
		scp:      e.levels(authz.ServiceControlPolicy, p.SCPs),
		endpoint: e.single(authz.VPCEndpointPolicy, p.VPCEndpoint),
		resource: e.single(resourceType(req, p.Trust), p.Resource),
		identity: e.union(authz.IdentityBasedPolicy, p.Identity),
		boundary: e.single(authz.PermissionsBoundary, p.Boundary),
		session:  e.union(authz.SessionPolicy, p.Session),
	}
	exempt(req.Principal, v)
	switch {
	case v.session.Verdict == authz.NotApplicable:
	case p.Session == nil && req.Principal.Kind == authz.FederatedUser:
		// A session of GetFederationToken has the permissions that its session policies name, and none without (iam.md D7).
		v.session.Verdict, v.session.Note = authz.ImplicitDeny, "no session policy was passed to GetFederationToken"
	case p.Session == nil:
		v.session.Verdict, v.session.Note = authz.NotApplicable, "no session policy"
	}
	return v
}

// resourceType names the policy of the resource. Trust policies are those of roles, which sts actions are judged by; other policies
// without which nobody has access, such as those of KMS keys, are called resource-based.
func resourceType(req *authz.Request, trust bool) authz.PolicyType {
	if trust && strings.HasPrefix(strings.ToLower(req.Action), "sts:") {
		return authz.RoleTrustPolicy
	}
	return authz.ResourceBasedPolicy
}

// exempt takes out the types that do not bind this kind of caller.
func exempt(p authz.Principal, v *verdicts) {
	out := func(note string, types ...*authz.TypeTrace) {
		for _, t := range types {
			*t = authz.TypeTrace{Type: t.Type, Verdict: authz.NotApplicable, Note: note}
		}
	}
	if isRoot(p) { // iam.md D3. A session of the root has the permissions that its session policies leave it.
		out("the account root needs no permission", &v.identity, &v.boundary)
	}
	if !hasAccount(p.Kind) { // iam.md D13, D14, T3
		out("the caller is no identity of an account", &v.scp, &v.identity, &v.boundary, &v.session)
	}
	if p.ServiceLinked {
		// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html and …_rcps.html: neither restricts
		// service-linked roles (iam.md D10).
		out("service-linked roles are exempt", &v.scp, &v.rcp)
	}
}

// isRoot tells the root user, and the federated user whom a root user has made.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html (federated user sessions: a root user may
// call GetFederationToken)
func isRoot(p authz.Principal) bool {
	return p.Kind == authz.Root || p.Kind == authz.FederatedUser && strings.HasSuffix(p.IssuerARN, ":root")
}

// hasAccount tells which callers belong to an account, whose administrators grant and limit their permissions.
func hasAccount(kind authz.PrincipalKind) bool {
	switch kind {
	case authz.Root, authz.User, authz.AssumedRole, authz.FederatedUser:
		return true
	default:
		return false
	}
}

// evaluation holds what all policies of one request are compared with.
type evaluation struct {
	req     *authz.Request
	bounded bool
}

// single evaluates a type of which there is at most one policy.
func (e evaluation) single(typ authz.PolicyType, p *authz.Policy) authz.TypeTrace {
	if p == nil {
		return authz.TypeTrace{Type: typ, Verdict: authz.NotApplicable, Note: "no " + string(typ) + " policy"}
	}
	return e.union(typ, []authz.Policy{*p})
}

// union evaluates policies of which any may allow.
func (e evaluation) union(typ authz.PolicyType, policies []authz.Policy) authz.TypeTrace {
	t := authz.TypeTrace{Type: typ, Verdict: authz.ImplicitDeny}
	for _, p := range policies {
		trace := e.document(typ, p)
		t.Policies = append(t.Policies, trace)
		t.Verdict = either(t.Verdict, trace.Verdict)
	}
	if len(policies) == 0 {
		t.Note = "no policy is attached"
	}
	return t
}

// levels evaluates policies of the organization, which must allow on every level (iam.md D10).
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
func (e evaluation) levels(typ authz.PolicyType, levels [][]authz.Policy) authz.TypeTrace {
	t := authz.TypeTrace{Type: typ, Verdict: authz.Allowed}
	if levels == nil {
		t.Verdict, t.Note = authz.NotApplicable, "no "+string(typ)+" policies"
		return t
	}
	if len(levels) == 0 {
		t.Verdict, t.Note = authz.ImplicitDeny, "no policy is attached"
	}
	for i, policies := range levels {
		level := e.union(typ, policies)
		for _, trace := range level.Policies {
			trace.Level = i
			t.Policies = append(t.Policies, trace)
		}
		if level.Verdict == authz.ImplicitDeny && t.Note == "" {
			t.Note = fmt.Sprintf("nothing allows it on level %d of the organization", i)
		}
		t.Verdict = both(t.Verdict, level.Verdict)
	}
	if t.Verdict == authz.ExplicitDeny {
		t.Note = ""
	}
	return t
}

// either is the verdict of two policies of which one may allow.
func either(a, b authz.Verdict) authz.Verdict {
	switch {
	case a == authz.ExplicitDeny || b == authz.ExplicitDeny:
		return authz.ExplicitDeny
	case a == authz.Allowed || b == authz.Allowed:
		return authz.Allowed
	default:
		return authz.ImplicitDeny
	}
}

// both is the verdict of two policies which both must allow.
func both(a, b authz.Verdict) authz.Verdict {
	switch {
	case a == authz.ExplicitDeny || b == authz.ExplicitDeny:
		return authz.ExplicitDeny
	case a == authz.Allowed && b == authz.Allowed:
		return authz.Allowed
	default:
		return authz.ImplicitDeny
	}
}

// document evaluates every statement of one policy. A policy without a document could not be read, and denies (iam.md D17).
func (e evaluation) document(typ authz.PolicyType, p authz.Policy) authz.PolicyTrace {
	t := authz.PolicyTrace{Policy: p, Verdict: authz.ImplicitDeny}
	if p.Document == nil {
		t.Verdict = authz.ExplicitDeny
		return t
	}
	w := walk{req: e.req, doc: p.Document, typ: typ, bounded: e.bounded}
	for i := range p.Document.Statements {
		s := w.statement(i)
		t.Statements = append(t.Statements, s)
		switch {
		case !s.Matched:
		case s.Effect == policy.Allow:
			t.Verdict = either(t.Verdict, authz.Allowed)
		default:
			t.Verdict = authz.ExplicitDeny
		}
	}
	return t
}
