package authz_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/internal/authztest"
	"github.com/licet/licet/authz/reference"
)

func TestCorpus(t *testing.T) {
	for _, c := range authztest.Corpus(t, "testdata") {
		t.Run(c.Name, func(t *testing.T) {
			d := authz.Compile(c.Policies).Trace(&c.Request)
			if diff := cmp.Diff(c.Want, authztest.Outcome(d)); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
			if got := d.Message(c.Request); c.Message != "" && got != c.Message {
				t.Errorf("message:\ngot  %s\nwant %s", got, c.Message)
			}
			checkSame(t, c.Request, c.Policies)
		})
	}
}

// FuzzEvaluators compares the compiled evaluator with the reference.
func FuzzEvaluators(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(authztest.Bytes(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		g := authztest.NewGenerator(data)
		checkSame(t, g.Request(), g.Policies())
	})
}

func TestEvaluatorsAgree(t *testing.T) {
	for seed := range authztest.Seeds(8_000) {
		g := authztest.NewGenerator(authztest.Bytes(seed))
		checkSame(t, g.Request(), g.Policies())
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// checkSame wants the same decision, by the same statement, from both evaluators, and from the traced walk the same outcome for every
// statement and condition.
func checkSame(t *testing.T, req authz.Request, p authz.Policies) {
	t.Helper()
	want := reference.Decide(req, p)
	set := authz.Compile(p)
	if diff := cmp.Diff(walk(want), walk(set.Trace(&req))); diff != "" {
		t.Errorf("(-reference +traced):\n%s\n%s", diff, authztest.Describe(req, p))
	}
	want.Types = nil
	if diff := cmp.Diff(walk(want), walk(set.Decide(&req))); diff != "" {
		t.Errorf("(-reference +compiled):\n%s\n%s", diff, authztest.Describe(req, p))
	}
	if diff := cmp.Diff(walk(want), walk(authz.CompileIndexed(p).Decide(&req))); diff != "" {
		t.Errorf("(-reference +indexed):\n%s\n%s", diff, authztest.Describe(req, p))
	}
}

// walk writes down what the evaluators must agree on: the decision, and of the trace what the reference has of it.
func walk(d authz.Decision) string {
	var b strings.Builder
	name := "none"
	if d.Policy != nil {
		name = d.Policy.Name
	}
	fmt.Fprintln(&b, d.Allowed, d.Explicit, d.By, name, d.Statement, d.CrossAccount, d.Note)
	for _, t := range d.Types {
		fmt.Fprintln(&b, t.Type, t.Verdict, t.Note)
		for _, p := range t.Policies {
			fmt.Fprintln(&b, " ", p.Policy.Name, p.Level, p.Verdict)
			for _, s := range p.Statements {
				b.WriteString("    " + strconv.Itoa(s.Index) + " " + string(s.Effect) + " " + string(s.Match))
				if s.Failed != nil {
					b.WriteString(" fails at " + s.Failed.Element)
				}
				b.WriteString(" " + strconv.FormatBool(s.Matched) + "\n")
				for _, c := range s.Conditions {
					b.WriteString("      " + c.Operator + " " + c.Key + " " + strconv.FormatBool(c.Held) + "\n")
				}
			}
		}
	}
	return b.String()
}

// TestConditionsOfLikeText: conditions are shared by what they say, and a text that looks like two others is neither.
func TestConditionsOfLikeText(t *testing.T) {
	req := alice("lambda:InvokeFunction", functionARN)
	req.Context.Set("aws:RequestedRegion", "us-east-1")
	allow := `{"Effect":"Allow","Action":"*","Resource":"*"}`
	for name, statements := range map[string]string{
		"a value with a zero byte": `{"Effect":"Allow","Action":"s3:x","Resource":"*","Condition":
			{"StringEquals":{"aws:RequestedRegion":["us-east-1\u0000eu-west-1"]}}},
			{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":["us-east-1","eu-west-1"]}}}`,
		"a value with a length": `{"Effect":"Allow","Action":"s3:x","Resource":"*","Condition":
			{"StringEquals":{"aws:RequestedRegion":["us-east-19:eu-west-1"]}}},
			{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":["us-east-1","eu-west-1"]}}}`,
		"a key with a zero byte": `{"Effect":"Allow","Action":"s3:x","Resource":"*","Condition":
			{"StringEquals":{"aws:RequestedRegion\u0000us-east-1":"eu-west-1"}}},
			{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":["us-east-1","eu-west-1"]}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			p := authz.Policies{Identity: []authz.Policy{named("p", allow+","+statements)}}
			checkSame(t, req, p)
			if d := authz.Compile(p).Decide(&req); d.Allowed {
				t.Error("allowed")
			}
		})
	}
	// The same text means something else in a document without variables.
	req.Context.Set("aws:username", "alice")
	old := mustParse(`{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"${aws:username}"}}}}`)
	p := authz.Policies{Identity: []authz.Policy{{Name: "old", Document: old}, named("new", allow+
		`,{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"${aws:username}"}}}`)}}
	checkSame(t, req, p)
	if d := authz.Compile(p).Decide(&req); !d.Allowed {
		t.Error("the literal text of the old document matches")
	}
}
