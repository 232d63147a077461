package upstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
)

// seen is a request as an upstream got it.
type seen struct {
	http *http.Request
	body string
}

// upstreamOf is a server that keeps the last request.
func upstreamOf(t *testing.T, h http.HandlerFunc) (*url.URL, *seen) {
	t.Helper()
	last := new(seen)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		last.http, last.body = r, string(body)
		h(w, r)
	}))
	t.Cleanup(server.Close)
	u, err := ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u, last
}

// send lets a service pass a request on, and gives what the client gets.
func send(t *testing.T, ctx context.Context, s *Services, signingName string, r *protocol.Request, to http.ResponseWriter) error {
	t.Helper()
	in, needs, err := read(t, s, signingName, r)
	if err != nil {
		t.Fatal(err)
	}
	found, _ := s.Service(signingName)
	c := call(signingName, in.(*Input).operation)
	c.Judged = needs
	out, err := found.Otherwise.Handle(ctx, c, in)
	if err != nil {
		return err
	}
	return found.Codec.(protocol.Chooser).Choose(r.HTTP).Encode(to, nil, out, "our-id")
}

// signedAnew signs a request as the upstream got it, to compare.
func signedAnew(t *testing.T, s *seen, c aws.Credentials, name string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), s.http.Method, "http://"+s.http.Host+s.http.URL.RequestURI(), strings.NewReader(s.body))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(s.http.Header.Get("Authorization"), "SignedHeaders=")
	names, _, _ := strings.Cut(rest, ",")
	for name := range strings.SplitSeq(names, ";") {
		if v := s.http.Header.Get(name); v != "" && name != "content-length" {
			r.Header.Set(name, v)
		}
	}
	at, err := time.Parse("20060102T150405Z", s.http.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(s.body))
	if err := v4.NewSigner().SignHTTP(t.Context(), c, r, hex.EncodeToString(hash[:]), name, "us-east-1", at); err != nil {
		t.Fatal(err)
	}
	return r.Header.Get("Authorization")
}

func TestForward(t *testing.T) {
	to, last := upstreamOf(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.Header().Set("X-Amzn-Requestid", "their-id")
		w.Header().Set("X-Amz-Crc32", "1")
		w.Header().Set("Connection", "X-Private")
		w.Header().Set("X-Private", "x")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"x"}`)
	})
	for _, own := range []aws.Credentials{{}, {AccessKeyID: "AKID", SecretAccessKey: "s3cret", SessionToken: "its-token"}} {
		s := services(t, map[string]Upstream{All: {URL: to, Credentials: own}})
		r := posted("POST", "/?X-Amz-Security-Token=callers-token&x=y", `{"TableName": "books"}`,
			"X-Amz-Target", "DynamoDB_20120810.DescribeTable", "Content-Type", "application/x-amz-json-1.0",
			"X_Amz_Target", "callers", "X_amz-Security_Token", "callers", "Authorization", "callers", "X-Amz-Date", "20200101T000000Z", "X-Amz-Security-Token", "callers-token",
			"X-Amz-Content-Sha256", "callers", "Cookie", "callers", "Connection", "X-Secret", "X-Secret", "callers", "Te", "callers",
			"X-Amzn-Trace-Id", "Root=1", "User-Agent", "client/1")
		answer := httptest.NewRecorder()
		if err := send(t, t.Context(), s, "dynamodb", r, answer); err != nil {
			t.Fatal(err)
		}
		if got := answer.Result(); got.StatusCode != http.StatusBadRequest || got.Header.Get("X-Amzn-Requestid") != "our-id" ||
			got.Header.Get(upstreamRequestID) != "their-id" || got.Header.Get("X-Amz-Crc32") != "1" || got.Header.Get("X-Private") != "" ||
			got.Header.Get("Connection") != "" || answer.Body.String() != `{"__type":"x"}` {
			t.Errorf("got %d, %v, %s", got.StatusCode, got.Header, answer.Body)
		}
		h := last.http.Header
		if last.body != `{"TableName": "books"}` || last.http.URL.RequestURI() != "/" || h.Get("X-Amz-Target") != "DynamoDB_20120810.DescribeTable" ||
			h.Get("X-Amzn-Trace-Id") != "Root=1" || h.Get("User-Agent") != "client/1" || last.http.Host != to.Host {
			t.Errorf("the upstream got %s of %s, %v, %s", last.http.URL, last.http.Host, h, last.body)
		}
		if strings.Contains(fmt.Sprint(last.http.URL, h), "callers") {
			t.Errorf("the upstream got what is the caller's: %v", h)
		}
		signer := own
		if own.AccessKeyID == "" {
			signer = aws.Credentials{AccessKeyID: account, SecretAccessKey: "licet"}
		}
		if h.Get("X-Amz-Security-Token") != own.SessionToken {
			t.Errorf("got token %q", h.Get("X-Amz-Security-Token"))
		}
		if got, want := h.Get("Authorization"), signedAnew(t, last, signer, "dynamodb"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// The path and the query of a REST service go on as they were judged; those of others are not taken from the client.
func TestForwardedPlaces(t *testing.T) {
	to, last := upstreamOf(t, func(http.ResponseWriter, *http.Request) {})
	for _, test := range []struct {
		service string
		request *protocol.Request
		base    string
		want    string
	}{
		{"iotdata", posted("POST", "/topics/a%2Fb?qos=1&X-Amz-Signature=x", "x"), "", "POST /topics/a%2Fb?qos=1"},
		{"iotdata", posted("POST", "/topics/a%2Fb?qos=1", "x"), "/base/", "POST /base/topics/a%2Fb?qos=1"},
		{"apigateway", posted("GET", "/restapis/a/", ""), "/base", "GET /base/restapis/a/"},
		{"sns", posted("POST", "/_admin?Version=2010-03-31", "Action=ListTopics", "Content-Type", "application/x-www-form-urlencoded", "X-Amz-Target", "x"), "", ""},
		{"sns", posted("POST", "/_admin?Version=2010-03-31", "Action=ListTopics", "Content-Type", "application/x-www-form-urlencoded"), "", "POST /?Version=2010-03-31"},
		{"dynamodb", posted("POST", "/_admin?a=b", "{}", "X-Amz-Target", "DynamoDB_20120810.ListTables"), "/base", "POST /base/"},
	} {
		if test.want == "" { // told by a target that no API of the service has
			if _, _, err := read(t, services(t, nil), test.service, test.request); err == nil {
				t.Errorf("%s was read", test.request.HTTP.URL)
			}
			continue
		}
		u := *to
		u.Path = test.base
		if err := send(t, t.Context(), services(t, map[string]Upstream{test.service: {URL: &u}}), test.service, test.request, httptest.NewRecorder()); err != nil {
			t.Error(err)
		}
		if got := last.http.Method + " " + last.http.URL.RequestURI(); got != test.want {
			t.Errorf("%s: got %s, want %s", test.service, got, test.want)
		}
	}
}

// streamed is a client that reads an answer while it is written.
type streamed struct {
	*httptest.ResponseRecorder
	parts chan string
}

func (s *streamed) Write(b []byte) (int, error) {
	s.parts <- string(bytes.Clone(b))
	return len(b), nil
}

func (*streamed) Flush() {}

// Parts of an answer reach the client before the answer ends.
func TestStreams(t *testing.T) {
	goOn := make(chan struct{})
	to, _ := upstreamOf(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "one")
		w.(http.Flusher).Flush()
		<-goOn
		_, _ = io.WriteString(w, "two")
	})
	client := &streamed{httptest.NewRecorder(), make(chan string)}
	done := make(chan error)
	go func() {
		r := posted("POST", "/v1/speech", `{"Text":"x"}`)
		done <- send(t, t.Context(), services(t, map[string]Upstream{"polly": {URL: to}}), "polly", r, client)
	}()
	if got := <-client.parts; got != "one" {
		t.Errorf("got %q", got)
	}
	close(goOn)
	if got := <-client.parts; got != "two" {
		t.Errorf("got %q", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// An upstream that is not there is no reason to answer anything else.
func TestNoUpstream(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := &url.URL{Scheme: "http", Host: l.Addr().String()}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		upstreams map[string]Upstream
		code      string
		status    int
		text      string
	}{
		{map[string]Upstream{"dynamodb": {URL: gone}}, "ServiceUnavailable", 503, "did not answer: connect: connection refused"},
		{map[string]Upstream{"sns": {URL: gone}}, "NotImplemented", 501,
			"was permitted: dynamodb:DescribeTable on arn:aws:dynamodb:us-east-1:" + account + ":table/t. To pass permitted calls on to a server that has it, start licet with --upstream dynamodb="},
	} {
		err := send(t, t.Context(), services(t, test.upstreams), "dynamodb", targeted("DynamoDB_20120810.DescribeTable", `{"TableName":"t"}`), httptest.NewRecorder())
		e, ok := errors.AsType[*awserr.Error](err)
		if !ok || e.Code != test.code || e.Status != test.status || !strings.Contains(e.Message, test.text) {
			t.Errorf("got %v, want %s with %q", err, test.code, test.text)
		}
	}
}

// A denial has the form that each protocol's clients read.
func TestErrors(t *testing.T) {
	s := services(t, nil)
	const text = "User: u is not authorized to perform: sns:Publish on resource: * because no identity-based policy allows the sns:Publish action"
	for _, test := range []struct {
		service string
		request *protocol.Request
		status  int
		body    string
	}{
		{"dynamodb", posted("POST", "/", "{}", "X-Amz-Target", "DynamoDB_20120810.GetItem", "Content-Type", "application/x-amz-json-1.0"), 400,
			`{"Message":"` + text + `","__type":"com.amazon.coral.service#AccessDeniedException"}`},
		{"kms", targeted("TrentService.Encrypt", "{}"), 400, `{"Message":"` + text + `","__type":"AccessDeniedException"}`},
		{"apigateway", posted("GET", "/restapis", ""), 403, `{"Message":"` + text + `"}`},
		{"sns", formed("Action=Publish"), 403, `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>AuthorizationError</Code>` +
			`<Message>` + strings.ReplaceAll(text, "sns:", "SNS:") + `</Message></Error><RequestId>our-id</RequestId></ErrorResponse>` + "\n"},
		{"cloudformation", formed("Action=ListStacks"), 403, `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>` +
			`<Code>AccessDenied</Code><Message>` + text + `</Message></Error><RequestId>our-id</RequestId></ErrorResponse>` + "\n"},
		{"ec2", formed("Action=RunInstances"), 403, `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Response><Errors><Error><Code>UnauthorizedOperation</Code>` +
			`<Message>You are not authorized to perform this operation. ` + text + `</Message></Error></Errors><RequestID>our-id</RequestID></Response>`},
		{"monitoring", posted("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics", "", "Smithy-Protocol", "rpc-v2-cbor"), 400, "\xa2"},
	} {
		found, _ := s.Service(test.service)
		w := httptest.NewRecorder()
		err, _ := errors.AsType[*awserr.Error](found.Denial(text))
		found.Codec.(protocol.Chooser).Choose(test.request.HTTP).EncodeError(w, err, "our-id")
		if test.service == "monitoring" { // maps have no order
			if got := w.Body.String(); w.Code != test.status || !strings.HasPrefix(got, test.body) || !strings.Contains(got, text) || !strings.Contains(got, "#AccessDeniedException") {
				t.Errorf("%s: got %d, %q", test.service, w.Code, got)
			}
			continue
		}
		if diff := cmp.Diff(test.body, w.Body.String()); diff != "" || w.Code != test.status {
			t.Errorf("%s: got %d, -want +got\n%s", test.service, w.Code, diff)
		}
	}
}

func TestReadCredentials(t *testing.T) {
	got, err := ReadCredentials(strings.NewReader("# of tests\n[default]\naws_access_key_id = A\naws_secret_access_key=B=\n\n[dynamodb]\n" +
		"aws_access_key_id=C\naws_secret_access_key=D\naws_session_token=E\n"))
	want := map[string]aws.Credentials{
		"default":  {AccessKeyID: "A", SecretAccessKey: "B="},
		"dynamodb": {AccessKeyID: "C", SecretAccessKey: "D", SessionToken: "E"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("got %v, -want +got\n%s", err, diff)
	}
	for _, bad := range []string{
		"aws_access_key_id=A", "[a", "[]", "[a]\n[a]", "[a]\nregion=x", "[a]\naws_access_key_id=A", "[a]\nx",
		"[a]\naws_secret_access_key: s3cret=", "[a]\ns3cret=", "[s3cret", "[a]\naws_access_key_id=A\ns3cret",
	} {
		if got, err := ReadCredentials(strings.NewReader(bad)); err == nil {
			t.Errorf("%q: got %v", bad, got)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v tells a secret", err)
		}
	}
	for _, bad := range []string{"", "127.0.0.1:8000", "ftp://x", "http://", "http://a:b@c", "http://a?b=c", "http://a#b", "http://%",
		"htp://a:b@c", "a:b@c:8000", "http://a:b@c?d=e", "http://a:b@"} {
		if got, err := ParseURL(bad); err == nil {
			t.Errorf("%q: got %v", bad, got)
		} else if strings.Contains(err.Error(), "b@") {
			t.Errorf("%v tells a secret", err)
		}
	}
}

// FuzzRead: no request, whatever it says, is judged by nothing or by a member that stands there twice.
func FuzzRead(f *testing.F) {
	f.Add("dynamodb", "POST", "/", "DynamoDB_20120810.GetItem", "", `{"TableName":"a"}`)
	f.Add("sns", "POST", "/", "", "application/x-www-form-urlencoded", "Action=Publish&TopicArn=a")
	f.Add("apigateway", "GET", "/restapis/a?x=y", "", "", "")
	f.Add("ec2", "POST", "/", "", "application/x-www-form-urlencoded", "Action=RunInstances&ImageId=a")
	f.Fuzz(func(t *testing.T, name, method, path, target, contentType, body string) {
		u, err := url.ParseRequestURI(path)
		s := services(t, nil)
		if _, ok := s.Service(name); err != nil || !ok {
			return
		}
		r := &protocol.Request{Body: []byte(body), HTTP: &http.Request{
			Method: method, URL: u, Header: http.Header{"X-Amz-Target": {target}, "Content-Type": {contentType}},
		}}
		_, needs, err := read(t, s, name, r)
		if err == nil && len(needs) == 0 {
			t.Fatal("nothing is needed")
		}
		for _, n := range needs {
			if n.Doubt == nil || n.Target.ARN == "" {
				t.Fatalf("need %+v", n)
			}
		}
	})
}
