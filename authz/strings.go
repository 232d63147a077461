package authz

import (
	"strings"

	"github.com/licet/licet/policy"
)

// The string operators but StringLike (iam.md C7), and Bool and Null, which compare texts, too.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html

// text is an operand that is compared as a whole.
type text struct {
	value string
	// template stands in the place of value when the text has variables; its parts are plain text.
	template *template
	// bool is value, read for Bool and Null.
	bool boolean
}

// text compiles an operand. Wildcards in it are plain characters.
func (c *compiler) text(value string) text {
	parts := c.parts(value)
	if hasVariable(parts) {
		t := &template{}
		t.parts, t.malformed = c.templateParts(parts, func(p policy.Part) string { return p.Text })
		return text{template: t}
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return text{value: b.String(), bool: readBool(b.String())}
}

// stringEquals is exact: "*" is a character.
func (e *evaluation) stringEquals(t *text, value string) truth {
	if t.template == nil {
		return truthOf(t.value == value)
	}
	if result := e.substitute(t.template); result != yes {
		return result
	}
	return truthOf(t.template.splitMatch(e.scratch.values, value))
}

// resolve is the text of an operand. It allocates when variables and other text make it up together.
func (e *evaluation) resolve(t *text) (string, truth) {
	if t.template == nil {
		return t.value, yes
	}
	if result := e.substitute(t.template); result != yes {
		return "", result
	}
	return strings.Join(e.scratch.values, ""), yes
}

// stringEqualsFold compares without regard to case. It does not know about letters that only some languages take for equal, such as
// "İ" and "i": a Deny on aws:TagKeys must not miss a tag that FoldKey takes for the one it names.
func (e *evaluation) stringEqualsFold(t *text, value string) truth {
	want, result := e.resolve(t)
	if result != yes {
		return result
	}
	return equalFold(value, want)
}

func equalFold(a, b string) truth {
	switch {
	case strings.EqualFold(a, b):
		return yes
	case sameKey(a, b):
		return unknown
	default:
		return no
	}
}

// boolean is what a text says that should be "true" or "false", in any case (iam.md C10).
type boolean uint8

const (
	notBoolean boolean = iota
	isFalse
	isTrue
)

func readBool(text string) boolean {
	switch {
	case equalFoldASCII(text, "true"):
		return isTrue
	case equalFoldASCII(text, "false"):
		return isFalse
	default:
		return notBoolean
	}
}

// equals is unknown when one of the two is no boolean.
func (b boolean) equals(other boolean) truth {
	if b == notBoolean || other == notBoolean {
		return unknown
	}
	return truthOf(b == other)
}

// isBool is the operator Bool.
func (e *evaluation) isBool(t *text, got boolean) truth {
	if t.template == nil {
		return got.equals(t.bool)
	}
	want, result := e.resolve(t)
	if result != yes {
		return result
	}
	return got.equals(readBool(want))
}

// isNull is the Null operator, whose values have no variables: "true" asks for a request without the key, "false" for one with it; a list is or-ed (iam.md C14). An
// empty list of values counts as absent, an empty string does not.
func (e *evaluation) isNull(a *atom, missing bool) truth {
	got := isFalse
	if missing {
		got = isTrue
	}
	return anyOf(e.group.texts[a.lo:a.hi], func(t *text) truth { return got.equals(t.bool) })
}
