package reference_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/reference"
	"github.com/licet/licet/policy"
)

// FuzzLaws checks, on requests and policies made from the input, what must hold whatever the policies say.
func FuzzLaws(f *testing.F) {
	for seed := range 10 {
		f.Add(randomBytes(uint64(seed)))
	}
	f.Fuzz(checkLaws)
}

// TestLaws runs the laws on many random inputs, also where nobody fuzzes.
func TestLaws(t *testing.T) {
	for seed := range 400 {
		checkLaws(t, randomBytes(uint64(seed)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func randomBytes(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, 300)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

func checkLaws(t *testing.T, data []byte) {
	g := &generator{data: data}
	req, p := g.request(), g.policies()
	d := reference.Decide(req, p)

	explicit := slices.ContainsFunc(d.Types, func(tt authz.TypeTrace) bool { return tt.Verdict == authz.ExplicitDeny })
	if d.Explicit != explicit || d.Explicit && d.Allowed {
		t.Errorf("explicit %v, allowed %v, a type denies explicitly: %v", d.Explicit, d.Allowed, explicit)
	}
	for _, tt := range d.Types {
		for _, pt := range tt.Policies {
			if len(pt.Statements) != len(pt.Policy.Document.Statements) {
				t.Errorf("%s: %d of %d statements in the trace", tt.Type, len(pt.Statements), len(pt.Policy.Document.Statements))
			}
		}
	}
	if (d.Message(req) == "") != d.Allowed {
		t.Errorf("allowed %v with message %q", d.Allowed, d.Message(req))
	}

	neverWidens := func(law string, changed authz.Policies) {
		t.Helper()
		if now := reference.Decide(req, changed); now.Allowed && !d.Allowed {
			t.Errorf("%s allows:\n%s\n%s", law, authz.Explain(d, req, nil), authz.Explain(now, req, nil))
		}
	}
	for _, s := range slots(&p) {
		neverWidens("adding a Deny to "+s.name, s.with(s.doc, append(slices.Clone(s.doc.Statements), g.statement("Deny", s.hasPrincipal))))
		for i, st := range s.doc.Statements {
			if st.Effect == policy.Allow {
				neverWidens("removing an Allow from "+s.name, s.with(s.doc, slices.Delete(slices.Clone(s.doc.Statements), i, i+1)))
			}
		}
		reversed := slices.Clone(s.doc.Statements)
		slices.Reverse(reversed)
		if now := reference.Decide(req, s.with(s.doc, reversed)); now.Allowed != d.Allowed || now.Explicit != d.Explicit || now.By != d.By {
			t.Errorf("the order of statements in %s matters", s.name)
		}
	}
	for name, changed := range g.narrowed(req, p) {
		neverWidens(name, changed)
	}
	if fix := authz.SmallestFix(req, p, reference.Decide); !d.Allowed && !fix.Verified {
		t.Errorf("the fix of %d changes does not help:\n%s", len(fix.Changes), authz.Explain(d, req, fix))
	}
}

// generator makes requests and policies from bytes. Its vocabulary is small, so that things match often.
type generator struct{ data []byte }

// below gives a number under n; zeros when the bytes are used up.
func (g *generator) below(n int) int {
	if len(g.data) == 0 {
		return 0
	}
	b := g.data[0]
	g.data = g.data[1:]
	return int(b) % n
}

func (g *generator) pick(from ...string) string { return from[g.below(len(from))] }

func (g *generator) request() authz.Request {
	req := authz.Request{
		Action:          g.pick("s3:GetObject", "s3:PutObject", "sts:AssumeRole", "lambda:ListFunctions"),
		Resource:        g.pick("arn:aws:s3:::b/alice", "arn:aws:s3:::b/x:y", "arn:aws:lambda:us-east-1:111122223333:function:f", "*"),
		ResourceAccount: g.pick("", "", "111122223333", "999999999999"),
		Principal: principalOf(g.pick("arn:aws:iam::111122223333:user/alice", "arn:aws:sts::111122223333:assumed-role/r/s",
			"arn:aws:sts::111122223333:federated-user/bob", "arn:aws:iam::111122223333:root", "sns.amazonaws.com", "anonymous",
			"web accounts.google.com")),
	}
	if g.below(2) == 0 {
		req.Context.Set("aws:username", g.pick("alice", "*", ""))
	}
	if g.below(2) == 0 {
		req.Context.SetList("aws:TagKeys", []string{"a", "b"}[:g.below(3)]...)
	}
	if g.below(2) == 0 {
		req.Context.Set("s3:max-keys", g.pick("1", "10", "ten"))
	}
	return req
}

func (g *generator) policies() authz.Policies {
	var p authz.Policies
	p.Identity = g.list(false)
	p.Boundary = g.maybe(false)
	if g.below(2) == 0 {
		p.Session = append([]authz.Policy{}, g.list(false)...)
	}
	p.Resource = g.maybe(true)
	p.Trust = p.Resource != nil && g.below(4) == 0
	if g.below(3) == 0 {
		p.SCPs = [][]authz.Policy{{allowAll(false)}, append(g.list(false), allowAll(false))}
	}
	if g.below(3) == 0 {
		p.RCPs = [][]authz.Policy{append(g.list(true), allowAll(true))}
	}
	if g.below(4) == 0 {
		p.VPCEndpoint = g.maybe(true)
	}
	return p
}

func allowAll(hasPrincipal bool) authz.Policy {
	text := "Allow * on *"
	if hasPrincipal {
		text += " for *"
	}
	doc, err := documentOf(text)
	if err != nil {
		panic(err)
	}
	return authz.Policy{Name: "allow all", Document: doc}
}

func (g *generator) list(hasPrincipal bool) []authz.Policy {
	var out []authz.Policy
	for range g.below(3) {
		out = append(out, g.policy(hasPrincipal))
	}
	return out
}

func (g *generator) maybe(hasPrincipal bool) *authz.Policy {
	if g.below(2) == 0 {
		return nil
	}
	p := g.policy(hasPrincipal)
	return &p
}

func (g *generator) policy(hasPrincipal bool) authz.Policy {
	doc := &policy.Document{Version: policy.Version2012}
	for range 1 + g.below(3) {
		effect := g.pick("Allow", "Allow", "Allow", "Deny")
		doc.Statements = append(doc.Statements, g.statement(effect, hasPrincipal))
	}
	return authz.Policy{Name: "generated", Document: doc}
}

func (g *generator) statement(effect string, hasPrincipal bool) policy.Statement {
	fields := []string{
		fmt.Sprintf(`"Effect":%q`, effect),
		fmt.Sprintf(`%q:%q`, g.pick("Action", "Action", "Action", "NotAction"), g.pick("*", "s3:*", "S3:Get*", "sts:*", "lambda:*", "s3")),
		fmt.Sprintf(`%q:%q`, g.pick("Resource", "Resource", "Resource", "NotResource"),
			g.pick("*", "*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/${aws:username}", "arn:aws:lambda:*:function:f", "arn:aws:s3")),
	}
	if hasPrincipal {
		fields = append(fields, fmt.Sprintf(`%q:%s`, g.pick("Principal", "Principal", "Principal", "NotPrincipal"),
			g.pick(`"*"`, `{"AWS":"111122223333"}`, `{"AWS":"arn:aws:iam::111122223333:user/alice"}`,
				`{"AWS":["arn:aws:iam::111122223333:role/r","arn:aws:iam::111122223333:root"]}`,
				`{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"}`, `{"AWS":"arn:aws:sts::111122223333:federated-user/bob"}`,
				`{"Service":"sns.amazonaws.com"}`, `{"Federated":"accounts.google.com"}`, `{"CanonicalUser":"c"}`)))
	}
	if g.below(2) == 0 {
		fields = append(fields, `"Condition":`+g.pick(
			`{"StringEquals":{"aws:username":"alice"}}`, `{"StringNotLike":{"aws:username":["a*","${aws:PrincipalTag/x}"]}}`,
			`{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}`, `{"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":"b"}}`,
			`{"StringNotEquals":{"aws:TagKeys":"b"}}`, `{"NumericLessThan":{"s3:max-keys":"5"}}`, `{"Null":{"s3:max-keys":"true"}}`,
			`{"Unheard":{"aws:username":"alice"}}`, `{"NumericNotEquals":{"s3:max-keys":"x"},"Bool":{"aws:SecureTransport":"true"}}`))
	}
	doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{` + strings.Join(fields, ",") + `}}`))
	if err != nil {
		panic(err)
	}
	return doc.Statements[0]
}

// slot is a place in policies that holds a document.
type slot struct {
	name         string
	hasPrincipal bool
	doc          *policy.Document
	with         func(old *policy.Document, statements []policy.Statement) authz.Policies
}

// slots finds the documents of p. Changing one leaves p as it is.
func slots(p *authz.Policies) []slot {
	var out []slot
	add := func(name string, hasPrincipal bool, doc *policy.Document) {
		out = append(out, slot{name, hasPrincipal, doc, func(old *policy.Document, statements []policy.Statement) authz.Policies {
			changed := *old
			changed.Statements = statements
			return replaceDocument(*p, old, &changed)
		}})
	}
	lists := func(name string, hasPrincipal bool, levels ...[]authz.Policy) {
		for _, level := range levels {
			for _, q := range level {
				add(name, hasPrincipal, q.Document)
			}
		}
	}
	lists("identity", false, p.Identity)
	lists("session", false, p.Session)
	lists("scp", false, p.SCPs...)
	lists("rcp", true, p.RCPs...)
	single := func(name string, hasPrincipal bool, q *authz.Policy) {
		if q != nil {
			add(name, hasPrincipal, q.Document)
		}
	}
	single("boundary", false, p.Boundary)
	single("resource", true, p.Resource)
	single("endpoint", true, p.VPCEndpoint)
	return out
}

func replaceDocument(p authz.Policies, old, doc *policy.Document) authz.Policies {
	list := func(qs []authz.Policy) []authz.Policy {
		qs = slices.Clone(qs)
		for i := range qs {
			if qs[i].Document == old {
				qs[i].Document = doc
			}
		}
		return qs
	}
	one := func(q *authz.Policy) *authz.Policy {
		if q == nil {
			return nil
		}
		return &list([]authz.Policy{*q})[0]
	}
	levels := func(in [][]authz.Policy) [][]authz.Policy {
		in = slices.Clone(in)
		for i := range in {
			in[i] = list(in[i])
		}
		return in
	}
	p.Identity, p.Session, p.SCPs, p.RCPs = list(p.Identity), list(p.Session), levels(p.SCPs), levels(p.RCPs)
	p.Boundary, p.Resource, p.VPCEndpoint = one(p.Boundary), one(p.Resource), one(p.VPCEndpoint)
	return p
}

// narrowed gives p with one more policy of a kind that only limits.
func (g *generator) narrowed(req authz.Request, p authz.Policies) map[string]authz.Policies {
	out := map[string]authz.Policies{}
	q := g.policy(false)
	withPrincipal := g.policy(true)
	if p.Boundary == nil {
		c := p
		c.Boundary = &q
		out["a permissions boundary"] = c
	}
	// A federated-user session has no permissions without a session policy: there it is what grants them (iam.md D7).
	if p.Session == nil && req.Principal.Kind != authz.FederatedUser {
		c := p
		c.Session = []authz.Policy{q}
		out["a session policy"] = c
	}
	if p.VPCEndpoint == nil {
		c := p
		c.VPCEndpoint = &withPrincipal
		out["a VPC endpoint policy"] = c
	}
	scp := p
	scp.SCPs = append(slices.Clone(p.SCPs), []authz.Policy{q})
	out["an SCP on one more level"] = scp
	rcp := p
	rcp.RCPs = append(slices.Clone(p.RCPs), []authz.Policy{withPrincipal})
	out["an RCP on one more level"] = rcp
	return out
}
