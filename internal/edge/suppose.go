package edge

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
)

// SupposePage answers what would be decided: ?as=ARN&action=A&resource=ARN&context=key=value.
const SupposePage = pagePrefix + "suppose"

// Question is a call that nobody makes.
type Question struct {
	// Principal is an ARN, or the name of a service.
	Principal string
	Action    string
	// Resource is an ARN, or "*".
	Resource string
	// Context has keys that the call would have besides those that every call has, or otherwise.
	Context authz.Context
}

// Supposition is what a call would be judged by.
type Supposition struct {
	Request  authz.Request
	Policies authz.Policies
	// Notes say what could not be found out.
	Notes []string
}

// Suppositions gathers what an account's principals would be judged by. Its errors are for the client.
type Suppositions interface {
	Suppose(ctx context.Context, account string, q Question) (Supposition, error)
}

// suppose answers GET /_licet/suppose. Nothing is recorded, and nothing runs.
func (s *Server) suppose(w http.ResponseWriter, r *http.Request, account string) error {
	q := r.URL.Query()
	question := Question{Principal: q.Get("as"), Action: q.Get("action"), Resource: q.Get("resource")}
	if question.Resource == "" {
		question.Resource = "*"
	}
	if question.Principal == "" || question.Action == "" {
		return invalidPage("as and action must be given.")
	}
	var err error
	if question.Context, err = ContextOf(q["context"]); err != nil {
		return err
	}
	e, err := s.explainSupposed(r.Context(), account, question)
	if err != nil {
		return err
	}
	return writeJSON(w, e)
}

func (s *Server) explainSupposed(ctx context.Context, account string, question Question) (Explanation, error) {
	supposed, err := s.config.Suppositions.Suppose(ctx, account, question)
	if err != nil {
		return Explanation{}, err
	}
	explain := authz.Explain
	if isForeign(account, supposed.Request) {
		explain = explainForeign
	}
	x := Explained{Explanation: explain(supposed.Request, supposed.Policies)}
	service, _, _ := strings.Cut(question.Action, ":")
	e := Explanation{Notes: supposed.Notes, Decisions: []Explained{x}, Record: audit.Record{
		Time: s.config.Now(), Account: account, Region: s.config.Region, Service: service, Mode: "supposed", Allowed: x.Decision.Allowed,
		Caller: principal.Caller{Principal: supposed.Request.Principal},
	}}
	var text strings.Builder
	text.WriteString("supposed: nobody made this call\n\n")
	for _, n := range e.Notes {
		text.WriteString(n + "\n")
	}
	text.WriteString(x.Explanation.Text())
	e.Text = text.String()
	e.Report = reportOf(e)
	return e, nil
}

// ContextOf reads keys of the form name=value. A name that comes again is a key of several values.
func ContextOf(pairs []string) (authz.Context, error) {
	var keys authz.Context
	values := make(map[string][]string)
	var names []string
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return keys, invalidPage("context must be of the form key=value.")
		}
		if values[name] == nil {
			names = append(names, name)
		}
		values[name] = append(values[name], value)
	}
	for _, name := range names {
		if list := values[name]; len(list) > 1 {
			keys.SetList(name, list...)
		} else {
			keys.Set(name, list[0])
		}
	}
	return keys, nil
}

func invalidPage(message string) error {
	return awserr.New("ValidationException", http.StatusBadRequest, "%s", message)
}

// filterOf reads the filters of the list of decisions.
func filterOf(r *http.Request) (audit.Filter, error) {
	q := r.URL.Query()
	f := audit.Filter{
		DeniedOnly: q.Get("denied") == "true", Action: q.Get("action"), Principal: q.Get("principal"), Resource: q.Get("resource"),
	}
	if v := q.Get("since"); v != "" {
		since, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return f, invalidPage("since must be a time such as 2026-01-02T15:04:05Z.")
		}
		f.Since = since
	}
	return f, nil
}
