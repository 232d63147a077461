package pattern

import (
	"regexp"
	"strings"
)

// terms are texts that a message contains, or does not.
type terms struct {
	included, excluded, optional []term
}

// term is a text, or a regular expression.
type term struct {
	text  string
	regex *regexp.Regexp // nil for text
}

func (t term) in(message string) bool {
	if t.regex != nil {
		return t.regex.MatchString(message)
	}
	return strings.Contains(message, t.text)
}

// match: optional terms count only where no others are, as the page says.
func (t terms) match(message string) bool {
	for _, e := range t.excluded {
		if e.in(message) {
			return false
		}
	}
	for _, i := range t.included {
		if !i.in(message) {
			return false
		}
	}
	if len(t.optional) == 0 || len(t.included)+len(t.excluded) > 0 {
		return true
	}
	for _, o := range t.optional {
		if o.in(message) {
			return true
		}
	}
	return false
}

// terms reads terms to the end.
func (p *parser) terms() (matcher, error) {
	var found terms
	for p.peek() != 0 {
		list := &found.included
		switch p.peek() {
		case '-':
			list = &found.excluded
			p.at++
		case '?':
			list = &found.optional
			p.at++
		}
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		*list = append(*list, t)
		if c := p.next(); c != 0 && !isSpace(c) && c != '"' && c != '%' {
			return nil, p.unexpected()
		}
	}
	return found, nil
}

func (p *parser) term() (t term, err error) {
	switch c := p.peek(); {
	case c == '"':
		t.text, err = p.quoted()
		if strings.TrimSpace(t.text) == "" {
			t.text = "" // the page: " " matches everything
		}
	case c == '%':
		t.regex, err = p.regex()
	case isName(c):
		t.text = p.word(isName)
	case c == 0:
		err = invalid(p.at)
	default:
		err = p.unexpected()
	}
	return t, err
}
