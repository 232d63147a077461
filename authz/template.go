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
	// split is true when the parts are plain text and stars: then there are no other wildcards.
	split bool
}

// part is literal text or a variable.
type part struct {
	// text is literal: plain in a split template, else in the form that places reads.
	text string
	// star is anything, in a split template.
	star bool
	// variable is 1 + the index of the condition key whose value stands here; 0 for literal text.
	variable uint32
	// fallback replaces a variable without a value, if hasFallback.
	fallback    string
	hasFallback bool
}

// templateParts compiles parts, whose literal text literal encodes.
func (c *compiler) templateParts(parts []policy.Part, literal func(p policy.Part) string) (out []part, malformed bool) {
	for _, p := range parts {
		switch p.Kind {
		case policy.Malformed:
			return out, true
		case policy.Variable:
			out = append(out, part{variable: c.key(p.Text) + 1, fallback: p.Default, hasFallback: p.HasDefault})
		default:
			out = append(out, part{text: literal(p)})
		}
	}
	return out, false
}

// templateGlob compiles a pattern with variables.
func (c *compiler) templateGlob(parts []policy.Part, d dialect, misplaced bool) glob {
	t := template{dialect: d, misplaced: misplaced}
	e := encoder{dialect: d, out: c.room}
	if d == arnDialect {
		e.dialect = plainDialect // how many colons stand before a wildcard depends on the values
	}
	t.parts, t.malformed = c.templateParts(parts, func(p policy.Part) string {
		e.out = e.out[:0]
		e.special = e.special || !utf8.ValidString(p.Text)
		if p.Kind == policy.Escaped {
			e.literal(p.Text)
		} else {
			e.wild(p.Text)
		}
		return string(e.out)
	})
	c.room = e.out
	if !e.special {
		if split := splitParts(t.parts); canSplit(split, d) {
			t.parts, t.split = split, true
		}
	}
	c.group.templates = append(c.group.templates, t)
	return glob{kind: globTemplate, lo: uint32(len(c.group.templates) - 1)}
}

// splitParts takes literal text apart at its wildcards, all of which must be anyRun.
func splitParts(parts []part) []part {
	out := make([]part, 0, 2*len(parts)+1)
	for _, p := range parts {
		if p.variable != 0 {
			out = append(out, p)
			continue
		}
		text, star := p.text, true
		for star {
			var before string
			if before, text, star = strings.Cut(text, anyRunMark); before != "" {
				out = append(out, part{text: before})
			}
			if star {
				out = append(out, part{star: true})
			}
		}
	}
	return out
}

// canSplit tells whether splitMatch can do the work: between two stars stands one part at most, and in a pattern of ARNs, whose first
// wildcards match in a segment only, the only star is at the end.
func canSplit(parts []part, d dialect) bool {
	stars, run := 0, 0
	for i, p := range parts {
		switch {
		case !p.star:
			run++
		case stars > 0 && run > 1, d == arnDialect && i < len(parts)-1:
			return false
		default:
			stars, run = stars+1, 0
		}
	}
	return true
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
	if t.split && e.valuesAreText(t) {
		return truthOf(t.splitMatch(e.scratch.values, text))
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

// splitMatch cuts what stands before the first star and after the last from the text, and finds what stands between them one after the
// other, each as early as it can be.
func (t *template) splitMatch(values []string, text string) bool {
	var ok bool
	first, last := 0, len(t.parts)
	for ; first < last && !t.parts[first].star; first++ {
		if text, ok = strings.CutPrefix(text, values[first]); !ok {
			return false
		}
	}
	if first == last {
		return text == ""
	}
	for ; !t.parts[last-1].star; last-- {
		if text, ok = strings.CutSuffix(text, values[last-1]); !ok {
			return false
		}
	}
	for i := first; i < last; i++ { // values of stars are empty
		if _, text, ok = strings.Cut(text, values[i]); !ok {
			return false
		}
	}
	return true
}

func (p *places) template(t *template, values []string, text string) bool {
	p.load(text)
	p.start(0)
	p.arn = t.dialect == arnDialect
	for i, v := range values {
		ok := true
		switch {
		case t.parts[i].star:
			p.element(anyRun)
		case t.parts[i].variable == 0:
			ok = p.program(v)
		default:
			ok = p.literal(v)
		}
		if !ok {
			return false
		}
		p.settle()
	}
	return p.ended()
}
