package reference_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/reference"
	"github.com/licet/licet/policy"
)

func document(t *testing.T, text string) *policy.Document {
	t.Helper()
	doc, err := documentOf(text)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestPolicyWithoutDocumentDenies(t *testing.T) {
	req := authz.Request{Principal: principalOf("arn:aws:iam::111122223333:user/alice"), Action: "s3:GetObject", Resource: "*"}
	p := authz.Policies{Identity: []authz.Policy{{Name: "fine", Document: document(t, "Allow * on *")}, {Name: "lost"}}}
	d := reference.Decide(req, p)
	if outcome(d) != "explicit deny by identity-based" || d.Policy == nil || d.Policy.Name != "lost" {
		t.Errorf("got %s, policy %v", outcome(d), d.Policy)
	}
}

// TestPrincipalKindMustBeKnown: what belongs to no account is never judged by identity policies, nor taken for the root user.
func TestPrincipalKindMustBeKnown(t *testing.T) {
	identity := []authz.Policy{{Name: "all", Document: document(t, "Allow * on *")}}
	for _, kind := range []authz.PrincipalKind{"", "Nobody", authz.Service, authz.Anonymous, authz.SAML, authz.WebIdentity} {
		req := authz.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k",
			Principal: authz.Principal{Kind: kind, Account: "111122223333", ARN: "arn:aws:iam::111122223333:root"}}
		if d := reference.Decide(req, authz.Policies{Identity: identity}); d.Allowed {
			t.Errorf("kind %q is allowed", kind)
		}
	}
	for _, kind := range []authz.PrincipalKind{authz.User, authz.AssumedRole, authz.FederatedUser, authz.Root} {
		req := authz.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", ResourceAccount: "111122223333",
			Principal: authz.Principal{Kind: kind}}
		if d := reference.Decide(req, authz.Policies{Identity: identity}); d.Allowed {
			t.Errorf("kind %q without account is allowed", kind)
		}
	}
}

func TestTrace(t *testing.T) {
	req := authz.Request{Principal: principalOf("arn:aws:iam::111122223333:user/alice"), Action: "s3:GetObject",
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
	d := reference.Decide(req, p)
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
	req := authz.Request{Principal: principalOf("arn:aws:iam::111122223333:user/alice"), Action: "s3:GetObject", Resource: "*"}
	p := authz.Policies{Identity: []authz.Policy{{Name: "p", Document: document(t, "Deny s3:* on *")}}}
	text, err := json.Marshal(reference.Decide(req, p))
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

// TestBypassed shows in the trace which denials a grant to the session makes irrelevant.
func TestBypassed(t *testing.T) {
	tests := map[string]struct {
		principal string
		want      [3]authz.Verdict // identity, boundary, session
	}{
		"session ARN": {"arn:aws:sts::111122223333:assumed-role/r/s", [3]authz.Verdict{authz.Bypassed, authz.Bypassed, authz.Bypassed}},
		"role ARN":    {"arn:aws:iam::111122223333:role/r", [3]authz.Verdict{authz.Bypassed, authz.ImplicitDeny, authz.ImplicitDeny}},
		"account":     {"111122223333", [3]authz.Verdict{authz.ImplicitDeny, authz.ImplicitDeny, authz.ImplicitDeny}},
		"nobody":      {"999999999999", [3]authz.Verdict{authz.ImplicitDeny, authz.ImplicitDeny, authz.ImplicitDeny}},
	}
	none := authz.Policy{Name: "none", Document: document(t, "none")}
	for name, tt := range tests {
		resource := authz.Policy{Name: "resource", Document: document(t, "Allow s3:* on * for "+tt.principal)}
		req := authz.Request{Principal: principalOf("arn:aws:sts::111122223333:assumed-role/r/s"), Action: "s3:GetObject", Resource: "*"}
		d := reference.Decide(req, authz.Policies{Boundary: &none, Session: []authz.Policy{none}, Resource: &resource})
		got := [3]authz.Verdict{d.Types[4].Verdict, d.Types[5].Verdict, d.Types[6].Verdict}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
