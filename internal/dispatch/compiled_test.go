package dispatch

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/policy"
)

func statement(t testing.TB, name, text string) authz.Policy {
	t.Helper()
	d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + text + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return authz.Policy{Name: name, Document: d}
}

// A changed policy, of whatever type, is honoured by the next request.
func TestChangedPoliciesHoldAtOnce(t *testing.T) {
	may := statement(t, "p", `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	mayNot := statement(t, "p", `{"Effect":"Deny","Action":"*","Resource":"*"}`)
	theirs := statement(t, "p", `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`)
	delegates := statement(t, "p", `{"Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"*","Resource":"*"}`)
	allowed := authz.Policies{Identity: []authz.Policy{may}}
	with := func(change func(*authz.Policies)) authz.Policies {
		p := allowed
		change(&p)
		return p
	}
	w := world{}
	var to service.Target
	d := w.dispatcher(t, Enforce)
	for _, tt := range []struct {
		name     string
		policies authz.Policies
		want     bool
	}{
		{"none", authz.Policies{}, false},
		{"identity", allowed, true},
		{"another document", authz.Policies{Identity: []authz.Policy{mayNot}}, false},
		{"one more", authz.Policies{Identity: []authz.Policy{may, mayNot}}, false},
		{"boundary", with(func(p *authz.Policies) { p.Boundary = &mayNot }), false},
		{"another boundary", with(func(p *authz.Policies) { p.Boundary = &may }), true},
		{"session policies that grant nothing", with(func(p *authz.Policies) { p.Session = []authz.Policy{} }), false},
		{"session policy", with(func(p *authz.Policies) { p.Session = []authz.Policy{may} }), true},
		{"one more session policy", with(func(p *authz.Policies) { p.Session = []authz.Policy{may, mayNot} }), false},
		{"organization", with(func(p *authz.Policies) { p.SCPs = [][]authz.Policy{{may}, {may}} }), true},
		{"a level without policies", with(func(p *authz.Policies) { p.SCPs = [][]authz.Policy{{may}, {}} }), false},
		{"no level", with(func(p *authz.Policies) { p.SCPs = nil }), true},
		{"no level, but an organization", with(func(p *authz.Policies) { p.RCPs = [][]authz.Policy{{}} }), false},
		{"endpoint", with(func(p *authz.Policies) { p.VPCEndpoint = &theirs }), false},
		{"resource", with(func(p *authz.Policies) { p.Resource = &theirs }), false},
		{"another resource policy", with(func(p *authz.Policies) { p.Resource = &delegates }), true},
		{"trust", with(func(p *authz.Policies) { p.Resource, p.Trust = &delegates, true }), true},
		{"trust without a policy", with(func(p *authz.Policies) { p.Trust = true }), false},
		{"no resource policy", allowed, true},
		{"a document that cannot be read", with(func(p *authz.Policies) { p.Resource = &authz.Policy{Name: "p"} }), false},
	} {
		for range 2 { // as it changes, and when it is the same as before
			to.ARN, to.Policy, to.Trust = "arn:aws:lambda:us-east-1:"+account+":function:f", tt.policies.Resource, tt.policies.Trust
			own := tt.policies
			own.Resource, own.Trust = nil, false
			c := call("GetFunction")
			var made audit.Decision
			got := d.decide(c, &service.Need{Action: "lambda:GetFunction", Target: to}, d.compiled.ofCaller(&c.Caller, &own), &members{}, &made)
			if got.Allowed != tt.want || made.Allowed != tt.want {
				t.Errorf("%s: allowed %v, want %v", tt.name, got.Allowed, tt.want)
			}
			if !reflect.DeepEqual(made.Applied, tt.policies) {
				t.Errorf("%s: applied %+v, want %+v", tt.name, made.Applied, tt.policies)
			}
		}
	}
}

// The same from end to end.
func TestPermittedFollowsThePolicies(t *testing.T) {
	w := world{}
	d := w.dispatcher(t, Enforce)
	may, mayNot := allow(t, "lambda:*"), allow(t, "s3:*")
	for i := range 6 {
		w.policies = may
		if i%2 == 1 {
			w.policies = mayNot
		}
		if got, err := d.Permitted(t.Context(), call("GetFunction"), &input{"f"}); err != nil || got != (i%2 == 0) {
			t.Errorf("request %d: got %v, %v", i, got, err)
		}
	}
}

// Whatever the cache has, what it gives was made from the policies at hand: of the same documents, under the same names.
func TestCompiledIsNeverStale(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var pool []authz.Policy
	for i := range 4 {
		p := statement(t, "a", fmt.Sprintf(`{"Effect":"Allow","Action":"s3:Get%d","Resource":"*"}`, i))
		pool = append(pool, p, authz.Policy{Name: "b", Document: p.Document}, authz.Policy{Name: "a", ARN: "arn", Document: p.Document})
	}
	some := func() []authz.Policy {
		var out []authz.Policy
		for range random.IntN(3) {
			out = append(out, pool[random.IntN(len(pool))])
		}
		return out
	}
	one := func() *authz.Policy {
		if random.IntN(2) == 0 {
			return nil
		}
		p := pool[random.IntN(len(pool))]
		return &p
	}
	for name, limit := range map[string]int{"room for all": keptText, "room for a few": 6 << 10, "room for none": 0} {
		t.Run(name, func(t *testing.T) {
			c := newCompiled(limit)
			for range 3000 {
				p := authz.Policies{Identity: some(), Boundary: one(), Session: some(), VPCEndpoint: one()}
				if random.IntN(4) == 0 {
					p.SCPs, p.RCPs = [][]authz.Policy{some(), some()}, [][]authz.Policy{some()}
				}
				caller := principal.Caller{Principal: authz.Principal{Account: account, ID: string('A' + rune(random.IntN(3)))}}
				to := service.Target{Policy: one(), Trust: random.IntN(2) == 0}
				set := c.ofCaller(&caller, &p).WithResource(c.ofResource(&to))
				p.Resource, p.Trust = to.Policy, to.Trust
				if got := set.Policies(); !reflect.DeepEqual(got, p) {
					t.Fatalf("got %+v, want %+v", got, p)
				}
			}
			bounded(t, &c.callers)
			bounded(t, &c.resources)
		})
	}
}

// bounded wants a cache to be within its limit, unless all that it has is one set.
func bounded[K comparable](t *testing.T, c *cache[K]) {
	t.Helper()
	used := 0
	for _, s := range c.sets {
		used += s.size
	}
	if used != c.used || used > c.limit && len(c.sets) > 1 {
		t.Errorf("%d sets of size %d, counted as %d; the limit is %d", len(c.sets), used, c.used, c.limit)
	}
}

// Callers do not share sets, and sessions of a role with policies of their own each keep theirs.
func TestCompiledKeepsCallersApart(t *testing.T) {
	c := newCompiled(keptText)
	may := statement(t, "p", `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	other := statement(t, "p", `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)
	caller := func(id string) *principal.Caller {
		return &principal.Caller{Principal: authz.Principal{Account: account, ID: id}}
	}
	equal := authz.Policies{Identity: []authz.Policy{may}}
	alice, bob := c.ofCaller(caller("A"), &equal), c.ofCaller(caller("B"), &equal)
	c.ofCaller(caller("B"), &authz.Policies{})
	if c.ofCaller(caller("A"), &equal) != alice {
		t.Error("a change of one caller's policies took another's set")
	}
	if c.ofCaller(caller("B"), &equal) == bob {
		t.Error("a set came back that another one had replaced")
	}
	first := authz.Policies{Identity: equal.Identity, Session: []authz.Policy{{Name: "session policy of first", Document: other.Document}}}
	second := authz.Policies{Identity: equal.Identity, Session: []authz.Policy{{Name: "session policy of second", Document: other.Document}}}
	one, two := c.ofCaller(caller("A"), &first), c.ofCaller(caller("A"), &second)
	if c.ofCaller(caller("A"), &first) != one || c.ofCaller(caller("A"), &second) != two || c.ofCaller(caller("A"), &equal) != alice {
		t.Error("sessions of one role displace each other's sets")
	}
}

func TestCompiledEvicts(t *testing.T) {
	c := newCompiled(10 * size(&authz.Policies{}))
	caller := principal.Caller{}
	for i := range 1000 {
		caller.ID = fmt.Sprint(i)
		set := c.ofCaller(&caller, &authz.Policies{})
		if c.ofCaller(&caller, &authz.Policies{}) != set {
			t.Fatal("the newest set is gone")
		}
		c.ofResource(&service.Target{Policy: &authz.Policy{Name: caller.ID}})
		bounded(t, &c.callers)
		bounded(t, &c.resources)
	}
	if n := len(c.callers.sets); n != 10 {
		t.Errorf("%d sets are kept, want 10", n)
	}
	large := statement(t, "p", fmt.Sprintf(`{"Effect":"Allow","Action":"s3:Get","Resource":"%20000d"}`, 1))
	c.ofCaller(&caller, &authz.Policies{Identity: []authz.Policy{large}})
	if n := len(c.callers.sets); n != 1 {
		t.Errorf("%d sets are kept beside one that is larger than the limit", n-1)
	}
}

func TestCompiledConcurrently(t *testing.T) {
	c := newCompiled(8 << 10)
	var variants []authz.Policies
	for i := range 8 {
		p := statement(t, fmt.Sprint(i), fmt.Sprintf(`{"Effect":"Allow","Action":"s3:Get%d","Resource":"*"}`, i))
		variants = append(variants, authz.Policies{Identity: []authz.Policy{p}})
	}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 500 {
				n := (g + i) % len(variants)
				caller := principal.Caller{Principal: authz.Principal{Kind: authz.User, Account: account, ID: fmt.Sprint(i % 5)}}
				set := c.ofCaller(&caller, &variants[n]).WithResource(c.ofResource(&service.Target{Policy: &variants[n].Identity[0]}))
				req := authz.Request{Principal: caller.Principal, Action: fmt.Sprintf("s3:Get%d", n), Resource: "arn:aws:s3:::b"}
				if !set.Decide(&req).Allowed {
					t.Errorf("policies %d do not allow what they allow", n)
				}
			}
		})
	}
	all.Wait()
	bounded(t, &c.callers)
	bounded(t, &c.resources)
}

// analyst is the call, and the need, of the question that bench calls the company's: a role session with MFA and three tags, ten
// policies, 21 condition keys.
func analyst(t testing.TB) (*service.Call, *service.Need, authz.Policies) {
	t.Helper()
	files, err := filepath.Glob("../../bench/testdata/company/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no policies: %v", err)
	}
	var p authz.Policies
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := policy.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		p.Identity = append(p.Identity, authz.Policy{Name: filepath.Base(file), Document: d})
	}
	c := &service.Call{
		Time: time.Date(2026, time.September, 15, 10, 30, 0, 0, time.UTC), Account: "111122223333", Region: "eu-central-1", Partition: "aws",
		Service: "s3", Operation: "GetObject", SourceIP: netip.MustParseAddr("10.24.8.77"), SecureTransport: true,
		UserAgent: "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.7",
		Caller: principal.Caller{
			Principal: authz.Principal{
				Kind: authz.AssumedRole, Account: "111122223333", ID: "AROAC0MPANYSFINANCE01", SessionName: "mary.major",
				ARN:       "arn:aws:sts::111122223333:assumed-role/finance-analyst/mary.major",
				IssuerARN: "arn:aws:iam::111122223333:role/teams/finance-analyst",
			},
			Tags: principal.NewTags(map[string]string{"team": "finance", "stage": "prod", "cost-center": "4711"}),
			Session: &principal.Session{
				MFA: true, IssuedAt: time.Date(2026, time.September, 15, 9, 58, 12, 0, time.UTC), SourceIdentity: "mary.major",
			},
		},
	}
	n := &service.Need{Action: "s3:GetObject"}
	n.Target.ARN = "arn:aws:s3:::acme-lake-eu-central-1/finance/reports/2026/q3/summary.parquet"
	n.Target.Keys.Set("aws:ResourceTag/team", "finance")
	return c, n, p
}

// allocations is the fewest of several measurements: the race detector makes pools forget things at random.
func allocations(fn func()) float64 {
	n := testing.AllocsPerRun(100, fn)
	for range 9 {
		n = min(n, testing.AllocsPerRun(100, fn))
	}
	return n
}

func TestWarmDecisionAllocatesLittle(t *testing.T) {
	c, need, p := analyst(t)
	w := world{}
	d := w.dispatcher(t, Enforce)
	var made audit.Decision
	n := allocations(func() {
		made = audit.Decision{}
		d.decide(c, need, d.compiled.ofCaller(&c.Caller, &p), &members{}, &made)
	})
	if n > 4 || !made.Allowed || made.Request.Context.Len() != 21 {
		t.Errorf("%v allocations, %d keys, allowed %v; want 4, 21, true", n, made.Request.Context.Len(), made.Allowed)
	}
	n = testing.AllocsPerRun(100, func() {
		d.compiled.ofCaller(&c.Caller, &p)
		d.compiled.ofResource(&need.Target)
	})
	if n != 0 {
		t.Errorf("finding the compiled policies takes %v allocations, want none", n)
	}
}

// BenchmarkJudge goes the warm way of a decision: from the decoded call and one need, by way of the context, to the verdict.
func BenchmarkJudge(b *testing.B) {
	c, need, p := analyst(b)
	w := world{}
	d := w.dispatcher(b, Enforce)
	var made audit.Decision
	b.ReportAllocs()
	for b.Loop() {
		made = audit.Decision{}
		d.decide(c, need, d.compiled.ofCaller(&c.Caller, &p), &members{}, &made)
	}
	if !made.Allowed {
		b.Error("denied")
	}
}

func BenchmarkGlobalKeys(b *testing.B) {
	c, _, _ := analyst(b)
	b.ReportAllocs()
	for b.Loop() {
		GlobalKeys(c)
	}
}
