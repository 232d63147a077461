package console

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/policy"
)

func TestDecisionPage(t *testing.T) {
	b := newWorld(t).browser().signedIn(t, "ROOT")
	body := b.get(Pages + "decisions/" + requestID).body
	for _, want := range []string{
		`<li class="step explicitDeny decides">`, `<li class="step notApplicable">`, "Remove the Deny “Stop”", "✓ Verified",
		`<mark class="line decides" data-n="5">      &#34;Sid&#34;: &#34;Stop&#34;,`, "service control policy",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("has no %q:\n%s", want, body)
		}
	}
}

func TestUnknownPages(t *testing.T) {
	b := newWorld(t).browser().signedIn(t, "ROOT")
	for path, want := range map[string]int{
		Pages + "none": 404, Pages + "decisions/none": 404, Pages + "assets/doc.go": 404, Pages + "assets/..%2fconsole.go": 404,
		Pages + "decisions?verdict=maybe": 400, Pages + "decisions?since=yesterday": 400, Pages + "decisions?request=//evil.example": 400,
	} {
		if got := b.get(path); got.status != want {
			t.Errorf("%s: got %d, want %d", path, got.status, want)
		}
	}
	got := b.get(Pages + "decisions?request=" + requestID)
	if got.status != http.StatusSeeOther || got.header.Get("Location") != Pages+"decisions/"+requestID {
		t.Errorf("request id: got %d %s", got.status, got.header)
	}
}

func TestFilters(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		in   filters
		want audit.Filter
	}{
		{filters{}, audit.Filter{}},
		{filters{Verdict: "denied", Principal: "p", Action: "a", Resource: "r"}, audit.Filter{DeniedOnly: true, Principal: "p", Action: "a", Resource: "r"}},
		{filters{Since: "15m"}, audit.Filter{Since: now.Add(-15 * time.Minute)}},
		{filters{Since: "2026-01-01T00:00:00Z"}, audit.Filter{Since: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}},
	} {
		got, _, err := tt.in.compile(now)
		if diff := cmp.Diff(got, tt.want); diff != "" || err != nil {
			t.Errorf("%+v: %v -got +want:\n%s", tt.in, err, diff)
		}
	}
	_, keep, err := filters{Verdict: "allowed"}.compile(now)
	if err != nil || keep(audit.Record{}) || !keep(audit.Record{Allowed: true}) {
		t.Errorf("allowed: %v", err)
	}
}

func TestPolicyText(t *testing.T) {
	parse := func(text string) *policy.Document {
		d, err := policy.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	marked := func(p policyText) (lines []int) {
		for _, l := range p.Lines {
			if l.Mark != "" {
				lines = append(lines, l.Number)
			}
		}
		return lines
	}
	written := parse("{\"Statement\": [\r\n {\"Effect\": \"Deny\", \"Action\": \"*\",\r\n  \"Resource\": \"*\"},\n {\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\"}]}\n")
	got := textOf(authz.Policy{Document: written}, []mark{{statement: 0, kind: "decides"}})
	if diff := cmp.Diff(marked(got), []int{2, 3}); diff != "" || got.Indented || len(got.Lines) != 4 {
		t.Errorf("as written: %+v %s", got, diff)
	}
	short := parse(`{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	got = textOf(authz.Policy{Document: short}, []mark{{statement: 1, kind: "decides"}})
	if diff := cmp.Diff(marked(got), []int{8, 9, 10, 11, 12}); diff != "" || !got.Indented {
		t.Errorf("in one line: %+v %s", got, diff)
	}
	if got := textOf(authz.Policy{}, []mark{{statement: -1}}); got.Lines != nil {
		t.Errorf("without a document: %+v", got)
	}
}

func TestServicesOf(t *testing.T) {
	got, err := servicesOf(`{"Statement":[
		{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*",
		 "Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b*"},"StringEquals":{"AWS:SourceAccount":"1"}}},
		{"Effect":"Allow","Principal":{"Service":["sns.amazonaws.com"],"AWS":"111122223333"},"Action":"lambda:InvokeFunction","Resource":"*",
		 "Condition":{"StringEquals":{"aws:SourceAccount":"2"}}},
		{"Effect":"Deny","Principal":{"Service":"events.amazonaws.com"},"Action":"*","Resource":"*"},
		{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []matrixCaller{
		{"service", "s3.amazonaws.com", "arn:aws:s3:::b*", "AWS:SourceArn=arn:aws:s3:::b*\nAWS:SourceAccount=1"},
		{"service", "sns.amazonaws.com", "account 2", "aws:SourceAccount=2"},
	}
	if diff := cmp.Diff(got, want, cmp.AllowUnexported(matrixCaller{})); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	if got := sessionOf("arn:aws:iam::111122223333:role/a/b/name"); got != "arn:aws:sts::111122223333:assumed-role/name/console" {
		t.Errorf("session: got %s", got)
	}
}

// What depends on who asks, on the resource and on the time is found anew.
func TestOwnKeys(t *testing.T) {
	var k authz.Context
	for _, name := range []string{"aws:SourceIp", "s3:prefix", "aws:PrincipalTag/a", "AWS:principalarn", "aws:ResourceTag/a", "iam:ResourceTag/a",
		"aws:CurrentTime", "aws:username", "lambda:SourceFunctionArn"} {
		k.Set(name, "v")
	}
	k.SetList("aws:TagKeys", "x", "y\nz=1")
	want := []string{"aws:SourceIp=v", "aws:TagKeys=x", "lambda:SourceFunctionArn=v", "s3:prefix=v"}
	if diff := cmp.Diff(ownKeys(k), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
