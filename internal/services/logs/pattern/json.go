package pattern

import (
	"encoding/json"
	"io"
	"strings"
)

// document is a pattern for messages that are JSON.
type document struct{ root expression }

func (d document) match(message string) bool {
	decoded, ok := decode(message)
	return ok && d.root.holds(decoded)
}

// decode reads a message that is one JSON object or array. Numbers stay as they are written.
func decode(message string) (decoded any, ok bool) {
	trimmed := strings.TrimLeft(message, " \t\n\r")
	if trimmed == "" || trimmed[0] != '{' && trimmed[0] != '[' {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(trimmed))
	d.UseNumber()
	if d.Decode(&decoded) != nil {
		return nil, false
	}
	_, err := d.Token()
	return decoded, err == io.EOF
}

// expression is a condition on a decoded message.
type expression interface{ holds(decoded any) bool }

// anyOf and allOf are || and &&.
type (
	anyOf []expression
	allOf []expression
)

func (a anyOf) holds(decoded any) bool {
	for _, e := range a {
		if e.holds(decoded) {
			return true
		}
	}
	return false
}

func (a allOf) holds(decoded any) bool {
	for _, e := range a {
		if !e.holds(decoded) {
			return false
		}
	}
	return true
}

// test is a condition on what a selector finds: one of the nodes at least must be so.
type test struct {
	Selector
	so func(node any) bool
}

func (t test) holds(decoded any) bool { return t.find(decoded, t.so) }

// absent holds where a selector finds nothing.
type absent struct{ Selector }

func (a absent) holds(decoded any) bool { return !a.find(decoded, func(any) bool { return true }) }

// compared tells whether a node is a string or a number and compares so.
func (c comparison) compared(node any) bool {
	switch v := node.(type) {
	case string:
		return c.holds(v, 0, false)
	case json.Number:
		number, isNumber := parseNumber(v.String())
		return c.holds(v.String(), number, isNumber)
	}
	return false
}

// expression reads conditions with || between them; conjunction, those with && between, which bind closer.
func (p *parser) expression() (expression, error) {
	first, err := p.conjunction()
	list := anyOf{first}
	for err == nil && p.take("||") {
		first, err = p.conjunction()
		list = append(list, first)
	}
	if len(list) == 1 {
		return first, err
	}
	return list, err
}

func (p *parser) conjunction() (expression, error) {
	first, err := p.condition()
	list := allOf{first}
	for err == nil && p.take("&&") {
		first, err = p.condition()
		list = append(list, first)
	}
	if len(list) == 1 {
		return first, err
	}
	return list, err
}

// condition reads one condition, or an expression in parentheses.
func (p *parser) condition() (expression, error) {
	if p.take("(") {
		inner, err := p.expression()
		if err == nil && !p.take(")") {
			err = p.unexpected()
		}
		return inner, err
	}
	s, err := p.selector()
	if err != nil {
		return nil, err
	}
	switch {
	case p.keyword("IS"):
		return p.is(s)
	case p.keyword("NOT"):
		if !p.keyword("EXISTS") {
			return nil, invalid(p.at)
		}
		return absent{s}, nil
	}
	c, err := p.comparison()
	return test{s, c.compared}, err
}

// is reads what follows IS.
func (p *parser) is(s Selector) (expression, error) {
	for word, want := range map[string]any{"NULL": nil, "TRUE": true, "FALSE": false} {
		if p.keyword(word) {
			return test{s, func(node any) bool { return node == want }}, nil
		}
	}
	return nil, invalid(p.at)
}

// json reads what is between the braces.
func (p *parser) json() (matcher, error) {
	root, err := p.expression()
	if err == nil && p.peek() != 0 {
		err = p.unexpected()
	}
	return document{root}, err
}
