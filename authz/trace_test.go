package authz_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/internal/authztest"
	"github.com/licet/licet/policy"
)

func document(t *testing.T, text string) *policy.Document {
	t.Helper()
	doc, err := authztest.Document(text)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestTrace(t *testing.T) {
	req := authz.Request{Principal: authztest.Principal("arn:aws:iam::111122223333:user/alice"), Action: "s3:GetObject",
		Resource: "arn:aws:s3:::home/alice/x"}
	req.Context.Set("aws:username", "alice")
	req.Context.Set("aws:SourceIp", "192.0.2.9")
	p := authz.Policies{Identity: []authz.Policy{{Name: "p", Document: document(t, `{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Put", "Effect": "Allow", "Action": ["s3:Put*", "s3:Delete*"], "Resource": "*"},
    {"Sid": "Home", "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::home/${aws:username}"},
    {"Sid": "Net", "Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {
      "StringEquals": {"aws:username": "${aws:username}"},
      "IpAddress": {"aws:SourceIp": "198.51.100.0/24"},
      "Bool": {"aws:SecureTransport": "true"}}}
  ]
}`)}}}
	d := authz.Compile(p).Trace(&req)
	got := d.Types[4].Policies[0].Statements
	want := []authz.StatementTrace{
		{Index: 0, Sid: "Put", Effect: "Allow", Failed: &authz.Mismatch{Element: "Action", Got: "s3:GetObject",
			Want: []string{"s3:Put*", "s3:Delete*"}}},
		{Index: 1, Sid: "Home", Effect: "Allow", Failed: &authz.Mismatch{Element: "Resource", Got: "arn:aws:s3:::home/alice/x",
			Want: []string{"arn:aws:s3:::home/alice"}}},
		{Index: 2, Sid: "Net", Effect: "Allow",
			Failed: &authz.Mismatch{Element: "Condition", Got: "192.0.2.9", Want: []string{"198.51.100.0/24"}},
			Conditions: []authz.ConditionTrace{
				{Operator: "StringEquals", Key: "aws:username", Present: true, Got: []string{"alice"}, Want: []string{"alice"}, Held: true},
				{Operator: "IpAddress", Key: "aws:SourceIp", Present: true, Got: []string{"192.0.2.9"}, Want: []string{"198.51.100.0/24"}},
			}},
	}
	places := cmp.FilterPath(func(p cmp.Path) bool {
		name := p.Last().String()
		return name == ".Span" || name == ".At"
	}, cmp.Ignore())
	if diff := cmp.Diff(want, got, places); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	source := string(p.Identity[0].Document.Source)
	if s := got[0].Failed.Span; source[s.Start:s.End] != `"s3:Put*", "s3:Delete*"` {
		t.Errorf("span of the failed Action: %q", source[s.Start:s.End])
	}
	if at := got[2].Conditions[1].At; at.Line != 8 {
		t.Errorf("condition at %v, want line 8", at)
	}
}

// TestDecisionJSON: a decision says all that matters in JSON, without the texts of the policies.
func TestDecisionJSON(t *testing.T) {
	req := authz.Request{Principal: authztest.Principal("arn:aws:iam::111122223333:user/alice"), Action: "s3:GetObject", Resource: "*"}
	p := authz.Policies{Identity: []authz.Policy{{Name: "p", Document: document(t, "Deny s3:* on *")}}}
	text, err := json.Marshal(authz.Compile(p).Trace(&req))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"allowed":false`, `"explicit":true`, `"by":"identity-based"`, `"at":{"line":1,"column":`,
		`"verdict":"explicitDeny"`, `"policy":{"name":"p"}`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s is not in %s", part, text)
		}
	}
	if strings.Contains(string(text), "Source") {
		t.Errorf("the document is in %s", text)
	}
}
