package console

import (
	"time"

	"github.com/licet/licet/internal/audit"
)

// entry is a line of the decision log.
type entry struct {
	RequestID string
	Time      time.Time
	Allowed   bool
	// Passed tells of a denied call that was let through: the server, or a recording, observes.
	Passed    bool
	Operation string
	Principal string
	// Resource of the decision that denied, else of the first.
	Action, Resource string
	// By is the type of policy that decided, or what else did.
	By string
	// Failure is the error's code of an operation that was let through.
	Failure string
}

func entryOf(rec audit.Record) entry {
	e := entry{RequestID: rec.RequestID, Time: rec.Time, Allowed: rec.Allowed, Passed: !rec.Allowed && rec.Mode == "observe",
		Operation: rec.Service + ":" + rec.Operation, Principal: rec.Caller.ARN, By: rec.Exempt}
	if rec.Caller.ARN == "" {
		e.Principal = "anonymous"
	}
	if rec.Failure != nil {
		e.Failure = rec.Failure.Code
	}
	for i, d := range rec.Decisions {
		if i == 0 || !d.Allowed {
			e.Action, e.Resource, e.By = d.Request.Action, d.Request.Resource, string(d.By)
			if d.By == "" {
				e.By = d.Note
			}
		}
		if !d.Allowed {
			break
		}
	}
	return e
}

// entries reads at most n records that keep wants; nil wants all.
func (c *Console) entries(v *visit, f audit.Filter, n int, keep func(audit.Record) bool) (listed[entry], error) {
	var items []entry
	more := false
	err := c.config.Log.EachDecision(v.Context(), v.caller, f, func(rec audit.Record) bool {
		if keep != nil && !keep(rec) {
			return true
		}
		if len(items) == n {
			more = true
			return false
		}
		items = append(items, entryOf(rec))
		return true
	})
	return list(items, more, err)
}
