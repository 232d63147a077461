package policy

import (
	"slices"
	"strings"
)

// noteWildcards checks what wildcards do in the values of string and ARN conditions.
func (c *checker) noteWildcards(s *statement) {
	for _, u := range s.uses {
		f := u.family()
		if f != strs && f != arns {
			continue
		}
		for _, v := range u.Values {
			parts := c.parts(v.Value)
			wild := slices.ContainsFunc(parts, isWild)
			if wild && !u.like() {
				c.note(Warning, "WILDCARD_WITHOUT_LIKE_OPERATOR", v.Span,
					"%s takes * and ? literally; if a wildcard is meant, compare with StringLike or StringNotLike.", u.op)
			}
			if u.like() {
				c.noteBroad(u, v, parts)
			}
		}
		c.noteAnything(u)
	}
}

func isWild(p Part) bool { return p.Kind == Literal && strings.ContainsAny(p.Text, "*?") }

func isVariable(p Part) bool { return p.Kind == Variable }

// noteBroad reports patterns in keys that identify an account, organization, network or principal. A variable in a pattern may
// stand for any value too. The list of such keys, and the form for aws:userid, are Access Analyzer's; its rule for other keys,
// six characters before a wildcard, is not applied, for it does not say which keys those are.
func (c *checker) noteBroad(u use, v Text, parts []Part) {
	for _, kind := range []struct {
		code, what string
		is         func(Part) bool
	}{
		{"WILDCARD_USAGE_TOO_PERMISSIVE", "wildcard", isWild},
		{"VARIABLE_USAGE_TOO_PERMISSIVE", "variable", isVariable},
	} {
		switch {
		case !slices.ContainsFunc(parts, kind.is):
		case u.key != nil && u.key.Sensitive:
			c.note(Error, kind.code, v.Span, "A %s in %s may let in whom nobody meant; write whole values.", kind.what, u.key.Name)
		case u.name == "aws:userid" && isBroadUser(parts, kind.is):
			c.note(Error, kind.code, v.Span,
				"A %s before the colon of aws:userid may stand for any principal; put it behind the colon, or alone before it.", kind.what)
		}
	}
}

// isBroadUser tells whether what stands before the colon of a user id is open, but not entirely. A variable's own colon does not
// count.
func isBroadUser(parts []Part, open func(Part) bool) bool {
	for i, p := range parts {
		before, _, colon := strings.Cut(p.Text, ":")
		if p.Kind != Literal {
			before, colon = p.Text, false
		}
		head := Part{Kind: p.Kind, Text: before}
		if colon {
			return open(head) && !(i == 0 && before == "*")
		}
		if open(head) {
			next := i+1 < len(parts) && strings.HasPrefix(parts[i+1].Text, ":") && parts[i+1].Kind == Literal
			return !(i == 0 && p.Kind == Variable && next)
		}
	}
	return false
}

// truth is when a condition holds, as far as that follows from the pattern * alone.
type truth int

const (
	depends truth = iota
	whenPresent
	whenAbsent
	always
	never
)

// noteAnything reports conditions that the pattern * empties of meaning.
func (c *checker) noteAnything(u use) {
	if u.family() != strs || !u.like() || !slices.ContainsFunc(u.Values, func(v Text) bool { return v.Value == "*" }) {
		return
	}
	key := brief(u.Key.Value)
	switch u.truthOfAnything() {
	case whenPresent:
		c.note(Suggestion, "EQUIVALENT_TO_NULL_FALSE", u.Span,
			`The condition holds whenever the request has %[1]s; say so with "Null": {%[1]q: "false"}.`, key)
	case whenAbsent:
		c.note(Suggestion, "EQUIVALENT_TO_NULL_TRUE", u.Span,
			`The condition holds only when the request lacks %[1]s; say so with "Null": {%[1]q: "true"}.`, key)
	case always:
		c.note(Suggestion, "REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION", u.Span, "The condition always holds; remove %s from %s.", key, u.op)
	case never:
		c.note(Suggestion, "REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION", u.Span,
			"The condition never holds, and the statement has no effect; remove %s from %s.", key, u.op)
	case depends:
	}
}

// truthOfAnything follows the rules for absent keys and set operators (iam.md C2 to C4).
func (u use) truthOfAnything() truth {
	t := whenPresent
	switch {
	case u.op.Set == ForAnyValue && u.negated():
		t = never
		if u.op.IfExists {
			t = whenAbsent
		}
	case u.negated():
		t = whenAbsent
	case u.op.Set == ForAllValues || u.op.IfExists:
		t = always
	}
	if u.key == nil || !u.key.Always {
		return t
	}
	if t == whenAbsent || t == never {
		return never
	}
	return always
}
