package console

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/licet/licet/internal/audit"
	"github.com/licet/licet/internal/awserr"
)

// shownDecisions is how many lines the log shows.
const shownDecisions = 100

// filters are those of the log, as they stand in the URL.
type filters struct {
	Verdict, Principal, Action, Resource, Since string
}

type decisionsPage struct {
	Filters filters
	// Query is the filters', for links.
	Query   string
	Entries listed[entry]
}

// Any tells whether anything is filtered.
func (f filters) Any() bool { return f != filters{} }

func (c *Console) decisions(w http.ResponseWriter, v *visit) error {
	q := v.URL.Query()
	if id := strings.TrimSpace(q.Get("request")); id != "" {
		if uuid.Validate(id) != nil {
			return awserr.New("ValidationException", http.StatusBadRequest, "A request id is a UUID.")
		}
		http.Redirect(w, v.Request, Pages+"decisions/"+url.PathEscape(id), http.StatusSeeOther)
		return nil
	}
	body := decisionsPage{Query: v.URL.RawQuery, Filters: filters{
		Verdict: q.Get("verdict"), Principal: strings.TrimSpace(q.Get("principal")), Action: strings.TrimSpace(q.Get("action")),
		Resource: strings.TrimSpace(q.Get("resource")), Since: strings.TrimSpace(q.Get("since"))}}
	filter, keep, err := body.Filters.compile(c.config.Now())
	if err != nil {
		return err
	}
	if body.Entries, err = c.entries(v, filter, shownDecisions, keep); err != nil {
		return err
	}
	if q.Get("part") == "rows" { // what the script asks for
		return c.draw(w, http.StatusOK, "decisions", "rows", body.Entries.Items)
	}
	return c.show(w, v, "decisions", "Decisions", body)
}

func (f filters) compile(now time.Time) (audit.Filter, func(audit.Record) bool, error) {
	out := audit.Filter{Principal: f.Principal, Action: f.Action, Resource: f.Resource}
	var keep func(audit.Record) bool
	switch f.Verdict {
	case "":
	case "denied":
		out.DeniedOnly = true
	case "allowed":
		keep = func(rec audit.Record) bool { return rec.Allowed }
	default:
		return out, nil, awserr.New("ValidationException", http.StatusBadRequest, "verdict must be allowed or denied.")
	}
	if f.Since == "" {
		return out, keep, nil
	}
	if d, err := time.ParseDuration(f.Since); err == nil && d > 0 {
		out.Since = now.Add(-d)
		return out, keep, nil
	}
	since, err := time.Parse(time.RFC3339, f.Since)
	if err != nil {
		return out, nil, awserr.New("ValidationException", http.StatusBadRequest,
			"since must be a time such as 2026-01-02T15:04:05Z, or how long ago, such as 15m.")
	}
	out.Since = since
	return out, keep, nil
}
