package json

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
	"sync"

	smithy "github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
)

// Shapes compiles the SDK's structs to Structs and keeps those that are nested in others.
type Shapes struct {
	unions  []reflect.Type
	mu      sync.Mutex
	structs map[reflect.Type]*Struct // guarded by mu; what it points to is immutable once Struct returned
}

// NewShapes makes Shapes that know the types that stand for members of unions (protocol.API.Unions).
func NewShapes(unions []reflect.Type) *Shapes {
	return &Shapes{unions: unions, structs: map[reflect.Type]*Struct{}}
}

// Struct is how a Go struct is read from and written as a JSON object.
type Struct struct {
	// EventStream is set when the shape holds an event stream, which is no part of the object.
	EventStream bool
	fields      []field
	byName      map[string]int // JSON name to index of fields
}

type field struct {
	name  string
	key   string // the name as it is written, with the colon
	index int
	codec codec
	// absent tells whether the member is left out; nil when it never is.
	absent func(reflect.Value) bool
}

// codec reads and writes the values of one Go type.
type codec struct {
	// read consumes a value that is not null.
	read func(*lexer, reflect.Value) error
	// write appends a value to an answer.
	write func([]byte, reflect.Value) ([]byte, error)
}

// Schema gives the schema that an SDK struct type serializes itself by, or nil if it has none.
func Schema(t reflect.Type) *smithy.Schema {
	v, ok := reflect.New(t).Interface().(smithy.Serializable)
	if !ok {
		return nil
	}
	var r recorder
	v.Serialize(&r)
	return r.schema
}

// recorder notes the schema of the first struct written to it. A zero struct writes no members but numbers and booleans that are required,
// so nothing else is ever called.
type recorder struct {
	smithy.ShapeSerializer
	schema *smithy.Schema
}

func (r *recorder) WriteStruct(s *smithy.Schema) {
	if r.schema == nil {
		r.schema = s
	}
}

func (r *recorder) CloseStruct()                         {}
func (r *recorder) WriteBool(*smithy.Schema, bool)       {}
func (r *recorder) WriteInt32(*smithy.Schema, int32)     {}
func (r *recorder) WriteInt64(*smithy.Schema, int64)     {}
func (r *recorder) WriteFloat64(*smithy.Schema, float64) {}

// Struct compiles the members of the struct type t for which keep is true; a nil keep stands for all.
func (s *Shapes) Struct(t reflect.Type, schema *smithy.Schema, keep func(*smithy.Schema) bool) (*Struct, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &Struct{}
	return st, s.fill(st, t, schema, keep)
}

// nested gives the Struct of a member's type. Types may refer to themselves: the Struct is known before it is filled.
func (s *Shapes) nested(t reflect.Type, schema *smithy.Schema) (*Struct, error) {
	if st, ok := s.structs[t]; ok {
		return st, nil
	}
	st := &Struct{}
	s.structs[t] = st
	if err := s.fill(st, t, schema, nil); err != nil {
		delete(s.structs, t)
		return nil, err
	}
	return st, nil
}

func (s *Shapes) fill(st *Struct, t reflect.Type, schema *smithy.Schema, keep func(*smithy.Schema) bool) error {
	st.byName = map[string]int{}
	if schema == nil {
		return nil
	}
	for name, m := range schema.Members() {
		if IsEventStream(m) {
			st.EventStream = true
			continue
		}
		if keep != nil && !keep(m) {
			continue
		}
		f, err := Field(t, m)
		if err != nil {
			return err
		}
		c, err := s.codec(f.Type, m)
		if err != nil {
			return fmt.Errorf("member %s of %v: %w", name, t, err)
		}
		n := jsonName(m)
		st.fields = append(st.fields, field{name: n, key: jsonKey(n), index: f.Index[0], codec: c, absent: absence(f.Type)})
	}
	sort.Slice(st.fields, func(i, j int) bool { return st.fields[i].name < st.fields[j].name })
	for i, f := range st.fields {
		st.byName[f.name] = i
	}
	return nil
}

// IsEventStream reports whether a member is an event stream.
func IsEventStream(m *smithy.Schema) bool {
	_, streaming := smithy.SchemaTrait[*traits.Streaming](m)
	return streaming && m.Type() == smithy.ShapeTypeUnion
}

// Field finds the Go field of a member: the SDK exports a member by an upper-case first letter.
func Field(t reflect.Type, m *smithy.Schema) (reflect.StructField, error) {
	f, ok := t.FieldByName(exported(m.MemberName()))
	if !ok || len(f.Index) != 1 {
		return f, fmt.Errorf("%v has no field for member %s", t, m.MemberName())
	}
	return f, nil
}

func exported(member string) string { return strings.ToUpper(member[:1]) + member[1:] }

func jsonName(m *smithy.Schema) string {
	if n, ok := smithy.SchemaTrait[*traits.JSONName](m); ok {
		return n.Name
	}
	return m.MemberName()
}

// Empty reports whether no member is part of the object.
func (st *Struct) Empty() bool { return len(st.fields) == 0 }

// Unmarshal reads the object in data into v, an addressable struct. Members that it does not know are ignored, of members that
// come twice the last counts, and a null is as if absent: so AWS does. The error's text is for the client.
func (st *Struct) Unmarshal(data []byte, v reflect.Value) error {
	l := &lexer{data: data}
	if err := st.read(l, v); err != nil {
		return err
	}
	return l.end()
}

func (st *Struct) read(l *lexer, v reflect.Value) error {
	return l.object(func(key []byte) error {
		i, ok := st.byName[string(key)]
		if !ok {
			return l.skip()
		}
		f := v.Field(st.fields[i].index)
		if l.null() {
			f.SetZero()
			return nil
		}
		return st.fields[i].codec.read(l, f)
	})
}

// Append appends v as an object. Pointers, lists and maps that are nil are left out, and so are enums that are ""; numbers and
// booleans that are no pointers are always written, as AWS does with members that have a default.
func (st *Struct) Append(b []byte, v reflect.Value) ([]byte, error) {
	b = append(b, '{')
	for i := range st.fields {
		f := &st.fields[i]
		fv := v.Field(f.index)
		if f.absent != nil && f.absent(fv) {
			continue
		}
		var err error
		if b, err = f.codec.write(append(separate(b), f.key...), fv); err != nil {
			return b, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return append(b, '}'), nil
}

// separate appends the comma before a member or an element, unless it is the first: no value ends as an object or an array begins.
func separate(b []byte) []byte {
	if last := b[len(b)-1]; last == '{' || last == '[' {
		return b
	}
	return append(b, ',')
}

// jsonKey is a member's name as it is written.
func jsonKey(name string) string { return string(append(appendText(nil, name), ':')) }

// Absent reports whether a field is not set.
func Absent(v reflect.Value) bool {
	absent := absence(v.Type())
	return absent != nil && absent(v)
}

// absence gives the test by which fields of a type are not set; nil when they always are.
func absence(t reflect.Type) func(reflect.Value) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return reflect.Value.IsNil
	case reflect.String:
		return func(v reflect.Value) bool { return v.Len() == 0 }
	}
	return nil
}
