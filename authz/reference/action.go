package reference

import (
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// action compares Action or NotAction with the requested action.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
func (w walk) action(s *policy.Statement, _ *authz.StatementTrace) (truth, *authz.Mismatch) {
	element, patterns := "Action", s.Action
	if s.NotAction != nil {
		element, patterns = "NotAction", s.NotAction
	}
	if len(patterns) == 0 {
		return unknown, w.missing(s, element, w.req.Action)
	}
	covered := anyOf(patterns, func(p policy.Text) truth { return actionMatches(p.Value, w.req.Action) })
	m := w.mismatch(element, patterns, w.req.Action)
	if covered == unknown {
		m.Note = "an action is written service:name"
	}
	if s.NotAction != nil {
		covered = covered.not()
	}
	return covered, m
}

// actionMatches compares without regard to case, with wildcards anywhere; "*" alone is every action of every service (iam.md A1).
func actionMatches(pattern, action string) truth {
	if pattern != "*" && !strings.Contains(pattern, ":") {
		return unknown // the grammar asks for service:name
	}
	return truthOf(matches(tokens([]piece{{text: strings.ToLower(pattern)}}), strings.ToLower(action)))
}
