package policy

import (
	"fmt"
	"slices"
	"strings"
)

// maxSteps bounds the search for actions and resources that a pattern beside them covers: comparing each pattern with each value
// is quadratic, and matching takes the product of both lengths at worst. A policy within AWS's quotas stays far below it. When the
// steps of a document are used up the search ends, and there are fewer findings. Equal values are found without steps.
const maxSteps = 1 << 20

// noteRedundant reports actions and resources that others of the same element cover, and numbers that others outdo.
func (c *checker) noteRedundant(s *statement) {
	for _, list := range [][]Text{s.Action, s.NotAction} {
		c.noteCovered(list, "REDUNDANT_ACTION", "action", strings.ToLower, c.coversText)
	}
	for _, list := range [][]Text{s.Resource, s.NotResource} {
		c.noteCovered(list, "REDUNDANT_RESOURCE", "resource", func(r string) string { return r }, c.coversARN)
	}
	for _, u := range s.uses {
		c.noteNumbers(u)
	}
}

// noteCovered reports the values of a list that stand there before, or that a pattern of the list covers. fold makes equal
// values equal.
func (c *checker) noteCovered(list []Text, code, what string, fold func(string) string, covers func(pattern, value string) bool) {
	if len(list) < 2 {
		return
	}
	type value struct {
		Text
		folded string
	}
	seen := make(map[string]bool, len(list))
	var unique, patterns []value
	for _, t := range list {
		v := value{t, fold(t.Value)}
		if seen[v.folded] {
			c.note(Suggestion, code, t.Span, "The %s %s is listed twice; remove one.", what, brief(t.Value))
			continue
		}
		seen[v.folded] = true
		unique = append(unique, v)
		if strings.ContainsAny(t.Value, "*?") && !strings.Contains(t.Value, "${") {
			patterns = append(patterns, v)
		}
	}
	for _, v := range unique {
		for _, p := range patterns {
			if c.steps--; c.steps <= 0 {
				return
			}
			if p.folded != v.folded && covers(p.folded, v.folded) {
				c.note(Suggestion, code, v.Span, "The %s %s is covered by %s; remove one of them.", what, brief(v.Value), brief(p.Value))
				break
			}
		}
	}
}

// coversARN tells whether all that a resource covers is covered by another one. It may say no when it is so: wildcards before the
// fifth colon are compared field by field, though they can stand for more (iam.md R2).
func (c *checker) coversARN(pattern, resource string) bool {
	if pattern == "*" {
		return true
	}
	p, r := strings.SplitN(pattern, ":", 6), strings.SplitN(resource, ":", 6)
	if len(p) < 6 || len(r) < 6 {
		return false
	}
	for i := range p {
		if p[i] != r[i] && !c.coversText(p[i], r[i]) {
			return false
		}
	}
	return true
}

// coversText tells whether every text that other matches is matched by pattern too: a star of other must meet a star of pattern.
func (c *checker) coversText(pattern, other string) bool {
	p, o := 0, 0
	star, mark := -1, 0 // the last star of pattern, and where what it stands for ends
	for o < len(other) {
		c.steps--
		switch {
		case c.steps <= 0:
			return false
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, o
			p++
		case p < len(pattern) && (pattern[p] == other[o] || pattern[p] == '?' && isOne(other[o])):
			p++
			o++
		case star >= 0:
			mark++
			p, o = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// isOne tells whether a byte stands for one character: ? matches neither a star nor a part of a longer character.
func isOne(b byte) bool { return b != '*' && b < 0x80 }

// noteNumbers reports lists of numbers of which one decides.
func (c *checker) noteNumbers(u use) {
	if u.family() != numbers || len(u.Values) < 2 || u.op.Set != NoSet {
		return
	}
	decides := ""
	switch {
	case strings.HasPrefix(u.op.Name, "NumericLessThan"):
		decides = "greatest"
	case strings.HasPrefix(u.op.Name, "NumericGreaterThan"):
		decides = "least"
	default:
		return
	}
	c.note(Suggestion, "REDUNDANT_CONDITION_VALUE_NUM", u.Span,
		"With %s the %s value alone decides; remove the others.", u.op, decides)
}

// noteRepeated reports statements that say what an earlier one says, whatever their Sid and the order of their lists.
func (c *checker) noteRepeated() {
	if len(c.statements) < 2 {
		return
	}
	seen := make(map[string]bool, len(c.statements))
	c.each(func(s *statement) {
		key := s.canonical()
		if seen[key] {
			c.note(Suggestion, "REDUNDANT_STATEMENT", s.Span, "The statement repeats an earlier one; remove one of them.")
		}
		seen[key] = true
	})
}

// canonical is the same text for statements that say the same, and differs otherwise.
func (s *statement) canonical() string {
	var b strings.Builder
	list := func(element string, values []string) {
		slices.Sort(values)
		fmt.Fprintf(&b, "%s %q\n", element, slices.Compact(values))
	}
	fmt.Fprintf(&b, "%s %t %t %t %t\n", s.Effect, s.Action == nil, s.NotAction == nil, s.Resource == nil, s.NotResource == nil)
	list("Action", valuesOf(s.Action, strings.ToLower))
	list("NotAction", valuesOf(s.NotAction, strings.ToLower))
	list("Resource", valuesOf(s.Resource, nil))
	list("NotResource", valuesOf(s.NotResource, nil))
	list("Principal", s.Principal.names())
	list("NotPrincipal", s.NotPrincipal.names())
	var conditions []string
	operator := "" // quoted once: many keys may share a long one
	for _, u := range s.uses {
		if u.first {
			operator = u.Operator.Value
			if !u.known {
				operator = fmt.Sprintf("%q", brief(operator)) + fmt.Sprint(u.block)
			}
		}
		values := valuesOf(u.Values, nil)
		slices.Sort(values)
		conditions = append(conditions, fmt.Sprintf("%s %q %q", operator, u.name, values))
	}
	list("Condition", conditions)
	return b.String()
}

// valuesOf gives the values of a list, folded if fold is not nil.
func valuesOf(list []Text, fold func(string) string) []string {
	values := make([]string, len(list))
	for i, t := range list {
		values[i] = t.Value
		if fold != nil {
			values[i] = fold(t.Value)
		}
	}
	return values
}

// names are the principals with their types. Any is AWS's star.
func (p *Principals) names() []string {
	if p == nil {
		return nil
	}
	if p.Any {
		return []string{"AWS *"}
	}
	names := make([]string, len(p.Entries))
	for i, e := range p.Entries {
		names[i] = e.Type + " " + e.Value.Value
	}
	return names
}
