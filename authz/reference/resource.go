package reference

import (
	"github.com/licet/licet/authz"
	"github.com/licet/licet/policy"
)

// resource compares Resource or NotResource with the requested resource.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func (w walk) resource(s *policy.Statement, _ *authz.StatementTrace) (truth, *authz.Mismatch) {
	element, patterns := "Resource", s.Resource
	if s.NotResource != nil {
		element, patterns = "NotResource", s.NotResource
	}
	if len(patterns) == 0 {
		if w.typ == authz.RoleTrustPolicy {
			return yes, nil // a trust policy is about the role it is attached to, and must not name it
		}
		return unknown, w.missing(s, element, w.req.Resource)
	}
	m := w.mismatch(element, patterns, w.req.Resource)
	covered := no
	for i, p := range patterns {
		o := w.substitute(p.Value)
		result, note := w.resourceMatches(o)
		covered = max(covered, result)
		m.Want[i] = plain(o.pieces)
		if note != "" {
			m.Note = note
		}
	}
	if s.NotResource != nil {
		covered = covered.not()
	}
	return covered, m
}

// resourceMatches compares with regard to case. A variable without a value keeps its pattern from matching anything (iam.md X3).
// A pattern that is no complete ARN is unknown where it would match if "*" stood for what it lacks (iam.md R4).
func (w walk) resourceMatches(pattern operand) (truth, string) {
	if pattern.complete != yes {
		return pattern.complete, pattern.note
	}
	ts := tokens(pattern.pieces)
	whole, allowed := segment(ts, pattern.pieces)
	switch {
	case !allowed:
		return unknown, "a variable stands before the fifth colon"
	case matches(ts, w.req.Resource):
		return yes, ""
	case !whole && matches(append(ts, token{kind: anyRun}), w.req.Resource):
		return unknown, "not a complete ARN"
	default:
		return no, ""
	}
}

// arnColons separate the segments of an ARN; what follows the fifth is the resource.
const arnColons = 5

// segment says, in place, what the wildcards of the first five segments match: no colon, but for a "*" that ends its segment ("If
// the * wildcard is the last character of a resource ARN segment, it can expand to match beyond the colon boundaries", iam.md R2).
// It tells whether the pattern has all segments, and whether its variables are allowed: only after the fifth colon (iam.md R5).
func segment(ts []token, pieces []piece) (whole, allowed bool) {
	variable := 0 // where the first substituted text stands, or the end
	for _, p := range pieces {
		if p.literal {
			break
		}
		variable += len(runes(p.text))
	}
	colon := token{kind: literal, char: ':'}
	colons := 0
	for i := range ts {
		if i == variable {
			return false, false
		}
		switch {
		case ts[i] == colon:
			if colons++; colons == arnColons {
				return true, true
			}
		case ts[i].kind == one:
			ts[i].kind = oneInSegment
		case ts[i].kind == anyRun && i < len(ts)-1 && ts[i+1] != colon:
			ts[i].kind = anyRunInSegment
		}
	}
	return false, true
}
