package edge

import (
	"slices"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/service"
)

// A call that crosses accounts is judged by policies of both, and is in the log of the caller's. What its root may see there is
// what AWS tells a caller: that the other account's policies did not let it pass, but neither what is in them (an ExternalId in a
// trust policy is a secret), nor whether there are any, nor the tags of the resource, nor its account's place in an organization, nor of a
// failure what the client was not told.

// isForeign tells that a request is for a resource of another account than the one that asks.
func isForeign(account string, req authz.Request) bool {
	return req.ResourceAccount != "" && req.ResourceAccount != account
}

// belongsToResource tells the types of policy that are the resource's, and its owner's.
func belongsToResource(t authz.PolicyType) bool {
	return t == authz.ResourceBasedPolicy || t == authz.RoleTrustPolicy || t == authz.ResourceControlPolicy
}

// seenBy is a record without what belongs to other accounts.
func seenBy(account string, rec audit.Record) audit.Record {
	rec.Decisions = slices.Clone(rec.Decisions)
	for i := range rec.Decisions {
		if d := &rec.Decisions[i]; isForeign(account, d.Request) {
			if f := rec.Failure; f != nil && f.Detail != "" { // such as the stack of a function behind a URL
				rec.Failure = &audit.Failure{Code: f.Code, Message: f.Message}
			}
			d.Request.Context = withoutTheirs(d.Request.Context)
			d.Policies.Resource, d.Policies.RCPs, d.Policies.HasRCPs = nil, nil, false
		}
	}
	return rec
}

// withoutTheirs is a context without the keys whose values the resource's account alone knows.
func withoutTheirs(c authz.Context) authz.Context {
	var kept authz.Context
	for name, v := range c.All {
		switch {
		case service.OwnerKnows(name):
		case v.Multi:
			kept.SetList(name, v.Values...)
		default:
			kept.Set(name, v.Values[0])
		}
	}
	return kept
}

// explainForeign explains a request of the caller's account on a resource of another.
func explainForeign(req authz.Request, policies authz.Policies) authz.Explanation {
	made := authz.Explain(req, policies)
	// What knows nothing of these keys cannot show them by a condition or a variable.
	req.Context = withoutTheirs(req.Context)
	x := authz.Explain(req, policies)
	x.Keys = authz.Explain(req, ownPolicies(policies)).Keys
	if a, b := x.Decision, made.Decision; a.Allowed != b.Allowed || a.By != b.By || a.Explicit != b.Explicit {
		made.Request, made.Fix, made.Keys = req, nil, nil
		hidePolicies(&made.Decision, func(authz.PolicyType) bool { return true }, "depends on the resource's tags, or on where its account is in its organization: not shown")
		x = made
	}
	hidePolicies(&x.Decision, belongsToResource, "of another account: not shown")
	if x.Fix != nil {
		hideFix(x.Fix)
	}
	return x
}

// ownPolicies are those that the account may see. A type of policy looks keys up whatever the others say, so that these policies alone
// ask for the same keys as among the others. Taking the others' keys away afterwards would leave traces of them: the order of the keys,
// and the spelling of a name, is that of the policy that asked first.
func ownPolicies(p authz.Policies) authz.Policies {
	p.Resource, p.Trust, p.RCPs = nil, false, nil
	return p
}

// hidePolicies leaves of the policies of some types what they said together. Whether there are any does not show.
func hidePolicies(d *authz.Decision, hidden func(authz.PolicyType) bool, note string) {
	if hidden(d.By) {
		d.Policy, d.Statement, d.Note = nil, 0, ""
	}
	for i := range d.Types {
		t := &d.Types[i]
		if !hidden(t.Type) {
			continue
		}
		t.Policies, t.Note = nil, note
		switch {
		case t.Verdict != authz.NotApplicable:
		case t.Type == authz.ResourceControlPolicy: // without any, RCPFullAWSAccess alone is attached (iam.md D11)
			t.Verdict = authz.Allowed
		default:
			t.Verdict = authz.ImplicitDeny
		}
	}
}

// hideFix leaves of changes to the other account's policies only that they must allow exactly this request, which the request
// itself says. That a Deny must go from them is told without which.
func hideFix(f *authz.Fix) {
	f.Note = "" // it may tell whether there is a policy
	kept := []authz.Change{}
	told := map[authz.PolicyType]bool{}
	for _, c := range f.Changes {
		switch {
		case !belongsToResource(c.Type):
		case told[c.Type]: // one for each level of an organization would tell how many there are
			continue
		case c.Statement == "":
			f.Verified, f.Note = false, "A policy of the resource's account denies it; only that account can see and change it."
			continue
		default:
			told[c.Type] = true
			c = authz.Change{Kind: authz.AddStatement, Type: c.Type, Statement: c.Statement}
		}
		kept = append(kept, c)
	}
	f.Changes = kept
}
