package execution

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/licet/licet/internal/execution/extension"
	"github.com/licet/licet/internal/execution/platform"
	"github.com/licet/licet/internal/execution/subscription"
)

// FuzzRuntimeAPI looks for requests of a process in a sandbox, one after the other, that panic, that wait for what never comes, or that answer more
// invocations than there were. EXTENSION in a request is the identifier of the last extension that was registered.
func FuzzRuntimeAPI(f *testing.F) {
	const host = " HTTP/1.1\r\nHost: x\r\n"
	const next = "GET " + api + "/invocation/next" + host + "\r\n"
	const response, failure = "POST " + api + "/invocation/" + id + "/response" + host, "POST " + api + "/invocation/" + id + "/error" + host
	const streamed = "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n" +
		"Trailer: Lambda-Runtime-Function-Error-Type\r\n\r\n2\r\n{}\r\n0\r\nLambda-Runtime-Function-Error-Type: a\r\nLambda-Runtime-Function-Error-Body: e30=\r\n\r\n"
	for _, script := range []string{
		next + response + "Content-Length: 2\r\n\r\n{}" + next,
		next + response + streamed + next,
		next + failure + "Content-Type: " + errorWithCause + "\r\nContent-Length: 20\r\n\r\n{\"errorMessage\":\"a\"}" + next + next,
		"GET " + api + "/restore/next" + host + "\r\n" + next + response + "Content-Length: 2\r\n\r\n{}" + next,
		"GET " + api + "/restore/next" + host + "\r\nPOST " + api + "/restore/error" + host + "Content-Length: 2\r\n\r\n{}" + next,
		"POST " + api + "/init/error" + host + "Lambda-Runtime-Function-Error-Type: Runtime.X\r\nContent-Length: 2\r\n\r\n{}",
		"POST /2020-01-01/extension/register" + host + "Lambda-Extension-Name: e\r\nContent-Length: 21\r\n\r\n{\"events\":[\"INVOKE\"]}" +
			"GET /2020-01-01/extension/event/next" + host + "Lambda-Extension-Identifier: EXTENSION\r\n\r\n",
		"POST /2020-01-01/extension/register" + host + "Lambda-Extension-Name: e\r\nContent-Length: 2\r\n\r\n{}" +
			"PUT /2022-07-01/telemetry" + host + "Lambda-Extension-Identifier: EXTENSION\r\nContent-Length: 2\r\n\r\n{}" +
			"POST /2020-01-01/extension/exit/error" + host + "Lambda-Extension-Identifier: EXTENSION\r\nLambda-Extension-Function-Error-Type: a.b\r\n\r\n",
	} {
		f.Add([]byte(script), false)
		f.Add([]byte(script), true)
	}
	f.Fuzz(func(t *testing.T, script []byte, stream bool) {
		var a runtimeAPI
		telemetry := subscription.New(subscription.Config{
			Dial: func(context.Context, int) (net.Conn, error) { return nil, errors.New("there is nobody") }, Log: func(platform.Event) {},
		})
		defer telemetry.End()
		s := newSession(extension.New(extension.Function{}), telemetry)
		defer s.extensions.End()
		s.restored = make(chan struct{})
		close(s.restored) // a Restore phase does not wait for its environment
		a.session.Store(s)
		given, answered, identifier := 0, 0, ""
		connection := bufio.NewReader(bytes.NewReader(script))
		for {
			r, err := http.ReadRequest(connection)
			if err != nil {
				return
			}
			ctx, cancel := context.WithCancel(t.Context())
			if strings.HasPrefix(r.URL.Path, extension.Path) {
				cancel() // there is no event to wait for
			}
			if len(s.events) == 0 {
				ev := &event{Invocation: Invocation{RequestID: id}}
				if stream {
					ev.Stream = discard{}
				}
				s.events <- ev
				given++
			}
			if r.Header.Get("Lambda-Extension-Identifier") == "EXTENSION" {
				r.Header.Set("Lambda-Extension-Identifier", identifier)
			}
			w := httptest.NewRecorder()
			serveAborting(&a, w, r.WithContext(ctx))
			cancel()
			if got := w.Header().Get("Lambda-Extension-Identifier"); got != "" {
				identifier = got
			}
			for len(s.steps) > 0 {
				switch step := <-s.steps; step.kind {
				case responseSent:
					answered++
				case restoreReady:
					s.state = restoring
				}
			}
			if answered > given {
				t.Errorf("%d answers to %d events", answered, given)
			}
		}
	})
}

// discard is a caller who wants a stream.
type discard struct{}

func (discard) Begin()             {}
func (discard) Type(string)        {}
func (discard) Write([]byte) error { return nil }

// serveAborting lets a handler break its connection off.
func serveAborting(h http.Handler, w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
}

// FuzzWithoutCause: whatever a runtime says of an error, the caller gets JSON, and no cause.
func FuzzWithoutCause(f *testing.F) {
	f.Add([]byte(`{"errorMessage":"a","errorType":"b","stackTrace":["c"],"cause":{}}`))
	f.Add([]byte(`{"errorMessage":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var kept any
		if err := json.Unmarshal(withoutCause(body), &kept); err != nil {
			t.Errorf("%q: got %v", body, err)
		}
		if members, ok := kept.(map[string]any); ok && members["cause"] != nil {
			t.Errorf("%q: the cause is kept", body)
		}
		_ = platform.LineLevel(string(body)) // of what it prints
	})
}
