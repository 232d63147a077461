package reference

import (
	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// walk is one policy document being compared with a request.
type walk struct {
	req *authz.Request
	doc *policy.Document
	typ authz.PolicyType
	// bounded is true when the caller has a permissions boundary.
	bounded bool
}

// statement compares the elements of one statement in order, up to the first that keeps it from matching.
func (w walk) statement(index int) authz.StatementTrace {
	s := &w.doc.Statements[index]
	t := authz.StatementTrace{Index: index, Sid: s.Sid, Effect: s.Effect, Span: s.Span, At: w.doc.Position(s.Span.Start)}
	elements := []func(*policy.Statement, *authz.StatementTrace) (truth, *authz.Mismatch){
		w.principal, w.action, w.resource, w.condition,
	}
	for _, element := range elements {
		result, mismatch := element(s, &t)
		if !holds(s.Effect, result) {
			t.Failed = mismatch
			return t
		}
		if result == unknown {
			t.Note = "denies because it cannot be understood: " + mismatch.Element + ": " + mismatch.Note
		}
	}
	t.Matched = true
	return t
}

// holds tells whether an element with this result lets its statement match. What is unknown denies: it makes a Deny match and keeps
// an Allow from matching (iam.md C15, D17).
func holds(effect policy.Effect, result truth) bool {
	return result == yes || result == unknown && effect != policy.Allow
}

// mismatch describes an element, should it fail. Where the result is unknown the element's text could not be understood.
func (w walk) mismatch(element string, want []policy.Text, got string) *authz.Mismatch {
	m := &authz.Mismatch{Element: element, Got: got, Want: make([]string, len(want))}
	for i, t := range want {
		m.Want[i] = t.Value
	}
	if len(want) > 0 {
		m.Span = policy.Span{Start: want[0].Span.Start, End: want[len(want)-1].Span.End}
	}
	m.At = w.doc.Position(m.Span.Start)
	return m
}

// missing describes an element that the statement should have.
func (w walk) missing(s *policy.Statement, element, got string) *authz.Mismatch {
	return &authz.Mismatch{Element: element, Span: s.Span, At: w.doc.Position(s.Span.Start), Got: got,
		Note: "a statement of a " + string(w.typ) + " policy needs this element"}
}
