package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/reference"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/policy"
)

// TestAnswers wants the right answer of every evaluator to every question: of the hostile ones with one policy instead of ten.
func TestAnswers(t *testing.T) {
	questions, err := typicalQuestions()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families() {
		q, err := f.question(1)
		if err != nil {
			t.Fatal(err)
		}
		questions = append(questions, q)
	}
	for _, q := range questions {
		for _, e := range evaluators() {
			if e.prepare == nil {
				continue
			}
			decide := e.prepare(q)
			if decide == nil {
				continue
			}
			if got := decide(); got != q.allowed {
				t.Errorf("%s: %s: got allowed %t, want %t", q.name, e.name, got, q.allowed)
			}
		}
	}
}

// TestCompany holds the company's policies to what the comment on company says of them.
func TestCompany(t *testing.T) {
	q, err := company()
	if err != nil {
		t.Fatal(err)
	}
	if n := q.request.Context.Len(); n != 19 {
		t.Errorf("the context has %d keys, want 19", n)
	}
	var last bool
	failed := make(map[int]int)
	seen := make(map[string]bool)
	for _, p := range q.policies.Identity {
		if n := len(p.Document.Statements); n != 5 {
			t.Errorf("%s has %d statements, want 5", p.Name, n)
		}
		for _, s := range p.Document.Statements {
			if len(s.Condition) != 4 {
				t.Errorf("%s has %d conditions, want 4", s.Sid, len(s.Condition))
			}
			operators := make(map[string]bool)
			for _, c := range s.Condition {
				operators[c.Operator.Value] = true
			}
			if len(operators) != 4 {
				t.Errorf("%s has %d operators, want 4", s.Sid, len(operators))
			}
			last = decides(q.request, s)
			if !last {
				failed[failing(t, q.request, s)]++
			}
			body := strings.Replace(string(p.Document.Source[s.Span.Start:s.Span.End]), s.Sid, "", 1)
			if seen[body] {
				t.Errorf("%s is there twice", s.Sid)
			}
			seen[body] = true
		}
	}
	if len(failed) != 4 || failed[0]+failed[1]+failed[2]+failed[3] != 49 || !last {
		t.Errorf("conditions fail at these positions: %v; the last statement decides: %t; want 49 at all four, and true", failed, last)
	}
}

// decides tells whether a statement alone allows the request.
func decides(req authz.Request, s policy.Statement) bool {
	d := &policy.Document{Version: policy.Version2012, HasVersion: true, Statements: []policy.Statement{s}}
	return reference.Decide(req, authz.Policies{Identity: []authz.Policy{{Document: d}}}).Allowed
}

// failing finds the one condition of a statement without which it would allow the request.
func failing(t *testing.T, req authz.Request, s policy.Statement) int {
	t.Helper()
	position := -1
	for i := range s.Condition {
		without := s
		without.Condition = slices.Delete(slices.Clone(s.Condition), i, i+1)
		if !decides(req, without) {
			continue
		}
		if position >= 0 {
			t.Errorf("%s: condition %d and %d both fail alone", s.Sid, position, i)
		}
		position = i
	}
	if position < 0 {
		t.Errorf("%s is not kept from matching by one condition", s.Sid)
	}
	return position
}

// TestTranslation compares every statement with its translation, alone, for the caller of the question and for callers that differ in
// one thing or two.
func TestTranslation(t *testing.T) {
	ten, err := company()
	if err != nil {
		t.Fatal(err)
	}
	lambda, err := invoke()
	if err != nil {
		t.Fatal(err)
	}
	once := 0 // statements that allow at least one of the callers
	for _, q := range []*question{ten, lambda} {
		for _, p := range q.policies.Identity {
			for i, s := range p.Document.Statements {
				translated := q.cedar.policies.Get(cedar.PolicyID(fmt.Sprintf("%s-%02d", p.Name, i)))
				if translated == nil {
					t.Fatalf("statement %d of %s is not translated", i, p.Name)
				}
				if got := string(translated.Annotations()["sid"]); got != s.Sid {
					t.Errorf("got %q for the translation of statement %q", got, s.Sid)
				}
				alone := cedarQuestion{policies: cedar.NewPolicySet()}
				alone.policies.Add("alone", translated)
				allowed := false
				for _, call := range callers() {
					req := requestOf(call, q.request.Action, q.request.Resource)
					alone.entities, alone.request = cedarRequest(call, req.Action, req.Resource)
					got, want := alone.allowed(), decides(req, s)
					if got != want {
						t.Errorf("%s: Cedar allows: %t, IAM: %t, for %+v", s.Sid, got, want, call)
					}
					allowed = allowed || want
				}
				if allowed {
					once++
				}
			}
		}
	}
	if once < 40 {
		t.Errorf("%d statements allowed any caller: that compares little", once)
	}
}

func setTag(c *service.Call, key, value string) {
	tags := map[string]string{key: value}
	for _, other := range []string{"team", "stage", "cost-center"} {
		if other != key {
			tags[other] = c.Caller.Tags.Get(other)
		}
	}
	c.Caller.Tags = principal.NewTags(tags)
}

// callers are the analyst, and callers of whom something is different: what the company's policies say of others.
func callers() []*service.Call {
	changes := []func(*service.Call){
		func(*service.Call) {},
		func(c *service.Call) { setTag(c, "team", "payroll") },
		func(c *service.Call) { setTag(c, "stage", "test") },
		func(c *service.Call) { setTag(c, "cost-center", "4812") },
		func(c *service.Call) { c.UserAgent = "S3Console/0.4" },
		func(c *service.Call) { c.Caller.IssuerARN = "arn:aws:iam::111122223333:role/admin/ops" },
		func(c *service.Call) { c.Caller.SessionName = "deploy-3" },
		func(c *service.Call) { c.Caller.Session.SourceIdentity = "john.minor" },
		func(c *service.Call) { c.SecureTransport = false },
		func(c *service.Call) { c.Caller.Session.MFA = false },
		func(c *service.Call) { c.Time = c.Time.AddDate(2, 0, 0) },
		func(c *service.Call) { c.Time = c.Time.AddDate(-2, 0, 0) },
		func(c *service.Call) { c.Caller.Session.IssuedAt = c.Caller.Session.IssuedAt.AddDate(0, 0, 1) },
	}
	var all []*service.Call
	for i, first := range changes {
		for _, second := range changes[:i+1] {
			call := analystCall()
			second(call)
			first(call)
			all = append(all, call)
		}
	}
	for n := range 50 { // each of the statements has a network of its own
		call := analystCall()
		call.SourceIP = netip.AddrFrom4([4]byte{10, byte(40 + n), 1, 2})
		all = append(all, call)
	}
	return all
}
