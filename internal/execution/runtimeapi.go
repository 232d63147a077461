package execution

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/licet/licet/internal/execution/extension"
	"github.com/licet/licet/internal/execution/subscription"
)

// state of a runtime process, in the words of the Runtime API's error messages.
type state string

const (
	started            state = "Started"
	initError          state = "InitError"
	ready              state = "Ready"
	running            state = "Running"
	invocationResponse state = "InvocationResponse"
	invocationError    state = "InvocationErrorResponse"
	responseSent       state = "RuntimeResponseSentState"
)

// event is an invocation as the runtime sees it.
type event struct {
	Invocation
	invocationID string
	deadline     time.Time
}

// step is what a runtime did that its environment waits for: it became ready for an event, or for a Restore phase, it answered one, or it
// could not initialize or go on after it was restored. By the state machine at most two steps are ever pending: an answer and the readiness after it.
type step struct {
	kind state // ready, responseSent, initError, restoreReady, restoreError
	outcome
	answering, answered time.Time // of responseSent: when its answer began and ended to come
}

// session is the Runtime API's side of one runtime process.
type session struct {
	events     chan *event // to the runtime; capacity 1: at most one event is on its way
	steps      chan step   // from the runtime; capacity 2, see step
	ended      chan struct{}
	restored   chan struct{} // closed when the runtime may go on that asked to be restored; nil when there is no Restore phase
	extensions *extension.Set
	telemetry  *subscription.Stream

	mu    sync.Mutex
	state state
	since time.Time // of the states in which an answer comes
	event *event    // the event of Running and the states after it; nil again in Ready
	// left is the invocation that is over when the runtime, which has answered, asks for its next event. That is then no step.
	left *invocation
}

func newSession(extensions *extension.Set, telemetry *subscription.Stream) *session {
	return &session{events: make(chan *event, 1), steps: make(chan step, 2), ended: make(chan struct{}), extensions: extensions,
		telemetry: telemetry, state: started}
}

// to changes the state if it is one of from; otherwise it returns the error that the Runtime API answers with.
func (s *session) to(next state, from ...state) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range from {
		if s.state == f {
			s.state, s.since = next, time.Now()
			return nil
		}
	}
	return notAllowed(s.state, next)
}

// notAllowed is the answer to what a runtime may not do in its state.
func notAllowed(from, to state) *apiError {
	return &apiError{http.StatusForbidden, "InvalidStateTransition",
		fmt.Sprintf("State transition from %s to %s failed for runtime. Error: State transition is not allowed", from, to)}
}

// asks is a runtime asking for its next event: it is ready now, unless it already holds an event, which it then gets again. It may end
// an invocation, which is the caller's.
func (s *session) asks() (again *event, over *invocation, refused *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state {
	case started, restoring, responseSent:
		s.state, s.event = ready, nil // an answer that comes late belongs to no invocation any more
		if over, s.left = s.left, nil; over == nil {
			s.steps <- step{kind: ready}
		}
		return nil, over, nil
	case ready:
		return nil, nil, nil
	case running:
		return s.event, nil, nil
	}
	return nil, nil, notAllowed(s.state, ready)
}

// takes notes that the runtime has received ev.
func (s *session) takes(ev *event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.event = running, ev
}

// holds checks that the ids of an answer are those of the event at hand.
func (s *session) holds(requestID, invocationID string) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.event == nil || requestID != s.event.RequestID {
		return &apiError{http.StatusBadRequest, "InvalidRequestID", "Invalid request ID"}
	}
	if invocationID != "" && invocationID != s.event.invocationID {
		return &apiError{http.StatusBadRequest, "InvalidInvocationId", "Invalid invocation ID"}
	}
	return nil
}

// current is the event that the runtime has.
func (s *session) current() *event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.event
}

// streaming tells whether a part of a response may be with the caller, and the rest is still to come.
func (s *session) streaming() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == invocationResponse && s.event.Stream != nil
}

// answers ends the event with out.
func (s *session) answers(out outcome) { s.answersIn(responseSent, out) }

// answersIn ends the event with out and leaves the runtime in a state.
func (s *session) answersIn(next state, out outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = next
	s.steps <- step{kind: responseSent, outcome: out, answering: s.since, answered: time.Now()}
}

// apiError is an error answer of the Runtime API.
type apiError struct {
	status  int
	kind    string
	message string
}

// runtimeAPI serves the Runtime API 2018-06-01 (lambda.md 7.5, https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)
// to one environment. Each process has its own session; a request belongs to the session that is current when it arrives.
type runtimeAPI struct {
	session atomic.Pointer[session]
	told    atomic.Pointer[told] // nil when no bootstrap waits to be told
	// credentials for those who ask; nil where processes have them in their variables.
	credentials *credentials
}

// apiVersion begins the path of every operation of the Runtime API.
const apiVersion = "/2018-06-01/runtime/"

// pingPath is an operation that the agent keeps for those who came to use it (rapi/router.go).
const pingPath = "/2018-06-01/ping"

// ServeHTTP serves the operations, and those of the APIs beside it. What is not offered, and by which method, it answers as the router of
// the official agent does (go-chi/chi).
func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := a.session.Load()
	switch {
	case s != nil && strings.HasPrefix(r.URL.Path, extension.Path):
		s.extensions.ServeHTTP(w, r)
		return
	case s != nil && subscription.Serves(r.URL.Path):
		if name, ok := s.extensions.Identify(w, r); ok {
			s.telemetry.ServeHTTP(w, r, name)
		}
		return
	case r.URL.Path == apiVersion+"licet/environment" && r.Method == http.MethodGet:
		a.tell(w, r)
		return
	}
	method, serve := a.operation(cmp.Or(r.URL.RawPath, r.URL.Path), s)
	switch {
	case serve == nil:
		http.NotFound(w, r)
	case r.Method != method:
		w.Header().Set("Allow", method)
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		serve(w, r)
	}
}

// operation is the table of operations; serve is nil for a path that is none. Those of restore are for
// an environment that has such a phase.
func (a *runtimeAPI) operation(path string, s *session) (method string, serve http.HandlerFunc) {
	switch {
	case path == pingPath:
		return http.MethodGet, ping
	case path == credentialsPath && a.credentials != nil:
		return http.MethodGet, a.credentials.ServeHTTP
	case s == nil:
		return "", nil
	case path == apiVersion+"invocation/next":
		return http.MethodGet, func(w http.ResponseWriter, r *http.Request) { next(w, r, s) }
	case path == apiVersion+"init/error":
		return http.MethodPost, func(w http.ResponseWriter, r *http.Request) { failInit(w, r, s) }
	case path == apiVersion+"restore/next" && s.restored != nil:
		return http.MethodGet, func(w http.ResponseWriter, r *http.Request) { nextRestore(w, r, s) }
	case path == apiVersion+"restore/error" && s.restored != nil:
		return http.MethodPost, func(w http.ResponseWriter, r *http.Request) { failRestore(w, r, s) }
	}
	invocation, isInvocation := strings.CutPrefix(path, apiVersion+"invocation/")
	id, answer, _ := strings.Cut(invocation, "/")
	switch {
	case isInvocation && answer == "response":
		return http.MethodPost, func(w http.ResponseWriter, r *http.Request) { respond(w, r, s, id) }
	case isInvocation && answer == "error":
		return http.MethodPost, func(w http.ResponseWriter, r *http.Request) { fail(w, r, s, id) }
	}
	return "", nil
}

func ping(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "pong") } // a broken connection is the client's to notice

// next is the long poll: it answers when there is an event, and ends without an answer when the process or its connection does.
func next(w http.ResponseWriter, r *http.Request, s *session) {
	ev, over, refused := s.asks()
	if refused != nil {
		refuse(w, refused)
		return
	}
	if over != nil {
		if ev = over.end(); ev != nil {
			s.takes(ev)
		}
	}
	if ev == nil {
		select {
		case ev = <-s.events:
			s.takes(ev)
		case <-s.ended:
			panic(http.ErrAbortHandler) // close the connection: there is nobody left to answer
		case <-r.Context().Done():
			return
		}
	}
	for name, value := range ev.headers {
		w.Header().Set(name, value)
	}
	_, _ = w.Write(ev.Payload) // a connection that broke shows as a process that ends or does not answer
}

// headers lists those of the answer that has the event. Optional ones are left out where there is nothing to say.
func (ev *event) headers(yield func(name, value string) bool) {
	for _, h := range [...]struct {
		name, value string
		optional    bool
	}{
		{"Content-Type", "application/json", false},
		{"Content-Length", strconv.Itoa(len(ev.Payload)), false},
		{"Lambda-Runtime-Aws-Request-Id", ev.RequestID, false},
		{invocationIDHeader, ev.invocationID, false},
		{"Lambda-Runtime-Deadline-Ms", strconv.FormatInt(ev.deadline.UnixMilli(), 10), false},
		{"Lambda-Runtime-Invoked-Function-Arn", ev.InvokedARN, false},
		{"Lambda-Runtime-Trace-Id", ev.TraceID, true},
		{"Lambda-Runtime-Client-Context", ev.ClientContext, true},
		{"Lambda-Runtime-Aws-Tenant-Id", ev.Tenant, true},
	} {
		if h.value == "" && h.optional {
			continue
		}
		if !yield(h.name, headerValue(h.value)) {
			return
		}
	}
}

// headerValue is a text without what would end a header.
func headerValue(text string) string {
	if !strings.ContainsAny(text, "\r\n\x00") {
		return text
	}
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(text)
}

// respond takes a handler's result. It is taken as a whole for Invoke, whatever its mode, and part by part for a caller
// who asked for a stream.
func respond(w http.ResponseWriter, r *http.Request, s *session, requestID string) {
	if refused := s.holds(requestID, r.Header.Get("Lambda-Runtime-Invocation-Id")); refused != nil {
		refuse(w, refused)
		return
	}
	if refused := s.to(invocationResponse, running); refused != nil {
		refuse(w, refused)
		return
	}
	mode := r.Header.Get("Lambda-Runtime-Function-Response-Mode")
	if mode != "" && mode != streamingMode {
		// The agent, too, leaves the runtime in a state from which it can ask for nothing (rapi/handler/invocationresponse.go).
		s.answersIn(invocationResponse, failureOf(statusError, "Runtime.InvalidResponseModeHeader", "Invalid function response mode"))
		refuse(w, &apiError{http.StatusBadRequest, "InvalidFunctionResponseMode", "Invalid function response mode"})
		return
	}
	if ev := s.current(); ev.Stream != nil {
		stream(w, r, s, ev.Stream)
		return
	}
	body, ok := take(w, r, s)
	if !ok {
		return
	}
	out := outcome{payload: body}
	if end := ending(r.Trailer); mode == streamingMode && end.failed {
		out.failed = true
		if end.payload != nil {
			out.payload = end.payload
		}
	}
	s.answers(out)
	accept(w)
}

// streamingMode is the only mode that a runtime may name.
const streamingMode = "streaming"

// stream hands on a response part by part, as fast as the caller takes it. What was sent cannot be taken back: whatever ends it is the
// answer, as with the official agent (aws-lambda-runtime-interface-emulator, rapi/handler/invocationresponse.go).
func stream(w http.ResponseWriter, r *http.Request, s *session, to Stream) {
	to.Type(r.Header.Get("Content-Type"))
	sent, err := io.Copy(&sink{to: to, left: maxStreamed}, r.Body)
	switch {
	case errors.Is(err, errTooLarge):
		s.answers(outcome{failed: true, code: codeTooLarge})
		refuse(w, responseTooLarge())
	case err != nil:
		s.answers(outcome{failed: true, code: codeTruncated})
		refuse(w, responseTruncated())
	default:
		out := ending(r.Trailer)
		out.streamed = int(sent)
		s.answers(out)
		accept(w)
	}
}

// sink takes a response until it is too large, and drops it from where its Stream takes no more.
type sink struct {
	to   Stream
	left int // bytes
}

func (s *sink) Write(part []byte) (int, error) {
	n := min(len(part), s.left)
	s.left -= n
	if s.to != nil && n > 0 && s.to.Write(part[:n]) != nil {
		s.to = nil
	}
	if n < len(part) {
		return n, errTooLarge
	}
	return n, nil
}

// ending is how a streamed response ends: an error in its trailers makes it one, which has the type's name, whatever it is
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming; the official agent hands on both).
func ending(trailers http.Header) outcome {
	kind := trailers.Get("Lambda-Runtime-Function-Error-Type")
	if kind == "" {
		return outcome{}
	}
	out := outcome{failed: true, code: kind}
	if details, err := base64.StdEncoding.DecodeString(trailers.Get("Lambda-Runtime-Function-Error-Body")); err == nil {
		out.payload = details
	}
	return out
}

// fail takes a handler's error.
func fail(w http.ResponseWriter, r *http.Request, s *session, requestID string) {
	if refused := s.holds(requestID, r.Header.Get("Lambda-Runtime-Invocation-Id")); refused != nil {
		refuse(w, refused)
		return
	}
	if refused := s.to(invocationError, running); refused != nil {
		refuse(w, refused)
		return
	}
	body, ok := take(w, r, s)
	if !ok {
		return
	}
	if r.Header.Get("Content-Type") == errorWithCause {
		body = withoutCause(body)
	}
	s.answers(outcome{payload: body, failed: true})
	accept(w)
}

// take reads the body of an answer. When it cannot, it has refused it.
func take(w http.ResponseWriter, r *http.Request, s *session) (body []byte, ok bool) {
	body, err := readBody(r)
	switch {
	case errors.Is(err, errTooLarge):
		s.answers(tooLarge())
		refuse(w, responseTooLarge())
		return nil, false
	case err != nil:
		_ = s.to(running, invocationResponse, invocationError) // always one of them: it may answer again, or its end tells more
		refuse(w, responseTruncated())
		return nil, false
	}
	return body, true
}

// failInit takes the error of a runtime that could not initialize.
func failInit(w http.ResponseWriter, r *http.Request, s *session) {
	if refused := s.to(initError, started); refused != nil {
		refuse(w, refused)
		return
	}
	body, err := readBody(r)
	if err != nil && !errors.Is(err, errTooLarge) {
		_ = s.to(started, initError)
		refuse(w, responseTruncated())
		return
	}
	out := outcome{payload: body, failed: true}
	if err != nil {
		out = tooLarge()
	}
	out.status, out.errorType = statusError, errorTypeOf(r.Header.Get("Lambda-Runtime-Function-Error-Type"))
	s.steps <- step{kind: initError, outcome: out}
	if err != nil {
		refuse(w, responseTooLarge())
		return
	}
	accept(w)
}

// responseTooLarge names the same limit whatever was exceeded, as the agent does (rapi/rendering/render_error.go).
func responseTooLarge() *apiError {
	return &apiError{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
		fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxResponse)}
}

func responseTruncated() *apiError {
	return &apiError{http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated"}
}

var errTooLarge = errors.New("response too large")

// readBody reads a body of at most maxResponse bytes. A larger one is read on for a while, so that the runtime gets to see the
// answer.
func readBody(r *http.Request) ([]byte, error) {
	if n := r.ContentLength; 0 <= n && n <= maxResponse {
		body := make([]byte, n)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxResponse {
		_, _ = io.CopyN(io.Discard, r.Body, 8*maxResponse)
		return nil, errTooLarge
	}
	return body, nil
}

// accept answers as the Runtime API does to what it takes: 202 with this body.
func accept(w http.ResponseWriter) {
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`+"\n")
}

func refuse(w http.ResponseWriter, e *apiError) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(struct {
		ErrorMessage string `json:"errorMessage"`
		ErrorType    string `json:"errorType"`
	}{e.message, e.kind})
}
