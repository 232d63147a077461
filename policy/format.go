package policy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
)

// Format writes a text as people read it: indented by two spaces, elements in the order in which AWS lists them (see Print), and a
// newline at the end. Statement is a list; elsewhere a list of one is written as a single value, and numbers and booleans as strings. What
// the text says stays as it is: Parse gives the same document but for its places, of empty lists and operators too, whatever their number,
// and statements, values and condition keys keep their order. Formatting a second time changes nothing.
//
// The error is Parse's *SyntaxError: a text that is no policy has no form. So it is with comments. JSON has none (RFC 8259), and AWS
// refuses a policy that has some: there is no place to keep them in.
func Format(text []byte) ([]byte, error) {
	if _, err := Parse(text); err != nil {
		return nil, err
	}
	v, err := scan(text)
	if err != nil {
		return nil, err
	}
	var p printer
	p.tidyDocument(v)
	var out bytes.Buffer
	if err := json.Indent(&out, p.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// object writes the members of an object in the order of names, those that are not among them last; value writes one of them.
func (p *printer) object(v value, names []string, write func(name string, v value)) {
	rank := func(name string) int {
		if i := slices.Index(names, name); i >= 0 {
			return i
		}
		return len(names)
	}
	members := slices.Clone(v.members)
	slices.SortStableFunc(members, func(a, b member) int { return cmp.Compare(rank(a.name.Value), rank(b.name.Value)) })
	p.WriteByte('{')
	for _, m := range members {
		p.member(m.name.Value)
		write(m.name.Value, m.value)
	}
	p.WriteByte('}')
}

func (p *printer) tidyDocument(v value) {
	p.object(v, []string{"Version", "Id", "Statement"}, func(name string, v value) {
		if name != "Statement" {
			p.string(v.text)
			return
		}
		items := v.items
		if v.kind != arrayValue {
			items = []value{v}
		}
		p.WriteByte('[')
		for _, item := range items {
			p.comma()
			p.tidyStatement(item)
		}
		p.WriteByte(']')
	})
}

func (p *printer) tidyStatement(v value) {
	order := []string{
		"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
	}
	p.object(v, order, func(_ string, v value) { p.tidy(v) })
}

// tidy writes what is within an element of a statement: objects in their own order, whose values are texts or lists of texts.
func (p *printer) tidy(v value) {
	switch {
	case v.kind == objectValue:
		p.object(v, nil, func(_ string, v value) { p.tidy(v) })
	case v.kind != arrayValue:
		p.string(v.text)
	case len(v.items) == 1:
		p.string(v.items[0].text)
	default:
		p.WriteByte('[')
		for _, item := range v.items {
			p.comma()
			p.string(item.text)
		}
		p.WriteByte(']')
	}
}
