package edge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/restjson"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/sigv4"
)

// maxBody bounds a request: the largest that Lambda takes is a 50 MB zip in base64 (limits.json: 70,167,211 bytes).
const maxBody = 70_167_211

// Config holds what a Server needs. Fields are required unless they say otherwise.
type Config struct {
	Dispatcher *dispatch.Dispatcher
	Keys       Keys
	Decisions  Decisions
	// Decide is the evaluator, for explanations.
	Decide func(authz.Request, authz.Policies) authz.Decision
	Code   *CodeLinks
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
	if len(r.URL.Path) >= len(pagePrefix) && r.URL.Path[:len(pagePrefix)] == pagePrefix {
		s.pages.ServeHTTP(w, r)
		return
	}
	s.serveAWS(w, r)
}

// exchange is one AWS request on its way.
type exchange struct {
	id      string
	service string // signing name; "" until it is known
	codec   protocol.Codec
	family  sigv4.Family // how the service words failures of authentication
	w       http.ResponseWriter
	wrote   bool
}

func (s *Server) serveAWS(w http.ResponseWriter, r *http.Request) {
	x := &exchange{id: dispatch.NewRequestID(), w: w, codec: s.fallback}
	defer func() {
		if p := recover(); p != nil {
			s.panics.Inc()
			s.config.Logger.ErrorContext(r.Context(), "A request made the server panic.",
				"request_id", x.id, "panic", p, "stack", string(debug.Stack()))
			s.fail(r.Context(), x, fmt.Errorf("panic: %v", p))
		}
	}()
	if err := s.answer(x, r); err != nil {
		s.fail(r.Context(), x, err)
	}
}

// answer does one exchange; an error means that nothing was written yet.
func (s *Server) answer(x *exchange, r *http.Request) error {
	body, err := readBody(x.w, r)
	if err != nil {
		return err
	}
	req := &protocol.Request{HTTP: r, Body: body}
	caller, err := s.authenticate(x, r, body)
	if err != nil {
		return err
	}
	op, err := x.codec.Operation(req)
	if err != nil {
		return err
	}
	call := s.call(x, r, op.Name)
	call.Caller, call.Account = caller, caller.Account
	in, err := x.codec.Decode(req, op)
	if err != nil {
		return err
	}
	got, err := s.config.Dispatcher.Do(r.Context(), call, in)
	s.markDecision(x, got)
	if err != nil {
		return err
	}
	if err := x.codec.Encode(x.w, op, got.Output, x.id); err != nil {
		return fmt.Errorf("encode answer of %s: %w", op.Name, err)
	}
	x.wrote = true
	s.requests.WithLabelValues(x.service, "2xx").Inc()
	return nil
}

func (s *Server) call(x *exchange, r *http.Request, operation string) *service.Call {
	c := &service.Call{
		RequestID: x.id, Time: s.config.Now(), Region: s.config.Region, Partition: s.config.Partition,
		Service: x.service, Operation: operation,
		UserAgent: r.UserAgent(), SecureTransport: r.TLS != nil, Host: r.Host, TraceID: r.Header.Get("X-Amzn-Trace-Id"),
	}
	if addr, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.SourceIP = addr.Addr().Unmap()
	}
	return c
}

// markDecision tells in observe mode what enforce mode would have done.
func (s *Server) markDecision(x *exchange, a dispatch.Answer) {
	if s.config.Mode != dispatch.Observe {
		return
	}
	decision := "allowed"
	if a.Denied {
		decision = "denied; let through by observe mode"
	}
	x.w.Header().Set("x-licet-decision", decision)
}

// fail answers with an error. Only *awserr.Error shows its text.
func (s *Server) fail(ctx context.Context, x *exchange, err error) {
	e, ok := errors.AsType[*awserr.Error](err)
	if !ok {
		e = awserr.Internal(err)
	}
	if e.Status >= http.StatusInternalServerError && e.Code != "NotImplemented" {
		s.config.Logger.ErrorContext(ctx, "A request could not be answered.", "request_id", x.id, "service", x.service, "err", err)
	}
	if x.wrote {
		return
	}
	x.wrote = true
	name := x.service
	if name == "" {
		name = "unknown"
	}
	s.requests.WithLabelValues(name, fmt.Sprintf("%dxx", e.Status/100)).Inc()
	x.codec.EncodeError(x.w, e, x.id)
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength == 0 {
		return nil, nil
	}
	limited := http.MaxBytesReader(w, r.Body, maxBody)
	var body []byte
	var err error
	if n := r.ContentLength; n > 0 && n <= maxBody {
		body = make([]byte, n)
		_, err = io.ReadFull(limited, body)
	} else {
		body, err = io.ReadAll(limited)
	}
	if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) || r.ContentLength > maxBody {
		return nil, awserr.New("RequestEntityTooLargeException", http.StatusRequestEntityTooLarge,
			"Request must be smaller than %d bytes.", maxBody)
	}
	if err != nil {
		return nil, &awserr.Error{
			Code: "IncompleteBody", Status: http.StatusBadRequest, Cause: err, Message: "The request body ended before its announced length.",
		}
	}
	return body, nil
}

// writeJSON answers a page of licet's own.
func writeJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(b, '\n'))
	return err
}
