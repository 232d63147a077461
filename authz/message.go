package authz

import (
	"cmp"
	"strings"
)

// Message is the text by which AWS tells the caller of a denial; "" for a decision that allows.
//
// AWS names one policy type only, and for callers of another account and organization never the policy (iam.md M1, M2). Services differ in whether they
// print the resource of an action that has none; Lambda and most others print "on resource: *", so that a Resource of "" alone is
// left out. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func (d Decision) Message(req Request) string {
	if d.Allowed {
		return ""
	}
	caller := req.Principal.ARN
	if req.Principal.Kind == Anonymous {
		caller = "anonymous"
	}
	text := "User: " + caller + " is not authorized to perform: " + req.Action
	if named := cmp.Or(req.Named, req.Resource); named != "" {
		text += " on resource: " + named
	}
	switch {
	case d.Explicit || d.By.hasLevels():
		// "When an SCP denies access, the error message can include the phrase 'due to an explicit deny in a Service Control Policy',
		// even if the denial is implicit." We say the same of RCPs.
		text += " with an explicit deny in " + withArticle(d.By)
	default:
		text += " because no " + d.By.inWords() + " allows the " + req.Action + " action"
	}
	if d.Explicit && d.Policy != nil && d.Policy.ARN != "" && req.Principal.Account != "" &&
		(!d.CrossAccount || withinOrganization(&req.Context)) {
		text += ": " + d.Policy.ARN
	}
	return text
}

// withinOrganization tells whether caller and resource belong to the same organization. Like callers of the resource's own account,
// those of its organization are told which policy denies (iam.md M2).
func withinOrganization(keys *Context) bool {
	caller, ok := keys.Get("aws:PrincipalOrgID")
	if !ok || caller.Multi {
		return false
	}
	owner, ok := keys.Get("aws:ResourceOrgID")
	return ok && !owner.Multi && owner.Values[0] == caller.Values[0]
}

// hasLevels tells whether policies of the type are attached along the organization's tree, and must allow on every level of it.
func (t PolicyType) hasLevels() bool { return t == ServiceControlPolicy || t == ResourceControlPolicy }

// inWords spells a policy type as AWS's messages do.
func (t PolicyType) inWords() string {
	switch t {
	case ResourceControlPolicy:
		return "resource control policy"
	case ServiceControlPolicy:
		return "service control policy"
	case VPCEndpointPolicy:
		return "VPC endpoint policy"
	case PermissionsBoundary:
		return "permissions boundary"
	case SessionPolicy:
		return "session policy"
	case RoleTrustPolicy:
		return "role trust policy"
	default:
		return string(t) + " policy"
	}
}

func withArticle(t PolicyType) string {
	words := t.inWords()
	switch {
	case t == RoleTrustPolicy:
		return "the " + words // a role has one
	case strings.HasPrefix(words, "i"):
		return "an " + words
	default:
		return "a " + words
	}
}
