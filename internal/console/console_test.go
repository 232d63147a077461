package console

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	sdkiam "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	sdklambda "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/policy"
)

const (
	account   = "111122223333"
	requestID = "01a21d52-2fc6-7452-aba0-7de01f41e19f"
	// hostile is what a caller may write into nearly every name.
	hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`
)

// world is a console before services that know one function, one role and one denial, all with hostile names.
type world struct {
	*Console
	now  time.Time
	keys map[string]key
}

type key struct {
	secret, token string
	caller        principal.Caller
	err           error
}

func newWorld(t *testing.T, hosts ...string) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	user := principal.Caller{Principal: authz.Principal{Kind: authz.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/u"}}
	root := principal.Caller{Principal: authz.Principal{Kind: authz.Root, Account: account, ARN: "arn:aws:iam::" + account + ":root"}}
	brief := root
	brief.Session = &principal.Session{Expires: w.now.Add(10 * time.Minute)}
	w.keys = map[string]key{
		"ROOT": {secret: "root secret", caller: root}, "USER": {secret: "user secret", caller: user},
		"TEMP": {secret: "temp secret", token: "token", caller: brief}, "NONE": {secret: "", caller: root},
	}
	w.Console = New(Config{
		Keys: w, Door: w, Log: w, Others: func(r *http.Request) bool { return strings.HasPrefix(r.Host, "id.lambda-url.") }, Seals: secret.New([secret.KeySize]byte{1}), Hosts: hosts, Now: func() time.Time { return w.now },
		Logger: slog.New(slog.DiscardHandler), Region: "us-east-1", Partition: "aws", Mode: dispatch.Enforce,
	})
	return w
}

// Authenticate is the directory.
func (w *world) Authenticate(_ context.Context, id, token string) (string, principal.Caller, error) {
	k, ok := w.keys[id]
	if !ok || k.token != token {
		return "", principal.Caller{}, edge.ErrUnknownKey
	}
	return k.secret, k.caller, k.err
}

// Do is dispatch before services that let in the root alone.
func (w *world) Do(_ context.Context, c *service.Call, in any) (dispatch.Answer, error) {
	if c.Caller.Kind != authz.Root {
		return dispatch.Answer{Denied: true}, awserr.New("AccessDeniedException", http.StatusForbidden, "not authorized to perform: %s:%s", c.Service, c.Operation)
	}
	name, arn := hostile, "arn:aws:lambda:us-east-1:"+account+":function:"+hostile
	role, document := "arn:aws:iam::"+account+":role/"+hostile, text(hostileDocument())
	encoded := url.QueryEscape(document)
	var out any
	switch in.(type) {
	case *lambda.ListFunctionsInput:
		out = &lambda.ListFunctionsOutput{Functions: []sdklambda.FunctionConfiguration{{FunctionName: &name, FunctionArn: &arn, Role: &role}}}
	case *lambda.GetFunctionConfigurationInput:
		out = &lambda.GetFunctionConfigurationOutput{FunctionName: &name, FunctionArn: &arn, Role: &role, Handler: &name}
	case *lambda.GetPolicyInput:
		out = &lambda.GetPolicyOutput{Policy: &document}
	case *iam.ListRolesInput:
		out = &iam.ListRolesOutput{Roles: []sdkiam.Role{{RoleName: &name, Arn: &role, Path: &name}}}
	case *iam.ListUsersInput:
		out = &iam.ListUsersOutput{Users: []sdkiam.User{{UserName: &name, Arn: &role}}}
	case *iam.GetRoleInput:
		out = &iam.GetRoleOutput{Role: &sdkiam.Role{RoleName: &name, Arn: &role, Description: &name, AssumeRolePolicyDocument: &encoded}}
	case *iam.ListRolePoliciesInput:
		out = &iam.ListRolePoliciesOutput{PolicyNames: []string{name}}
	case *iam.GetRolePolicyInput:
		out = &iam.GetRolePolicyOutput{PolicyDocument: &encoded}
	case *iam.ListAttachedRolePoliciesInput:
		out = &iam.ListAttachedRolePoliciesOutput{}
	default:
		return dispatch.Answer{}, awserr.NotImplemented(c.Service, c.Operation)
	}
	return dispatch.Answer{Output: out, Decided: true}, nil
}

func hostileDocument() *string {
	s := `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction",` +
		`"Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"` + strings.ReplaceAll(hostile, `"`, `\"`) + `"}}}]}`
	return &s
}

func (w *world) request() authz.Request {
	r := authz.Request{Principal: authz.Principal{Kind: authz.AssumedRole, Account: account, ARN: "arn:aws:sts::" + account + ":assumed-role/r/" + hostile,
		IssuerARN: "arn:aws:iam::" + account + ":role/" + hostile}, Action: "s3:GetObject", Resource: "arn:aws:s3:::" + hostile, ResourceAccount: account}
	r.Context.Set("aws:SourceIp", hostile)
	return r
}

func (w *world) explanation() edge.Explanation {
	d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Sid":"Stop","Effect":"Deny","Action":"s3:*","Resource":"*",` +
		`"Condition":{"StringLike":{"aws:SourceIp":"*<script>*"}}},{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`))
	if err != nil {
		panic(err) // the test's own text
	}
	x := authz.Explain(w.request(), authz.Policies{Identity: []authz.Policy{{Name: hostile, Document: d}}})
	return edge.Explanation{Record: w.record(), Notes: []string{hostile}, Decisions: []edge.Explained{{Explanation: x}}}
}

func (w *world) record() audit.Record {
	r := w.request()
	return audit.Record{RequestID: requestID, Time: w.now, Account: account, Service: "s3", Operation: "GetObject", Mode: "enforce",
		Caller: principal.Caller{Principal: r.Principal, Session: &principal.Session{
			SourceFunctionARN: "arn:aws:lambda:us-east-1:" + account + ":function:" + hostile}},
		Failure:   &audit.Failure{Code: hostile, Message: hostile},
		Decisions: []audit.Decision{{Request: r, By: authz.IdentityBasedPolicy}}}
}

func (w *world) onlyRoot(caller principal.Caller) error {
	if caller.Kind != authz.Root {
		return awserr.New("AccessDeniedException", http.StatusForbidden, "Only the root of an account may do that.")
	}
	return nil
}

// EachDecision has one record.
func (w *world) EachDecision(_ context.Context, caller principal.Caller, _ audit.Filter, fn func(audit.Record) bool) error {
	if err := w.onlyRoot(caller); err != nil {
		return err
	}
	fn(w.record())
	return nil
}

// ExplainDecision explains the record.
func (w *world) ExplainDecision(_ context.Context, caller principal.Caller, id string) (edge.Explanation, error) {
	if id != requestID {
		return edge.Explanation{}, awserr.New("ResourceNotFoundException", http.StatusNotFound, "The decision log has no request %s.", id)
	}
	return w.explanation(), w.onlyRoot(caller)
}

// ExplainSupposed supposes the record's call, whatever is asked.
func (w *world) ExplainSupposed(_ context.Context, caller principal.Caller, _ edge.Question) (edge.Explanation, error) {
	x := w.explanation()
	x.Record.RequestID = ""
	return x, w.onlyRoot(caller)
}

// LeastPolicyOf has seen nothing.
func (w *world) LeastPolicyOf(_ context.Context, caller principal.Caller, role string, _ audit.Filter) (edge.LeastPolicy, error) {
	if err := w.onlyRoot(caller); err != nil {
		return edge.LeastPolicy{}, err
	}
	return edge.LeastPolicy{}, awserr.New("ResourceNotFoundException", http.StatusNotFound, "The decision log has no calls of %s in that time.", role)
}

// browser keeps cookies, and sends an Origin with a form, as browsers do.
type browser struct {
	w       *world
	host    string
	remote  string
	tls     bool
	origin  string // "" as browsers do
	cookies map[string]*http.Cookie
}

func (w *world) browser() *browser {
	return &browser{w: w, host: "127.0.0.1:4566", remote: "127.0.0.1:50000", cookies: map[string]*http.Cookie{}}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (b *browser) do(method, path string, form url.Values) answer {
	r := httptest.NewRequest(method, "http://"+b.host+path, strings.NewReader(form.Encode()))
	r.RemoteAddr, r.Host = b.remote, b.host
	scheme := "http://"
	if b.tls {
		r.TLS, scheme = &tls.ConnectionState{}, "https://"
	}
	r.Header.Set(fetchDest, "document")
	if strings.HasSuffix(path, "part=rows") {
		r.Header.Set(fetchDest, "empty")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		switch b.origin {
		case "":
			r.Header.Set("Origin", scheme+b.host)
		case "none":
		default:
			r.Header.Set("Origin", b.origin)
		}
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	b.w.ServeHTTP(rec, r)
	resp := rec.Result()
	for _, c := range resp.Cookies() {
		if b.cookies[c.Name] = c; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(err) // a recorder has all
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func (b *browser) get(path string) answer { return b.do(http.MethodGet, path, nil) }

var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

func (b *browser) token(t *testing.T, path string) string {
	t.Helper()
	found := formToken.FindStringSubmatch(b.get(path).body)
	if found == nil {
		t.Fatalf("%s has no form", path)
	}
	return found[1]
}

func (b *browser) signIn(t *testing.T, id, secret, token string) answer {
	t.Helper()
	form := b.token(t, Pages+"sign-in")
	return b.do(http.MethodPost, Pages+"sign-in", url.Values{
		"form": {form}, "access-key-id": {id}, "secret-access-key": {secret}, "session-token": {token}})
}

func (b *browser) signedIn(t *testing.T, id string) *browser {
	t.Helper()
	if got := b.signIn(t, id, b.w.keys[id].secret, b.w.keys[id].token); got.status != http.StatusSeeOther || got.header.Get("Location") != Pages {
		t.Fatalf("sign in: got %d %s", got.status, got.body)
	}
	return b
}

// wantOut fails unless the browser is sent to sign in.
func (b *browser) wantOut(t *testing.T) {
	t.Helper()
	if got := b.get(Pages); got.status != http.StatusSeeOther || got.header.Get("Location") != Pages+"sign-in" {
		t.Errorf("got %d %s, want to be signed out", got.status, got.header)
	}
}

var allPages = []string{
	Pages, Pages + "functions", Pages + "functions/x", Pages + "roles", Pages + "roles/x", Pages + "decisions", Pages + "decisions?part=rows",
	Pages + "decisions/" + requestID, Pages + "suppose?as=a&action=b&context=" + url.QueryEscape("k="+hostile), Pages + "matrix",
}

func TestPagesAreClosed(t *testing.T) {
	b := newWorld(t).browser()
	for _, path := range allPages {
		if got := b.get(path); got.status != http.StatusSeeOther || got.header.Get("Location") != Pages+"sign-in" {
			t.Errorf("%s: got %d", path, got.status)
		}
	}
}

// Whatever callers write into names, policies and keys is text.
func TestPagesEscape(t *testing.T) {
	b := newWorld(t).browser().signedIn(t, "ROOT")
	for _, path := range append(allPages, Pages+"suppose?as="+url.QueryEscape(hostile), Pages+"decisions?principal="+url.QueryEscape(hostile),
		Pages+"matrix?function="+url.QueryEscape(hostile), Pages+"decisions/"+url.PathEscape(hostile)) {
		got := b.get(path)
		if got.status != http.StatusOK && got.status != http.StatusNotFound {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
		if strings.Contains(got.body, "<script>") || strings.Contains(got.body, "<img") {
			t.Errorf("%s: names are not escaped:\n%s", path, got.body)
		}
		if path != Pages && !strings.Contains(got.body, "alert(1)") {
			t.Errorf("%s: shows no name:\n%s", path, got.body)
		}
	}
}

// Everything the browser is told is told on every answer, also on failures.
func TestHeaders(t *testing.T) {
	b := newWorld(t).browser().signedIn(t, "ROOT")
	for _, path := range append(allPages, Pages+"none", Pages+"assets/console.css", Pages+"assets/none", Pages+"sign-in") {
		h := b.get(path).header
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
				"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s: got %q, want %q", path, name, got, want)
			}
		}
	}
	for _, path := range allPages { // what the policy above would not let run must not be there at all
		if body := b.get(path).body; regexp.MustCompile(`(?i)<style|\sstyle=|<script(?: [^>]*)?>[^<]|<[^>]*\son\w+="`).MatchString(body) {
			t.Errorf("%s: has a style or script of its own", path)
		}
	}
}

// A name that points to this machine is not enough to be answered.
func TestHosts(t *testing.T) {
	w := newWorld(t, "licet.example")
	for host, want := range map[string]int{
		"127.0.0.1:4566": 200, "127.8.9.1": 200, "localhost:4566": 200, "LOCALHOST": 200, "[::1]:4566": 200, "[::1]": 200, "[::ffff:127.0.0.1]:1": 200,
		"licet.example:4566": 200, "Licet.Example": 200,
		"evil.example:4566": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "192.0.2.1:4566": 421, "0.0.0.0:4566": 421, "": 421,
		"localhost:4566.evil.example": 421,
	} {
		b := w.browser()
		r := httptest.NewRequest(http.MethodGet, Pages+"sign-in", nil)
		r.Host, r.RemoteAddr = host, b.remote
		r.Header.Set(fetchDest, "document")
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("%q: got %d, want %d", host, rec.Code, want)
		}
	}
}

// Who may not see something sees why, and nothing of it.
func TestPagesOfUser(t *testing.T) {
	b := newWorld(t).browser().signedIn(t, "USER")
	for _, path := range allPages {
		got := b.get(path)
		if path == Pages+"decisions?part=rows" {
			if strings.TrimSpace(got.body) != "" {
				t.Errorf("%s: got %s", path, got.body)
			}
			continue
		}
		if !strings.Contains(got.body, "not authorized to perform") && !strings.Contains(got.body, "Only the root of an account may") {
			t.Errorf("%s: tells no denial: %s", path, got.body)
		}
		if body := strings.ReplaceAll(got.body, "k=&#34;&gt;&lt;script&gt;alert(1)", ""); strings.Contains(body, "alert(1)") {
			t.Errorf("%s: shows what is denied:\n%s", path, body)
		}
	}
}
