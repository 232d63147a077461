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

// statement compares the elements of one statement in order, up to the first that keeps it from matching. The trace names that
// element, and tells which conditions held.
func (w walk) statement(index int) authz.StatementTrace {
	s := &w.doc.Statements[index]
	t := authz.StatementTrace{Index: index, Effect: s.Effect}
	for _, e := range []struct {
		name    string
		compare func(*policy.Statement, *authz.StatementTrace) truth
	}{
		{oneOf("Principal", s.NotPrincipal != nil), w.principal},
		{oneOf("Action", s.NotAction != nil), w.action},
		{oneOf("Resource", s.NotResource != nil), w.resource},
		{"Condition", w.condition},
	} {
		if !holds(s.Effect, e.compare(s, &t)) {
			t.Failed = &authz.Mismatch{Element: e.name}
			return t
		}
	}
	t.Matched = true
	return t
}

// oneOf names the element of a pair such as Action and NotAction.
func oneOf(name string, not bool) string {
	if not {
		return "Not" + name
	}
	return name
}

// holds tells whether an element with this result lets its statement match. What is unknown denies: it makes a Deny match and keeps
// an Allow from matching (iam.md C15, D17).
func holds(effect policy.Effect, result truth) bool {
	return result == yes || result == unknown && effect != policy.Allow
}
