package report

import (
	"fmt"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// Style is what a piece of a report means to the eye.
type Style string

// The styles.
const (
	Plain  Style = ""
	Good   Style = "good"
	Bad    Style = "bad"
	Strong Style = "strong"
	Faint  Style = "faint"
)

// Piece is a part of a line.
type Piece struct {
	Text  string `json:"text"`
	Style Style  `json:"style,omitempty"`
}

// Line is one line of a report.
type Line []Piece

// Of reports one decision.
func Of(x authz.Explanation) []Line {
	r := &writer{x: x}
	r.verdict()
	r.path()
	r.deciding()
	if x.Fix != nil {
		r.fix()
	}
	return r.lines
}

type writer struct {
	x     authz.Explanation
	lines []Line
}

func (r *writer) line(pieces ...Piece) { r.lines = append(r.lines, pieces) }

func (r *writer) add(lines []Line) { r.lines = append(r.lines, lines...) }

func (r *writer) verdict() {
	d, req := r.x.Decision, r.x.Request
	verdict := Piece{"ALLOWED", Good}
	if !d.Allowed {
		verdict = Piece{"DENIED: ", Bad}
	}
	switch {
	case !d.Allowed:
		r.line(verdict, Piece{Text: r.x.Message})
	case d.By == "":
		r.line(verdict, Piece{Text: ": " + d.Note})
	default:
		r.line(verdict, Piece{Text: " by " + words(d.By) + " policy" + named(d.Policy)})
	}
	who := req.Principal.ARN
	if who == "" {
		who = "anonymous"
	}
	if req.Principal.IssuerARN != "" {
		who += "  (session of " + req.Principal.IssuerARN + ")"
	}
	r.line(Piece{"  who       ", Faint}, Piece{who, Strong})
	r.line(Piece{"  action    ", Faint}, Piece{req.Action, Strong})
	resource := Piece{req.Resource, Strong}
	if d.CrossAccount {
		r.line(Piece{"  resource  ", Faint}, resource, Piece{"  (another account)", Faint})
		return
	}
	r.line(Piece{"  resource  ", Faint}, resource)
}

// path is the way through the types of policy.
func (r *writer) path() {
	label := "  policies  "
	for _, t := range r.x.Decision.Types {
		if t.Verdict == authz.NotApplicable {
			continue
		}
		mark, style := "·", Faint
		switch {
		case t.Verdict == authz.Allowed:
			mark, style = "✓", Good
		case t.Verdict == authz.ExplicitDeny, t.Verdict == authz.ImplicitDeny && !r.x.Decision.Allowed && t.Type == r.x.Decision.By:
			mark, style = "✗", Bad
		}
		count := ""
		if n := len(t.Policies); n > 0 {
			count = fmt.Sprintf("  (%d)", n)
		}
		if t.Note != "" {
			count += "  " + t.Note
		}
		r.line(Piece{label, Faint}, Piece{mark + " ", style}, Piece{Text: fmt.Sprintf("%-21s", words(t.Type))}, Piece{inWords(t.Verdict), style},
			Piece{count, Faint})
		label = "            "
	}
}

// deciding shows the text of the policy that decided or, where none did, of the statement that came nearest.
func (r *writer) deciding() {
	d := r.x.Decision
	if d.Policy != nil && d.Policy.Document != nil && d.Statement >= 0 && d.Statement < len(d.Policy.Document.Statements) {
		s := d.Policy.Document.Statements[d.Statement]
		r.line()
		r.place(*d.Policy, s.Sid, s.At.Effect.Start, "decides")
		r.add(Excerpt(d.Policy.Document, s.Span, s.At.Effect, "matches this request"))
		return
	}
	if r.x.Fix == nil {
		return
	}
	for _, c := range r.x.Fix.Changes {
		switch {
		case c.Nearest != nil && c.Nearest.Policy.Document != nil:
			r.line()
			r.place(c.Nearest.Policy, c.Nearest.Sid, c.Nearest.Failed.Span.Start, "comes nearest")
			r.add(Excerpt(c.Nearest.Policy.Document, spanAround(c.Nearest.Policy.Document, c.Nearest.Failed.Span), c.Nearest.Failed.Span,
				c.Nearest.Failed.Element+" does not match "+c.Nearest.Failed.Got))
			return
		case c.Condition != nil && c.Policy != nil && c.Policy.Document != nil:
			r.line()
			r.place(*c.Policy, c.Sid, c.Condition.Span.Start, "lacks one condition")
			got := "the request has no " + c.Condition.Key
			if c.Condition.Present {
				got = "the request has " + strings.Join(c.Condition.Got, ", ")
			}
			r.add(Excerpt(c.Policy.Document, spanAround(c.Policy.Document, c.Condition.Span), c.Condition.Span, got))
			return
		}
	}
}

func spanAround(d *policy.Document, inner policy.Span) policy.Span {
	for _, s := range d.Statements {
		if s.Span.Start <= inner.Start && inner.End <= s.Span.End {
			return s.Span
		}
	}
	return inner
}

func (r *writer) place(p authz.Policy, sid string, offset int, what string) {
	at := p.Document.Position(offset)
	name := p.Name
	if name == "" {
		name = p.ARN
	}
	text := fmt.Sprintf(" %d:%d", at.Line, at.Column)
	if sid != "" {
		text += fmt.Sprintf(" %q", sid)
	}
	r.line(Piece{"  " + name, Strong}, Piece{Text: text + " " + what})
}

func (r *writer) fix() {
	f := r.x.Fix
	r.line()
	if len(f.Changes) == 0 {
		r.line(Piece{"No change of policies would allow it. ", Bad}, Piece{Text: f.Note})
		return
	}
	r.line(Piece{"To allow it", Strong})
	for _, c := range f.Changes {
		in := "the " + words(c.Type) + " policy" + named(c.Policy)
		if c.Policy == nil && c.Type == authz.IdentityBasedPolicy {
			owner := r.x.Request.Principal.IssuerARN
			if owner == "" {
				owner = r.x.Request.Principal.ARN
			}
			in = "an identity-based policy of " + owner
		}
		switch c.Kind {
		case authz.RemoveStatement:
			r.line(Piece{Text: fmt.Sprintf("  - remove from %s the Deny%s", in, quoted(c.Sid))})
		case authz.MeetCondition:
			r.line(Piece{Text: fmt.Sprintf("  - meet the condition %s %s of %s%s, or add to it:", c.Condition.Operator, c.Condition.Key, in, quoted(c.Sid))})
			r.line(Piece{"    " + c.Statement, Good})
		default:
			r.line(Piece{Text: "  - add to " + in + ":"})
			r.line(Piece{"    " + c.Statement, Good})
		}
	}
	if !f.Verified {
		r.line(Piece{"Judged again with this, the request is still denied. " + f.Note, Bad})
	}
}

func quoted(sid string) string {
	if sid == "" {
		return ""
	}
	return fmt.Sprintf(" %q", sid)
}

func named(p *authz.Policy) string {
	switch {
	case p == nil:
		return ""
	case p.Name == "":
		return " " + p.ARN
	default:
		return " " + p.Name
	}
}

// words names a type of policy as it is spoken of.
func words(t authz.PolicyType) string {
	return strings.ReplaceAll(string(t), "permissions-boundary", "boundary")
}

func inWords(v authz.Verdict) string {
	switch v {
	case authz.ImplicitDeny:
		return "does not allow it"
	case authz.ExplicitDeny:
		return "denies it"
	case authz.Bypassed:
		return "bypassed"
	default:
		return string(v)
	}
}
