package edge

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/service"
)

func readAnswer(t *testing.T, r io.Reader) answer {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func TestHealthAndMetrics(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	if got := w.do(page("/_licet/health")); got.status != http.StatusOK || !strings.Contains(got.body, `"mode": "enforce"`) {
		t.Errorf("health: got %d %s", got.status, got.body)
	}
	if got := w.do(page("/_licet/metrics")); got.status != http.StatusOK {
		t.Errorf("metrics: got %d %s", got.status, got.body)
	}
	for _, path := range []string{"/_licet/", "/_licet/nothing", "/_licet/decisions/a/b"} {
		if got := w.do(page(path).by("ROOT")); got.status != http.StatusNotFound {
			t.Errorf("%s: got %d", path, got.status)
		}
	}
}

// Only the root of an account reads its decision log, and no other account's.
func TestOnlyRootReadsDecisions(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	id := w.do(listFunctions().by("NOBODY")).header.Get("X-Amzn-Requestid")
	one := DecisionsPage + "/" + id
	for _, tt := range []struct {
		name string
		q    request
		want string
	}{
		{"anonymous", page(one), "403 MissingAuthenticationTokenException "},
		{"user", page(one).by("USER"), "403 AccessDeniedException Only the root"},
		{"list by user", page(DecisionsPage).by("USER"), "403 AccessDeniedException Only the root"},
		{"root session for one task", page(one).by("TASK"), "403 AccessDeniedException Only the root"},
		{"list by root session for one task", page(DecisionsPage).by("TASK"), "403 AccessDeniedException Only the root"},
		{"signed for another service", request{method: "GET", path: one, service: "lambda", key: "ROOT"}, "403 InvalidSignatureException Credential"},
		{"root of another account", page(one).by("OTHERROOT"), "404 ResourceNotFoundException " + id},
		{"unknown id", page(DecisionsPage + "/" + uuid.NewString()).by("ROOT"), "404 ResourceNotFoundException "},
		{"no id", page(DecisionsPage + "/%00%2F").by("ROOT"), "404 ResourceNotFoundException "},
		{"limit", page(DecisionsPage + "?limit=0").by("ROOT"), "400 ValidationException limit"},
		{"since", page(DecisionsPage + "?since=yesterday").by("ROOT"), "400 ValidationException since"},
	} {
		t.Run(tt.name, func(t *testing.T) { w.wantError(t, w.do(tt.q), tt.want) })
	}
	if got := w.do(page(DecisionsPage).by("OTHERROOT")); got.status != http.StatusOK || strings.Contains(got.body, id) {
		t.Errorf("the other root's list: got %d %s", got.status, got.body)
	}
	for _, region := range []string{region, globalRegion} {
		q := page(one).by("ROOT")
		q.region = region
		got := w.do(q)
		var e Explanation
		if err := json.Unmarshal([]byte(got.body), &e); err != nil || got.status != http.StatusOK {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		if e.Record.RequestID != id || len(e.Decisions) != 1 || e.Decisions[0].Decision.Allowed || e.Decisions[0].Differs ||
			!strings.Contains(e.Text, "DENIED") || e.Decisions[0].Fix == nil || !e.Decisions[0].Fix.Verified {
			t.Errorf("got %+v", e)
		}
	}
}

// A caller's root learns of a cross-account denial what AWS tells the caller, and nothing of the other account's policies and tags.
func TestExplanationHidesOtherAccounts(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	denied := w.do(assumeRole("").by("USER")).header.Get("X-Amzn-Requestid")
	allowed := w.do(assumeRole("&ExternalId=secret-external-id").by("USER")).header.Get("X-Amzn-Requestid")
	for _, path := range []string{"/" + denied, "?limit=1000", "?explain=true&denied=true"} {
		got := w.do(page(DecisionsPage + path).by("ROOT"))
		if got.status != http.StatusOK || !strings.Contains(got.body, denied) {
			t.Fatalf("%s: got %d %s", path, got.status, got.body)
		}
		// The list has the allowed call, too, which named the external id itself.
		body := strings.ReplaceAll(got.body, `"secret-external-id"`, "")
		if path != "?limit=1000" {
			body = got.body
		}
		for _, word := range []string{"secret-external-id", "secret-tag", "SecretSid", "secret-policy-name"} {
			if strings.Contains(body, word) {
				t.Errorf("%s: %s is in\n%s", path, word, got.body)
			}
		}
	}
	var e Explanation
	if err := json.Unmarshal([]byte(w.do(page(DecisionsPage+"/"+denied).by("ROOT")).body), &e); err != nil {
		t.Fatal(err)
	}
	x := e.Decisions[0]
	if x.Decision.Allowed || x.Differs || x.Fix == nil || len(x.Fix.Changes) != 1 || x.Fix.Changes[0].Kind != authz.AddStatement {
		t.Errorf("got %+v with fix %+v", x.Decision, x.Fix)
	}
	if err := json.Unmarshal([]byte(w.do(page(DecisionsPage+"/"+allowed).by("ROOT")).body), &e); err != nil {
		t.Fatal(err)
	}
	if x := e.Decisions[0]; !x.Decision.Allowed || x.Differs || x.Decision.Policy != nil {
		t.Errorf("got %+v", x.Decision)
	}
}

// What a caller's own policies would show of another account's tags, by a condition or a variable, stays hidden.
func TestForeignTagsAreHidden(t *testing.T) {
	req := authz.Request{
		Principal: authz.Principal{Kind: authz.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/may"},
		Action:    "lambda:InvokeFunction", Resource: "arn:aws:lambda:eu-central-1:" + other + ":function:f", ResourceAccount: other,
	}
	req.Context.Set("aws:ResourceTag/team", "secret-tag")
	req.Context.SetList("aws:ResourceOrgPaths", "o-1/r-1/secret-tag/")
	deny := document(t, "theirs", `{"Sid":"SecretSid","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`)
	for name, own := range map[string]string{
		"condition":  `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}}}`,
		"variable":   `{"Effect":"Allow","Action":"*","Resource":"arn:aws:lambda:*:*:function:${aws:ResourceTag/team}"}`,
		"decides":    `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"secret-tag"}}}`,
		"unit":       `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:ResourceOrgPaths":"o-1/*"}}}`,
		"their Deny": `{"Effect":"Allow","Action":"*","Resource":"*"}`,
	} {
		policies := authz.Policies{Identity: []authz.Policy{document(t, "own", own)}}
		if name == "their Deny" {
			policies.Resource = &deny
		}
		x := explainForeign(req, policies)
		text, err := json.Marshal([]any{x, x.Text()})
		if err != nil {
			t.Fatal(err)
		}
		if x.Decision.Allowed || strings.Contains(string(text), "secret-tag") || strings.Contains(string(text), "SecretSid") {
			t.Errorf("%s: got %s", name, text)
		}
		if x.Fix != nil && x.Fix.Verified && name == "their Deny" {
			t.Errorf("%s: got the fix %+v", name, x.Fix)
		}
	}
}

// The fields of an explained decision stand beside each other, for those who read them from a page.
func TestExplainedFields(t *testing.T) {
	x := Explained{Differs: true}
	x.Message, x.Fix, x.Keys = "m", &authz.Fix{}, []authz.ConsultedKey{{Name: "k"}}
	text, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(got)), []string{"decision", "differs", "fix", "keys", "message", "request"}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// theirRequest is for a role of the other account, whose trust policy asks for keys, lacks two conditions, and spells a name its own way.
func theirRequest(t *testing.T) (authz.Request, authz.Policies) {
	t.Helper()
	req := authz.Request{
		Principal: authz.Principal{Kind: authz.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/may"},
		Action:    "sts:AssumeRole", Resource: "arn:aws:iam::" + other + ":role/theirs", ResourceAccount: other,
	}
	req.Context.Set("aws:CurrentTime", "2026-03-01T12:00:00Z")
	req.Context.Set("aws:PrincipalTag/team", "red")
	trust := document(t, "secret-policy-name", `{"Sid":"SecretSid","Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole",`+
		`"Condition":{"StringEquals":{"AWS:PRINCIPALTAG/TEAM":"red"},"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"},`+
		`"StringLikeIfExists":{"sts:ExternalId":"secret-*"},"Bool":{"aws:MultiFactorAuthPresent":"true"},"Null":{"aws:SourceIdentity":"false"}}}`)
	theirLimit := document(t, "secret-policy-name", `{"Sid":"SecretSid","Effect":"Allow","Principal":"*","Action":"*","Resource":"*",`+
		`"Condition":{"StringEquals":{"AWS:PRINCIPALTAG/TEAM":"red"}}}`)
	limit := document(t, "limit", `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"sts:RoleSessionName":"*"}}}`)
	own := document(t, "own", `{"Effect":"Allow","Action":"sts:*","Resource":"arn:aws:iam::*:role/${aws:PrincipalTag/team}"}`)
	return req, authz.Policies{
		Identity: []authz.Policy{own}, SCPs: [][]authz.Policy{{limit}}, RCPs: [][]authz.Policy{{theirLimit}}, Resource: &trust, Trust: true,
	}
}

// Which keys the other account's policies ask for stays hidden, and so do traces of it: the order, the spelling, who asked.
func TestForeignKeysAreHidden(t *testing.T) {
	req, policies := theirRequest(t)
	x := explainForeign(req, policies)
	want := []authz.ConsultedKey{
		{Name: "sts:RoleSessionName", By: []authz.PolicyType{authz.ServiceControlPolicy}},
		{Name: "aws:PrincipalTag/team", Present: true, Values: []string{"red"}, By: []authz.PolicyType{authz.IdentityBasedPolicy}},
	}
	if diff := cmp.Diff(x.Keys, want); diff != "" {
		t.Errorf("keys (-got +want):\n%s", diff)
	}
	all := authz.Explain(req, policies).Keys
	if len(all) != 5 || all[0].Name != "AWS:PRINCIPALTAG/TEAM" {
		t.Fatalf("the case shows nothing: all keys are %+v", all)
	}
	text, err := json.Marshal([]any{x, x.Text()})
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"ExternalId", "MultiFactor", "PRINCIPALTAG", "secret", "SecretSid"} {
		if strings.Contains(string(text), word) {
			t.Errorf("%s is in %s", word, text)
		}
	}
}

// The statement that came closest is shown where it is the caller's own account's, and only there.
func TestForeignNearestIsHidden(t *testing.T) {
	req, policies := theirRequest(t)
	policies.SCPs, policies.RCPs = nil, nil
	nearest := func(f *authz.Fix) map[authz.PolicyType]bool {
		got := make(map[authz.PolicyType]bool)
		for _, c := range f.Changes {
			got[c.Type] = c.Nearest != nil
		}
		return got
	}
	all := map[authz.PolicyType]bool{authz.IdentityBasedPolicy: true, authz.RoleTrustPolicy: true}
	if diff := cmp.Diff(nearest(authz.SmallestFix(req, policies)), all); diff != "" {
		t.Fatalf("the case shows nothing (-got +want):\n%s", diff)
	}
	x := explainForeign(req, policies)
	if diff := cmp.Diff(nearest(x.Fix), map[authz.PolicyType]bool{authz.IdentityBasedPolicy: true, authz.RoleTrustPolicy: false}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	if !x.Fix.Verified {
		t.Errorf("the fix is not verified: %+v", x.Fix)
	}
}

func TestCodeLinks(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	name, _, err := w.blobs.Put(t.Context(), strings.NewReader("zip"))
	if err != nil {
		t.Fatal(err)
	}
	call := &service.Call{Host: strings.TrimPrefix(w.url, "http://")}
	link, err := w.links.CodeURL(t.Context(), call, name)
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(link, w.url)
	if got := w.do(page(path)); got.status != http.StatusOK || got.body != "zip" || got.header.Get("Content-Type") != "application/zip" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	call.SecureTransport = true
	if link, err := w.links.CodeURL(t.Context(), call, name); err != nil || !strings.HasPrefix(link, "https://") {
		t.Errorf("got %s, %v", link, err)
	}
	const invalid = "403 AccessDenied This link"
	for i := len(pagePrefix + "code/"); i < len(path)-1; i++ {
		changed := []byte(path)
		changed[i] ^= 1
		if got := w.do(page(string(changed))); got.status == http.StatusOK {
			t.Fatalf("works with byte %d changed", i)
		}
	}
	forged := func(purpose, text string) string {
		sealed, err := w.keys.Seal(purpose, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return pagePrefix + "code/" + base64.RawURLEncoding.EncodeToString(sealed)
	}
	for text, path := range map[string]string{
		"other purpose": forged("session", string(name)+" 99999999999"),
		"no expiry":     forged(codePurpose, string(name)),
		"bad expiry":    forged(codePurpose, string(name)+" never"),
		"no base64":     pagePrefix + "code/!",
		"short":         pagePrefix + "code/AAAA",
	} {
		t.Run(text, func(t *testing.T) { w.wantError(t, w.do(page(path)), invalid) })
	}
	w.now = w.now.Add(codeLinkLife - time.Second)
	if got := w.do(page(path)); got.status != http.StatusOK {
		t.Errorf("just before its end: got %d", got.status)
	}
	if err := w.blobs.Delete(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	w.wantError(t, w.do(page(path)), "404 NoSuchKey ")
	w.now = w.now.Add(time.Second)
	w.wantError(t, w.do(page(path)), invalid)
}
