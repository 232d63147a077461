package authz_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/internal/authztest"
	"github.com/licet/licet/policy"
)

// TestGeneratorReachesEverything wants every kind of decision, match, operator and mismatch often enough for laws and comparisons
// that are checked on generated inputs to mean something.
func TestGeneratorReachesEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("few inputs do not reach everything often")
	}
	const seeds, often = 20000, 20
	counts := map[string]int{}
	for seed := range uint64(seeds) {
		g := authztest.NewGenerator(authztest.Bytes(seed))
		req, p := g.Request(), g.Policies()
		count(counts, req, authz.Compile(p).Trace(&req))
	}
	for _, what := range slices.Concat(wantedOutcomes(), wantedMatches(), wantedOperators()) {
		if counts[what] < often {
			t.Errorf("%s: %d times in %d", what, counts[what], seeds)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d %s", counts[what], what)
	}
}

// count counts what the decision shows, under the names that the wanted lists have.
func count(counts map[string]int, req authz.Request, d authz.Decision) {
	counts["outcome: "+authztest.Outcome(d)]++
	if d.CrossAccount {
		counts["cross-account: "+authztest.Outcome(d)]++
	}
	counts["caller: "+string(req.Principal.Kind)]++
	for _, tt := range d.Types {
		counts["verdict: "+string(tt.Type)+" "+string(tt.Verdict)]++
		for _, pt := range tt.Policies {
			for _, st := range pt.Statements {
				if st.Matched {
					counts["match: "+string(st.Effect)+" "+string(st.Match)]++
				}
				if strings.Contains(st.Note, ":") {
					counts["not understood: "+strings.TrimSpace(strings.SplitN(st.Note, ":", 3)[1])]++
				}
				if st.Failed != nil {
					counts["failed: "+string(st.Effect)+" "+st.Failed.Element]++
				}
				for _, c := range st.Conditions {
					if _, known := policy.ParseOperator(c.Operator); !known {
						c.Operator = "unknown"
					}
					counts["operator: "+c.Operator+map[bool]string{true: " held", false: " failed"}[c.Held]]++
				}
			}
		}
	}
}

func wantedOutcomes() (out []string) {
	for _, typ := range []authz.PolicyType{
		authz.ResourceControlPolicy, authz.ServiceControlPolicy, authz.VPCEndpointPolicy,
		authz.ResourceBasedPolicy, authz.RoleTrustPolicy, authz.IdentityBasedPolicy, authz.PermissionsBoundary, authz.SessionPolicy,
	} {
		out = append(out, "outcome: explicit deny by "+string(typ), "outcome: deny by "+string(typ))
		for _, verdict := range []authz.Verdict{authz.Allowed, authz.ImplicitDeny, authz.ExplicitDeny, authz.NotApplicable} {
			if typ != authz.RoleTrustPolicy || verdict != authz.NotApplicable {
				out = append(out, "verdict: "+string(typ)+" "+string(verdict))
			}
		}
	}
	for _, typ := range []authz.PolicyType{authz.IdentityBasedPolicy, authz.PermissionsBoundary, authz.SessionPolicy} {
		out = append(out, "verdict: "+string(typ)+" bypassed")
	}
	for _, typ := range []authz.PolicyType{authz.ResourceBasedPolicy, authz.RoleTrustPolicy, authz.IdentityBasedPolicy} {
		out = append(out, "outcome: allow by "+string(typ))
	}
	return append(out, "outcome: allow", "cross-account: allow by resource-based", "cross-account: deny by identity-based",
		"cross-account: deny by resource-based")
}

func wantedMatches() (out []string) {
	for _, kind := range []authz.MatchKind{
		authz.MatchNone, authz.MatchDirect, authz.MatchRole, authz.MatchFederatingUser,
		authz.MatchAccount, authz.MatchWildcard,
	} {
		out = append(out, "match: Allow "+string(kind), "match: Deny "+string(kind))
	}
	out = append(out, "match: Deny "+string(authz.MatchNotPrincipal))
	for _, element := range []string{"Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"} {
		out = append(out, "failed: Allow "+element, "failed: Deny "+element)
		out = append(out, "not understood: "+element)
	}
	return out
}

func wantedOperators() (out []string) {
	for _, name := range []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
		"StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
		"NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan",
		"DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike",
		"Null",
	} {
		for _, set := range []policy.SetPrefix{policy.NoSet, policy.ForAllValues, policy.ForAnyValue} {
			for _, ifExists := range []bool{false, true} {
				if name == "Null" && ifExists {
					continue
				}
				operator := policy.Operator{Set: set, Name: name, IfExists: ifExists}.String()
				out = append(out, "operator: "+operator+" held", "operator: "+operator+" failed")
			}
		}
	}
	return append(out, "operator: unknown held", "operator: unknown failed")
}
