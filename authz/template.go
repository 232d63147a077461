package authz

import (
	"strings"
	"unicode/utf8"

	"github.com/licet/licet/policy"
)

// template is a text of a policy that has variables. What is substituted is literal: wildcards in it are plain characters, and it is
// not read again (iam.md X4).
type template struct {
	parts   []part
	dialect dialect
	// malformed is true when a malformed variable follows the parts: then the text is unknown, unless a variable before it has no value.
	malformed bool
	// misplaced is true when a variable stands where a Resource may not have one.
	misplaced bool
	// simple is true when the parts are plain text: their only wildcard was a "*" at the end, for which openEnd stands.
	simple, openEnd bool
}

// part is literal text or a variable.
type part struct {
	// text is literal: plain in a simple template, else in the form that places reads.
	text string
	// variable is 1 + the index of the condition key whose value stands here; 0 for literal text.
	variable uint32
	// fallback replaces a variable without a value, if hasFallback.
	fallback    string
	hasFallback bool
}

// templateParts compiles parts, whose literal text literal encodes.
func (c *compiler) templateParts(parts []policy.Part, literal func(p policy.Part, last bool) string) (out []part, malformed bool) {
	for i, p := range parts {
		switch p.Kind {
		case policy.Malformed:
			return out, true
		case policy.Variable:
			out = append(out, part{variable: c.key(p.Text) + 1, fallback: p.Default, hasFallback: p.HasDefault})
		default:
			out = append(out, part{text: literal(p, i == len(parts)-1)})
		}
	}
	return out, false
}

// templateGlob compiles a pattern with variables.
func (c *compiler) templateGlob(parts []policy.Part, d dialect, misplaced bool) glob {
	t := template{dialect: d, misplaced: misplaced}
	if t.simple, t.openEnd = simplePattern(parts); t.simple {
		t.parts, t.malformed = c.templateParts(parts, func(p policy.Part, _ bool) string {
			if p.Kind == policy.Escaped {
				return p.Text
			}
			return strings.TrimSuffix(p.Text, "*")
		})
	} else {
		e := encoder{dialect: d}
		if d == arnDialect {
			e.dialect = plainDialect // how many colons stand before a wildcard depends on the values
		}
		t.parts, t.malformed = c.templateParts(parts, func(p policy.Part, last bool) string {
			e.out = e.out[:0]
			if p.Kind == policy.Escaped {
				e.literal(p.Text)
			} else {
				e.wild(p.Text, last)
			}
			return string(e.out)
		})
	}
	c.group.templates = append(c.group.templates, t)
	return glob{kind: globTemplate, lo: uint32(len(c.group.templates) - 1)}
}

// simplePattern tells whether the parts have no wildcard but a "*" at the end, and whether they have that.
func simplePattern(parts []policy.Part) (simple, openEnd bool) {
	for i, p := range parts {
		if p.Kind != policy.Literal {
			continue
		}
		text := p.Text
		if i == len(parts)-1 {
			text, openEnd = strings.CutSuffix(text, "*")
		}
		if strings.ContainsAny(text, "*?") || !utf8.ValidString(text) {
			return false, false
		}
	}
	return true, openEnd
}

// substitute finds what stands at each part, in scratch.values: no when a variable has no value (iam.md X3), unknown when the text
// cannot be understood.
func (e *evaluation) substitute(t *template) truth {
	values := e.scratch.values[:0]
	for i := range t.parts {
		p := &t.parts[i]
		value := p.text
		if p.variable != 0 {
			var ok bool
			if value, ok = e.variable(p); !ok {
				return no
			}
		}
		values = append(values, value)
	}
	e.scratch.values = values
	if t.malformed || t.misplaced {
		return unknown
	}
	return yes
}

// variable is the value of a variable. Only keys with a single value can be used (iam.md X2).
func (e *evaluation) variable(p *part) (string, bool) {
	switch k := e.key(p.variable - 1); k.state {
	case absent:
		return p.fallback, p.hasFallback
	case singleValue:
		return k.single, true
	default:
		return "", false
	}
}

// template compares text with a pattern that has variables.
func (e *evaluation) template(t *template, text string) truth {
	if result := e.substitute(t); result != yes {
		return result
	}
	if t.dialect == arnDialect && !e.isARN(t) {
		return no
	}
	if t.simple && e.valuesAreText(t) {
		rest, ok := cutAll(text, e.scratch.values)
		return truthOf(ok && (t.openEnd || rest == ""))
	}
	return truthOf(e.scratch.places.template(t, e.scratch.values, text))
}

// isARN tells whether the pattern has the five colons of an ARN.
func (e *evaluation) isARN(t *template) bool {
	colons := 0
	for _, v := range e.scratch.values {
		colons += strings.Count(v, ":")
	}
	return colons >= arnColons
}

// valuesAreText tells whether all values are UTF-8, so that none ends inside a character of the text.
func (e *evaluation) valuesAreText(t *template) bool {
	for i, v := range e.scratch.values {
		if t.parts[i].variable != 0 && !utf8.ValidString(v) {
			return false
		}
	}
	return true
}

// cutAll cuts the values from the start of text, one after the other.
func cutAll(text string, values []string) (rest string, ok bool) {
	for _, v := range values {
		if text, ok = strings.CutPrefix(text, v); !ok {
			return "", false
		}
	}
	return text, true
}

func (p *places) template(t *template, values []string, text string) bool {
	p.load(text)
	p.start(0)
	p.arn = t.dialect == arnDialect
	for i, v := range values {
		ok := false
		if t.parts[i].variable == 0 && !t.simple {
			ok = p.program(v)
		} else {
			ok = p.literal(v)
		}
		if !ok {
			return false
		}
		p.settle()
	}
	if t.openEnd {
		p.element(anyRun)
	}
	return p.ended()
}
