package console

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/dispatch"
	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// Root is where a person begins. All pages are below Pages, and so is the cookie: paths beside it are those of function URLs.
const (
	Root  = "/_licet/"
	Pages = Root + "console/"
)

// Door does operations, and judges them first.
type Door interface {
	Do(ctx context.Context, c *service.Call, in any) (dispatch.Answer, error)
}

// Log is what an account's root may know of decisions. It refuses other callers with an *awserr.Error.
type Log interface {
	EachDecision(ctx context.Context, caller principal.Caller, f audit.Filter, fn func(audit.Record) (more bool)) error
	ExplainDecision(ctx context.Context, caller principal.Caller, requestID string) (edge.Explanation, error)
	ExplainSupposed(ctx context.Context, caller principal.Caller, q edge.Question) (edge.Explanation, error)
	LeastPolicyOf(ctx context.Context, caller principal.Caller, role string, f audit.Filter) (edge.LeastPolicy, error)
}

// Config holds what a Console needs. Every field is required but Hosts.
type Config struct {
	Keys edge.Keys
	Door Door
	Log  Log
	// Others tells whether a request is, by its host name, for something else on the same port: a function URL, a bucket.
	Others func(*http.Request) bool
	// Seals makes cookies.
	Seals principal.Keyring
	// Hosts are names by which the console answers beside those of loopback.
	Hosts  []string
	Now    func() time.Time
	Logger *slog.Logger
	// Region, Partition and Mode are the server's.
	Region    string
	Partition string
	Mode      dispatch.Mode
}

// Console is the HTTP handler of the console.
type Console struct {
	config   Config
	mux      *http.ServeMux
	pages    func() (map[string]*template.Template, error) // read when the first is shown
	attempts *attempts
}

//go:embed templates assets
var files embed.FS

// New makes a console.
func New(config Config) *Console {
	c := &Console{config: config, pages: sync.OnceValues(readPages), attempts: newAttempts(config.Now)}
	c.mux = c.routes()
	return c
}

// readPages reads the templates by their names.
func readPages() (map[string]*template.Template, error) {
	layout, err := template.New("layout.html").Funcs(words).ParseFS(files, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("read the console's layout: %w", err)
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("list the console's pages: %w", err)
	}
	pages := make(map[string]*template.Template, len(names))
	for _, name := range names {
		page, err := layout.Clone()
		if err == nil {
			page, err = page.ParseFS(files, name)
		}
		if err != nil {
			return nil, fmt.Errorf("read the console's page %s: %w", name, err)
		}
		pages[strings.TrimSuffix(strings.TrimPrefix(name, "templates/"), ".html")] = page
	}
	return pages, nil
}

func (c *Console) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Root+"{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, Pages, http.StatusSeeOther) })
	mux.HandleFunc("GET "+Pages+"{$}", c.signedIn(c.overview))
	mux.HandleFunc("GET "+Pages+"sign-in", c.signInForm)
	mux.HandleFunc("POST "+Pages+"sign-in", c.signIn)
	mux.HandleFunc("POST "+Pages+"sign-out", c.signOut)
	mux.HandleFunc("GET "+Pages+"functions", c.signedIn(c.functions))
	mux.HandleFunc("GET "+Pages+"functions/{name}", c.signedIn(c.function))
	mux.HandleFunc("GET "+Pages+"roles", c.signedIn(c.roles))
	mux.HandleFunc("GET "+Pages+"roles/{name}", c.signedIn(c.role))
	mux.HandleFunc("GET "+Pages+"decisions", c.signedIn(c.decisions))
	mux.HandleFunc("GET "+Pages+"decisions/{id}", c.signedIn(c.decision))
	mux.HandleFunc("GET "+Pages+"suppose", c.signedIn(c.suppose))
	mux.HandleFunc("GET "+Pages+"matrix", c.signedIn(c.matrix))
	mux.HandleFunc("GET "+Pages+"assets/{file}", c.asset)
	mux.HandleFunc(Root, func(w http.ResponseWriter, r *http.Request) {
		c.fail(w, r, nil, awserr.New("ResourceNotFoundException", http.StatusNotFound, "The console has no such page."))
	})
	return mux
}

// ServeHTTP answers one request.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			c.config.Logger.ErrorContext(r.Context(), "A request made the console panic.", "panic", p, "stack", string(debug.Stack()))
			http.Error(w, "Internal failure.", http.StatusInternalServerError)
		}
	}()
	// A page that is slow to read must not hold a connection for ever. A test's writer may have no deadline.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTimeout))
	protect(w.Header())
	if !c.knows(r.Host) {
		http.Error(w, "The console does not answer under this host name. --console-host allows it.", http.StatusMisdirectedRequest)
		return
	}
	if !shown(r) {
		c.fail(w, r, nil, awserr.New("AccessDeniedException", http.StatusForbidden,
			"The console answers only a browser that shows it and says so (Sec-Fetch-Dest), as browsers do by HTTPS, and under localhost or a loopback address."))
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !sameOrigin(r) {
		c.fail(w, r, nil, awserr.New("AccessDeniedException", http.StatusForbidden, "The form was not sent from a page of this console."))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	c.mux.ServeHTTP(w, r)
}

const (
	// maxForm has room for a session token with all that it may carry.
	maxForm       = 64 << 10
	answerTimeout = time.Minute
)

// signed answers a request of somebody who is signed in. An error means that nothing was written.
type signed func(w http.ResponseWriter, v *visit) error

// visit is a request of somebody who is signed in.
type visit struct {
	*http.Request
	session session
	caller  principal.Caller
}

func (c *Console) signedIn(h signed) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := c.visit(r)
		if errors.Is(err, errSignedOut) {
			http.Redirect(w, r, Pages+"sign-in", http.StatusSeeOther) // never back to where a link wanted to go
			return
		}
		if err == nil {
			err = h(w, v)
		}
		if err != nil {
			c.fail(w, r, v, err)
		}
	}
}

// call is what dispatch is told of a page's question: it is the visitor's own.
func (c *Console) call(v *visit, serviceName, operation string) *service.Call {
	call := &service.Call{
		RequestID: dispatch.NewRequestID(), Time: c.config.Now(), Caller: v.caller, Account: v.caller.Account,
		Region: c.config.Region, Partition: c.config.Partition, Service: serviceName, Operation: operation,
		UserAgent: v.UserAgent(), Referer: v.Referer(), SecureTransport: v.TLS != nil, Host: v.Host,
	}
	if addr, err := netip.ParseAddrPort(v.RemoteAddr); err == nil {
		call.SourceIP = addr.Addr().Unmap().WithZone("")
	}
	return call
}

// ask does an operation as the visitor. A denial is a *refusal.
func ask[Out any](c *Console, v *visit, serviceName, operation string, in any) (*Out, error) {
	call := c.call(v, serviceName, operation)
	answer, err := c.config.Door.Do(v.Context(), call, in)
	if err != nil {
		if e, ok := errors.AsType[*awserr.Error](err); ok && answer.Denied {
			return nil, &refusal{Action: serviceName + ":" + operation, Message: e.Message, RequestID: call.RequestID}
		}
		return nil, err
	}
	out, ok := answer.Output.(*Out)
	if !ok {
		return nil, fmt.Errorf("%s:%s answered a %T", serviceName, operation, answer.Output)
	}
	return out, nil
}

// refusal is a part of a page that the visitor may not see.
type refusal struct {
	Action, Message string
	// RequestID finds the decision; "" when no policy made it.
	RequestID string
}

// Error is AWS's text of the denial.
func (r *refusal) Error() string { return r.Message }

// refused takes a denial out of an error, to be drawn in the place of what it denied. What is left is a failure of the page.
func refused(err error) (*refusal, error) {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r, nil
	}
	if e, ok := errors.AsType[*awserr.Error](err); ok && e.Status == http.StatusForbidden {
		return &refusal{Action: "licet", Message: e.Message}, nil
	}
	return nil, err
}

// page is what every template is given.
type page struct {
	Title string
	// Active is the entry of the menu.
	Active string
	// SignedIn tells whether Caller is somebody.
	SignedIn bool
	Caller   principal.Caller
	// Token is that of the forms.
	Token   string
	Observe bool
	Body    any
}

// show draws a page whole, so that an error in it can still be answered.
func (c *Console) show(w http.ResponseWriter, v *visit, name, title string, body any) error {
	p := page{Title: title, Active: v.URL.Path, SignedIn: true, Caller: v.caller, Token: v.session.Nonce,
		Observe: c.config.Mode == dispatch.Observe, Body: body}
	return c.draw(w, http.StatusOK, name, "layout.html", p)
}

func (c *Console) draw(w http.ResponseWriter, status int, name, part string, data any) error {
	pages, err := c.pages()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := pages[name].ExecuteTemplate(&b, part, data); err != nil {
		return fmt.Errorf("draw %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client may be gone; there is nobody left to tell
	return nil
}

// fail draws an error. Only *awserr.Error shows its text. v is nil for who is not signed in.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	body := failure{Status: http.StatusInternalServerError, Title: "Internal failure", Message: "The server's log tells more."}
	refusal, rest := refused(err)
	if e, ok := errors.AsType[*awserr.Error](rest); ok && e.Status < http.StatusInternalServerError {
		body = failure{Status: e.Status, Title: http.StatusText(e.Status), Message: e.Message}
	} else if refusal != nil {
		body = failure{Status: http.StatusForbidden, Title: "Denied", Denied: refusal}
	} else {
		c.config.Logger.ErrorContext(r.Context(), "A page of the console could not be answered.", "path", r.URL.Path, "err", err)
	}
	p := page{Title: body.Title, Body: body, Observe: c.config.Mode == dispatch.Observe}
	if v != nil {
		p.SignedIn, p.Caller, p.Token = true, v.caller, v.session.Nonce
	}
	if err := c.draw(w, body.Status, "failure", "layout.html", p); err != nil {
		c.config.Logger.ErrorContext(r.Context(), "A page of the console could not be answered.", "path", r.URL.Path, "err", err)
		http.Error(w, "Internal failure.", http.StatusInternalServerError)
	}
}

type failure struct {
	Status         int
	Title, Message string
	Denied         *refusal
}

// asset answers a file that is the same for everybody.
func (c *Console) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	kinds := map[string]string{
		"console.css": "text/css; charset=utf-8", "console.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	}
	kind, ok := kinds[name]
	text, err := files.ReadFile("assets/" + name)
	if !ok || err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(text) // the client may be gone
}
