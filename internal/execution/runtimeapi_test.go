package execution

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/execution/extension"
	"github.com/licet/licet/internal/sandbox"
)

// TestRuntimeAPI walks the states of a runtime; each refused request leaves the state as it was.
func TestRuntimeAPI(t *testing.T) {
	const badState = `{"errorMessage":"State transition from %s to %s failed for runtime. ` +
		`Error: State transition is not allowed","errorType":"InvalidStateTransition"}` + "\n"
	const badID = `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}` + "\n"
	const accepted = `{"status":"OK"}` + "\n"
	response, failure := "/invocation/"+id+"/response", "/invocation/"+id+"/error"

	type answer struct {
		Status int
		Body   string
	}
	result := make(chan string, 1)
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		check := func(method, path string, want answer, header ...string) {
			t.Helper()
			resp, body := p.call(method, path, "{}", header...)
			if resp == nil {
				t.Errorf("%s %s: no answer", method, path)
				return
			}
			if diff := cmp.Diff(answer{resp.StatusCode, body}, want); diff != "" {
				t.Errorf("%s %s (-got +want):\n%s", method, path, diff)
			}
		}
		check("POST", api+response, answer{400, badID}) // Started
		resp, body := p.call("GET", api+"/invocation/next", "")
		invocationID := resp.Header.Get("Lambda-Runtime-Invocation-Id")
		if diff := cmp.Diff(eventHeaders(resp.Header), map[string]string{
			"Content-Type": "application/json", "Lambda-Runtime-Aws-Request-Id": id, "Lambda-Runtime-Trace-Id": "Root=1",
			"Lambda-Runtime-Aws-Tenant-Id": "blue", "Lambda-Runtime-Client-Context": `{"a":1}`, "Lambda-Runtime-Invoked-Function-Arn": "arn:fn:alias",
		}); diff != "" || body != `{"event":1}` {
			t.Errorf("next: got %s and headers (-got +want):\n%s", body, diff)
		}
		check("GET", api+"/invocation/next", answer{200, `{"event":1}`}) // Running: the same event
		check("POST", api+"/init/error", answer{403, fmt.Sprintf(badState, "Running", "InitError")})
		check("POST", api+"/invocation/other/response", answer{400, badID})
		check("POST", api+"/invocation/other/error", answer{400, badID})
		check("POST", api+response, answer{400, `{"errorMessage":"Invalid invocation ID","errorType":"InvalidInvocationId"}` + "\n"},
			"Lambda-Runtime-Invocation-Id", "other")
		check("GET", "/2018-06-01/ping", answer{200, "pong"})
		for _, none := range []string{"/restore/error", "/invocation/" + id + "/more/response", "/invocation/" + id + "%2Fx/else", "/else"} {
			check("POST", api+none, answer{404, "404 page not found\n"})
		}
		check("POST", api+"/invocation//response", answer{400, badID})
		check("POST", api+"/invocation/"+id+"%2Fmore/response", answer{400, badID})
		check("GET", "/else", answer{404, "404 page not found\n"})
		check("GET", api+"/restore/next", answer{404, "404 page not found\n"})
		check("POST", "/2020-01-01/extension/register", answer{403,
			`{"errorMessage":"Empty extension name","errorType":"Extension.InvalidExtensionName"}` + "\n"})
		check("PUT", "/2022-07-01/telemetry", answer{403, `{"errorMessage":"Missing Lambda-Extension-Identifier header",` +
			`"errorType":"Extension.MissingExtensionIdentifier"}` + "\n"})
		check("POST", api+response, answer{202, accepted}, "Lambda-Runtime-Invocation-Id", invocationID)
		check("POST", api+response, answer{403, fmt.Sprintf(badState, "RuntimeResponseSentState", "InvocationResponse")})
		check("POST", api+failure, answer{403, fmt.Sprintf(badState, "RuntimeResponseSentState", "InvocationErrorResponse")})
		result <- "done"
		p.next()
		return sandbox.Exit{}
	})
	b.invoke(testFunction(), Invocation{RequestID: id, InvokedARN: "arn:fn:alias", Payload: []byte(`{"event":1}`),
		ClientContext: `{"a":1}`, TraceID: "Root=1", Tenant: "blue"})
	<-result
}

// TestMethods: an operation asked for by another method is told which, as the agent's router does.
func TestMethods(t *testing.T) {
	var a runtimeAPI
	a.session.Store(newSession(extension.New(extension.Function{}), nil))
	for call, allowed := range map[string]string{
		"POST " + api + "/invocation/next": "GET", "HEAD " + api + "/invocation/next": "GET", "GET " + api + "/init/error": "POST",
		"PUT " + api + "/invocation/x/response": "POST", "GET " + api + "/invocation/x/error": "POST", "POST /2018-06-01/ping": "GET",
	} {
		method, path, _ := strings.Cut(call, " ")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader("{}")))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != allowed || w.Body.Len() > 0 {
			t.Errorf("%s: got %d %s, Allow %q; want 405 and Allow %q", call, w.Code, w.Body, w.Header().Get("Allow"), allowed)
		}
	}
}

func eventHeaders(h http.Header) map[string]string {
	got := map[string]string{}
	for name := range h {
		if name != "Lambda-Runtime-Invocation-Id" && name != "Lambda-Runtime-Deadline-Ms" &&
			(strings.HasPrefix(name, "Lambda-") || name == "Content-Type") {
			got[name] = h.Get(name)
		}
	}
	return got
}

func TestResponseModes(t *testing.T) {
	tests := []struct {
		name    string
		mode    string
		trailer http.Header
		want    Result
	}{
		{name: "streaming", mode: "streaming", want: Result{Payload: []byte("stream")}},
		{
			name: "streaming with an error", mode: "streaming",
			trailer: http.Header{
				"Lambda-Runtime-Function-Error-Type": {"Function.Broken"},
				"Lambda-Runtime-Function-Error-Body": {base64.StdEncoding.EncodeToString([]byte(`{"errorMessage":"late"}`))},
			},
			want: Result{Payload: []byte(`{"errorMessage":"late"}`), FunctionError: "Unhandled"},
		},
		{
			name: "trailers without streaming", trailer: http.Header{"Lambda-Runtime-Function-Error-Type": {"Function.Broken"}},
			want: Result{Payload: []byte("stream")},
		},
		{name: "unknown", mode: "other", want: Result{
			Payload: []byte(`{"errorType":"Runtime.InvalidResponseModeHeader",` +
				`"errorMessage":"Invalid function response mode"}`),
			FunctionError: "Unhandled"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, func(p *fakeProcess) sandbox.Exit {
				id, _, _ := p.next()
				r, err := http.NewRequestWithContext(p.ctx, "POST",
					"http://"+p.env("AWS_LAMBDA_RUNTIME_API")+api+"/invocation/"+id+"/response", strings.NewReader("stream"))
				if err != nil {
					t.Error(err)
				}
				r.ContentLength = -1
				r.Header.Set("Lambda-Runtime-Function-Response-Mode", test.mode)
				r.Trailer = test.trailer
				if resp, err := p.client.Do(r); err == nil {
					_ = resp.Body.Close()
				}
				p.next()
				return sandbox.Exit{}
			})
			if diff := cmp.Diff(b.invoke(testFunction(), Invocation{}), test.want); diff != "" {
				t.Errorf("result (-got +want):\n%s", diff)
			}
		})
	}
}

// sessionWith is the Runtime API of a runtime that has an event, and what calls it.
func sessionWith(ev *event) (s *session, call func(method, path string, body io.Reader, header ...string) string) {
	var a runtimeAPI
	s = newSession(extension.New(extension.Function{}), nil)
	s.takes(ev)
	a.session.Store(s)
	return s, func(method, path string, body io.Reader, header ...string) string {
		r := httptest.NewRequest(method, api+path, body)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return fmt.Sprintf("%d %s", w.Code, strings.TrimSpace(w.Body.String()))
	}
}

// TestInvalidResponseMode: the event is over, and the runtime is in a state that it cannot leave.
func TestInvalidResponseMode(t *testing.T) {
	s, call := sessionWith(&event{Invocation: Invocation{RequestID: id}})
	got := call("POST", "/invocation/"+id+"/response", strings.NewReader("{}"), "Lambda-Runtime-Function-Response-Mode", "Streaming")
	if want := `400 {"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if step := <-s.steps; step.kind != responseSent || step.errorType != "Runtime.InvalidResponseModeHeader" {
		t.Errorf("got step %s with %s", step.kind, step.errorType)
	}
	const refused = `403 {"errorMessage":"State transition from InvocationResponse to %s failed for runtime. ` +
		`Error: State transition is not allowed","errorType":"InvalidStateTransition"}`
	if got, want := call("GET", "/invocation/next", nil), fmt.Sprintf(refused, "Ready"); got != want {
		t.Errorf("next: got %s, want %s", got, want)
	}
	got = call("POST", "/invocation/"+id+"/response", strings.NewReader("{}"))
	if want := fmt.Sprintf(refused, "InvocationResponse"); got != want {
		t.Errorf("response: got %s, want %s", got, want)
	}
}

// TestLateAnswer: once the runtime has asked for its next event, the id of the last one is nobody's.
func TestLateAnswer(t *testing.T) {
	s, call := sessionWith(&event{Invocation: Invocation{RequestID: id}})
	if got := call("POST", "/invocation/"+id+"/response", strings.NewReader("{}")); got != "202 "+accepted {
		t.Errorf("response: got %s", got)
	}
	if _, _, refused := s.asks(); refused != nil {
		t.Errorf("next: refused with %s", refused.message)
	}
	for _, answer := range []string{"response", "error"} {
		got := call("POST", "/invocation/"+id+"/"+answer, strings.NewReader("{}"))
		if want := `400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`; got != want {
			t.Errorf("%s: got %s, want %s", answer, got, want)
		}
	}
}

// TestStreamTooLargeText: the text names the limit of responses that are not streamed, as the agent's does.
func TestStreamTooLargeText(t *testing.T) {
	_, call := sessionWith(&event{Invocation: Invocation{RequestID: id, Stream: &dropped{}}})
	got := call("POST", "/invocation/"+id+"/response", io.LimitReader(zeros{}, maxStreamed+1))
	want := `413 {"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestErrorBodies: what the caller gets of a handler's error depends on the media type alone.
func TestErrorBodies(t *testing.T) {
	const whole = `{"errorType":"T","errorMessage":"<m>","stackTrace":["a","b"],"errorCause":{"paths":["x"]},"more":1}`
	for _, test := range []struct{ name, mediaType, body, want string }{
		{"plain", "application/json", whole, whole},
		{"with parameters", errorWithCause + "; charset=utf-8", whole, whole},
		{"with cause", errorWithCause, whole, `{"errorMessage":"\u003cm\u003e","errorType":"T","stackTrace":["a","b"]}`},
		{"without members", errorWithCause, `{}`, `{"errorMessage":"","errorType":""}`},
		{"not JSON", errorWithCause, `{`, `"Invalid error body"`},
		{"other shape", errorWithCause, `{"errorType":1}`, `"Invalid error body"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, call := sessionWith(&event{Invocation: Invocation{RequestID: id}})
			if got := call("POST", "/invocation/"+id+"/error", strings.NewReader(test.body), "Content-Type", test.mediaType); got != "202 "+accepted {
				t.Errorf("got %s", got)
			}
			if step := <-s.steps; string(step.payload) != test.want || !step.failed {
				t.Errorf("got %s, failed %t; want %s", step.payload, step.failed, test.want)
			}
		})
	}
}

func TestTruncatedResponseIsAnExit(t *testing.T) {
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		id, _, _ := p.next()
		r, err := http.NewRequestWithContext(p.ctx, "POST",
			"http://"+p.env("AWS_LAMBDA_RUNTIME_API")+api+"/invocation/"+id+"/response", strings.NewReader("{"))
		if err != nil {
			t.Error(err)
		}
		r.ContentLength = 100 // the client gives up in the middle
		if resp, err := p.client.Do(r); err == nil {
			_ = resp.Body.Close()
		}
		return sandbox.Exit{Code: 1}
	})
	got := b.invoke(testFunction(), Invocation{RequestID: id})
	want := Result{FunctionError: "Unhandled",
		Payload: []byte(exitError("exited with error: exit status 1"))}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("result (-got +want):\n%s", diff)
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newLimitedListener(inner, 1)
	for range 2 {
		if _, err := net.Dial("tcp", inner.Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan error)
	accept := func() {
		_, err := l.Accept()
		second <- err
	}
	go accept()
	select {
	case <-second:
		t.Error("accepted a second connection, want it to wait for the first to close")
	case <-time.After(10 * time.Millisecond):
	}
	_ = first.Close()
	_ = first.Close() // frees only one slot
	if err := <-second; err != nil {
		t.Error(err)
	}
	go accept() // waits for a slot that never comes
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if err := <-second; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}

// shortListener gives errors, and then connections.
type shortListener struct {
	net.Listener
	errors []error
}

func (l *shortListener) Accept() (net.Conn, error) {
	if len(l.errors) == 0 {
		c, _ := net.Pipe()
		return c, nil
	}
	err := l.errors[0]
	l.errors = l.errors[1:]
	return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}
}

func (l *shortListener) Close() error { return nil }

// TestNoFilesLeft: that the server could open no more files for a moment is not the end of a listener.
func TestNoFilesLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &shortListener{errors: []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM}}
		l := newLimitedListener(inner, 1)
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		inner.errors = []error{syscall.EBADF}
		if _, err := l.Accept(); !errors.Is(err, syscall.EBADF) {
			t.Errorf("got %v, want the end of the listener", err)
		}
		inner.errors = []error{syscall.EMFILE, syscall.EMFILE}
		ended := make(chan error)
		go func() {
			_, err := l.Accept()
			ended <- err
		}()
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want net.ErrClosed", err)
		}
	})
}

// TestOneLargeUpload: while one large body is read another waits, but not while it is worked on; a small one never waits.
func TestOneLargeUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var began []string
		end := make(chan struct{})
		h := oneLargeUpload(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			began = append(began, r.URL.Path)
			_, _ = io.Copy(io.Discard, r.Body)
			<-end
		}))
		send := func(path string, size int64) *io.PipeWriter {
			body, w := io.Pipe()
			r := httptest.NewRequest(http.MethodPost, path, body)
			r.ContentLength = size
			go h.ServeHTTP(httptest.NewRecorder(), r)
			synctest.Wait()
			return w
		}
		first, second, small := send("/first", largeUpload+1), send("/second", -1), send("/small", largeUpload)
		if diff := cmp.Diff(began, []string{"/first", "/small"}); diff != "" {
			t.Errorf("begun (-got +want):\n%s", diff)
		}
		_ = first.Close()
		synctest.Wait()
		if diff := cmp.Diff(began, []string{"/first", "/small", "/second"}); diff != "" {
			t.Errorf("begun after the first body (-got +want):\n%s", diff)
		}
		_, _ = second.Close(), small.Close()
		close(end)
	})
}

func TestErrorTypeOf(t *testing.T) {
	for header, want := range map[string]string{
		"Runtime.ImportModuleError": "Runtime.ImportModuleError",
		"Function.Broken":           "Function.Broken",
		"Function.lower":            "Function.Unknown",
		"ValueError":                "Runtime.Unknown",
		"":                          "Runtime.Unknown",
	} {
		if got := errorTypeOf(header); got != want {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
}

// rawEcho is an echo that costs as little as a program can: one connection, fixed requests, no parsing.
func rawEcho(p *fakeProcess) sandbox.Exit {
	address := p.env("AWS_LAMBDA_RUNTIME_API")
	c, err := net.Dial("tcp", address)
	if err != nil {
		return sandbox.Exit{Code: 1}
	}
	defer c.Close()
	context.AfterFunc(p.ctx, func() { c.Close() })
	next := []byte("GET " + api + "/invocation/next HTTP/1.1\r\nHost: " + address + "\r\n\r\n")
	answer := []byte("POST " + api + "/invocation/" + id + "/response HTTP/1.1\r\nHost: " + address +
		"\r\nContent-Length: 2\r\n\r\n{}")
	buffer := make([]byte, 4096)
	for {
		for _, request := range [][]byte{next, answer} {
			if _, err := c.Write(request); err != nil {
				return sandbox.Exit{}
			}
			if _, err := c.Read(buffer); err != nil {
				return sandbox.Exit{}
			}
		}
	}
}

func BenchmarkInvokeWarm(b *testing.B) {
	for _, logs := range []string{"tail only", "written"} {
		b.Run(logs, func(b *testing.B) {
			bench := newBench(b, rawEcho, func(c *Config) {
				if logs == "tail only" {
					c.Logs = nil
				}
			})
			payload := []byte(`{"key":"value"}`)
			bench.invoke(testFunction(), Invocation{Payload: payload})
			b.ReportAllocs()
			for b.Loop() {
				bench.invoke(testFunction(), Invocation{Payload: payload})
			}
		})
	}
}
