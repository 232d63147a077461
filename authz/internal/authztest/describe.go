package authztest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// Describe writes a request and policies for the report of a test that fails.
func Describe(req authz.Request, p authz.Policies) string {
	var b strings.Builder
	text, err := json.Marshal(req)
	if err != nil {
		return err.Error()
	}
	fmt.Fprintf(&b, "request: %s\ntrust: %v, session nil: %v, levels of SCPs: %d, of RCPs: %d\n", text, p.Trust, p.Session == nil,
		len(p.SCPs), len(p.RCPs))
	for _, place := range places(&p) {
		doc := place.policy.Document
		if doc == nil {
			fmt.Fprintf(&b, "%s: no document\n", place)
			continue
		}
		fmt.Fprintf(&b, "%s, version %s: %s\n", place, doc.Version, policy.Print(doc))
	}
	return b.String()
}

// place is where in policies a policy stands.
type place struct {
	policy *authz.Policy
	typ    authz.PolicyType
	// level of SCPs and RCPs.
	level int
}

// String names the place.
func (p place) String() string {
	return fmt.Sprintf("%s policy %q on level %d", p.typ, p.policy.Name, p.level)
}

// hasPrincipal tells whether statements there have a Principal element.
func (p place) hasPrincipal() bool {
	switch p.typ {
	case authz.ResourceBasedPolicy, authz.ResourceControlPolicy, authz.VPCEndpointPolicy:
		return true
	default:
		return false
	}
}

// places lists every policy in p, in an order that depends on nothing else. The policies are p's own.
func places(p *authz.Policies) []place {
	var out []place
	list := func(typ authz.PolicyType, level int, policies []authz.Policy) {
		for i := range policies {
			out = append(out, place{&policies[i], typ, level})
		}
	}
	single := func(typ authz.PolicyType, q *authz.Policy) {
		if q != nil {
			out = append(out, place{q, typ, 0})
		}
	}
	list(authz.IdentityBasedPolicy, 0, p.Identity)
	single(authz.PermissionsBoundary, p.Boundary)
	list(authz.SessionPolicy, 0, p.Session)
	single(authz.ResourceBasedPolicy, p.Resource)
	for i := range p.SCPs {
		list(authz.ServiceControlPolicy, i, p.SCPs[i])
	}
	for i := range p.RCPs {
		list(authz.ResourceControlPolicy, i, p.RCPs[i])
	}
	single(authz.VPCEndpointPolicy, p.VPCEndpoint)
	return out
}
