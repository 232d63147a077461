package edge

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/dispatch"
)

// Every protocol answers a request that does not authenticate in its own words.
func TestAuthenticationFailures(t *testing.T) {
	w := newWorld(t, dispatch.Observe) // which lets no stranger in either
	sign := func(key string) func(request) *http.Request {
		return func(q request) *http.Request { return w.make(q.by(key)) }
	}
	header := func(name, value string) func(request) *http.Request {
		return func(q request) *http.Request {
			r := w.make(q.by("USER"))
			r.Header.Set(name, value)
			return r
		}
	}
	scoped := func(service string) func(request) *http.Request {
		return func(q request) *http.Request { q.service = service; return w.make(q.by("USER")) }
	}
	abroad := func(q request) *http.Request { q.region = "us-west-2"; return w.make(q.by("USER")) }
	protocols := []request{listFunctions(), describeLogGroups(), getCallerIdentity()}
	for _, tt := range []struct {
		name string
		make func(request) *http.Request
		want [3]string // status, code and a part of the text of restJson1, awsJson1.1 and query
	}{
		{"anonymous", sign(""), [3]string{
			"403 MissingAuthenticationTokenException Missing Authentication Token",
			"400 MissingAuthenticationTokenException Request is missing Authentication Token",
			"403 MissingAuthenticationToken Request is missing Authentication Token",
		}},
		{"other scheme", header("Authorization", "Basic cm9vdDpyb290"), [3]string{
			"403 MissingAuthenticationTokenException Missing", "400 MissingAuthenticationTokenException Request is missing",
			"403 MissingAuthenticationToken Request is missing",
		}},
		{"unreadable", header("Authorization", "AWS4-HMAC-SHA256 x"), [3]string{
			"403 IncompleteSignatureException Authorization", "400 IncompleteSignatureException Authorization", "400 IncompleteSignature Authorization",
		}},
		{"unknown key", sign("NOSUCH"), [3]string{
			"403 UnrecognizedClientException The security token", "400 UnrecognizedClientException The security token",
			"403 InvalidClientTokenId The security token",
		}},
		{"expired token", sign("EXPIRED"), [3]string{
			"403 ExpiredTokenException The security token", "400 ExpiredTokenException The security token", "403 ExpiredToken The security token",
		}},
		{"directory fails", sign("BROKEN"), [3]string{"500 InternalFailure The request", "500 InternalFailure The request", "500 InternalFailure The request"}},
		{"key without a secret", sign("EMPTY"), [3]string{"500 InternalFailure The request", "500 InternalFailure The request", "500 InternalFailure The request"}},
		{"wrong signature", header("X-Amz-Date", w.now.Add(time.Second).Format("20060102T150405Z")), [3]string{
			"403 InvalidSignatureException The request signature", "400 InvalidSignatureException The request signature",
			"403 SignatureDoesNotMatch The request signature",
		}},
		{"wrong region", abroad, [3]string{
			"403 InvalidSignatureException Credential should be scoped to a valid region", "400 InvalidSignatureException Credential",
			"403 SignatureDoesNotMatch Credential",
		}},
		// What the server does not know has no words of its own.
		{"unknown service", scoped("sqs"), [3]string{
			"403 InvalidSignatureException Credential should be scoped to correct service: 'lambda' or 'logs' or 'organizations' or 'sts'",
			"403 InvalidSignatureException Credential", "403 InvalidSignatureException Credential",
		}},
		{"service of the pages", scoped(SigningName), [3]string{
			"403 InvalidSignatureException Credential", "403 InvalidSignatureException Credential", "403 InvalidSignatureException Credential",
		}},
	} {
		for i, q := range protocols {
			t.Run(tt.name+" "+q.service, func(t *testing.T) { w.wantError(t, w.send(tt.make(q)), tt.want[i]) })
		}
	}
	if n := len(w.calls); n != 0 {
		t.Errorf("%d operations ran", n)
	}
}

// wantError checks status, code and text of an answer in any protocol: "403 Code text".
func (w *world) wantError(t *testing.T, got answer, want string) {
	t.Helper()
	status, rest, _ := strings.Cut(want, " ")
	code, text, _ := strings.Cut(rest, " ")
	codeOK := got.header.Get("X-Amzn-Errortype") == code || strings.Contains(got.body, "<Code>"+code+"</Code>")
	// XML and JSON write an apostrophe in their own ways.
	body := strings.NewReplacer("&#39;", "'", `\u0027`, "'").Replace(got.body)
	if strconv.Itoa(got.status) != status || !codeOK || !strings.Contains(body, text) {
		t.Errorf("got %d %s %s\nwant %s", got.status, got.header.Get("X-Amzn-Errortype"), got.body, want)
	}
	if uuid.Validate(got.header.Get("X-Amzn-Requestid")) != nil {
		t.Errorf("got request id %q", got.header.Get("X-Amzn-Requestid"))
	}
	if h := got.header.Get("x-licet-decision"); h != "" {
		t.Errorf("got x-licet-decision %q without a decision", h)
	}
}

func TestAnswers(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	get := func(path string) request { return request{method: "GET", path: path, service: "lambda"} }
	for _, tt := range []struct {
		name string
		q    request
		want string
	}{
		{"denied", listFunctions().by("NOBODY"), "403 AccessDeniedException is not authorized to perform: lambda:ListFunctions"},
		{"malformed", get("/2015-03-31/functions/f/policy").by("USER"), "400 ValidationException malformed"},
		{"unknown operation", get("/no/such").by("USER"), "404 UnknownOperationException "},
		{"not implemented", get("/2015-03-31/layers").by("USER"), "404 UnknownOperationException "},
		{"internal error", get("/2017-03-31/tags/arn").by("USER"), "500 InternalFailure The request processing has failed"},
		{"operation that panics", get("/2015-03-31/functions/f").by("USER"), "500 InternalFailure The request processing has failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := w.do(tt.q)
			w.wantError(t, got, tt.want)
			if strings.Contains(got.body, "password") || strings.Contains(got.body, "boom") {
				t.Errorf("the answer tells the cause: %s", got.body)
			}
		})
	}
	if got := testutil.ToFloat64(w.panics); got != 1 {
		t.Errorf("got %v panics counted, want 1", got)
	}
	if got := testutil.ToFloat64(w.requests.WithLabelValues("lambda", "5xx")); got != 2 {
		t.Errorf("got %v requests with 5xx counted, want 2", got)
	}
	for _, q := range []request{listFunctions(), describeLogGroups(), getCallerIdentity()} {
		if got := w.do(q.by("USER")); got.status != http.StatusOK {
			t.Errorf("%s: got %d %s", q.service, got.status, got.body)
		}
	}
}

// The id of a request is the server's own, and that of its record.
func TestRequestID(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	q := listFunctions().by("USER")
	q.header = map[string]string{"X-Amzn-Requestid": "mine", "X-Amz-Request-Id": "mine"}
	id := w.do(q).header.Get("X-Amzn-Requestid")
	if c := <-w.calls; c.RequestID != id || uuid.Validate(id) != nil {
		t.Errorf("the client sees %q, the operation %q", id, c.RequestID)
	}
	if rec, err := w.log.Get(t.Context(), id); err != nil || rec.RequestID != id {
		t.Errorf("the log has %q, %v", rec.RequestID, err)
	}
}

// IAM, STS and Organizations are also signed for us-east-1, and the region of a call is that of its signature.
func TestRegionOfGlobalServices(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	for _, q := range []request{getCallerIdentity().by("USER"), listRoots().by("USER")} {
		for _, want := range []string{region, globalRegion} {
			q.region = want
			if got := w.do(q); got.status != http.StatusOK {
				t.Fatalf("%s in %s: got %d %s", q.service, want, got.status, got.body)
			}
			if c := <-w.calls; c.Region != want {
				t.Errorf("%s: got region %s, want %s", q.service, c.Region, want)
			}
		}
	}
	q := describeLogGroups().by("USER")
	if q.region = globalRegion; region != globalRegion && w.do(q).status == http.StatusOK {
		t.Error("a regional service took a signature for another region")
	}
}

func TestObserveModeHeader(t *testing.T) {
	for _, tt := range []struct {
		name string
		mode dispatch.Mode
		q    request
		want string
	}{
		{"allowed", dispatch.Observe, listFunctions().by("USER"), "allowed"},
		{"denied", dispatch.Observe, listFunctions().by("NOBODY"), "denied; let through by observe mode"},
		{"denied, and then failed", dispatch.Observe, request{method: "GET", path: "/2017-03-31/tags/arn", service: "lambda", key: "NOBODY"},
			"denied; let through by observe mode"},
		{"malformed", dispatch.Observe, request{method: "GET", path: "/2015-03-31/functions/f/policy", service: "lambda", key: "USER"}, ""},
		{"enforced", dispatch.Enforce, listFunctions().by("USER"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.mode)
			if got := w.do(tt.q).header.Get("x-licet-decision"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBodies(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	const invoke = "/2015-03-31/functions/f/invocations"
	for _, tt := range []struct {
		name, request, want string
	}{
		{"announced too large", "POST " + invoke + " HTTP/1.1\r\nHost: h\r\nContent-Length: 70167212\r\n\r\n",
			"413 RequestEntityTooLargeException Request must be smaller than 70167211 bytes"},
		{"cut short", "POST " + invoke + " HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nshort", "400 IncompleteBody "},
		{"chunks cut short", "POST " + invoke + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsho", "400 IncompleteBody "},
	} {
		t.Run(tt.name, func(t *testing.T) { w.wantError(t, w.raw(t, tt.request), tt.want) })
	}
	t.Run("too large", func(t *testing.T) {
		r := w.make(request{method: "POST", path: invoke})
		r.Body, r.ContentLength = io.NopCloser(io.LimitReader(zeros{}, maxBody+1)), -1
		resp, err := http.DefaultClient.Do(r)
		if err != nil { // the server may hang up before the client has sent all
			return
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("got %s", resp.Status)
		}
	})
	t.Run("error in the service's protocol", func(t *testing.T) {
		r := w.make(getCallerIdentity().by("USER"))
		r.Body, r.ContentLength = io.NopCloser(zeros{}), maxBody+1
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		if got := resp.Header.Get("Content-Type"); got != "text/xml" {
			t.Errorf("got content type %s", got)
		}
	})
	t.Run("no room", func(t *testing.T) {
		w.large.Store(maxLarge - 1)
		large := request{method: "POST", path: invoke, body: strings.Repeat(" ", largeBody+1), service: "lambda"}
		w.wantError(t, w.do(large.by("USER")), "503 ServiceUnavailable ")
		if got := w.do(listFunctions().by("USER")); got.status != http.StatusOK {
			t.Errorf("a small request got %d %s", got.status, got.body)
		}
		w.large.Store(0)
	})
	t.Run("room is given back", func(t *testing.T) {
		close(w.held)
		large := request{method: "POST", path: invoke, body: strings.Repeat(" ", largeBody+1), service: "lambda"}
		if got := w.do(large.by("USER")); got.status != http.StatusOK || len(got.body) != largeBody+1 {
			t.Errorf("got %d and %d bytes", got.status, len(got.body))
		}
	})
	w.Close() // waits for the last release
	if got := w.large.Load(); got != 0 {
		t.Errorf("%d bytes are still reserved", got)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// raw sends bytes, then nothing more, and reads the answer.
func (w *world) raw(t *testing.T, request string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	return readAnswer(t, conn)
}

// An answer that has begun must not look whole when the rest of it panics.
func TestPanicBreaksAnAnswerOff(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	w.pages.HandleFunc("GET /_licet/late", func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusOK)
		panic("late")
	})
	w.pages.HandleFunc("GET /_licet/early", func(http.ResponseWriter, *http.Request) { panic("early") })
	if resp, err := http.Get(w.url + "/_licet/late"); err == nil {
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil {
			t.Error("the answer looks whole")
		}
	}
	w.wantError(t, w.do(page("/_licet/early")), "500 InternalFailure ")
	if got := testutil.ToFloat64(w.panics); got != 2 {
		t.Errorf("got %v panics counted, want 2", got)
	}
}

func TestClose(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	answered := make(chan int)
	r := w.make(request{method: "POST", path: "/2015-03-31/functions/f/invocations", body: "{}", service: "lambda", key: "USER"})
	go func() {
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			answered <- 0
			return
		}
		resp.Body.Close()
		answered <- resp.StatusCode
	}()
	<-w.calls
	closed := make(chan struct{})
	go func() { w.Close(); close(closed) }()
	for !w.isClosed() { // until then requests are answered
		runtime.Gosched()
	}
	w.wantError(t, w.do(listFunctions().by("USER")), "503 ServiceUnavailable ")
	select {
	case <-closed:
		t.Error("Close did not wait")
	default:
	}
	close(w.held)
	if got := <-answered; got != http.StatusOK {
		t.Errorf("the running request got %d", got)
	}
	<-closed
	if list, err := w.log.List(t.Context(), account, audit.Filter{}); err != nil || len(list) != 1 {
		t.Errorf("got %d records, %v, want that of the request before Close", len(list), err)
	}
}

func (s *Server) isClosed() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.closed
}

// Operations whose callers present who they are take unsigned requests, and no others do. Every denial has its message.
func TestUnsigned(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	present := func(token string) request { return form("Action=AssumeRoleWithWebIdentity&WebIdentityToken=" + token) }
	if got := w.do(present("USER")); got.status != 200 || got.header.Get(messageHeader) != "" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	c := <-w.calls
	if c.Caller.ARN != "arn:aws:iam::"+account+":user/may" || c.Region != region {
		t.Errorf("got the caller %s in %s", c.Caller.ARN, c.Region)
	}
	w.wantError(t, w.do(form("Action=AssumeRoleWithWebIdentity")), "400 InvalidIdentityToken no token")
	w.wantError(t, w.do(assumeRole("")), "403 MissingAuthenticationToken Request is missing")
	w.wantError(t, w.do(present("USER").by("WRONG")), "403 InvalidClientTokenId ")
	got := w.do(present("NOBODY"))
	w.wantError(t, got, "403 AccessDenied not authorized to perform sts:AssumeRoleWithWebIdentity")
	if id := got.header.Get("X-Amzn-Requestid"); got.header.Get(messageHeader) != "about "+id {
		t.Errorf("got message %q about %s", got.header.Get(messageHeader), id)
	}
}

func TestServerFault(t *testing.T) {
	user := awserr.New("InvalidRuntimeException", 502, "")
	user.Members = map[string]string{"Type": "User"}
	for _, c := range []struct {
		err  *awserr.Error
		want bool
	}{
		{awserr.New("ResourceNotFoundException", 404, ""), false},
		{awserr.New("NotImplemented", 501, ""), false},
		{awserr.New("ServiceUnavailable", 503, ""), false},
		{user, false},
		{awserr.New("EC2UnexpectedException", 502, ""), true},
		{awserr.Internal(nil), true},
	} {
		if got := serverFault(c.err); got != c.want {
			t.Errorf("%s %d: got %t, want %t", c.err.Code, c.err.Status, got, c.want)
		}
	}
}
