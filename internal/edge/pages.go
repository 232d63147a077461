package edge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/oidc"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/report"
	"github.com/licet/licet/internal/sigv4"
)

// Paths of licet's own pages, and the service name that signs requests to them.
const (
	pagePrefix    = "/_licet/"
	DecisionsPage = pagePrefix + "decisions"
	// IssuerPage and an id are the URL of an issuer of tokens.
	IssuerPage  = pagePrefix + "oidc/"
	SigningName = "licet"
)

// Decisions reads the decision log and explains.
type Decisions interface {
	// Get finds a record by its request id, or returns audit.ErrNotFound.
	Get(ctx context.Context, requestID string) (audit.Record, error)
	// List gives an account's records, newest first.
	List(ctx context.Context, account string, f audit.Filter) ([]audit.Record, error)
	// Each calls fn with an account's records, newest first, until fn wants no more.
	Each(ctx context.Context, account string, f audit.Filter, fn func(audit.Record) (more bool)) error
	// Policies restores the policies of a decision as they were.
	Policies(ctx context.Context, p audit.PolicySet) (authz.Policies, error)
}

// Explanation is a record with the walk of each of its decisions.
type Explanation struct {
	Record audit.Record `json:"record"`
	// Decisions, one for each of Record.Decisions.
	Decisions []Explained `json:"decisions"`
	// Notes say what could not be found out.
	Notes []string `json:"notes,omitempty"`
	// Text is the whole report for a person, Report the compact one.
	Text   string        `json:"text"`
	Report []report.Line `json:"report"`
}

// Explained is one decision made again from its recorded inputs.
type Explained struct {
	authz.Explanation
	// Differs says that the verdict now is not the recorded one: the evaluator has changed since.
	Differs bool `json:"differs,omitempty"`
}

// routes are licet's own pages.
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pagePrefix+"health", s.health)
	mux.HandleFunc("GET "+pagePrefix+"ready", s.ready)
	mux.Handle("GET "+pagePrefix+"metrics", promhttp.HandlerFor(s.config.Gatherer, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET "+pagePrefix+"code/{link}", s.code)
	mux.HandleFunc("GET "+IssuerPage+"{id}/.well-known/{document}", s.issuer)
	mux.HandleFunc("GET "+DecisionsPage, s.forRoot(s.listDecisions))
	mux.HandleFunc("GET "+DecisionsPage+"/{id}", s.forRoot(s.explainDecision))
	mux.HandleFunc("GET "+SupposePage, s.forRoot(s.suppose))
	mux.HandleFunc("POST "+InvokeAsPage, s.invokeAs)
	mux.HandleFunc("GET "+PolicyPage, s.forRoot(s.leastPolicy))
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		mux.HandleFunc(method+" "+RecordPage, s.forRoot(s.record))
	}
	return mux
}

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, writeJSON(w, map[string]string{"status": "ok", "region": s.config.Region, "mode": string(s.config.Mode)}))
}

// readyTimeout is how long it may take to find out whether the server is ready.
const readyTimeout = 2 * time.Second

// ready answers whether the server can do its work now, for load balancers. What it lacks is for its log.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if s.config.Ready != nil {
		if err := s.config.Ready(ctx); err != nil {
			s.config.Logger.WarnContext(ctx, "The server is not ready.", "err", err)
			s.page(w, r, unavailable("The server is not ready."))
			return
		}
	}
	s.page(w, r, writeJSON(w, map[string]string{"status": "ready"}))
}

func (s *Server) code(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, s.config.Code.serve(w, r))
}

// Issuers finds the issuers of tokens. The error wraps principal.ErrNoProvider when there is none.
type Issuers interface {
	PublicIssuer(ctx context.Context, id string) (*oidc.Issuer, error)
}

// issuer answers whom a token of GetWebIdentityToken sends here: with what the issuer publishes.
func (s *Server) issuer(w http.ResponseWriter, r *http.Request) {
	found, err := s.config.Issuers.PublicIssuer(r.Context(), r.PathValue("id"))
	document := r.PathValue("document")
	switch {
	case errors.Is(err, principal.ErrNoProvider), err == nil && document != "openid-configuration" && document != "jwks.json":
		err = awserr.New("ResourceNotFoundException", http.StatusNotFound, "There is no such issuer.")
	case err != nil:
	case document == "jwks.json":
		err = writeJSON(w, found.KeySet())
	default:
		err = writeJSON(w, found.Discovery())
	}
	s.page(w, r, err)
}

// page answers for a page that failed before it wrote anything.
func (s *Server) page(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		s.fail(r.Context(), &exchange{ResponseWriter: w, id: dispatch.NewRequestID(), codec: s.fallback, service: SigningName}, err)
	}
}

// ownPage answers a signed request of an account's root. An error means that nothing was written yet.
type ownPage func(w http.ResponseWriter, r *http.Request, account string) error

// forRoot lets in only the root of an account, by a signature for the service "licet": the decision log tells everything about the
// account's policies and calls. A session of AssumeRoot is for the task of its policy, which is none of these pages.
func (s *Server) forRoot(h ownPage) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{ResponseWriter: w, id: dispatch.NewRequestID(), codec: s.fallback, service: SigningName}
		account, err := s.root(x, r, nil, "read its decision log")
		if err == nil {
			err = h(x, r, account)
		}
		if err != nil {
			s.fail(r.Context(), x, err)
		}
	}
}

// root is the account whose root signed a request with this body. what is for the others, who may not do it.
func (s *Server) root(x *exchange, r *http.Request, body []byte, what string) (account string, err error) {
	if err := s.admits(r); err != nil {
		return "", err
	}
	signed, err := sigv4.Parse(r)
	caller, err := s.authenticate(x, &protocol.Request{HTTP: r, Body: body}, signed, err)
	if err != nil {
		return caller.Account, err
	}
	return onlyRoot(caller, what)
}

// admits wants a client on this machine, or where the configuration says: what a root may ask about an account must not be reached from
// everywhere the account's services are, nor from inside a function.
func (s *Server) admits(r *http.Request) error {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err == nil {
		ip := addr.Addr().Unmap().WithZone("")
		if ip.IsLoopback() || slices.ContainsFunc(s.config.AdminFrom, func(p netip.Prefix) bool { return p.Contains(ip) }) {
			return nil
		}
	}
	return awserr.New("AccessDeniedException", http.StatusForbidden,
		"The server's own pages are for clients on its machine, and for those that --admin-from names.")
}

// onlyRoot is the account of a caller that is its root, and acts with all of the root's rights.
func onlyRoot(caller principal.Caller, what string) (account string, err error) {
	if caller.Kind != authz.Root || caller.Session != nil && caller.Session.HasPolicies {
		err = awserr.New("AccessDeniedException", http.StatusForbidden, "Only the root of an account may %s.", what)
	}
	return caller.Account, err
}

// listDecisions answers GET /_licet/decisions?denied=&since=&action=&principal=&resource=&limit=&explain=.
func (s *Server) listDecisions(w http.ResponseWriter, r *http.Request, account string) error {
	q := r.URL.Query()
	f, err := filterOf(r)
	if err != nil {
		return err
	}
	f.Limit = 100
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 1000 {
			return awserr.New("ValidationException", http.StatusBadRequest, "limit must be a number from 1 to 1000.")
		}
		f.Limit = n
	}
	records, err := s.config.Decisions.List(r.Context(), account, f)
	if err != nil {
		return fmt.Errorf("list decisions: %w", err)
	}
	explained := make([]Explanation, len(records))
	for i, rec := range records {
		records[i] = seenBy(account, rec)
		if q.Get("explain") != "true" {
			continue
		}
		if explained[i], err = s.explain(r.Context(), account, rec); err != nil {
			return err
		}
	}
	if q.Get("explain") != "true" {
		return writeJSON(w, records)
	}
	return writeJSON(w, explained)
}

// explainDecision answers GET /_licet/decisions/{id}.
func (s *Server) explainDecision(w http.ResponseWriter, r *http.Request, account string) error {
	e, err := s.explainID(r.Context(), account, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, e)
}

func (s *Server) explainID(ctx context.Context, account, id string) (Explanation, error) {
	var rec audit.Record
	err := uuid.Validate(id) // the id becomes part of a key
	if err == nil {
		if rec, err = s.config.Decisions.Get(ctx, id); err != nil && !errors.Is(err, audit.ErrNotFound) {
			return Explanation{}, fmt.Errorf("read decision: %w", err)
		}
	}
	if err != nil || rec.Account != account {
		return Explanation{}, awserr.New("ResourceNotFoundException", http.StatusNotFound, "The decision log has no request %s.", id)
	}
	return s.explain(ctx, account, rec)
}

// explain makes each decision of a record again, from the same inputs by the same function, with the walk written down as far as
// the account may see it.
func (s *Server) explain(ctx context.Context, account string, rec audit.Record) (Explanation, error) {
	e := Explanation{Record: seenBy(account, rec)}
	var text strings.Builder
	fmt.Fprintf(&text, "%s  %s:%s  request %s\n", rec.Time.UTC().Format(time.RFC3339), rec.Service, rec.Operation, rec.RequestID)
	if rec.Exempt != "" {
		fmt.Fprintf(&text, "allowed, whatever the policies say: %s\n", rec.Exempt)
	}
	if rec.Mode == "observe" && !rec.Allowed {
		text.WriteString("observe mode: the call was let through although it is denied\n")
	}
	if f := e.Record.Failure; f != nil {
		fmt.Fprintf(&text, "answered %s: %s\n", f.Code, f.Message)
		if f.Detail != "" {
			fmt.Fprintf(&text, "  %s\n", f.Detail)
		}
	}
	for _, d := range rec.Decisions {
		if s.config.Remark != nil {
			if remark := s.config.Remark(rec.Service, d.Request.Action, d.Request.Resource); remark != "" {
				e.Notes = append(e.Notes, remark)
				fmt.Fprintln(&text, remark)
			}
		}
		x, err := s.decideAgain(ctx, account, d)
		if err != nil {
			return Explanation{}, fmt.Errorf("explain %s: %w", rec.RequestID, err)
		}
		e.Decisions = append(e.Decisions, x)
		text.WriteString("\n")
		if d.Note != "" {
			fmt.Fprintf(&text, "%s: %s\n", d.Request.Action, d.Note)
			continue
		}
		text.WriteString(x.Explanation.Text())
		if x.Differs {
			text.WriteString("This version of licet decides otherwise than the one that answered the request.\n")
		}
	}
	e.Text = text.String()
	e.Report = reportOf(e)
	return e, nil
}

func (s *Server) decideAgain(ctx context.Context, account string, d audit.Decision) (Explained, error) {
	foreign := isForeign(account, d.Request)
	if d.Note != "" { // no policy decided
		if foreign {
			d.Request.Context = withoutTheirs(d.Request.Context)
		}
		decision := authz.Decision{Allowed: d.Allowed, By: d.By, Note: d.Note}
		return Explained{Explanation: authz.Explanation{Request: d.Request, Decision: decision}}, nil
	}
	policies, err := s.config.Decisions.Policies(ctx, d.Policies)
	if err != nil {
		return Explained{}, fmt.Errorf("restore policies: %w", err)
	}
	explain := authz.Explain
	if foreign {
		explain = explainForeign
	}
	x := Explained{Explanation: explain(d.Request, policies)}
	x.Differs = x.Decision.Allowed != d.Allowed
	return x, nil
}

// writeJSON answers a page of licet's own. An error means that nothing was written.
func writeJSON(w http.ResponseWriter, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(b, '\n')) // the client may be gone; there is nobody left to tell
	return nil
}
