package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
)

// ErrInvalid says that a text is no pattern.
var ErrInvalid = errors.New("filter: not a pattern")

// maxDepth bounds the nesting of a pattern, which is at most 4,096 characters long.
const maxDepth = 100

// Pattern is a pattern of events.
type Pattern struct{ root object }

// object is a pattern of an object: all of its fields must match, and of each list of alternatives one.
type object struct {
	fields       []field
	alternatives [][]object
}

// field is a pattern of a member: of its object, or of its values when tests are there.
type field struct {
	name  string
	of    object
	tests []test
}

// test is one thing that values may be. values are those of a member: none when it is not there.
type test func(values []any) bool

// Parse reads a pattern. The error is ErrInvalid.
func Parse(text string) (*Pattern, error) {
	value, err := Decode([]byte(text))
	if err != nil {
		return nil, ErrInvalid
	}
	root, ok := value.(map[string]any)
	if !ok {
		return nil, ErrInvalid
	}
	o, ok := parseObject(root, 0)
	if !ok {
		return nil, ErrInvalid
	}
	return &Pattern{o}, nil
}

// Decode reads JSON as events are matched: with the numbers as they are written.
func Decode(text []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("filter: more than one value")
	}
	return value, nil
}

func parseObject(pattern map[string]any, depth int) (o object, ok bool) {
	if len(pattern) == 0 || depth > maxDepth {
		return o, false
	}
	for name, value := range pattern {
		switch v := value.(type) {
		case map[string]any:
			of, ok := parseObject(v, depth+1)
			if !ok {
				return o, false
			}
			o.fields = append(o.fields, field{name: name, of: of})
		case []any:
			if name == "$or" {
				if list, ok := parseAlternatives(v, depth); ok {
					o.alternatives = append(o.alternatives, list)
					continue
				}
			}
			tests, ok := parseTests(v)
			if !ok {
				return o, false
			}
			o.fields = append(o.fields, field{name: name, tests: tests})
		default:
			return o, false
		}
	}
	return o, true
}

// parseAlternatives reads what "$or" holds: at least two objects. Else it may be the name of a member.
func parseAlternatives(list []any, depth int) (all []object, ok bool) {
	for _, e := range list {
		pattern, isObject := e.(map[string]any)
		if !isObject {
			return nil, false
		}
		o, ok := parseObject(pattern, depth+1)
		if !ok {
			return nil, false
		}
		all = append(all, o)
	}
	return all, len(all) > 1
}

// Match tells whether an event, as Decode gives it, matches.
func (p *Pattern) Match(event any) bool { return p.root.match(event, true) }

// match tells whether the value of a member matches. One that is not there is an object without members.
func (o *object) match(value any, there bool) bool {
	switch v := value.(type) {
	case map[string]any:
		return o.matchMembers(v)
	case []any:
		if len(v) == 0 {
			return o.matchMembers(nil)
		}
		return slices.ContainsFunc(v, func(e any) bool { return o.match(e, true) })
	}
	return !there && o.matchMembers(nil)
}

func (o *object) matchMembers(members map[string]any) bool {
	for i := range o.fields {
		f := &o.fields[i]
		value, there := members[f.name]
		if f.tests == nil {
			if !f.of.match(value, there) {
				return false
			}
			continue
		}
		var values []any
		if there {
			values = leaves(nil, value)
		}
		if !slices.ContainsFunc(f.tests, func(t test) bool { return t(values) }) {
			return false
		}
	}
	for _, list := range o.alternatives {
		if !slices.ContainsFunc(list, func(one object) bool { return one.matchMembers(members) }) {
			return false
		}
	}
	return true
}

// leaves are the values that lists are matched with: those of arrays, and no objects.
func leaves(all []any, value any) []any {
	switch v := value.(type) {
	case map[string]any:
		return all
	case []any:
		for _, e := range v {
			all = leaves(all, e)
		}
		return all
	}
	return append(all, value)
}
