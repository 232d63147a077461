package dispatch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/policy"
)

// doubtful says why an allowing decision may not be AWS's, with what is not known of its need; "" when what is known suffices: then no Deny
// can match that did not, and on every level an Allow matches whatever the rest may be.
func doubtful(d authz.Decision, need *service.Need) string {
	c := doubter{doubt: need.Doubt, arn: need.Target.ARN}
	for i := range d.Types {
		if why := c.typ(&d.Types[i]); why != "" {
			return why
		}
	}
	return ""
}

// doubter looks for statements that depend on what is not known.
type doubter struct {
	doubt *service.Doubt
	arn   string
}

func (c *doubter) typ(t *authz.TypeTrace) string {
	proven, unproven := make(map[int]bool), make(map[int]string)
	for i := range t.Policies {
		p := &t.Policies[i]
		for j := range p.Statements {
			s := &p.Statements[j]
			switch {
			case s.Effect != policy.Allow && !s.Matched:
				if why := c.ofDeny(s); why != "" {
					return fmt.Sprintf("it cannot be told whether the Deny of %s at %d:%d applies: %s", p.Policy.Name, s.At.Line, s.At.Column, why)
				}
			case s.Effect == policy.Allow && s.Matched:
				if why := c.ofAllow(s, &p.Policy); why != "" {
					unproven[p.Level] = fmt.Sprintf("it cannot be told whether the Allow of %s at %d:%d applies: %s",
						p.Policy.Name, s.At.Line, s.At.Column, why)
				} else {
					proven[p.Level] = true
				}
			}
		}
	}
	for level, why := range unproven {
		if t.Verdict == authz.Allowed && !proven[level] {
			return why
		}
	}
	return ""
}

// ofDeny doubts that a Deny does not match.
func (c *doubter) ofDeny(s *authz.StatementTrace) string {
	if s.Failed == nil {
		return ""
	}
	if key := c.variable(s.Failed.Note); key != "" {
		return unknownKey(key)
	}
	switch s.Failed.Element {
	case "Resource":
		if c.doubt.Resource && slices.ContainsFunc(s.Failed.Want, c.mayMatch) {
			return "licet does not know all of the resource " + c.arn
		}
	case "Condition":
		if n := len(s.Conditions); n > 0 {
			return c.condition(&s.Conditions[n-1])
		}
	}
	return ""
}

// ofAllow doubts that an Allow matches.
func (c *doubter) ofAllow(s *authz.StatementTrace, p *authz.Policy) string {
	for i := range s.Conditions {
		if why := c.condition(&s.Conditions[i]); why != "" {
			return why
		}
	}
	from := &p.Document.Statements[s.Index]
	if c.doubt.Resource && (from.NotResource != nil || slices.ContainsFunc(from.Resource, countsCharacters)) {
		return "licet does not know all of the resource " + c.arn
	}
	return ""
}

// countsCharacters tells of patterns by which a part that stands for unknown text could match though the text does not.
func countsCharacters(pattern policy.Text) bool {
	return strings.Contains(strings.ReplaceAll(pattern.Value, unknownSuffix, ""), "?") || strings.Contains(pattern.Value, "${*}")
}

// unknownSuffix are the six characters that Secrets Manager adds to a name. Policies have them as they are here.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
const unknownSuffix = "-??????"

// condition doubts the outcome of a condition on a key that AWS might have.
func (c *doubter) condition(t *authz.ConditionTrace) string {
	if !t.Present && c.doubt.Key(t.Key) {
		return unknownKey(t.Key)
	}
	if key := c.variable(t.Note); key != "" {
		return unknownKey(key)
	}
	return ""
}

func unknownKey(key string) string {
	return "licet does not know the condition key " + key + " of this request"
}

// variable finds the key in a note that a variable has no value, if AWS might know one; "" otherwise.
func (c *doubter) variable(note string) string {
	_, rest, ok := strings.Cut(note, "variable ${")
	if !ok {
		return ""
	}
	key, _, _ := strings.Cut(rest, "}")
	if key, _, _ = strings.Cut(key, ","); !c.doubt.Key(strings.TrimSpace(key)) {
		return ""
	}
	return strings.TrimSpace(key)
}

// mayMatch tells whether a pattern could match the resource if all of it were known: as far as both are plain text they must be the same.
func (c *doubter) mayMatch(pattern string) bool {
	p, a := plainText(pattern), plainText(c.arn)
	return strings.HasPrefix(p, a) || strings.HasPrefix(a, p)
}

// plainText is what stands before the first wildcard or variable.
func plainText(pattern string) string {
	if i := strings.IndexAny(pattern, "*?$"); i >= 0 {
		return pattern[:i]
	}
	return pattern
}
