package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/restjson"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/sigv4"
	"github.com/licet/licet/internal/telemetry"
)

// Config holds what a Server needs. Every field is required but Tracing, ServiceOf and Remark.
type Config struct {
	Dispatcher *dispatch.Dispatcher
	Keys       Keys
	Decisions  Decisions
	// AdminFrom are the networks from which, beside loopback, the roots of accounts may ask for licet's own pages.
	AdminFrom []netip.Prefix
	// Ready tells whether the server can do its work; nil: it always can.
	Ready func(context.Context) error
	// Suppositions say what principals would be judged by.
	Suppositions Suppositions
	// Invocations call functions by the name of services.
	Invocations Invocations
	Code        *CodeLinks
	// Message encodes a message about the denial of a request.
	Message func(requestID string) (string, error)
	// ServiceOf names the service that a request is for by its host and path, where its signature does not say: it has none, or is for the
	// service signed, which another shares, or does not matter. "" for none. What has a service is none of licet's own pages, whatever its
	// path. nil: it is always as signed.
	ServiceOf func(r *http.Request, signed string) string
	// Remark says what was not known of the resource that a call of a service was judged on; "" for nothing. nil: all is known.
	Remark func(service, action, resource string) string
	// Issuers are the accounts' issuers of tokens.
	Issuers Issuers
	// Tracing makes spans of requests; nil: none.
	Tracing *telemetry.Tracing
	// Gatherer provides what /_licet/metrics shows.
	Gatherer prometheus.Gatherer
	Logger   *slog.Logger
	Now      func() time.Time
	// Region is the one region this server serves, Partition its partition.
	Region    string
	Partition string
	Mode      dispatch.Mode
}

// Server is the HTTP handler of everything.
type Server struct {
	config   Config
	verifier *sigv4.Verifier
	fallback protocol.Codec // answers before the service is known
	pages    *http.ServeMux
	requests *prometheus.CounterVec
	panics   prometheus.Counter
	// large is the size of all large bodies in memory.
	large    atomic.Int64
	attempts attempts

	// mu guards closed.
	mu      sync.RWMutex
	closed  bool
	running sync.WaitGroup // requests; Add under mu while not closed
}

// New makes a server.
func New(config Config) (*Server, error) {
	fallback, err := restjson.New(&protocol.API{ID: "licet"})
	if err != nil {
		return nil, fmt.Errorf("make fallback codec: %w", err)
	}
	s := &Server{
		config: config, verifier: sigv4.New(), fallback: fallback,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "licet_edge_requests_total", Help: "AWS requests by service and class of HTTP status.",
		}, []string{"service", "class"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "licet_edge_panics_total", Help: "Panics caught while answering a request. Each is a bug.",
		}),
	}
	s.pages = s.routes()
	return s, nil
}

// Metrics returns the collectors of this package.
func (s *Server) Metrics() []prometheus.Collector {
	return []prometheus.Collector{s.requests, s.panics}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, id: dispatch.NewRequestID(), codec: s.fallback}
	if !s.enter() {
		s.fail(r.Context(), x, unavailable("The server is stopping."))
		return
	}
	defer s.running.Done()
	var ctx context.Context
	if ctx, x.span = s.config.Tracing.Request(r); ctx != r.Context() {
		r = r.WithContext(ctx)
	}
	defer x.span.End()
	defer s.catch(r.Context(), x)
	if strings.HasPrefix(r.URL.Path, pagePrefix) && s.serviceOf(r, "") == "" {
		s.pages.ServeHTTP(x, r)
	} else if err := s.answer(x, r); err != nil {
		s.fail(r.Context(), x, err)
	}
}

// Close refuses all further requests, by whichever listener they come, and returns when those that run are answered.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.running.Wait()
}

// enter counts a request among those that Close waits for; false after Close.
func (s *Server) enter() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return false
	}
	s.running.Add(1)
	return true
}

// catch answers for a request that panicked. An answer that has begun is broken off: it must not look like a whole one.
func (s *Server) catch(ctx context.Context, x *exchange) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler { // an answer that could not be given to its end, as far as its codec knows
		panic(p)
	}
	s.panics.Inc()
	s.config.Logger.ErrorContext(ctx, "A request made the server panic.",
		"request_id", x.id, "panic", p, "stack", string(debug.Stack()))
	if x.began {
		panic(http.ErrAbortHandler)
	}
	s.fail(ctx, x, fmt.Errorf("panic: %v", p))
}

// exchange is one request on its way, and the writer of its answer.
type exchange struct {
	http.ResponseWriter
	id      string
	service string // signing name; "" until it is known
	region  string // that the signature is for
	codec   protocol.Codec
	family  sigv4.Family // how the service words failures of authentication
	span    telemetry.Span
	began   bool // the answer is on its way: no other can be given
	// extended is when the client was last given time, written what it was sent since.
	extended time.Time
	written  int
}

// WriteHeader begins the answer.
func (x *exchange) WriteHeader(status int) {
	_ = x.extend() // a test's writer may have no deadline
	x.ResponseWriter.WriteHeader(status)
	x.began = true
}

// extend gives the client time for the answer, or for another part of it.
func (x *exchange) extend() error {
	x.extended, x.written = time.Now(), 0
	return http.NewResponseController(x.ResponseWriter).SetWriteDeadline(time.Now().Add(answerTimeout))
}

// Write begins the answer if WriteHeader has not.
func (x *exchange) Write(b []byte) (int, error) {
	if !x.began {
		x.WriteHeader(http.StatusOK)
	}
	// How long all of an object may take depends on its length alone, and a function may take its time between the parts of a response.
	if x.written += len(b); x.written > patience || time.Since(x.extended) > answerTimeout/2 {
		_ = x.extend() // a test's writer may have no deadline
	}
	return x.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// answer does one exchange; an error means that nothing was written yet.
func (s *Server) answer(x *exchange, r *http.Request) error {
	signed, unsigned := sigv4.Parse(r)
	switch {
	case unsigned == nil:
		s.address(x, s.serviceOf(r, signed.Service), r)
	case r.Method != http.MethodPost: // no other has what tells the service in its body
		s.guess(x, &protocol.Request{HTTP: r})
	}
	if codec, ok := x.codec.(protocol.StreamingCodec); ok {
		return s.answerStreaming(x, r, codec, signed, unsigned)
	}
	body, release, err := s.readBody(x, r)
	if err != nil {
		return err
	}
	defer release()
	req := &protocol.Request{HTTP: r, Body: body}
	if unsigned != nil && x.service == "" {
		s.guess(x, req)
	}
	op, unknown := x.codec.Operation(req)
	caller := anonymous()
	if s.isOpen(x, op, unknown, unsigned) {
		x.region = s.config.Region
	} else if caller, err = s.authenticate(x, req, signed, unsigned); err != nil {
		return err
	}
	if unknown != nil {
		return unknown
	}
	return s.run(x, req, op, caller, nil)
}

// isOpen tells a request whose caller is anonymous: one without a signature for an operation that needs none, or any for one that is open.
func (s *Server) isOpen(x *exchange, op *protocol.Operation, unknown, unsigned error) bool {
	if unknown != nil {
		return false
	}
	return op.Open || errors.Is(unsigned, sigv4.ErrUnsigned) && s.config.Dispatcher.TakesUnsigned(x.service, op.Name)
}

func anonymous() principal.Caller {
	return principal.Caller{Principal: authz.Principal{Kind: authz.Anonymous}}
}

// run does the operation of a request that is known to be the caller's, and answers.
func (s *Server) run(
	x *exchange, req *protocol.Request, op *protocol.Operation, caller principal.Caller, signature *service.Signature,
) error {
	r := req.HTTP
	x.span.Call(x.service, op.Name, x.id)
	call := s.call(x, r, op.Name)
	call.Caller, call.Account, call.Signature = caller, caller.Account, signature
	in, err := x.codec.Decode(req, op)
	if err != nil {
		return err
	}
	got, err := s.config.Dispatcher.Do(r.Context(), call, in)
	if markErr := s.markDecision(x, got); markErr != nil {
		return markErr
	}
	if err != nil {
		return err
	}
	if stream, ok := got.Output.(*protocol.Stream); ok {
		return s.stream(r.Context(), x, op, stream)
	}
	if err := x.codec.Encode(x, op, got.Output, x.id); err != nil {
		return fmt.Errorf("encode answer of %s: %w", op.Name, err)
	}
	s.requests.WithLabelValues(x.service, "2xx").Inc()
	return nil
}

// stream answers with events. The client may take as long for each as for an answer.
func (s *Server) stream(ctx context.Context, x *exchange, op *protocol.Operation, stream *protocol.Stream) error {
	codec, ok := x.codec.(protocol.StreamCodec)
	if !ok {
		return fmt.Errorf("the protocol of %s has no streams", x.service)
	}
	if err := codec.EncodeHead(x, op, stream.Output, x.id); err != nil {
		return fmt.Errorf("encode answer of %s: %w", op.Name, err)
	}
	events := protocol.NewEvents(x, x.extend)
	if err := stream.Send(ctx, events); err != nil && ctx.Err() == nil {
		e := s.answerable(ctx, x, err)
		s.count(x, e)
		_ = events.Fail(e) // the client may be gone
		return nil
	}
	s.requests.WithLabelValues(x.service, "2xx").Inc()
	return nil
}

func (s *Server) call(x *exchange, r *http.Request, operation string) *service.Call {
	c := &service.Call{
		RequestID: x.id, Time: s.config.Now(), Region: x.region, Partition: s.config.Partition,
		Service: x.service, Operation: operation,
		UserAgent: r.UserAgent(), Referer: r.Referer(), SecureTransport: r.TLS != nil, Host: r.Host, TraceID: r.Header.Get("X-Amzn-Trace-Id"),
	}
	if addr, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.SourceIP = addr.Addr().Unmap().WithZone("")
	}
	return c
}

// messageHeader has an encoded message about a denial, which sts:DecodeAuthorizationMessage takes.
const messageHeader = "x-licet-authorization-message"

// explainHeader has the command that explains a denial.
const explainHeader = "x-licet-explain"

// markDecision tells in observe mode what enforce mode would have done, and gives a denial its message. A call that ended before a
// decision has no mark.
func (s *Server) markDecision(x *exchange, a dispatch.Answer) error {
	if a.Denied {
		message, err := s.config.Message(x.id)
		if err != nil {
			return err
		}
		x.Header().Set(messageHeader, message)
		x.Header().Set(explainHeader, "licet explain "+x.id)
	}
	if !a.Observed {
		return nil
	}
	decision := "allowed"
	if a.Denied {
		decision = "denied; let through by observe mode"
	}
	x.Header().Set("x-licet-decision", decision)
	return nil
}

// fail answers with an error. Only *awserr.Error shows its text.
func (s *Server) fail(ctx context.Context, x *exchange, err error) {
	e := s.answerable(ctx, x, err)
	s.count(x, e)
	x.codec.EncodeError(x, e, x.id)
}

// answerable finds what a client is told of an error, and logs what is the server's own fault.
func (s *Server) answerable(ctx context.Context, x *exchange, err error) *awserr.Error {
	e, ok := errors.AsType[*awserr.Error](err)
	if !ok {
		e = awserr.Internal(err)
	}
	if errors.Is(err, dispatch.ErrPanic) {
		s.panics.Inc()
	}
	if serverFault(e) {
		s.config.Logger.ErrorContext(ctx, "A request could not be answered.", "request_id", x.id, "service", x.service, "err", err)
	}
	return e
}

// count counts a request that failed.
func (s *Server) count(x *exchange, e *awserr.Error) {
	name := x.service
	if name == "" {
		name = "unknown"
	}
	x.span.Fail(e.Code)
	s.requests.WithLabelValues(name, fmt.Sprintf("%dxx", e.Status/100)).Inc()
}

// serverFault tells whether somebody who runs the server must act.
func serverFault(e *awserr.Error) bool {
	switch e.Status {
	case http.StatusNotImplemented, http.StatusServiceUnavailable:
		return false
	case http.StatusBadGateway: // such as Lambda's InvalidRuntimeException, which is about the function
		return e.Members["Type"] != "User"
	}
	return e.Status >= http.StatusInternalServerError
}

// unavailable asks the client to try again (https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html, ServiceUnavailable).
func unavailable(message string) error {
	return awserr.New("ServiceUnavailable", http.StatusServiceUnavailable, "%s", message)
}
