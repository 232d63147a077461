package payload

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// request is one that AWS's own library was recorded with (aws/aws-lambda-go, lambdaurl/testdata).
func request(method, target, body string, headers ...string) Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "lambda-url-id.lambda-url.us-west-2.on.aws"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return Request{
		HTTP: r, Path: r.URL.EscapedPath(), Body: []byte(body), ID: "lambda-url-id", Domain: r.Host,
		RequestID: "28d04d7e-7f0b-4521-9484-f7012b07cb68", Time: time.UnixMilli(1681834637081), SourceIP: "127.0.0.1",
		TraceID: "Root=1-643ec28d-5503dc7274559e68706dae64", Account: "111122223333",
	}
}

func eventOf(t *testing.T, r Request) (e map[string]any) {
	t.Helper()
	b, err := r.Event()
	if err == nil {
		err = json.Unmarshal(b, &e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEvent(t *testing.T) {
	r := request("POST", "/hello?hello=world&foo=bar", `{"hello": "world"}`, "Accept", "*/*", "Content-Type", "application/json",
		"Cookie", "foo=bar; hello=hello", "Header1", "h1", "Header2", "h1", "Header2", "h2", "User-Agent", "python-requests/2.28.2",
		"Connection", "keep-alive", "Authorization", "AWS4-HMAC-SHA256 …", "X-Amz-Date", "20230418T161716Z")
	r.Caller = &Caller{AccessKey: "AKIA", AccountID: "444455556666", CallerID: "AIDA", UserARN: "arn:aws:iam::444455556666:user/u", UserID: "AIDA"}
	want := map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": "/hello", "rawQueryString": "hello=world&foo=bar",
		"cookies": []any{"foo=bar", "hello=hello"},
		"headers": map[string]any{
			"accept": "*/*", "content-type": "application/json", "cookie": "foo=bar; hello=hello", "header1": "h1", "header2": "h1,h2",
			"host": r.Domain, "user-agent": "python-requests/2.28.2", "x-amz-date": "20230418T161716Z", "x-amzn-trace-id": r.TraceID,
			"x-forwarded-for": "127.0.0.1", "x-forwarded-port": "80", "x-forwarded-proto": "http",
		},
		"queryStringParameters": map[string]any{"foo": "bar", "hello": "world"},
		"requestContext": map[string]any{
			"accountId": "111122223333", "apiId": "lambda-url-id", "domainName": r.Domain, "domainPrefix": "lambda-url-id",
			"authorizer": map[string]any{"iam": map[string]any{
				"accessKey": "AKIA", "accountId": "444455556666", "callerId": "AIDA", "cognitoIdentity": nil, "principalOrgId": nil,
				"userArn": "arn:aws:iam::444455556666:user/u", "userId": "AIDA",
			}},
			"http": map[string]any{
				"method": "POST", "path": "/hello", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "python-requests/2.28.2",
			},
			"requestId": r.RequestID, "routeKey": "$default", "stage": "$default", "time": "18/Apr/2023:16:17:17 +0000",
			"timeEpoch": 1681834637081.0,
		},
		"body": `{"hello": "world"}`, "isBase64Encoded": false,
	}
	if diff := cmp.Diff(want, eventOf(t, r)); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

// A request of which little is known has few members, and none that is null.
func TestEventWithoutAnything(t *testing.T) {
	r := request("GET", "/", "", "Authorization", "Bearer x", "X-Forwarded-For", "10.0.0.1")
	r.Path = ""
	e := eventOf(t, r)
	for _, name := range []string{"body", "cookies", "queryStringParameters"} {
		if v, ok := e[name]; ok {
			t.Errorf("got %s %v", name, v)
		}
	}
	c, h := e["requestContext"].(map[string]any), e["headers"].(map[string]any)
	if c["accountId"] != "anonymous" || c["authorizer"] != nil || h["authorization"] != "Bearer x" || e["rawPath"] != "/" ||
		h["x-forwarded-for"] != "10.0.0.1, 127.0.0.1" {
		t.Errorf("got %v", e)
	}
}

// Over TLS the event says so, in AWS's words.
func TestEventOverTLS(t *testing.T) {
	r := request("GET", "/", "")
	r.HTTP.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256}
	h := eventOf(t, r)["headers"].(map[string]any)
	for name, want := range map[string]string{
		"x-amzn-tls-version": "TLSv1.3", "x-amzn-tls-cipher-suite": "TLS_AES_128_GCM_SHA256", "x-forwarded-proto": "https", "x-forwarded-port": "443",
	} {
		if h[name] != want {
			t.Errorf("%s: got %v, want %s", name, h[name], want)
		}
	}
	r.HTTP.Host += ":8443"
	if h := eventOf(t, r)["headers"].(map[string]any); h["x-forwarded-port"] != "8443" {
		t.Errorf("got port %v", h["x-forwarded-port"])
	}
}

func TestBodies(t *testing.T) {
	for _, c := range []struct {
		contentType, body, want string
		encoded                 bool
	}{
		{"text/plain", "text", "text", false},
		{"TEXT/HTML; charset=utf-8", "é", "é", false},
		{"application/json", "{}", "{}", false},
		{"application/xml", "<a/>", "<a/>", false},
		{"application/javascript", "x", "x", false},
		{"application/json; broken", "{}", "{}", false},
		{"text/plain", "\xff", "/w==", true},
		{"application/x-www-form-urlencoded", "a=b", "YT1i", true},
		{"multipart/form-data; boundary=x", "--x", "LS14", true},
		{"application/octet-stream", "\x00\xff\x80\x0a", "AP+ACg==", true},
		{"", "x", "eA==", true},
		{"application/jsonx", "x", "eA==", true},
	} {
		e := eventOf(t, request("POST", "/", c.body, "Content-Type", c.contentType))
		if e["body"] != c.want || e["isBase64Encoded"] != c.encoded {
			t.Errorf("%s %q: got %v %v", c.contentType, c.body, e["body"], e["isBase64Encoded"])
		}
	}
}

func TestParameters(t *testing.T) {
	for query, want := range map[string]map[string]string{
		"":                   nil,
		"a":                  {"a": ""},
		"a=1&b=2&a=3":        {"a": "1,3", "b": "2"},
		"a+b=c%20d&&%zz=%zz": {"a b": "c d", "%zz": "%zz"},
		"a=b=c;d":            {"a": "b=c;d"},
	} {
		if diff := cmp.Diff(want, parameters(query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// A query takes time by its length, not by its square, which would be minutes here.
func TestParametersOfOneName(t *testing.T) {
	const pairs = 1 << 19
	began := time.Now()
	got := parameters(strings.Repeat("a&", pairs))
	if took := time.Since(began); took > 5*time.Second || len(got["a"]) != pairs-1 {
		t.Errorf("%d values took %v and %d bytes", pairs, took, len(got["a"]))
	}
}

// A page is no longer in the event than it is.
func TestEventOfPage(t *testing.T) {
	const page = "<a href='?b&c'>"
	b, err := request("POST", "/", strings.Repeat(page, 1000), "Content-Type", "text/html").Event()
	if err != nil || len(b) > len(page)*1000+2000 || !strings.Contains(string(b), page) {
		t.Errorf("got %d bytes, %v", len(b), err)
	}
}

// FuzzEvent: whatever a client sends, the event is JSON that has its body.
func FuzzEvent(f *testing.F) {
	f.Add("/a?b=c", "X-A", "b", "application/json", []byte("{}"))
	f.Add("/%ff?%ff=%", "Cookie", "\xff;;=", "", []byte{0xff})
	f.Fuzz(func(t *testing.T, query, name, value, contentType string, body []byte) {
		r := Request{HTTP: httptest.NewRequest("POST", "/", nil), Path: "/" + query, Body: body}
		r.HTTP.URL.RawQuery = query
		r.HTTP.Header = http.Header{name: {value}, "Content-Type": {contentType}}
		b, err := r.Event()
		if err != nil {
			t.Fatal(err)
		}
		var e event
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		if !e.IsBase64Encoded && len(body) > 0 && *e.Body != string(body) {
			t.Errorf("got body %q, want %q", *e.Body, body)
		}
	})
}
