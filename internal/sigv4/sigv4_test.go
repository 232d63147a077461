package sigv4_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/licet/licet/internal/sigv4"
)

func sorted(s []string) []string { slices.Sort(s); return slices.Compact(s) }

func length(s string) string { return strconv.Itoa(len(s)) }

// signed makes a request that the SDK signed, as a server reads it.
type signed struct {
	method, url, body, token, service string
	headers                           map[string]string
	presign                           bool
	expires                           string
}

func (c signed) request(t testing.TB) (*http.Request, []byte) {
	t.Helper()
	r, err := http.NewRequest(c.method, c.url, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range c.headers {
		r.Header.Set(k, v)
	}
	sum := sha256.Sum256([]byte(c.body))
	hash := hex.EncodeToString(sum[:])
	if h := r.Header.Get("X-Amz-Content-Sha256"); h != "" {
		hash = h
	}
	service := c.service
	if service == "" {
		service = "service"
	}
	credentials := aws.Credentials{AccessKeyID: exampleKey, SecretAccessKey: exampleSecret, SessionToken: c.token}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
	if !c.presign {
		if err := signer.SignHTTP(t.Context(), credentials, r, hash, service, "us-east-1", exampleTime()); err != nil {
			t.Fatal(err)
		}
		return wire(t, r, c.body)
	}
	if c.expires != "" {
		q := r.URL.Query()
		q.Set("X-Amz-Expires", c.expires)
		r.URL.RawQuery = q.Encode()
	}
	url, header, err := signer.PresignHTTP(t.Context(), credentials, r, hash, service, "us-east-1", exampleTime())
	if err != nil {
		t.Fatal(err)
	}
	p, err := http.NewRequest(c.method, url, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		if k != "Host" && k != "Content-Length" {
			p.Header[k] = v
		}
	}
	return wire(t, p, c.body)
}

// wire sends a request over a wire and back.
func wire(t testing.TB, r *http.Request, body string) (*http.Request, []byte) {
	t.Helper()
	r.Body = io.NopCloser(strings.NewReader(body))
	var buf bytes.Buffer
	if err := r.Write(&buf); err != nil {
		t.Fatal(err)
	}
	return parse(t, buf.String())
}

func check(r *http.Request, body []byte, service string, now time.Time) error {
	s, err := sigv4.Parse(r)
	if err != nil {
		return err
	}
	return sigv4.New().Check(r, body, s, exampleSecret, sigv4.Scope{Regions: []string{"us-east-1"}, Services: []string{service}}, now)
}

func TestSDKSigner(t *testing.T) {
	const host = "http://127.0.0.1:4566"
	tests := []signed{
		{method: "GET", url: host + "/"},
		{method: "POST", url: host + "/2015-03-31/functions/f/invocations?Qualifier=%24LATEST", body: "{}"},
		{method: "POST", url: host + "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af/invocations", body: "{}"},
		{method: "GET", url: host + "/2017-03-31/tags/arn%3Aaws%3Alambda:x%20y/?tagKeys=b&tagKeys=a&tagKeys=a%2Fb%20c&empty="},
		{method: "POST", url: host, body: "Action=GetCallerIdentity", token: exampleToken, headers: map[string]string{
			"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "X-Amz-Target": "Logs_20140328.PutLogEvents", "Odd": "  a   b  ",
		}},
		{method: "GET", url: host + "/?Action=GetCallerIdentity", presign: true},
		{method: "GET", url: host + "/?Action=GetCallerIdentity", presign: true, expires: "60", token: exampleToken},
		{method: "PUT", url: host + "/bucket/a//b/../c%20d", service: "s3", body: "x"},
		{method: "PUT", url: host + "/bucket/key", service: "s3", body: "x", headers: map[string]string{"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}},
		{method: "POST", url: host + "/", body: strings.Repeat("x", 1<<20), headers: map[string]string{"X-Amz-Meta": "a"}},
	}
	for i, c := range tests {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			r, body := c.request(t)
			service := c.service
			if service == "" {
				service = "service"
			}
			if err := check(r, body, service, exampleTime()); err != nil {
				t.Error(err)
			}
			s, err := sigv4.Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			if s.AccessKeyID != exampleKey || s.Token != c.token || s.Presigned != c.presign {
				t.Errorf("Parse gives %+v", s)
			}
		})
	}
}

// TestTampering changes one thing at a time in a request that is good.
func TestTampering(t *testing.T) {
	header := func(k, v string) func(*http.Request, *[]byte) {
		return func(r *http.Request, _ *[]byte) { r.Header.Set(k, v) }
	}
	authorization := func(old, new string) func(*http.Request, *[]byte) {
		return func(r *http.Request, _ *[]byte) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	tests := []struct {
		name   string
		change func(*http.Request, *[]byte)
		want   sigv4.Kind
	}{
		{"method", func(r *http.Request, _ *[]byte) { r.Method = "PUT" }, sigv4.Invalid},
		{"path", func(r *http.Request, _ *[]byte) { r.RequestURI = "/b?x=1&y=2" }, sigv4.Invalid},
		{"path encoding", func(r *http.Request, _ *[]byte) { r.RequestURI = "/%61?x=1&y=2" }, sigv4.Invalid},
		{"query value", func(r *http.Request, _ *[]byte) { r.URL.RawQuery = "x=1&y=3" }, sigv4.Invalid},
		{"query added", func(r *http.Request, _ *[]byte) { r.URL.RawQuery += "&z" }, sigv4.Invalid},
		{"query unreadable", func(r *http.Request, _ *[]byte) { r.URL.RawQuery += "&%zz" }, sigv4.Incomplete},
		{"body", func(_ *http.Request, b *[]byte) { *b = []byte("other") }, sigv4.Invalid},
		{"host", func(r *http.Request, _ *[]byte) { r.Host = "evil" }, sigv4.Invalid},
		{"signed header", header("X-Amz-Target", "Logs_20140328.DeleteLogGroup"), sigv4.Invalid},
		{"signed header twice", func(r *http.Request, _ *[]byte) { r.Header.Add("X-Amz-Target", "x") }, sigv4.Invalid},
		{"signed header gone", func(r *http.Request, _ *[]byte) { r.Header.Del("X-Amz-Target") }, sigv4.Invalid},
		{"header added", header("X-Amz-Invocation-Type", "Event"), sigv4.Invalid},
		{"token changed", header("X-Amz-Security-Token", "other"), sigv4.Invalid},
		{"token twice", func(r *http.Request, _ *[]byte) { r.Header.Add("X-Amz-Security-Token", "x") }, sigv4.Incomplete},
		{"content hash added", header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), sigv4.Invalid},
		{"date", header("X-Amz-Date", "20150830T123601Z"), sigv4.Invalid},
		{"date of another day", header("X-Amz-Date", "20150831T000001Z"), sigv4.Invalid},
		{"date unreadable", header("X-Amz-Date", "yesterday"), sigv4.Incomplete},
		{"date twice", func(r *http.Request, _ *[]byte) { r.Header.Add("X-Amz-Date", "20150830T123600Z") }, sigv4.Incomplete},
		{"date gone", func(r *http.Request, _ *[]byte) { r.Header.Del("X-Amz-Date") }, sigv4.Incomplete},
		{"signature", authorization("Signature=", "Signature=00"), sigv4.Invalid},
		{"signature no hex", authorization("Signature=", "Signature=xy"), sigv4.Invalid},
		{"signature gone", authorization("Signature=", "Signatur="), sigv4.Incomplete},
		{"credential twice", authorization("Credential=", "Credential=a/b/c/d/e, Credential="), sigv4.Incomplete},
		{"credential short", authorization("/aws4_request", ""), sigv4.Incomplete},
		{"terminator", authorization("aws4_request", "aws5_request"), sigv4.Invalid},
		{"region", authorization("us-east-1", "us-east-2"), sigv4.Invalid},
		{"service", authorization("/service/", "/lambda/"), sigv4.Invalid},
		{"day", authorization("20150830/", "20150829/"), sigv4.Invalid},
		{"host unsigned", authorization("host;", ""), sigv4.Invalid},
		{"target unsigned", authorization(";x-amz-target", ""), sigv4.Invalid},
		{"algorithm", authorization("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), sigv4.Incomplete},
		{"scheme", header("Authorization", "Bearer x"), sigv4.Missing},
		{"no value", header("Authorization", "AWS4-HMAC-SHA256 Credential"), sigv4.Incomplete},
		{"empty", header("Authorization", ""), sigv4.Missing},
		{"unsigned", func(r *http.Request, _ *[]byte) { r.Header.Del("Authorization") }, sigv4.Unsigned},
		{"authorization twice", func(r *http.Request, _ *[]byte) { r.Header.Add("Authorization", "x") }, sigv4.Incomplete},
		{"both", func(r *http.Request, _ *[]byte) { r.URL.RawQuery += "&X-Amz-Algorithm=AWS4-HMAC-SHA256" }, sigv4.Invalid},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			r, body := signed{
				method: "POST", url: "http://localhost/a?x=1&y=2", body: "{}", token: "token",
				headers: map[string]string{"X-Amz-Target": "Logs_20140328.PutLogEvents"},
			}.request(t)
			if err := check(r, body, "service", exampleTime()); err != nil {
				t.Fatal(err)
			}
			c.change(r, &body)
			wantKind(t, check(r, body, "service", exampleTime()), c.want)
		})
	}
}

func wantKind(t *testing.T, err error, want sigv4.Kind) {
	t.Helper()
	var e *sigv4.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	if e.Kind != want {
		t.Errorf("got kind %d (%v), want %d", e.Kind, err, want)
	}
}

func TestPresignedTampering(t *testing.T) {
	tests := []struct {
		name     string
		old, new string
		want     sigv4.Kind
	}{
		{"parameter", "GetCallerIdentity", "GetSessionToken", sigv4.Invalid},
		{"expiry", "X-Amz-Expires=60", "X-Amz-Expires=600", sigv4.Invalid},
		{"expiry too long", "X-Amz-Expires=60", "X-Amz-Expires=604801", sigv4.Incomplete},
		{"expiry zero", "X-Amz-Expires=60", "X-Amz-Expires=0", sigv4.Incomplete},
		{"expiry empty", "X-Amz-Expires=60", "X-Amz-Expires=", sigv4.Incomplete},
		{"signature twice", "X-Amz-Signature=", "X-Amz-Signature=00&X-Amz-Signature=", sigv4.Incomplete},
		{"date gone", "X-Amz-Date=", "X-Amz-Dat=", sigv4.Incomplete},
		{"signature gone", "X-Amz-Signature=", "Signature=", sigv4.Incomplete},
		{"token", "X-Amz-Security-Token=token", "X-Amz-Security-Token=other", sigv4.Invalid},
		{"unreadable", "Action=", "Action=%zz", sigv4.Incomplete},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			r, body := signed{method: "GET", url: "http://h/?Action=GetCallerIdentity", presign: true, expires: "60", token: "token"}.request(t)
			if err := check(r, body, "service", exampleTime().Add(60*time.Second)); err != nil {
				t.Fatal(err)
			}
			wantKind(t, check(r, body, "service", exampleTime().Add(61*time.Second)), sigv4.Expired)
			changed := strings.Replace(r.URL.RawQuery, c.old, c.new, 1)
			if changed == r.URL.RawQuery {
				t.Fatalf("%s is not in %s", c.old, changed)
			}
			r.URL.RawQuery = changed
			wantKind(t, check(r, body, "service", exampleTime()), c.want)
		})
	}
}

func TestTime(t *testing.T) {
	for _, c := range []struct {
		service string
		late    time.Duration
		want    string
	}{
		{"lambda", 5 * time.Minute, ""},
		{"lambda", 5*time.Minute + time.Second,
			"Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"},
		{"lambda", -5 * time.Minute, ""},
		{"lambda", -5*time.Minute - time.Second,
			"Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"},
		{"sts", 15 * time.Minute, ""},
		{"sts", 16 * time.Minute,
			"Signature expired: 20150830T123600Z is now earlier than 20150830T123700Z (20150830T125200Z - 15 min.)"},
	} {
		r, body := signed{method: "POST", url: "http://h/", service: c.service}.request(t)
		err := check(r, body, c.service, exampleTime().Add(c.late))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s after %v: %v", c.service, c.late, err)
			}
			continue
		}
		var e *sigv4.Error
		if !errors.As(err, &e) || e.Message != c.want {
			t.Errorf("%s after %v: got %v, want %s", c.service, c.late, err, c.want)
		}
	}
}

func TestStreamingPayloadRefused(t *testing.T) {
	r, body := signed{method: "PUT", url: "http://h/b/k", service: "s3", headers: map[string]string{
		"X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
	}}.request(t)
	wantKind(t, check(r, body, "s3", exampleTime()), sigv4.Incomplete)
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		err    *sigv4.Error
		family sigv4.Family
		want   string
	}{
		{sigv4.ErrUnsigned, sigv4.RESTJSON, "403 MissingAuthenticationTokenException: Missing Authentication Token"},
		{sigv4.ErrMissing, sigv4.JSON, "400 MissingAuthenticationTokenException: Request is missing Authentication Token"},
		{sigv4.ErrMissing, sigv4.Query, "403 MissingAuthenticationToken: Request is missing Authentication Token"},
		{sigv4.ErrUnknownKey, sigv4.RESTJSON, "403 UnrecognizedClientException: The security token included in the request is invalid."},
		{sigv4.ErrUnknownKey, sigv4.Query, "403 InvalidClientTokenId: The security token included in the request is invalid."},
		{sigv4.ErrExpiredToken, sigv4.JSON, "400 ExpiredTokenException: The security token included in the request is expired"},
		{sigv4.ErrExpiredToken, sigv4.Query, "403 ExpiredToken: The security token included in the request is expired"},
		{&sigv4.Error{Kind: sigv4.Expired}, sigv4.Query, "400 RequestExpired: Request has expired."},
		{&sigv4.Error{Kind: sigv4.Incomplete, Message: "x"}, sigv4.Query, "400 IncompleteSignature: x"},
		{&sigv4.Error{Kind: sigv4.Invalid, Message: "x", Explanation: "y"}, sigv4.RESTJSON, "403 InvalidSignatureException: xy"},
		{&sigv4.Error{Kind: sigv4.Invalid, Message: "x", Explanation: "y"}, sigv4.Query, "403 SignatureDoesNotMatch: x"},
	} {
		a := c.err.AWS(c.family)
		if got := fmt.Sprintf("%d %s: %s", a.Status, a.Code, a.Message); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestKeyCacheForgets(t *testing.T) {
	verifier := sigv4.New()
	r, body := signed{method: "GET", url: "http://h/"}.request(t)
	s, err := sigv4.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		if err := verifier.Check(r, body, s, fmt.Sprint("wrong", i), exampleScope(), exampleTime()); err == nil {
			t.Fatal("a wrong secret is accepted")
		}
	}
	if err := verifier.Check(r, body, s, exampleSecret, exampleScope(), exampleTime()); err != nil {
		t.Error(err)
	}
}

// FuzzCheck looks for requests that panic, or that pass without the secret.
func FuzzCheck(f *testing.F) {
	for _, v := range vectors() {
		f.Add(v.method + " " + v.target + " HTTP/1.1\r\nHost: h\r\n" + v.headers + "X-Amz-Date: 20150830T123600Z\r\nAuthorization: AWS4-HMAC-SHA256 " +
			"Credential=a/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + v.signature + "\r\n\r\n")
	}
	f.Add("GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/20150830/us-east-1/service/aws4_request&X-Amz-Date=20150830T123600Z" +
		"&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00 HTTP/1.1\r\nHost: h\r\n\r\n")
	verifier := sigv4.New()
	f.Fuzz(func(t *testing.T, text string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			t.Skip()
		}
		s, err := sigv4.Parse(r)
		if err == nil {
			err = verifier.Check(r, nil, s, "no client knows this", exampleScope(), exampleTime())
		}
		var e *sigv4.Error
		if !errors.As(err, &e) {
			t.Errorf("got %v, want an *Error", err)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	r, body := signed{
		method: "POST", url: "http://127.0.0.1:4566/2015-03-31/functions/f/invocations", body: strings.Repeat("x", 1024), token: exampleToken,
	}.request(b)
	verifier := sigv4.New()
	b.ReportAllocs()
	for b.Loop() {
		s, err := sigv4.Parse(r)
		if err != nil {
			b.Fatal(err)
		}
		if err := verifier.Check(r, body, s, exampleSecret, exampleScope(), exampleTime()); err != nil {
			b.Fatal(err)
		}
	}
}
