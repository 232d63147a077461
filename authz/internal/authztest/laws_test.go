package authztest

import (
	"slices"
	"testing"

	"github.com/licet/licet/authz"
)

// TestLawsAreTried wants every law to apply often. Whether it holds is for the tests of the evaluators to say.
func TestLawsAreTried(t *testing.T) {
	const seeds, often = 200, 20
	tried := map[string]int{}
	for seed := range uint64(seeds) {
		c := newCheck(t, denyAll, Bytes(seed))
		c.tried = tried
		c.all()
	}
	for law, n := range tried {
		if n < often {
			t.Errorf("%s: %d times in %d", law, n, seeds)
		}
		t.Logf("%6d %s", n, law)
	}
	for _, r := range slices.Concat(rewritings, muddlings) {
		if tried[r.law] == 0 {
			t.Errorf("%s: never", r.law)
		}
	}
}

// denyAll obeys every law.
func denyAll(req authz.Request, _ authz.Policies) authz.Decision {
	return authz.Decision{By: authz.IdentityBasedPolicy, CrossAccount: crossesAccounts(req)}
}
