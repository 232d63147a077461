package authz

import (
	"fmt"
	"strings"
	"unicode"
)

// Text tells a person what was decided and why: the verdict, what each type of policy said, every statement with the first element
// that kept it from matching, and the condition keys that were asked for and absent. The fix, if there is one, closes the report.
func (x Explanation) Text() string {
	d, req := x.Decision, x.Request
	r := report{caller: req.Principal}
	r.line(0, "%s", headline(d, req))
	if !d.Allowed && d.Policy != nil {
		r.line(0, "by %s", place(d))
	}
	r.line(0, "")
	r.line(0, "who       %s", who(req.Principal))
	r.line(0, "action    %s", req.Action)
	r.line(0, "resource  %s%s", req.Resource, owner(d, req))
	r.line(0, "")
	var absent []string
	for _, t := range d.Types {
		if t.Verdict == NotApplicable && strings.HasPrefix(t.Note, "no ") {
			absent = append(absent, t.Type.inWords())
			continue
		}
		r.policyType(t)
	}
	if absent != nil {
		r.line(0, "not involved: %s", strings.Join(absent, ", "))
	}
	r.missingKeys(x.Keys)
	if x.Fix != nil {
		r.line(0, "")
		r.fix(*x.Fix)
	}
	return r.String()
}

func headline(d Decision, req Request) string {
	switch {
	case !d.Allowed:
		return "DENIED: " + d.Message(req)
	case d.By == "":
		return "ALLOWED: " + d.Note
	case d.Policy == nil:
		return "ALLOWED by " + d.By.inWords()
	default:
		return "ALLOWED by " + place(d)
	}
}

// place names the deciding statement.
func place(d Decision) string {
	text := fmt.Sprintf("%s %s", d.By.inWords(), d.Policy.Name)
	if d.Policy.Document == nil || d.Statement < 0 {
		return text + ", which has no document"
	}
	s := d.Policy.Document.Statements[d.Statement]
	at := d.Policy.Document.Position(s.Span.Start)
	return text + fmt.Sprintf(", %d:%d%s", at.Line, at.Column, quotedSid(s.Sid))
}

func who(p Principal) string {
	text := p.ARN
	if text == "" {
		text = "anonymous"
	}
	if p.IssuerARN != "" {
		text += " (session of " + p.IssuerARN + ")"
	}
	return text
}

// whose identity policies count: the role's for a session, the user's for a federated user.
func whose(p Principal) string {
	if p.IssuerARN != "" {
		return p.IssuerARN
	}
	return p.ARN
}

func owner(d Decision, req Request) string {
	if !d.CrossAccount {
		return ""
	}
	return " (account " + req.owner() + ", cross-account)"
}

func quotedSid(sid string) string {
	if sid == "" {
		return ""
	}
	return fmt.Sprintf(" %q", sid)
}

// report collects lines.
type report struct {
	strings.Builder
	caller Principal
}

func (r *report) line(depth int, format string, args ...any) {
	text := strings.Map(printable, fmt.Sprintf(format, args...))
	r.WriteString(strings.TrimRight(strings.Repeat("  ", depth)+text, " ") + "\n")
}

// printable keeps what a caller chose, such as the name of a resource, from writing lines of its own or moving the terminal's cursor.
func printable(c rune) rune {
	if unicode.IsPrint(c) {
		return c
	}
	return unicode.ReplacementChar
}

func (r *report) policyType(t TypeTrace) {
	r.line(0, "%-20s %-14s %s", t.Type, inWords(t.Verdict), t.Note)
	for _, p := range t.Policies {
		level := ""
		if t.Type.hasLevels() {
			level = fmt.Sprintf(" on level %d", p.Level)
		}
		r.line(1, "%s%s: %s", nameOf(p.Policy), level, inWords(p.Verdict))
		for _, s := range p.Statements {
			r.statement(s)
		}
	}
}

func nameOf(p Policy) string {
	switch {
	case p.ARN == "":
		return p.Name
	case p.Name == "":
		return p.ARN
	default:
		return p.Name + " (" + p.ARN + ")"
	}
}

func inWords(v Verdict) string {
	switch v {
	case ImplicitDeny:
		return "implicit deny"
	case ExplicitDeny:
		return "explicit deny"
	case NotApplicable:
		return "not applicable"
	default:
		return string(v)
	}
}

func (r *report) statement(s StatementTrace) {
	outcome := "matches"
	switch {
	case s.Failed != nil:
		outcome = "no match: " + s.Failed.Element
	case s.Match != MatchNone:
		outcome += " (" + string(s.Match) + ")"
	}
	r.line(2, "%d:%d %s%s %s", s.At.Line, s.At.Column, s.Effect, quotedSid(s.Sid), outcome)
	if s.Note != "" {
		r.line(4, "%s", s.Note)
	}
	for _, c := range s.Conditions {
		r.condition(c)
	}
	if s.Failed != nil && s.Failed.Element != "Condition" {
		r.line(4, "got  %s", s.Failed.Got)
		r.line(4, "want %s", strings.Join(s.Failed.Want, ", "))
		if s.Failed.Note != "" {
			r.line(4, "%s", s.Failed.Note)
		}
	}
}

func (r *report) condition(c ConditionTrace) {
	mark, got := "holds", strings.Join(c.Got, ", ")
	if !c.Held {
		mark = "fails"
	}
	if !c.Present {
		got = "(absent)"
	}
	r.line(4, "%s  %s %s: got %s; want %s", mark, c.Operator, c.Key, got, strings.Join(c.Want, ", "))
	if c.Note != "" && c.Present {
		r.line(4, "       %s", c.Note)
	}
}

func (r *report) missingKeys(keys []ConsultedKey) {
	for _, k := range keys {
		if !k.Present {
			text := "the request has no " + k.Name
			if k.When != "" {
				text += ", which is there " + k.When
			}
			r.line(0, "%s", text)
		}
	}
}

func (r *report) fix(f Fix) {
	if len(f.Changes) == 0 {
		r.line(0, "No change of policies would allow it: %s", f.Note)
		return
	}
	r.line(0, "To allow it:")
	for _, c := range f.Changes {
		r.change(c)
	}
	if f.Verified {
		r.line(0, "Judged again with this, the request is allowed.")
	} else {
		r.line(0, "Judged again with this, the request is still denied. %s", f.Note)
	}
}

func (r *report) change(c Change) {
	in := c.Type.inWords()
	switch {
	case c.Policy != nil:
		in += " " + nameOf(*c.Policy)
	case c.Type == IdentityBasedPolicy:
		in = "an " + in + " of " + whose(r.caller)
	}
	if c.Type.hasLevels() {
		in += fmt.Sprintf(" on level %d", c.Level)
	}
	switch c.Kind {
	case AddStatement:
		r.line(1, "- add to %s:", in)
		r.line(2, "%s", c.Statement)
		if n := c.Nearest; n != nil {
			r.line(2, "(nearest is %s at %d:%d%s, whose %s does not match)", nameOf(n.Policy), n.At.Line, n.At.Column, quotedSid(n.Sid),
				n.Failed.Element)
		}
	case RemoveStatement:
		r.line(1, "- remove from %s the Deny at %d:%d%s", in, c.At.Line, c.At.Column, quotedSid(c.Sid))
	case MeetCondition:
		got := "has none"
		if c.Condition.Present {
			got = "has " + strings.Join(c.Condition.Got, ", ")
		}
		r.line(1, "- meet the condition of %s at %d:%d%s:", in, c.At.Line, c.At.Column, quotedSid(c.Sid))
		r.line(2, "%s %s wants %s; the request %s", c.Condition.Operator, c.Condition.Key, strings.Join(c.Condition.Want, ", "), got)
		r.line(1, "  or add to the %s:", c.Type.inWords())
		r.line(2, "%s", c.Statement)
	}
}
