package policy

import "strings"

// PartKind tells what a Part of a text is.
type PartKind int

// The kinds of part.
const (
	// Literal text, in which * and ? are wildcards wherever wildcards are allowed.
	Literal PartKind = iota
	// Escaped is one of the characters *, ? and $, written ${*}, ${?} and ${$}: never a wildcard.
	Escaped
	// Variable stands for the value of a condition key.
	Variable
	// Malformed is ${...} with something in it that is neither. It never has a value; Validate refuses it.
	Malformed
)

// Part is a piece of a Resource or of a condition value.
type Part struct {
	Kind PartKind
	// Text is the literal text, the escaped character, the name of the key as written, or what stands between the braces of a
	// malformed variable.
	Text string
	// Default replaces a variable without a value, if HasDefault.
	Default    string
	HasDefault bool
}

// SplitVariables splits a text at its policy variables, in linear time. Only documents of Version2012 have variables: in others
// the whole text is literal, and it is for the caller to ask.
//
// A variable is ${key} or ${key, 'default'}, with comma and space; a default holds neither a quote nor a closing brace. "${"
// without a closing brace is literal.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func SplitVariables(text string) []Part {
	var parts []Part
	for text != "" {
		start := strings.Index(text, "${")
		end := -1
		if start >= 0 {
			end = strings.IndexByte(text[start:], '}')
		}
		if end < 0 {
			return append(parts, Part{Kind: Literal, Text: text})
		}
		if start > 0 {
			parts = append(parts, Part{Kind: Literal, Text: text[:start]})
		}
		parts = append(parts, variable(text[start+len("${"):start+end]))
		text = text[start+end+1:]
	}
	return parts
}

// variable reads what stands between the braces.
func variable(inner string) Part {
	switch inner {
	case "*", "?", "$":
		return Part{Kind: Escaped, Text: inner}
	}
	p := Part{Kind: Variable, Text: inner}
	if key, rest, ok := strings.Cut(inner, ", '"); ok {
		p.Text = key
		if p.Default, p.HasDefault = strings.CutSuffix(rest, "'"); !p.HasDefault || strings.Contains(p.Default, "'") {
			return Part{Kind: Malformed, Text: inner}
		}
	}
	if p.Text == "" || p.Text != strings.TrimSpace(p.Text) || strings.ContainsAny(p.Text, `${,'"*?`) {
		return Part{Kind: Malformed, Text: inner}
	}
	return p
}
