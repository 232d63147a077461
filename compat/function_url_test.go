package compat

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// urlEcho answers with its event, or as the header "answer" of the request says.
const urlEcho = `import json
runs = 0
def handler(event, context):
    global runs
    runs += 1
    answer = event["headers"].get("x-answer")
    if answer == "runs":
        return runs
    if answer == "raise":
        raise ValueError("no")
    return json.loads(answer) if answer else event
`

// functionURL is a URL as a client has it.
type functionURL struct {
	l        *licet
	function function
	id, host string
}

// newURL gives a function a URL.
func (l *licet) newURL(t *testing.T, f function, auth types.FunctionUrlAuthType, changes ...func(*lambda.CreateFunctionUrlConfigInput)) functionURL {
	t.Helper()
	in := &lambda.CreateFunctionUrlConfigInput{FunctionName: &f.name, AuthType: auth}
	for _, change := range changes {
		change(in)
	}
	out := must(l.as(l.root).lambda.CreateFunctionUrlConfig(t.Context(), in))(t)
	u, err := url.Parse(*out.FunctionUrl)
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(u.Host, ".")
	return functionURL{l, f, id, u.Host}
}

// allow adds one of the two statements that a URL takes to the policy of a function.
func (u functionURL) allow(t *testing.T, action, principal string, change func(*lambda.AddPermissionInput)) {
	t.Helper()
	in := &lambda.AddPermissionInput{FunctionName: &u.function.name, StatementId: aws.String(unique("url")), Action: &action, Principal: &principal}
	change(in)
	must(u.l.as(u.l.root).lambda.AddPermission(t.Context(), in))(t)
}

// open lets everybody in, as the console does.
func (u functionURL) open(t *testing.T) {
	t.Helper()
	u.allow(t, "lambda:InvokeFunctionUrl", "*", func(in *lambda.AddPermissionInput) { in.FunctionUrlAuthType = types.FunctionUrlAuthTypeNone })
	u.allow(t, "lambda:InvokeFunction", "*", func(in *lambda.AddPermissionInput) { in.InvokedViaFunctionUrl = aws.Bool(true) })
}

// request makes one whose Host is the URL's, for its name need not resolve here.
func (u functionURL) request(t *testing.T, method, target string, body []byte, headers ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, u.l.url+target, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = u.host
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return req
}

// sign signs a request for a service.
func sign(t *testing.T, req *http.Request, body []byte, c aws.Credentials, service string) {
	t.Helper()
	sum := sha256.Sum256(body)
	err := v4.NewSigner().SignHTTP(t.Context(), c, req, hex.EncodeToString(sum[:]), service, "us-east-1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
}

const forbiddenURL = `{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: ` +
	`https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}`

// A URL that takes requests of anybody takes them when the function's policy gives both permissions, and not before. The decision log says
// what is missing.
func TestFunctionURLNone(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, urlEcho)
	u := server.newURL(t, f, types.FunctionUrlAuthTypeNone)
	refused := func(missing ...string) {
		t.Helper()
		resp, body := do(t, u.request(t, "GET", "/", nil))
		if resp.StatusCode != 403 || string(body) != forbiddenURL || resp.Header.Get("x-amzn-ErrorType") != "AccessDeniedException" {
			t.Errorf("got %s %s %v", resp.Status, body, resp.Header)
		}
		id := resp.Header.Get("x-amzn-RequestId")
		if got := resp.Header.Get("x-licet-explain"); got != "licet explain "+id {
			t.Errorf("got x-licet-explain %q", got)
		}
		e := server.explain(t, id)
		var denied []string
		for _, d := range e.Decisions {
			if d.Decision.Allowed {
				continue
			}
			denied = append(denied, d.Request.Action+" "+d.Request.Resource)
			if d.Fix == nil || !d.Fix.Verified || len(d.Fix.Changes) != 1 || d.Fix.Changes[0].Type != "resource-based" ||
				!strings.Contains(d.Fix.Changes[0].Statement, d.Request.Action+`"`) || !strings.Contains(d.Fix.Changes[0].Statement, `"Condition"`) {
				t.Errorf("got fix %+v", d.Fix)
			}
		}
		if diff := cmp.Diff(missing, denied); diff != "" {
			t.Errorf("denied (-want +got):\n%s", diff)
		}
	}
	const url, plain = "lambda:InvokeFunctionUrl ", "lambda:InvokeFunction "
	refused(url+f.arn, plain+f.arn)
	u.allow(t, "lambda:InvokeFunctionUrl", "*", func(in *lambda.AddPermissionInput) { in.FunctionUrlAuthType = types.FunctionUrlAuthTypeAwsIam })
	refused(url+f.arn, plain+f.arn) // the condition is of another type of URL
	u.allow(t, "lambda:InvokeFunctionUrl", "*", func(in *lambda.AddPermissionInput) { in.FunctionUrlAuthType = types.FunctionUrlAuthTypeNone })
	refused(plain + f.arn)
	u.allow(t, "lambda:InvokeFunction", "*", func(in *lambda.AddPermissionInput) { in.InvokedViaFunctionUrl = aws.Bool(true) })
	if _, body := do(t, u.request(t, "GET", "/", nil, "X-Answer", "runs")); string(body) != "1" {
		t.Errorf("the first request that is let in is run %s of the function", body)
	}
	resp, body := do(t, u.request(t, "POST", "/a%20b/c?x=1&x=2&y=%C3%A4", []byte(`{"k":1}`),
		"Content-Type", "application/json; charset=utf-8", "X-Twice", "1", "X-Twice", "2", "Cookie", "a=b; c=d", "Authorization", "Bearer x",
		"User-Agent", "agent/1"))
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("got %s %s", resp.Status, body)
	}
	id := resp.Header.Get("x-amzn-RequestId")
	var got struct {
		Version, RouteKey, RawPath, RawQueryString, Body string
		Cookies                                          []string
		Headers, QueryStringParameters                   map[string]string
		RequestContext                                   struct {
			AccountID, APIID, DomainName, DomainPrefix, RequestID, RouteKey, Stage, Time string
			Authorizer                                                                   any
			TimeEpoch                                                                    int64
			HTTP                                                                         struct{ Method, Path, Protocol, SourceIP, UserAgent string }
		}
		IsBase64Encoded bool
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	port := u.host[strings.LastIndexByte(u.host, ':')+1:]
	if trace := got.Headers["x-amzn-trace-id"]; !strings.HasPrefix(trace, "Root=1-") || trace != resp.Header.Get("X-Amzn-Trace-Id") {
		t.Errorf("got trace %q, the client %q", trace, resp.Header.Get("X-Amzn-Trace-Id"))
	}
	delete(got.Headers, "x-amzn-trace-id")
	wantHeaders := map[string]string{
		"accept-encoding": "gzip", "authorization": "Bearer x", "content-length": "7", "content-type": "application/json; charset=utf-8",
		"cookie": "a=b; c=d", "host": u.host, "user-agent": "agent/1", "x-forwarded-for": "127.0.0.1", "x-forwarded-port": port,
		"x-forwarded-proto": "http", "x-twice": "1,2",
	}
	if diff := cmp.Diff(wantHeaders, got.Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"x": "1,2", "y": "ä"}, got.QueryStringParameters); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	c := got.RequestContext
	if got.Version != "2.0" || got.RouteKey != "$default" || got.RawPath != "/a%20b/c" || got.RawQueryString != "x=1&x=2&y=%C3%A4" ||
		got.Body != `{"k":1}` || got.IsBase64Encoded || strings.Join(got.Cookies, "|") != "a=b|c=d" || c.AccountID != "anonymous" ||
		c.APIID != u.id || c.DomainPrefix != u.id || c.DomainName != strings.TrimSuffix(u.host, ":"+port) || c.RequestID != id ||
		c.Authorizer != nil || c.HTTP.Method != "POST" || c.HTTP.Path != got.RawPath || c.HTTP.SourceIP != "127.0.0.1" {
		t.Errorf("got %s", body)
	}
	if e := server.explain(t, id); !e.Record.Allowed || e.Record.Account != account || e.Record.Operation != "InvokeFunctionUrl" {
		t.Errorf("got record %+v", e.Record)
	}
}

// A URL that wants signatures tells the function who signed. What signs for another service, or not at all, does not come in.
func TestFunctionURLIAM(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, urlEcho)
	u := server.newURL(t, f, types.FunctionUrlAuthTypeAwsIam)
	u.open(t) // which lets nobody in who does not sign
	both := server.newUser(t, allow("lambda:InvokeFunctionUrl", f.arn, `{"StringEquals":{"lambda:FunctionUrlAuthType":"AWS_IAM"}}`),
		allow("lambda:InvokeFunction", f.arn, `{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}`))
	one := server.newUser(t, allow("lambda:InvokeFunctionUrl", f.arn))
	none := server.newUser(t)
	other := server.newUser(t, allow("lambda:InvokeFunctionUrl", f.arn, `{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}`), allow("lambda:InvokeFunction", f.arn))
	// The statements of open give everybody who comes by a URL lambda:InvokeFunction: what is asked below is what callers themselves have.
	root := server.as(server.root)
	policy := must(root.lambda.GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: &f.name}))(t)
	var statements struct{ Statement []struct{ Sid string } }
	if err := json.Unmarshal([]byte(*policy.Policy), &statements); err != nil {
		t.Fatal(err)
	}
	anonymous := u.request(t, "GET", "/", nil)
	if resp, body := do(t, anonymous); resp.StatusCode != 403 || string(body) != forbiddenURL {
		t.Errorf("without a signature: got %s %s", resp.Status, body)
	}
	for _, s := range statements.Statement {
		must(root.lambda.RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: &f.name, StatementId: &s.Sid}))(t)
	}
	for name, c := range map[string]struct {
		credentials aws.Credentials
		service     string
		status      int
		text        string
	}{
		"both permissions":    {both.credentials, "lambda", 200, `"userArn": "` + both.arn + `"`},
		"one permission":      {one.credentials, "lambda", 403, forbiddenURL},
		"no permission":       {none.credentials, "lambda", 403, forbiddenURL},
		"another type of URL": {other.credentials, "lambda", 403, forbiddenURL},
		"another service":     {both.credentials, "s3", 403, "Credential should be scoped to correct service: 'lambda'"},
		"root":                {server.root, "lambda", 200, `"userArn": "` + arnPrefix + `root"`},
	} {
		body := []byte("some bytes")
		req := u.request(t, "PUT", "/x?a=b", body, "Content-Type", "text/plain")
		sign(t, req, body, c.credentials, c.service)
		resp, got := do(t, req)
		// The inferred answer is compact.
		if want := strings.ReplaceAll(c.text, `": "`, `":"`); resp.StatusCode != c.status || !strings.Contains(string(got), want) {
			t.Errorf("%s: got %s %s, want %d %s", name, resp.Status, got, c.status, want)
		}
		if c.status == 200 && (strings.Contains(string(got), `"authorization"`) || !strings.Contains(string(got), `"accountId":"`+account+`"`)) {
			t.Errorf("%s: got %s", name, got)
		}
	}
	// The fix of a refusal is one statement for the caller's own policy, and works.
	req := u.request(t, "GET", "/", nil)
	sign(t, req, nil, one.credentials, "lambda")
	resp, _ := do(t, req)
	e := server.explain(t, resp.Header.Get("x-amzn-RequestId"))
	fix := e.statements(t)
	if len(fix) != 1 || !strings.Contains(fix[0], `"lambda:InvokeFunction"`) {
		t.Errorf("got fix %q", fix)
	}
	server.permit(t, one, append(fix, allow("lambda:InvokeFunctionUrl", f.arn))...)
	req = u.request(t, "GET", "/", nil)
	sign(t, req, nil, one.credentials, "lambda")
	if resp, body := do(t, req); resp.StatusCode != 200 {
		t.Errorf("with the fix: got %s %s", resp.Status, body)
	}
	tampered := u.request(t, "POST", "/", []byte("other"))
	sign(t, tampered, []byte("bytes"), both.credentials, "lambda")
	if resp, body := do(t, tampered); resp.StatusCode != 403 || resp.Header.Get("x-amzn-ErrorType") != "InvalidSignatureException" {
		t.Errorf("another body than the signed: got %s %s", resp.Status, body)
	}
}

// Callers of another account need both permissions from both sides.
func TestFunctionURLAcrossAccounts(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, urlEcho)
	u := server.newURL(t, f, types.FunctionUrlAuthTypeAwsIam)
	theirs := server.newAccount(t)
	arn, c := server.userOf(t, theirs, allow("lambda:InvokeFunctionUrl", f.arn), allow("lambda:InvokeFunction", f.arn))
	_, unpermitted := server.userOf(t, theirs, allow("lambda:ListFunctions", "*"))
	call := func(c clients) (int, string) {
		t.Helper()
		req := u.request(t, "GET", "/", nil)
		sign(t, req, nil, c.credentials, "lambda")
		resp, body := do(t, req)
		return resp.StatusCode, string(body)
	}
	refused := func(when string, c clients) {
		t.Helper()
		if status, body := call(c); status != 403 || body != forbiddenURL {
			t.Errorf("%s: got %d %s", when, status, body)
		}
	}
	refused("without the function's policy", c)
	u.allow(t, "lambda:InvokeFunctionUrl", theirs.id, func(in *lambda.AddPermissionInput) { in.FunctionUrlAuthType = types.FunctionUrlAuthTypeAwsIam })
	refused("with one permission of the function's policy", c)
	u.allow(t, "lambda:InvokeFunction", theirs.id, func(in *lambda.AddPermissionInput) { in.InvokedViaFunctionUrl = aws.Bool(true) })
	refused("without the caller's policy", unpermitted)
	status, body := call(c)
	for _, want := range []string{`"accountId":"` + theirs.id + `"`, `"userArn":"` + arn + `"`, `"requestContext":{"accountId":"` + account + `"`} {
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("with both from both sides: got %d %s, want %s", status, body, want)
		}
	}
	// What the function's policy gives is for those who come by the URL.
	if _, err := c.invoke(t, f.arn, "{}"); code(err) != "AccessDeniedException" {
		t.Errorf("Invoke: got %v, want a denial", err)
	}
}

// A function reaches the URL of another by the path form below its own endpoint, with its execution role.
func TestFunctionURLFromFunction(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, urlEcho)
	u := server.newURL(t, f, types.FunctionUrlAuthTypeAwsIam)
	const calls = `import os, urllib.request
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import get_session
def handler(event, context):
    r = AWSRequest("GET", os.environ["AWS_ENDPOINT_URL"] + "/_licet/lambda-url/" + event + "/x")
    SigV4Auth(get_session().get_credentials(), "lambda", os.environ["AWS_REGION"]).add_auth(r)
    try:
        with urllib.request.urlopen(urllib.request.Request(r.url, headers=dict(r.headers))) as response:
            return response.read().decode()
    except urllib.error.HTTPError as e:
        return e.read().decode()
`
	may := server.newRole(t, trustLambda, allow("lambda:InvokeFunctionUrl", f.arn), allow("lambda:InvokeFunction", f.arn))
	mayNot := server.newRole(t, trustLambda)
	for _, c := range []struct {
		role role
		want string
	}{{may, `assumed-role/` + may.name}, {mayNot, "Forbidden. "}} {
		caller := server.newFunction(t, calls, func(in *lambda.CreateFunctionInput) { in.Role, in.Timeout = &c.role.arn, aws.Int32(30) })
		got, err := server.as(server.root).invoke(t, caller.name, `"`+u.id+`"`)
		if err != nil || !strings.Contains(got, c.want) {
			t.Errorf("got %s, %v, want %s", got, err, c.want)
		}
	}
}

// botocore's own signer is let in, by host and by path.
func TestFunctionURLBotocore(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, urlEcho)
	u := server.newURL(t, f, types.FunctionUrlAuthTypeAwsIam)
	const program = `import json, os, sys, urllib.request
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import get_session
base, target, host = sys.argv[1:4]
url = "http://" + host + target if host else base + target
c = get_session().get_credentials()
r = AWSRequest("POST", url, data=b"\x00\xff\x10", headers={"content-type": "image/png"})
SigV4Auth(c, "lambda", "us-east-1").add_auth(r)
q = urllib.request.Request(base + target, r.data, dict(r.headers), method="POST")
if host:
    q.add_header("Host", host)
with urllib.request.urlopen(q) as response:
    event = json.load(response)
print(json.dumps([event["rawPath"], event["body"], event["isBase64Encoded"], event["requestContext"]["domainPrefix"],
    event["requestContext"]["authorizer"]["iam"]["accessKey"]]))
`
	for _, place := range [][2]string{{"/some/path?x=y", u.host}, {"/_licet/lambda-url/" + u.id + "/some/path?x=y", ""}} {
		out, err := server.command(t, server.root, "/usr/bin/python3", "-c", program, server.url, place[0], place[1])
		if err != nil {
			t.Fatal(err)
		}
		if want := `["/some/path", "AP8Q", true, "` + u.id + `", "` + server.root.AccessKeyID + `"]`; strings.TrimSpace(out) != want {
			t.Errorf("%s: got %s, want %s", place, out, want)
		}
	}
}

// What functions answer becomes HTTP as on AWS.
func TestFunctionURLAnswers(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, urlEcho)
	u := server.newURL(t, f, types.FunctionUrlAuthTypeNone)
	u.open(t)
	for answer, want := range map[string]struct {
		status int
		body   string
		header http.Header
	}{
		`{"hello": "world"}`: {200, `{"hello":"world"}`, http.Header{"Content-Type": {"application/json"}}},
		`["hello", 3, true]`: {200, `["hello",3,true]`, nil},
		`"hello"`:            {200, `hello`, http.Header{"Content-Type": {"application/json"}}},
		`3.1`:                {200, `3.1`, nil},
		`{"statusCode": 201, "headers": {"My-Custom-Header": "Custom Value", "content-type": "text/plain", "Date": "x", "WWW-Authenticate": "Basic"}, "cookies": ["a=b; Secure", "c=d"], "body": "text"}`: {
			201, "text", http.Header{"My-Custom-Header": {"Custom Value"}, "Content-Type": {"text/plain"}, "Set-Cookie": {"a=b; Secure", "c=d"},
				"X-Amzn-Remapped-Date": {"x"}, "X-Amzn-Remapped-Www-Authenticate": {"Basic"}, "Www-Authenticate": nil},
		},
		`{"statusCode": "418", "body": "i'm a teapot", "isBase64Encoded": false}`: {418, "i'm a teapot", nil},
		`{"statusCode": 200, "body": "AP8Q", "isBase64Encoded": true}`:            {200, "\x00\xff\x10", nil},
		`{"statusCode": 204, "body": "dropped"}`:                                  {204, "", nil},
		`{"statusCode": 99}`:                                                      {502, "Internal Server Error", nil},
		`{"statusCode": 200, "headers": {"x": "a\r\nb: c"}}`:                      {502, "Internal Server Error", nil},
		`raise`: {502, "Internal Server Error", nil},
	} {
		resp, body := do(t, u.request(t, "GET", "/", nil, "X-Answer", strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(answer)))
		if resp.StatusCode != want.status || string(body) != want.body {
			t.Errorf("%s: got %s %q, want %d %q", answer, resp.Status, body, want.status, want.body)
		}
		for name, values := range want.header {
			if diff := cmp.Diff(values, resp.Header.Values(name), cmp.Transformer("nil", func(s []string) string { return strings.Join(s, "|") })); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", answer, name, diff)
			}
		}
		if want.status == 502 {
			if e := server.explain(t, resp.Header.Get("x-amzn-RequestId")); !e.Record.Allowed {
				t.Errorf("%s: got %s", answer, e.Text)
			}
		}
	}
	if resp, body := do(t, u.request(t, "HEAD", "/", nil)); resp.StatusCode != 200 || len(body) > 0 {
		t.Errorf("HEAD: got %s %s", resp.Status, body)
	}
	large := bytes.Repeat([]byte("x"), 6<<20)
	resp, body := do(t, u.request(t, "POST", "/", large, "Content-Type", "text/plain"))
	if resp.StatusCode != 413 || !strings.Contains(string(body), "Request must be smaller than 6291456 bytes for the InvokeFunction operation") {
		t.Errorf("a large body: got %s %.200s", resp.Status, body)
	}
	zero := int32(0)
	must(server.as(server.root).lambda.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{
		FunctionName: &f.name, ReservedConcurrentExecutions: &zero,
	}))(t)
	if resp, body := do(t, u.request(t, "GET", "/", nil)); resp.StatusCode != 429 || !strings.Contains(string(body), "Rate Exceeded.") {
		t.Errorf("deactivated: got %s %s", resp.Status, body)
	}
}

// A host that is no URL's is answered as by AWS, with a header that says why.
func TestFunctionURLUnknown(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, urlEcho)
	u := server.newURL(t, f, types.FunctionUrlAuthTypeNone)
	u.open(t)
	for _, host := range []string{
		strings.Repeat("0", 32) + ".lambda-url.us-east-1.on.aws", u.id + ".lambda-url.eu-west-1.localhost", "x.lambda-url.us-east-1.localhost:4566",
	} {
		req := u.request(t, "GET", "/2015-03-31/functions", nil)
		req.Host = host
		resp, body := do(t, req)
		if resp.StatusCode != 403 || string(body) != `{"Message":null}` || resp.Header.Get("x-amzn-ErrorType") != "AccessDeniedException" ||
			!strings.HasPrefix(resp.Header.Get("X-Licet-Detail"), "There is no function URL ") {
			t.Errorf("%s: got %s %s %v", host, resp.Status, body, resp.Header)
		}
	}
	req := u.request(t, "GET", "/", nil)
	req.Host = strings.ToUpper(u.id) + ".Lambda-URL.us-east-1.example.com."
	if resp, body := do(t, req); resp.StatusCode != 200 {
		t.Errorf("below another domain: got %s %s", resp.Status, body)
	}
	must(server.as(server.root).lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: &f.name}))(t)
	if resp, body := do(t, u.request(t, "GET", "/", nil)); string(body) != `{"Message":null}` {
		t.Errorf("without its function: got %s %s", resp.Status, body)
	}
}

// A URL is the same after a restart.
func TestFunctionURLRestart(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	u := l.newURL(t, l.newFunction(t, urlEcho), types.FunctionUrlAuthTypeNone)
	u.open(t)
	l.end(t)
	l.start(t)
	if resp, body := do(t, u.request(t, "GET", "/", nil, "X-Answer", `"again"`)); resp.StatusCode != 200 || string(body) != "again" {
		t.Errorf("got %s %s", resp.Status, body)
	}
	got := must(l.as(l.root).lambda.GetFunctionUrlConfig(t.Context(), &lambda.GetFunctionUrlConfigInput{FunctionName: &u.function.name}))(t)
	if port := l.url[strings.LastIndexByte(l.url, ':')+1:]; *got.FunctionUrl != "http://"+u.id+".lambda-url.us-east-1.localhost:"+port+"/" {
		t.Errorf("got %s, the server is at %s", *got.FunctionUrl, l.url)
	}
}

// Lambda answers what browsers ask before a request, and its headers go over the function's.
func TestFunctionURLCORS(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, urlEcho)
	u := server.newURL(t, f, types.FunctionUrlAuthTypeAwsIam, func(in *lambda.CreateFunctionUrlConfigInput) {
		in.Cors = &types.Cors{
			AllowOrigins: []string{"https://localhost:8080"}, AllowMethods: []string{"GET", "POST"}, AllowCredentials: aws.Bool(true),
			AllowHeaders: []string{"authorization", "content-type"}, ExposeHeaders: []string{"Date", "X-Own"}, MaxAge: aws.Int32(300),
		}
	})
	ask := []string{"Origin", "https://localhost:8080", "Access-Control-Request-Method", "GET"}
	headers := func(h http.Header) map[string]string {
		got := map[string]string{}
		for name := range h {
			if strings.HasPrefix(name, "Access-Control-") || name == "Vary" {
				got[name] = strings.Join(h[name], "|")
			}
		}
		return got
	}
	shared := map[string]string{
		"Vary": "Origin", "Access-Control-Allow-Origin": "https://localhost:8080", "Access-Control-Allow-Credentials": "true",
		"Access-Control-Expose-Headers": "Date,X-Own",
	}
	preflight := map[string]string{
		"Access-Control-Allow-Headers": "authorization,content-type", "Access-Control-Allow-Methods": "GET,POST", "Access-Control-Max-Age": "300",
	}
	for name, value := range shared {
		preflight[name] = value
	}
	resp, body := do(t, u.request(t, "OPTIONS", "/", nil, ask...))
	if diff := cmp.Diff(preflight, headers(resp.Header)); diff != "" || resp.StatusCode != 200 || len(body) > 0 {
		t.Errorf("preflight: got %s %s (-want +got):\n%s", resp.Status, body, diff)
	}
	ask[1] = "https://example.com"
	resp, _ = do(t, u.request(t, "OPTIONS", "/", nil, ask...))
	if diff := cmp.Diff(map[string]string{"Vary": "Origin"}, headers(resp.Header)); diff != "" || resp.StatusCode != 200 {
		t.Errorf("preflight of another origin: got %s (-want +got):\n%s", resp.Status, diff)
	}
	own := `{"statusCode":200,"headers":{"access-control-allow-origin":"*","Access-Control-Allow-Headers":"x"}}`
	req := u.request(t, "GET", "/", nil, "Origin", "https://localhost:8080", "X-Answer", own)
	sign(t, req, nil, server.root, "lambda")
	resp, _ = do(t, req)
	want := map[string]string{"Access-Control-Allow-Headers": "x"}
	for name, value := range shared {
		want[name] = value
	}
	if diff := cmp.Diff(want, headers(resp.Header)); diff != "" || resp.StatusCode != 200 {
		t.Errorf("response: got %s (-want +got):\n%s", resp.Status, diff)
	}
	resp, _ = do(t, u.request(t, "GET", "/", nil, "Origin", "https://localhost:8080"))
	if diff := cmp.Diff(shared, headers(resp.Header)); diff != "" || resp.StatusCode != 403 {
		t.Errorf("refusal: got %s (-want +got):\n%s", resp.Status, diff)
	}
}

// urlStream streams with and without status and headers of its own, and waits in between until the gate, another URL, lets it in.
const urlStream = `export const handler = awslambda.streamifyResponse(async (event, stream) => {
  if (event.rawPath === "/plain") { stream.setContentType("text/plain"); stream.write("plain"); stream.end(); return; }
  if (event.rawPath === "/early") throw new Error("early");
  stream = awslambda.HttpResponseStream.from(stream, {
    statusCode: 203, headers: {"Content-Type": "text/html", "x-own": "1"}, cookies: ["a=b", "c=d"],
  });
  if (event.rawPath === "/empty") { stream.end(); return; }
  stream.write("one ");
  const wait = (ms) => new Promise((ok) => setTimeout(ok, ms));
  if (event.rawPath === "/late") { await wait(1000); throw new Error("late"); }
  while ((await fetch(process.env.AWS_ENDPOINT_URL + "/_licet/lambda-url/" + process.env.GATE + "/")).status === 403) await wait(20);
  stream.write(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 255]));
  stream.end();
});`

// A URL that streams hands on what Node.js writes while it writes it.
func TestFunctionURLStream(t *testing.T) {
	t.Parallel()
	gate := server.newURL(t, server.newFunction(t, urlEcho), types.FunctionUrlAuthTypeNone)
	f := server.newFunction(t, "", func(in *lambda.CreateFunctionInput) {
		in.Runtime, in.Handler, in.Timeout = types.RuntimeNodejs20x, aws.String("index.handler"), aws.Int32(30)
		in.Code = &types.FunctionCode{ZipFile: archive(t, file{name: "index.mjs", text: urlStream})}
		in.Environment = &types.Environment{Variables: map[string]string{"GATE": gate.id}}
	})
	u := server.newURL(t, f, types.FunctionUrlAuthTypeNone, func(in *lambda.CreateFunctionUrlConfigInput) {
		in.InvokeMode = types.InvokeModeResponseStream
	})
	u.open(t)
	resp, err := http.DefaultClient.Do(u.request(t, "GET", "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 4)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "one " {
		t.Errorf("got %q, %v, want the first part while the function waits", first, err)
	}
	gate.open(t)
	rest, err := io.ReadAll(resp.Body)
	if err != nil || string(rest) != "\x00\x00\x00\x00\x00\x00\x00\x00\xff" {
		t.Errorf("got %q, %v", rest, err)
	}
	if resp.StatusCode != 203 || resp.Header.Get("Content-Type") != "text/html" || resp.Header.Get("X-Own") != "1" ||
		strings.Join(resp.Header.Values("Set-Cookie"), "|") != "a=b|c=d" || resp.ContentLength != -1 {
		t.Errorf("got %s %v", resp.Status, resp.Header)
	}
	for path, want := range map[string]struct {
		status      int
		contentType string
		body        string
	}{
		"/plain": {200, "text/plain", "plain"},
		"/empty": {203, "text/html", ""},
		"/early": {502, "application/json", "Internal Server Error"},
	} {
		resp, body := do(t, u.request(t, "GET", path, nil))
		if resp.StatusCode != want.status || resp.Header.Get("Content-Type") != want.contentType || string(body) != want.body {
			t.Errorf("%s: got %s %s %q", path, resp.Status, resp.Header.Get("Content-Type"), body)
		}
	}
	resp, err = http.DefaultClient.Do(u.request(t, "GET", "/late", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || string(body) != "one " {
		t.Errorf("broken off: got %q, %v, want an answer that is not whole", body, err)
	}
	// A function that does not stream is not understood: its answer is the body (recorded: LocalStack, test_lambda_url_echo_invoke).
	plain := server.newFunction(t, urlEcho)
	u = server.newURL(t, plain, types.FunctionUrlAuthTypeNone, func(in *lambda.CreateFunctionUrlConfigInput) {
		in.InvokeMode = types.InvokeModeResponseStream
	})
	u.open(t)
	resp, body := do(t, u.request(t, "GET", "/", nil, "X-Answer", `{"statusCode":201}`))
	if resp.StatusCode != 200 || string(body) != `{"statusCode": 201}` {
		t.Errorf("not streamed: got %s %s", resp.Status, body)
	}
}

// AWS's own library for Go reads the events and streams the answers, and those of a URL that does not stream are as it documents:
// lambdaurl needs RESPONSE_STREAM.
func TestFunctionURLGoLibrary(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, "", func(in *lambda.CreateFunctionInput) {
		in.Runtime, in.Handler = types.RuntimeProvidedal2023, aws.String("url")
		in.Code = &types.FunctionCode{ZipFile: archive(t, file{name: "bootstrap", text: built(t, "./bootstrap"), mode: 0o100755})}
	})
	u := server.newURL(t, f, types.FunctionUrlAuthTypeNone, func(in *lambda.CreateFunctionUrlConfigInput) {
		in.InvokeMode = types.InvokeModeResponseStream
	})
	u.open(t)
	resp, body := do(t, u.request(t, "PUT", "/a%20b?c=d&c=e", []byte{0, 255}, "X-Own", "1"))
	host, _, _ := strings.Cut(u.host, ":")
	want := "PUT https://" + host + "/a%20b?c=d&c=e 00ff " + u.id + " 127.0.0.1"
	if resp.StatusCode != http.StatusTeapot || resp.Header.Get("X-Own") != "1" || string(body) != want {
		t.Errorf("got %s %v %s, want %s", resp.Status, resp.Header, body, want)
	}
	must(server.as(server.root).lambda.UpdateFunctionUrlConfig(t.Context(), &lambda.UpdateFunctionUrlConfigInput{
		FunctionName: &f.name, InvokeMode: types.InvokeModeBuffered,
	}))(t)
	if resp, body := do(t, u.request(t, "GET", "/", nil)); resp.StatusCode != 502 {
		t.Errorf("without streaming: got %s %s", resp.Status, body)
	}
}

// The URL of an alias needs what the alias's own policy gives, and runs what the alias points to.
func TestFunctionURLAlias(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, urlEcho)
	c, ctx := server.as(server.root).lambda, t.Context()
	version := must(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &f.name}))(t)
	must(c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &f.name, Name: aws.String("live"), FunctionVersion: version.Version}))(t)
	u := server.newURL(t, f, types.FunctionUrlAuthTypeNone, func(in *lambda.CreateFunctionUrlConfigInput) { in.Qualifier = aws.String("live") })
	u.open(t) // the function, not the alias
	if resp, body := do(t, u.request(t, "GET", "/", nil)); resp.StatusCode != 403 {
		t.Errorf("without a policy of the alias: got %s %s", resp.Status, body)
	}
	u.allow(t, "lambda:InvokeFunctionUrl", "*", func(in *lambda.AddPermissionInput) {
		in.FunctionUrlAuthType, in.Qualifier = types.FunctionUrlAuthTypeNone, aws.String("live")
	})
	u.allow(t, "lambda:InvokeFunction", "*", func(in *lambda.AddPermissionInput) {
		in.InvokedViaFunctionUrl, in.Qualifier = aws.Bool(true), aws.String("live")
	})
	if resp, body := do(t, u.request(t, "GET", "/", nil)); resp.StatusCode != 200 {
		t.Errorf("with it: got %s %s", resp.Status, body)
	}
	must(c.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: &f.name, Name: aws.String("live")}))(t)
	if _, body := do(t, u.request(t, "GET", "/", nil)); string(body) != `{"Message":null}` {
		t.Errorf("without the alias: got %s", body)
	}
}
