package console

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// policyText is a policy as it is shown: lines with numbers, statements marked.
type policyText struct {
	Name, ARN string
	// Indented tells that the text was written in one line, and is shown otherwise.
	Indented bool
	Lines    []textLine
	// Verdict is what the policy said; "" where it is not asked.
	Verdict authz.Verdict
	// Says tells of each marked statement why it is.
	Says []string
}

type textLine struct {
	Number int
	Text   string
	// Mark is "decides", "nearest" or "".
	Mark string
}

// mark is a statement that matters.
type mark struct {
	statement int
	kind      string
	says      string
}

// oneLine is how long a policy in one line may be to be shown so.
const oneLine = 60

// textOf shows a policy with its statements marked. A text that is written in one line is indented: the statements keep their order.
func textOf(p authz.Policy, marks []mark) policyText {
	t := policyText{Name: p.Name, ARN: p.ARN}
	d := p.Document
	if d == nil {
		return t
	}
	source := d.Source
	if bytes.IndexByte(bytes.TrimSpace(source), '\n') < 0 && len(source) > oneLine {
		var b bytes.Buffer
		if err := json.Indent(&b, source, "", "  "); err == nil {
			if again, err := policy.Parse(b.Bytes()); err == nil && len(again.Statements) == len(d.Statements) {
				d, source, t.Indented = again, b.Bytes(), true
			}
		}
	}
	for i, line := range strings.Split(strings.TrimRight(string(source), "\n"), "\n") {
		t.Lines = append(t.Lines, textLine{Number: i + 1, Text: strings.TrimRight(line, "\r")})
	}
	for _, m := range marks {
		if m.statement < 0 || m.statement >= len(d.Statements) {
			continue
		}
		span := d.Statements[m.statement].Span
		first, last := d.Position(span.Start).Line, d.Position(max(span.Start, span.End-1)).Line
		for n := first; n <= last && n <= len(t.Lines); n++ {
			t.Lines[n-1].Mark = m.kind
		}
		t.Says = append(t.Says, m.says)
	}
	return t
}

// marksOf finds the statement of a policy that decided.
func marksOf(p authz.PolicyTrace, d authz.Decision) []mark {
	if d.Policy == nil || d.Policy.Document == nil || d.Policy.Document != p.Policy.Document {
		return nil
	}
	return []mark{{statement: d.Statement, kind: "decides", says: "This statement decides: it matches the request."}}
}

// decidingText is the policy that decided or, where none did, the one whose statement came nearest; nil when there is none.
func decidingText(x authz.Explanation) *policyText {
	d := x.Decision
	if d.Policy != nil && d.Policy.Document != nil {
		t := textOf(*d.Policy, []mark{{d.Statement, "decides", "The marked statement decides: it matches the request."}})
		return &t
	}
	if x.Fix == nil {
		return nil
	}
	for _, c := range x.Fix.Changes {
		if c.Nearest != nil && c.Nearest.Policy.Document != nil {
			f := c.Nearest.Failed
			says := "The marked statement comes nearest: its " + f.Element + " does not match " + f.Got + "."
			if f.Got == "" {
				says = "The marked statement comes nearest: its " + f.Element + " does not match."
			}
			t := textOf(c.Nearest.Policy, []mark{{statementAt(c.Nearest.Policy.Document, f.Span.Start), "nearest", says}})
			return &t
		}
		if c.Condition != nil && c.Policy != nil && c.Policy.Document != nil {
			got := "the request has no such key"
			if c.Condition.Present {
				got = "the request has " + strings.Join(c.Condition.Got, ", ")
			}
			says := "The marked statement lacks one condition, " + c.Condition.Operator + " " + c.Condition.Key + ": " + got + "."
			t := textOf(*c.Policy, []mark{{statementAt(c.Policy.Document, c.Condition.Span.Start), "nearest", says}})
			return &t
		}
	}
	return nil
}

func statementAt(d *policy.Document, offset int) int {
	for i, s := range d.Statements {
		if s.Span.Start <= offset && offset < s.Span.End {
			return i
		}
	}
	return -1
}
