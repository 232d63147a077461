package authz_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/internal/authztest"
	"github.com/licet/licet/policy"
)

// TestLargePoliciesAgree compares the evaluators on policies of so many statements that their indices need several words. Those that
// can decide stand at the end: the others are about an action, a resource or a value that no request has.
func TestLargePoliciesAgree(t *testing.T) {
	for seed := range authztest.Seeds(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		g := authztest.NewGenerator(slices.Concat(authztest.Bytes(seed), authztest.Bytes(1<<32+seed)))
		req := g.Request()
		inNobodysWay := unrelated(t, req.Action, 50+r.IntN(100))
		for range 5 + r.IntN(15) {
			effect := policy.Allow
			if r.IntN(8) == 0 {
				effect = policy.Deny
			}
			inNobodysWay.Statements = append(inNobodysWay.Statements, g.Statement(effect, false))
		}
		checkSame(t, req, authz.Policies{Identity: []authz.Policy{{Name: "large", Document: inNobodysWay}}})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// unrelated makes a document of statements that hold for no request.
func unrelated(t *testing.T, action string, count int) *policy.Document {
	t.Helper()
	out := &policy.Document{Version: policy.Version2012}
	quoted, err := json.Marshal(action)
	if err != nil {
		t.Fatal(err)
	}
	for i := range count {
		parts := []string{
			`"Effect":"Allow","Action":"x:Y` + strconv.Itoa(i%7) + `","Resource":"*"`,
			`"Effect":"Deny","Action":["x:Y","x:y"],"Resource":"*"`,
			`"Effect":"Allow","Action":` + string(quoted) + `,"Resource":"arn:aws:x:::none"`,
			`"Effect":"Allow","Action":["*","x:Y"],"Resource":"*","Condition":{"StringEquals":{"aws:username":"none` + strconv.Itoa(i%9) + `"}}`,
			`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NumericEqualsIfExists":{"s3:max-keys":["12345","123"]}}`,
		}
		doc := document(t, "{"+parts[i%len(parts)]+"}")
		out.Statements = append(out.Statements, doc.Statements...)
	}
	return out
}

// TestWithResource: a set with another's resource policy decides as if all had been compiled together.
func TestWithResource(t *testing.T) {
	for seed := range authztest.Seeds(500) {
		g := authztest.NewGenerator(authztest.Bytes(seed))
		req, p := g.Request(), g.Policies()
		caller := p
		caller.Resource, caller.Trust = g.Policies().Resource, !p.Trust
		set := authz.Compile(caller).WithResource(authz.Compile(authz.Policies{Resource: p.Resource, Trust: p.Trust}))
		want, got := authz.Compile(p).Decide(&req), set.Decide(&req)
		if walk(got) != walk(want) {
			t.Fatalf("seed %d: got %s want %s", seed, walk(got), walk(want))
		}
		if q := set.Policies(); q.Resource != p.Resource || q.Trust != p.Trust || len(q.Identity) != len(p.Identity) {
			t.Fatalf("seed %d: the policies are those of another set", seed)
		}
		without := authz.Compile(p).WithResource(nil)
		p.Resource, p.Trust = nil, false
		if got, want := without.Decide(&req), authz.Compile(p).Decide(&req); walk(got) != walk(want) {
			t.Fatalf("seed %d: without a resource policy got %s want %s", seed, walk(got), walk(want))
		}
		if without.Policies().Resource != nil || without.Policies().Trust {
			t.Fatalf("seed %d: a resource policy is left", seed)
		}
	}
}

// TestWithOrganization: a set with others' SCPs and RCPs decides as if all had been compiled together.
func TestWithOrganization(t *testing.T) {
	for seed := range uint64(500) {
		g := authztest.NewGenerator(authztest.Bytes(seed))
		req, p := g.Request(), g.Policies()
		other := g.Policies()
		own := p
		own.SCPs, own.RCPs = other.SCPs, other.RCPs
		scps, rcps := authz.Compile(authz.Policies{SCPs: p.SCPs}), authz.Compile(authz.Policies{RCPs: p.RCPs})
		if p.SCPs == nil {
			scps = nil
		}
		if p.RCPs == nil {
			rcps = nil
		}
		set := authz.Compile(own).WithOrganization(scps, rcps)
		want, got := authz.Compile(p).Decide(&req), set.Decide(&req)
		if walk(got) != walk(want) {
			t.Fatalf("seed %d: got %s want %s", seed, walk(got), walk(want))
		}
		q := set.Policies()
		q.Resource, q.Trust = p.Resource, p.Trust
		if got, want := sizes(q), sizes(p); !slices.Equal(got, want) {
			t.Fatalf("seed %d: the policies are those of another set: got %v want %v", seed, got, want)
		}
	}
}

// sizes counts policies by type and level.
func sizes(p authz.Policies) (out []int) {
	for _, level := range append(append([][]authz.Policy{p.Identity, p.Session}, p.SCPs...), p.RCPs...) {
		out = append(out, len(level))
	}
	return out
}

// TestZeroSet: the zero Set is that of the zero Policies.
func TestZeroSet(t *testing.T) {
	req := authz.Request{Principal: authztest.Principal("arn:aws:iam::111122223333:user/alice"), Action: "s3:GetObject", Resource: "*"}
	if got, want := walk(new(authz.Set).Trace(&req)), walk(authz.Compile(authz.Policies{}).Trace(&req)); got != want {
		t.Errorf("got %s want %s", got, want)
	}
}

// TestMalformedCallers compares the evaluators on callers that no part of the server makes.
func TestMalformedCallers(t *testing.T) {
	all := []authz.Policy{{Name: "all", Document: document(t, "Allow * on *")}}
	for name, caller := range map[string]authz.Principal{
		"a role as if a root user had made its session": {Kind: authz.AssumedRole, Account: "111122223333",
			ARN: "arn:aws:sts::111122223333:assumed-role/r/s", IssuerARN: "arn:aws:iam::111122223333:root"},
		"no account": {Kind: authz.User},
	} {
		for _, named := range []string{`"x"`, `"arn:aws:iam:::root"`, `"arn:::root"`, `"arn::iam:::root"`, `""`, `"111122223333"`} {
			resource := authz.Policy{Name: "resource", Document: document(t, `{"Effect":"Allow","Principal":{"AWS":`+named+`},"Action":"*","Resource":"*"}`)}
			req := authz.Request{Principal: caller, Action: "s3:GetObject", Resource: "*"}
			t.Run(name+" "+named, func(t *testing.T) {
				checkSame(t, req, authz.Policies{Resource: &resource})
				checkSame(t, req, authz.Policies{Resource: &resource, Identity: all})
			})
		}
	}
}

// TestEveryStatementIsFound: of many statements the one about the action decides, wherever it stands: not another at the same place of
// another word of the index.
func TestEveryStatementIsFound(t *testing.T) {
	const count = 200
	for _, effect := range []string{"Allow", "Deny"} {
		for name, actions := range map[string][2]string{
			"exact":         {`"s3:A%d"`, "s3:A%d"},
			"wild":          {`"s3:A%d?"`, "s3:A%dx"},
			"prefix":        {`["s3:A%[1]d-*","s3:A%[1]d-*"]`, "S3:a%[1]d-b"},
			"split":         {`"s3:A%d-*b"`, "s3:A%d-b"},
			"any service":   {`"*:A%d"`, "s3:A%d"},
			"some service":  {`"s?:A%d"`, "s3:A%d"},
			"exact by wild": {`["s3:B*","s3:A%d"]`, "s3:A%d"},
		} {
			t.Run(effect+" "+name, func(t *testing.T) {
				var statements []string
				for i := range count {
					form := `"s3:none*"` // matches nothing, and is asked every time
					if i%2 == 0 {
						form = fmt.Sprintf(actions[0], i)
					}
					statements = append(statements, fmt.Sprintf(`{"Effect":%q,"Action":%s,"Resource":"*"}`, effect, form))
				}
				set := authz.Compile(authz.Policies{Identity: []authz.Policy{named("p", strings.Join(statements, ","))}})
				for i := 0; i < count; i += 2 {
					req := alice(fmt.Sprintf(actions[1], i), "*")
					if d := set.Decide(&req); d.Policy == nil || d.Statement != i {
						t.Errorf("%s: got %+v, want statement %d", req.Action, d, i)
					}
				}
			})
		}
	}
}

// TestEveryOtherStatementIsFound is TestEveryStatementIsFound for those that no action finds: the resource tells them apart.
func TestEveryOtherStatementIsFound(t *testing.T) {
	const count = 200
	for _, tt := range []struct{ effect, actions string }{
		{"Allow", `"NotAction":"s3:none"`},
		{"Deny", `"NotAction":"s3:none"`},
		{"Deny", `"Action":"cannot be understood"`},
	} {
		t.Run(tt.effect+" "+tt.actions, func(t *testing.T) {
			var statements []string
			for i := range count {
				statements = append(statements, fmt.Sprintf(`{"Effect":%q,%s,"Resource":"arn:aws:s3:::b/%d"}`, tt.effect, tt.actions, i))
			}
			set := authz.Compile(authz.Policies{Identity: []authz.Policy{named("p", strings.Join(statements, ","))}})
			for i := range count {
				req := alice("s3:GetObject", fmt.Sprintf("arn:aws:s3:::b/%d", i))
				if d := set.Decide(&req); d.Policy == nil || d.Statement != i {
					t.Errorf("%s: got %+v, want statement %d", req.Resource, d, i)
				}
			}
		})
	}
}
