package edge

import (
	"time"

	"github.com/licet/licet/internal/report"
)

// reportOf is the compact report of an explanation: a headline, and each decision.
func reportOf(e Explanation) []report.Line {
	rec := e.Record
	head := rec.Time.UTC().Format(time.RFC3339) + "  "
	if rec.RequestID == "" {
		head += "supposed: nobody made this call"
	} else {
		head += rec.Service + ":" + rec.Operation + "  request " + rec.RequestID
	}
	lines := []report.Line{{{Text: head, Style: report.Faint}}}
	add := func(style report.Style, text string) { lines = append(lines, report.Line{{Text: text, Style: style}}) }
	if rec.Exempt != "" {
		add(report.Plain, "allowed, whatever the policies say: "+rec.Exempt)
	}
	if rec.Mode == "observe" && !rec.Allowed {
		add(report.Bad, "observe mode: the call was let through although it is denied")
	}
	if f := rec.Failure; f != nil {
		add(report.Plain, "answered "+f.Code+": "+f.Message)
		if f.Detail != "" {
			add(report.Plain, "  "+f.Detail)
		}
	}
	for _, n := range e.Notes {
		add(report.Plain, n)
	}
	for i, x := range e.Decisions {
		if i > 0 {
			lines = append(lines, report.Line{})
		}
		if i < len(rec.Decisions) && rec.Decisions[i].Note != "" {
			add(report.Plain, x.Request.Action+": "+rec.Decisions[i].Note)
			continue
		}
		lines = append(lines, report.Of(x.Explanation)...)
		if x.Differs {
			add(report.Bad, "This version of licet decides otherwise than the one that answered the request.")
		}
	}
	return lines
}
