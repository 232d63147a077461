package dispatch

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/service"
)

// member is an account whose levels have policies that allow, and then a deny of an action, if there is one.
func member(t *testing.T, id, denied string) *organization.Member {
	t.Helper()
	levels := func(denied, principal string) [][]authz.Policy {
		text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + principal + `"Action":"*","Resource":"*"}`
		if denied != "" {
			text += `,{"Effect":"Deny",` + principal + `"Action":"` + denied + `","Resource":"*"}`
		}
		return [][]authz.Policy{identity(t, text+"]}").Identity}
	}
	return organization.New(organization.Member{
		ID: "o-1", Account: id, ManagementAccount: "999999999999", Path: "o-1/r-1/",
		SCPs: authz.Compile(authz.Policies{SCPs: levels(denied, "")}),
		RCPs: authz.Compile(authz.Policies{RCPs: levels(denied, `"Principal":"*",`)}),
	})
}

// The caller's account brings SCPs, the resource's RCPs, and those only for the services that have them.
func TestPoliciesOfOrganizations(t *testing.T) {
	const other = "444455556666"
	for _, tt := range []struct {
		name   string
		need   service.Need
		caller string // what the policies of the caller's account deny
		owner  string
		want   authz.PolicyType
	}{
		{name: "nothing is denied", need: need("logs:GetLogEvents", account), caller: "s3:*"},
		{name: "SCP", need: need("lambda:GetFunction", account), caller: "lambda:*", want: authz.ServiceControlPolicy},
		{name: "RCP before SCP", need: need("logs:GetLogEvents", account), caller: "logs:*", want: authz.ResourceControlPolicy},
		{name: "RCP of another account", need: need("logs:GetLogEvents", other), owner: "logs:*", want: authz.ResourceControlPolicy},
		{name: "no RCPs for Lambda", need: need("lambda:GetFunction", other), owner: "lambda:*", want: authz.ResourceBasedPolicy},
		{name: "no SCP of another account", need: need("lambda:GetFunction", other), owner: "*", want: authz.ResourceBasedPolicy},
		{name: "no RCP without a resource", need: service.Need{Action: "sts:GetAccessKeyInfo", Target: service.Target{ARN: "*"}}, caller: "logs:*"},
	} {
		w := world{policies: allow(t, "*"), members: map[string]*organization.Member{
			account: member(t, account, tt.caller), other: member(t, other, tt.owner),
		}}
		d := w.dispatcher(t, Enforce)
		var made audit.Decision
		c := call("GetFunction")
		orgs, err := d.membersOf(t.Context(), c, &tt.need)
		if err != nil {
			t.Fatal(err)
		}
		decision := d.decide(c, &tt.need, authz.Compile(w.policies), &orgs, &made)
		got := decision.By
		if decision.Allowed {
			got = ""
		}
		if got != tt.want {
			t.Errorf("%s: got %+v, want a denial by %q", tt.name, decision, tt.want)
		}
		// What was applied decides the same again: the decision log keeps it.
		again := authz.Compile(made.Applied).Decide(&made.Request)
		if diff := cmp.Diff([]any{again.Allowed, again.By}, []any{decision.Allowed, decision.By}); diff != "" {
			t.Errorf("%s: decided again (-got +want):\n%s", tt.name, diff)
		}
	}
}

func need(action, owner string) service.Need {
	prefix, _, _ := strings.Cut(action, ":")
	return service.Need{Action: action, Target: service.Target{ARN: "arn:aws:" + prefix + ":us-east-1:" + owner + ":x", Account: owner}}
}

// What an organization adds to a warm decision is that its context's lists of keys grow, and nothing else: the keys are made once.
func TestWarmDecisionInOrganization(t *testing.T) {
	c, n, p := analyst(t)
	w := world{members: map[string]*organization.Member{c.Caller.Account: member(t, c.Caller.Account, "")}}
	d := w.dispatcher(t, Enforce)
	var made audit.Decision
	allocations := testing.AllocsPerRun(100, func() {
		made = audit.Decision{}
		orgs, err := d.membersOf(t.Context(), c, n)
		if err != nil {
			t.Fatal(err)
		}
		d.decide(c, n, d.compiled.ofCaller(&c.Caller, &p), &orgs, &made)
	})
	if allocations > 10 || !made.Allowed {
		t.Errorf("%v allocations, allowed %v; want at most 10, true", allocations, made.Allowed)
	}
}
