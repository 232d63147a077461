package policy

import (
	"bytes"
	"encoding/json"
)

// Print writes a document without white space, its elements in the order in which AWS lists them: Version, Id, Statement; Sid,
// Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition. A list of one is written as a single
// value, numbers and booleans as strings. Spans and Source are not used, so a Document may be built by hand; Parse reads the
// result back if it obeys the rules of Statement and each pair of operator and key occurs once.
func Print(d *Document) []byte {
	var p printer
	p.WriteByte('{')
	if d.HasVersion {
		p.member("Version")
		p.string(string(d.Version))
	}
	if d.ID != "" {
		p.member("Id")
		p.string(d.ID)
	}
	p.member("Statement")
	p.WriteByte('[')
	for i := range d.Statements {
		p.comma()
		p.statement(&d.Statements[i])
	}
	p.WriteString("]}")
	return p.Bytes()
}

type printer struct{ bytes.Buffer }

// comma separates an element from the one before it, if there is one.
func (p *printer) comma() {
	if b := p.Bytes(); b[len(b)-1] != '{' && b[len(b)-1] != '[' {
		p.WriteByte(',')
	}
}

// member starts an element of an object.
func (p *printer) member(name string) {
	p.comma()
	p.string(name)
	p.WriteByte(':')
}

func (p *printer) string(s string) {
	e := json.NewEncoder(p)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // cannot happen: a string has a JSON form, and a buffer takes it
	}
	p.Truncate(p.Len() - 1) // the encoder's newline
}

// strings writes a list, or its only string.
func (p *printer) strings(list []Text) {
	if len(list) == 1 {
		p.string(list[0].Value)
		return
	}
	p.WriteByte('[')
	for _, t := range list {
		p.comma()
		p.string(t.Value)
	}
	p.WriteByte(']')
}

func (p *printer) statement(s *Statement) {
	p.WriteByte('{')
	if s.Sid != "" {
		p.member("Sid")
		p.string(s.Sid)
	}
	p.member("Effect")
	p.string(string(s.Effect))
	p.principals("Principal", s.Principal)
	p.principals("NotPrincipal", s.NotPrincipal)
	for _, e := range []struct {
		name   string
		values []Text
	}{{"Action", s.Action}, {"NotAction", s.NotAction}, {"Resource", s.Resource}, {"NotResource", s.NotResource}} {
		if e.values != nil {
			p.member(e.name)
			p.strings(e.values)
		}
	}
	if len(s.Condition) > 0 {
		p.member("Condition")
		p.conditions(s.Condition)
	}
	p.WriteByte('}')
}

func (p *printer) principals(element string, v *Principals) {
	if v == nil {
		return
	}
	p.member(element)
	if v.Any {
		p.string("*")
		return
	}
	p.WriteByte('{')
	types, byType := group(v.Entries, func(e PrincipalEntry) string { return e.Type })
	for _, t := range types {
		var values []Text
		for _, e := range byType[t] {
			values = append(values, e.Value)
		}
		p.member(t)
		p.strings(values)
	}
	p.WriteByte('}')
}

func (p *printer) conditions(list []Condition) {
	p.WriteByte('{')
	operators, byOperator := group(list, func(c Condition) string { return c.Operator.Value })
	for _, o := range operators {
		p.member(o)
		p.WriteByte('{')
		for _, c := range byOperator[o] {
			p.member(c.Key.Value)
			p.strings(c.Values)
		}
		p.WriteByte('}')
	}
	p.WriteByte('}')
}

// group sorts a list into groups, in the order in which the names of the groups first occur.
func group[T any](list []T, name func(T) string) (names []string, groups map[string][]T) {
	groups = make(map[string][]T)
	for _, e := range list {
		n := name(e)
		if groups[n] == nil {
			names = append(names, n)
		}
		groups[n] = append(groups[n], e)
	}
	return names, groups
}
