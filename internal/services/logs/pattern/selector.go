package pattern

import (
	"encoding/json"
	"strings"
)

// maxWildcards is the largest number of wildcard selectors in a pattern; a selector may have one.
const maxWildcards = 3

// Selector is a path to values of a JSON document, such as $.users[0].name, $.* or $.['a.b'].
type Selector struct{ steps []step }

// step goes from a node to those below it: a field of an object, an element of an array, or all of either.
type step struct {
	field   string
	element int
	kind    stepKind
}

type stepKind int

const (
	toField stepKind = iota
	toElement
	toAllFields
	toAllElements
)

// ParseSelector reads a selector that stands alone, as metric filters have them for values and dimensions.
func ParseSelector(text string) (Selector, error) {
	p := &parser{text: text}
	s, err := p.selector()
	if err == nil && p.at != len(text) {
		err = p.unexpected()
	}
	return s, err
}

// Value gives the first string or number that the selector finds in a message, as text.
func (s Selector) Value(message string) (value string, ok bool) {
	decoded, isJSON := decode(message)
	if !isJSON {
		return "", false
	}
	s.find(decoded, func(node any) bool {
		switch v := node.(type) {
		case string:
			value, ok = v, true
		case json.Number:
			value, ok = v.String(), true
		}
		return ok
	})
	return value, ok
}

// find calls so with the nodes that the selector finds, until one is so.
func (s Selector) find(node any, so func(any) bool) bool {
	if len(s.steps) == 0 {
		return so(node)
	}
	first, rest := s.steps[0], Selector{s.steps[1:]}
	switch v := node.(type) {
	case map[string]any:
		if first.kind == toField {
			child, ok := v[first.field]
			return ok && rest.find(child, so)
		}
		for _, child := range v {
			if first.kind == toAllFields && rest.find(child, so) {
				return true
			}
		}
	case []any:
		if first.kind == toElement {
			return first.element < len(v) && rest.find(v[first.element], so)
		}
		for _, child := range v {
			if first.kind == toAllElements && rest.find(child, so) {
				return true
			}
		}
	}
	return false
}

// selector reads a selector.
func (p *parser) selector() (s Selector, err error) {
	if p.peek() != '$' {
		return s, p.unexpected()
	}
	start := p.at
	p.at++
	for p.next() == '.' || p.next() == '[' {
		var next step
		if next, err = p.step(); err != nil {
			// AWS names the characters from the dollar on: "Invalid character(s) in term '$."'".
			if e := err.(*Error); e.Offset == start+2 && len(s.steps) == 0 {
				err = badCharacters(start, p.text[start:p.at])
			}
			return s, err
		}
		s.steps = append(s.steps, next)
	}
	if len(s.steps) == 0 {
		return s, badCharacters(start, "$")
	}
	return s, p.countWildcards(s, start)
}

func (p *parser) countWildcards(s Selector, start int) error {
	before := p.wildcards
	for _, step := range s.steps {
		if step.kind == toAllFields || step.kind == toAllElements {
			p.wildcards++
		}
	}
	if p.wildcards-before > 1 || p.wildcards > maxWildcards {
		return invalid(start)
	}
	return nil
}

// step reads a step with the dot or bracket before it; a dot may stand before a bracket with a name.
func (p *parser) step() (step, error) {
	if p.next() == '.' {
		p.at++
		switch c := p.next(); {
		case c == '*':
			p.at++
			return step{kind: toAllFields}, nil
		case c == '[':
		case isFieldName(c):
			return step{field: p.word(isFieldName)}, nil
		default:
			return step{}, p.unexpected()
		}
	}
	p.at++
	found, err := p.bracketed()
	if err == nil && p.next() != ']' {
		err = p.unexpected()
	}
	if err == nil {
		p.at++
	}
	return found, err
}

// bracketed reads what is between brackets.
func (p *parser) bracketed() (step, error) {
	switch quote := p.next(); quote {
	case '*':
		p.at++
		return step{kind: toAllElements}, nil
	case '\'', '"':
		length := strings.IndexByte(p.text[p.at+1:], quote)
		if length < 0 {
			return step{}, p.unexpected()
		}
		name := p.text[p.at+1 : p.at+1+length]
		p.at += length + 2
		return step{field: name}, nil
	}
	n, err := p.index()
	return step{element: n, kind: toElement}, err
}
