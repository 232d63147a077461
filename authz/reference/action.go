package reference

import (
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// action compares Action or NotAction with the requested action.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
func (w walk) action(s *policy.Statement, _ *authz.StatementTrace) truth {
	patterns := s.Action
	if s.NotAction != nil {
		patterns = s.NotAction
	}
	if len(patterns) == 0 {
		return unknown // a statement needs this element
	}
	covered := anyOf(patterns, func(p policy.Text) truth { return actionMatches(p.Value, w.req.Action) })
	if s.NotAction != nil {
		return covered.not()
	}
	return covered
}

// actionMatches compares without regard to case, with wildcards anywhere; "*" alone is every action of every service (iam.md A1).
func actionMatches(pattern, action string) truth {
	if pattern != "*" && !strings.Contains(pattern, ":") {
		return unknown // the grammar asks for service:name
	}
	return truthOf(matches(tokens([]piece{{text: lower(pattern)}}), lower(action)))
}

// lower folds the letters of ASCII, which all actions are written in, and no others.
func lower(text string) string {
	b := []byte(text)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c - 'A' + 'a'
		}
	}
	return string(b)
}
