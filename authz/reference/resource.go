package reference

import (
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// resource compares Resource or NotResource with the requested resource.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func (w walk) resource(s *policy.Statement, _ *authz.StatementTrace) truth {
	patterns := s.Resource
	if s.NotResource != nil {
		patterns = s.NotResource
	}
	if len(patterns) == 0 {
		if w.typ == authz.RoleTrustPolicy {
			return yes // a trust policy is about the role it is attached to, and must not name it
		}
		return unknown // a statement needs this element
	}
	covered := anyOf(patterns, func(p policy.Text) truth { return w.resourceMatches(w.substitute(p.Value)) })
	if s.NotResource != nil {
		return covered.not()
	}
	return covered
}

// resourceMatches compares with regard to case. A variable without a value keeps its pattern from matching anything (iam.md X3); one
// before the fifth colon is unknown. A pattern that is no complete ARN is unknown where it would match if "*" stood for what it lacks
// (iam.md R4).
func (w walk) resourceMatches(pattern operand) truth {
	if pattern.complete != yes {
		return pattern.complete
	}
	ts := tokens(pattern.pieces)
	whole, allowed := segment(ts, pattern.pieces)
	switch {
	case !allowed:
		return unknown
	case matches(ts, w.req.Resource):
		return yes
	case !whole && matches(append(ts, token{kind: anyRun}), w.req.Resource):
		return unknown
	default:
		return no
	}
}

// arnColons separate the segments of an ARN; what follows the fifth is the resource.
const arnColons = 5

// segment says, in place, what the wildcards of the first five segments match: no colon, but for a "*" that ends its segment ("If
// the * wildcard is the last character of a resource ARN segment, it can expand to match beyond the colon boundaries", iam.md R2).
// It tells whether the pattern has all segments, and whether its variables are allowed: only after the fifth colon (iam.md R5).
func segment(ts []token, pieces []piece) (whole, allowed bool) {
	colon := token{kind: literal, char: ':'}
	colons := 0
	for i := range ts {
		switch {
		case ts[i] == colon:
			if colons++; colons == arnColons {
				return true, colonsBeforeVariable(pieces) >= arnColons
			}
		case ts[i].kind == one:
			ts[i].kind = oneInSegment
		case ts[i].kind == anyRun && i < len(ts)-1 && ts[i+1] != colon:
			ts[i].kind = anyRunInSegment
		}
	}
	return false, colonsBeforeVariable(pieces) >= arnColons
}

// colonsBeforeVariable counts the colons before the first substituted text; enough of them where there is none.
func colonsBeforeVariable(pieces []piece) int {
	colons := 0
	for _, p := range pieces {
		if p.literal {
			return colons
		}
		colons += strings.Count(p.text, ":")
	}
	return arnColons
}
