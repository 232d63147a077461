package reference_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/authz/internal/authztest"
	"github.com/licet/licet/authz/reference"
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

func TestPolicyWithoutDocumentDenies(t *testing.T) {
	req := authz.Request{Principal: authztest.Principal("arn:aws:iam::111122223333:user/alice"), Action: "s3:GetObject", Resource: "*"}
	p := authz.Policies{Identity: []authz.Policy{{Name: "fine", Document: document(t, "Allow * on *")}, {Name: "lost"}}}
	d := reference.Decide(req, p)
	if authztest.Outcome(d) != "explicit deny by identity-based" || d.Policy == nil || d.Policy.Name != "lost" {
		t.Errorf("got %s, policy %v", authztest.Outcome(d), d.Policy)
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
		req := authz.Request{Principal: authztest.Principal("arn:aws:sts::111122223333:assumed-role/r/s"), Action: "s3:GetObject", Resource: "*"}
		d := reference.Decide(req, authz.Policies{Boundary: &none, Session: []authz.Policy{none}, Resource: &resource})
		got := [3]authz.Verdict{d.Types[4].Verdict, d.Types[5].Verdict, d.Types[6].Verdict}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
