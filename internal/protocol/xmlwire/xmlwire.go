// Package xmlwire is what the protocols that answer in XML have in common: what they make of the SDK's Go types, for which there are no
// schemas, and how text is written.
//
// It knows neither names nor protocols. Types are safe for concurrent use.
package xmlwire

import (
	"bytes"
	"encoding/xml"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"
)

// Types keeps what a protocol compiles of Go types.
type Types[C any] struct {
	fill func(c *C, t reflect.Type) error

	mu    sync.Mutex
	known map[reflect.Type]*C // guarded by mu; what it points to is immutable once Of has returned
}

// NewTypes makes Types. fill is called once for each type, and may call Part.
func NewTypes[C any](fill func(c *C, t reflect.Type) error) *Types[C] {
	return &Types[C]{fill: fill, known: map[reflect.Type]*C{}}
}

// Of gives what is compiled of a type.
func (ts *Types[C]) Of(t reflect.Type) (*C, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.Part(t)
}

// With compiles what is not kept.
func (ts *Types[C]) With(fill func(c *C) error) (*C, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	c := new(C)
	return c, fill(c)
}

// Part is Of for a type that another refers to, while that one is filled. It may not be filled yet: types may refer to themselves.
func (ts *Types[C]) Part(t reflect.Type) (*C, error) {
	if c, ok := ts.known[t]; ok {
		return c, nil
	}
	c := new(C)
	ts.known[t] = c
	if err := ts.fill(c, t); err != nil {
		delete(ts.known, t)
		return nil, err
	}
	return c, nil
}

// Members lists the members of one of the SDK's unions, an interface, by name: the struct types among unions that are called by the
// names of the union and the member. Their one field, Value, is the member's value.
func Members(unions []reflect.Type, union reflect.Type) map[string]reflect.Type {
	members := map[string]reflect.Type{}
	for _, t := range unions {
		name, ok := strings.CutPrefix(t.Name(), union.Name()+"Member")
		if ok && reflect.PointerTo(t).Implements(union) {
			members[name] = t
		}
	}
	return members
}

// plain are the bytes that encoding/xml leaves as they are, whatever stands around them.
var plain = func() (set [256]bool) {
	for c := range byte(utf8.RuneSelf) {
		set[c] = c >= ' ' && c != '"' && c != '\'' && c != '&' && c != '<' && c != '>'
	}
	return set
}()

// AppendText appends text as encoding/xml escapes it.
func AppendText(b []byte, text string) []byte {
	for i := range len(text) {
		if !plain[text[i]] {
			var escaped bytes.Buffer
			_ = xml.EscapeText(&escaped, []byte(text)) // a buffer cannot fail
			return append(b, escaped.Bytes()...)
		}
	}
	return append(b, text...) // most texts have nothing to escape
}

// AppendElement appends an element that has a text.
func AppendElement(b []byte, name, text string) []byte {
	b = append(b, '<')
	b = append(b, name...)
	b = append(b, '>')
	b = AppendText(b, text)
	b = append(b, "</"...)
	b = append(b, name...)
	return append(b, '>')
}
