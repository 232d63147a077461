package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/licet/licet/internal/edge"
	"github.com/licet/licet/internal/report"
)

// missing is one permission that calls lacked.
type missing struct {
	principal, action, resource string
}

// group is what is known of the calls that lacked it.
type group struct {
	times    int
	last     edge.Explanation
	decision edge.Explained
}

// denialList shows what was denied, one entry for each permission that is missing, in the order in which each was last denied. The
// explanations come newest first.
func denialList(explanations []edge.Explanation) []report.Line {
	groups := make(map[missing]*group)
	var order []missing
	for _, e := range explanations {
		for i, d := range e.Decisions {
			if d.Decision.Allowed || e.Record.Exempt != "" || i >= len(e.Record.Decisions) {
				continue
			}
			m := missing{d.Request.Principal.ARN, d.Request.Action, d.Request.Resource}
			if issuer := d.Request.Principal.IssuerARN; issuer != "" {
				m.principal = issuer
			}
			if groups[m] == nil {
				groups[m] = &group{last: e, decision: d}
				order = append(order, m)
			}
			groups[m].times++
		}
	}
	if len(order) == 0 {
		return []report.Line{{{Text: "Nothing was denied.", Style: report.Good}}}
	}
	slices.Reverse(order)
	var lines []report.Line
	for i, m := range order {
		if i > 0 {
			lines = append(lines, report.Line{})
		}
		lines = append(lines, groups[m].lines(m)...)
	}
	return lines
}

func (g *group) lines(m missing) []report.Line {
	times := ""
	if g.times > 1 {
		times = fmt.Sprintf("  %d times", g.times)
	}
	verdict := "DENIED"
	if g.last.Record.Mode == "observe" {
		verdict = "DENIED, let through"
	}
	who := m.principal
	if who == "" {
		who = "anonymous"
	}
	lines := []report.Line{
		{
			{Text: g.last.Record.Time.UTC().Format(time.RFC3339) + "  ", Style: report.Faint}, {Text: verdict, Style: report.Bad},
			{Text: "  " + m.action, Style: report.Strong}, {Text: times},
		},
		{{Text: "  who       ", Style: report.Faint}, {Text: who}},
		{{Text: "  resource  ", Style: report.Faint}, {Text: m.resource}},
	}
	if fix := g.decision.Fix; fix != nil {
		for _, c := range fix.Changes {
			text := c.Statement
			if text == "" {
				text = "a Deny must go"
				if c.Sid != "" {
					text = "the Deny " + c.Sid + " must go"
				}
			}
			lines = append(lines, report.Line{{Text: "  fix       ", Style: report.Faint}, {Text: string(c.Type) + "  "}, {Text: text, Style: report.Good}})
		}
	}
	return append(lines, report.Line{{Text: "  more      licet explain " + g.last.Record.RequestID, Style: report.Faint}})
}
