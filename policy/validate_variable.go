package policy

import (
	"slices"
	"strings"
)

// checkVariables refuses ${...} that is not a variable, where a document has variables (iam.md X2, X5).
func (c *checker) checkVariables(s *statement) {
	if c.d.Version != Version2012 {
		return
	}
	check := func(texts []Text) {
		for _, t := range texts {
			for _, p := range SplitVariables(t.Value) {
				if p.Kind == Malformed {
					c.fail(malformedCode(p.Text), t.Span, legacyParsing)
					break // AWS's answer names neither
				}
			}
		}
	}
	check(s.Resource)
	check(s.NotResource)
	for _, u := range s.uses {
		if f := u.family(); f == strs || f == arns {
			check(u.Values)
		}
	}
}

// malformedCode says what is wrong between the braces of a malformed variable.
func malformedCode(inner string) string {
	name, _, hasDefault := strings.Cut(inner, ",")
	switch {
	case strings.TrimSpace(inner) == "":
		return "EMPTY_VARIABLE"
	case strings.Contains(inner, "${"):
		return "MISSING_BRACE_IN_VARIABLE"
	case name != strings.TrimSpace(name):
		return "UNSUPPORTED_SPACE_IN_VARIABLE"
	case hasDefault:
		return "MISSING_QUOTE_IN_VARIABLE"
	}
	return "UNSUPPORTED_SYMBOL_IN_VARIABLE"
}

// parts splits a text at its variables, if the document has any.
func (c *checker) parts(text string) []Part {
	if c.d.Version != Version2012 {
		return []Part{{Kind: Literal, Text: text}}
	}
	return SplitVariables(text)
}

// hasVariable tells whether a text has anything in it but literal text.
func (c *checker) hasVariable(text string) bool {
	return slices.ContainsFunc(c.parts(text), func(p Part) bool { return p.Kind != Literal })
}

// noteVariables reports variables that AWS takes for text, or for less than was meant.
func (c *checker) noteVariables(s *statement) {
	for _, t := range slices.Concat(s.Action, s.NotAction) {
		c.noteMisplaced(t.Value, t.Span, "actions")
	}
	for _, p := range []*Principals{s.Principal, s.NotPrincipal} {
		if p != nil {
			for _, e := range p.Entries {
				c.noteMisplaced(e.Value.Value, e.Value.Span, "principals")
			}
		}
	}
	c.noteMisplaced(s.Sid, s.At.Sid, "statement ids")
	for _, t := range slices.Concat(s.Resource, s.NotResource) {
		c.noteVariable(t)
	}
	for _, u := range s.uses {
		c.noteMisplaced(u.Key.Value, u.Key.Span, "the names of condition keys")
		if f := u.family(); f == strs || f == arns {
			for _, v := range u.Values {
				c.noteVariable(v)
			}
		}
	}
}

// noteMisplaced reports a variable where the language has none.
func (c *checker) noteMisplaced(text string, at Span, where string) {
	if names(SplitVariables(text)) {
		c.note(Error, "VARIABLE_UNSUPPORTED_IN_ELEMENT", at,
			"Variables have no meaning in %s; use them in Resource and in the values of conditions.", where)
	}
}

// names tells whether one of the parts is a variable with the name of a key.
func names(parts []Part) bool {
	return slices.ContainsFunc(parts, func(p Part) bool { return p.Kind == Variable && strings.Contains(p.Text, ":") })
}

// noteVariable checks a value in which a variable may stand.
func (c *checker) noteVariable(t Text) {
	parts := SplitVariables(t.Value)
	if c.d.Version != Version2012 {
		if names(parts) {
			c.note(Error, "VARIABLE_UNSUPPORTED_IN_VERSION", t.Span,
				"In a policy of version %s the variable is plain text; set Version to %s.", c.d.Version, Version2012)
		}
		return
	}
	for _, p := range parts {
		switch key, _, _ := strings.Cut(p.Text, "/"); {
		case p.Kind == Literal && strings.Contains(p.Text, "${"):
			c.note(Error, "MISSING_BRACE_IN_VARIABLE", t.Span, "The variable has no closing brace and is plain text; add }.")
		case p.Kind == Variable && strings.Contains(key, " "):
			c.note(Error, "UNSUPPORTED_SPACE_IN_VARIABLE", t.Span, "The variable has a space in its name; remove it.")
		}
	}
}
