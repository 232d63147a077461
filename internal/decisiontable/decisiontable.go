// Package decisiontable shows how many calls would be decided: principals × actions × resources, as a table for people and as JSON and CSV.
//
// It is pure and decides nothing: whoever uses it brings the answers, which internal/landscape or a server gave. The order of the cells is
// kept. A table is not changed once it is made, and may be shown by many goroutines.
package decisiontable

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/landscape"
	"github.com/licet/licet/internal/report"
)

// Outcome is how a call would end.
type Outcome string

// The outcomes.
const (
	Allow Outcome = "allow"
	// ImplicitDeny: no policy allows it that would have to.
	ImplicitDeny Outcome = "implicit deny"
	// ExplicitDeny: a statement denies it.
	ExplicitDeny Outcome = "explicit deny"
	// Conditional: an implicit deny of which nothing but conditions is the cause. Another context would be allowed.
	Conditional Outcome = "conditional"
	// Unsure: it depends on what is not known.
	Unsure Outcome = "unsure"
)

// Cell is one call and how it would end.
type Cell struct {
	Principal string  `json:"principal"`
	Action    string  `json:"action"`
	Resource  string  `json:"resource"`
	Outcome   Outcome `json:"outcome"`
	// By is the type of policy that decides; "" when none does.
	By authz.PolicyType `json:"by,omitempty"`
	// Reason is a sentence or a clause, for a person.
	Reason string `json:"reason"`
	// Notes are what was assumed.
	Notes []string `json:"notes,omitempty"`
	// Explanation is the decision with its walk. Of an unsure call it is one of two decisions.
	Explanation *authz.Explanation `json:"explanation,omitempty"`
}

// CellOf makes a cell of an answer.
func CellOf(c landscape.Call, a landscape.Answer) Cell {
	x := a.Explanation
	cell := Cell{
		Principal: c.Principal, Action: c.Action, Resource: c.Resource, By: x.Decision.By, Reason: x.Message, Notes: a.Notes, Explanation: &x,
	}
	switch d := x.Decision; {
	case a.Unsure != nil:
		cell.Outcome, cell.By, cell.Reason = Unsure, "", "depends on what is not known: "+strings.Join(a.Unsure, "; ")
	case d.Allowed:
		cell.Outcome, cell.Reason = Allow, d.Note
		if d.Policy != nil {
			cell.Reason = fmt.Sprintf("allowed by the %s policy %s", d.By, nameOf(*d.Policy))
		}
	case d.Explicit:
		cell.Outcome = ExplicitDeny
	case onlyConditions(x.Fix):
		cell.Outcome = Conditional
		var conditions []string
		for _, change := range x.Fix.Changes {
			conditions = append(conditions, change.Condition.Operator+" "+change.Condition.Key)
		}
		cell.Reason = "allowed if the request meets " + strings.Join(conditions, " and ")
	default:
		cell.Outcome = ImplicitDeny
	}
	return cell
}

func nameOf(p authz.Policy) string {
	if p.Name != "" {
		return p.Name
	}
	return p.ARN
}

// onlyConditions tells whether meeting conditions is all that a fix has.
func onlyConditions(f *authz.Fix) bool {
	return f != nil && f.Verified && len(f.Changes) > 0 &&
		!slices.ContainsFunc(f.Changes, func(c authz.Change) bool { return c.Kind != authz.MeetCondition || c.Condition == nil })
}

// Report is a table for each principal, with a line for each action and a column for each resource. Where there are several resources they
// are listed above, by letters.
func Report(cells []Cell) []report.Line {
	var lines []report.Line
	resources := distinct(cells, func(c Cell) string { return c.Resource })
	heads := make([]string, len(resources))
	for i, r := range resources {
		heads[i] = r
		if len(resources) > 1 {
			heads[i] = letters(i)
			lines = append(lines, report.Line{{Text: fmt.Sprintf("%-3s", heads[i]), Style: report.Strong}, {Text: " " + r}})
		}
	}
	for _, principal := range distinct(cells, func(c Cell) string { return c.Principal }) {
		if len(lines) > 0 {
			lines = append(lines, report.Line{})
		}
		lines = append(lines, table(principal, heads, resources, cells)...)
	}
	return lines
}

// table is that of one principal.
func table(principal string, heads, resources []string, cells []Cell) []report.Line {
	byPlace := make(map[[2]string]Outcome)
	var own []Cell
	for _, c := range cells {
		if c.Principal == principal {
			byPlace[[2]string{c.Action, c.Resource}] = c.Outcome
			own = append(own, c)
		}
	}
	actions := distinct(own, func(c Cell) string { return c.Action })
	first := utf8.RuneCountInString(principal)
	for _, a := range actions {
		first = max(first, utf8.RuneCountInString(a))
	}
	width := len(ImplicitDeny)
	row := report.Line{{Text: pad(principal, first), Style: report.Strong}}
	for _, h := range heads {
		row = append(row, report.Piece{Text: "  " + pad(h, width), Style: report.Strong})
	}
	lines := []report.Line{row}
	for _, a := range actions {
		row := report.Line{{Text: pad(a, first)}}
		for _, r := range resources {
			o, there := byPlace[[2]string{a, r}]
			if !there {
				o = "-"
			}
			row = append(row, report.Piece{Text: "  " + pad(string(o), width), Style: style(o)})
		}
		lines = append(lines, row)
	}
	return lines
}

func style(o Outcome) report.Style {
	switch o {
	case Allow:
		return report.Good
	case ExplicitDeny:
		return report.Bad
	case Conditional, Unsure:
		return report.Strong
	default:
		return report.Faint
	}
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// letters name columns as spreadsheets do: A to Z, AA, AB.
func letters(i int) string {
	text := string(rune('A' + i%26))
	if i >= 26 {
		text = letters(i/26-1) + text
	}
	return text
}

func distinct(cells []Cell, of func(Cell) string) (list []string) {
	seen := make(map[string]bool)
	for _, c := range cells {
		if text := of(c); !seen[text] {
			seen[text] = true
			list = append(list, text)
		}
	}
	return list
}

// Explain tells for each cell why, with the smallest fix of what is denied.
func Explain(cells []Cell) []report.Line {
	var lines []report.Line
	for _, c := range cells {
		if len(lines) > 0 {
			lines = append(lines, report.Line{})
		}
		if c.Outcome == Unsure { // one has two decisions, of which neither will be made
			lines = append(lines, report.Line{{Text: "UNSURE: " + c.Principal + " " + c.Action + " " + c.Resource + " " + c.Reason, Style: report.Strong}})
		} else {
			lines = append(lines, report.Of(*c.Explanation)...)
		}
		for _, n := range c.Notes {
			lines = append(lines, report.Line{{Text: "  " + n, Style: report.Faint}})
		}
	}
	return lines
}

// WriteCSV writes a line for each cell: principal, action, resource, outcome, by, reason (RFC 4180).
func WriteCSV(w io.Writer, cells []Cell) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"principal", "action", "resource", "outcome", "by", "reason"}); err != nil {
		return err
	}
	for _, c := range cells {
		if err := out.Write([]string{c.Principal, c.Action, c.Resource, string(c.Outcome), string(c.By), c.Reason}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// WriteJSON writes the cells as a list of objects.
func WriteJSON(w io.Writer, cells []Cell) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(slices.Concat([]Cell{}, cells))
}
