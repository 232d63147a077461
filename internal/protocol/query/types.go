package query

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	smithytime "github.com/aws/smithy-go/time"
)

// types compiles Go types and keeps what it compiled.
type types struct {
	unions []reflect.Type
	mu     sync.Mutex
	known  map[reflect.Type]*codec // guarded by mu; what it points to is immutable once of returned
}

// codec reads a value of one Go type from parameters and writes it as the content of an XML element.
type codec struct {
	read  func(*tree, reflect.Value) error
	write func(*bytes.Buffer, reflect.Value)
	// empty is set on structs without members.
	empty bool
}

// badValue is what is wrong with a parameter, for the client.
type badValue string

func (e badValue) Error() string { return string(e) }

// wireName is the name of a field on the wire.
func wireName(t reflect.Type, field string) string {
	switch t.Name() + "." + field {
	case "PolicyDescriptorType.Arn": // STS
		return "arn"
	case "ListDelegationRequestsOutput.IsTruncated": // IAM
		return "isTruncated"
	}
	return field
}

// of gives the codec of a type.
func (ts *types) of(t reflect.Type) (*codec, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.compile(t)
}

// compile makes a codec known before it is filled: types may refer to themselves.
func (ts *types) compile(t reflect.Type) (*codec, error) {
	if c, ok := ts.known[t]; ok {
		return c, nil
	}
	c := &codec{}
	ts.known[t] = c
	if err := ts.fill(c, t); err != nil {
		delete(ts.known, t)
		return nil, err
	}
	return c, nil
}

func (ts *types) fill(c *codec, t reflect.Type) error {
	switch {
	case t == reflect.TypeFor[time.Time]():
		timestamp(c)
		return nil
	case t == reflect.TypeFor[[]byte]():
		blob(c)
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return ts.pointer(c, t)
	case reflect.Struct:
		return ts.structure(c, t)
	case reflect.Slice:
		return ts.list(c, t)
	case reflect.Map:
		return ts.mapping(c, t)
	case reflect.Interface:
		return ts.union(c, t)
	case reflect.String:
		c.read = func(n *tree, v reflect.Value) error { v.SetString(n.value); return nil }
		c.write = func(w *bytes.Buffer, v reflect.Value) { escape(w, v.String()) }
	case reflect.Bool:
		boolean(c)
	case reflect.Int32, reflect.Int64:
		integer(c, t.Bits())
	default:
		return fmt.Errorf("type %v is not supported", t)
	}
	return nil
}

func (ts *types) pointer(c *codec, t reflect.Type) error {
	e, err := ts.compile(t.Elem())
	c.read = func(n *tree, v reflect.Value) error {
		v.Set(reflect.New(t.Elem()))
		return e.read(n, v.Elem())
	}
	c.write = func(w *bytes.Buffer, v reflect.Value) { e.write(w, v.Elem()) }
	return err
}

// field is a member of a structure.
type field struct {
	name  string
	index int
	codec *codec
}

// structure writes members in the order of the fields. Pointers, lists and maps that are nil are left out, and so are enums that
// are ""; numbers and booleans that are no pointers are always written, as AWS does: IsTruncated is in every list.
func (ts *types) structure(c *codec, t reflect.Type) error {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || f.Name == "ResultMetadata" {
			continue
		}
		e, err := ts.compile(f.Type)
		if err != nil {
			return fmt.Errorf("member %s of %v: %w", f.Name, t, err)
		}
		fields = append(fields, field{wireName(t, f.Name), i, e})
	}
	c.empty = len(fields) == 0
	c.read = func(n *tree, v reflect.Value) error {
		for _, f := range fields {
			child := n.children[f.name]
			if child == nil {
				continue
			}
			if err := f.codec.read(child, v.Field(f.index)); err != nil {
				return err
			}
		}
		return nil
	}
	c.write = func(w *bytes.Buffer, v reflect.Value) {
		for _, f := range fields {
			if fv := v.Field(f.index); !absent(fv) {
				element(w, f.name, func() { f.codec.write(w, fv) })
			}
		}
	}
	return nil
}

func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	}
	return false
}

// list is Name.member.1, Name.member.2 and so on; Name alone, without a value, is an empty list.
func (ts *types) list(c *codec, t reflect.Type) error {
	e, err := ts.compile(t.Elem())
	c.read = func(n *tree, v reflect.Value) error {
		nodes, err := n.children["member"].elements()
		if err != nil {
			return err
		}
		v.Set(reflect.MakeSlice(t, len(nodes), len(nodes)))
		for i, node := range nodes {
			if err := e.read(node, v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	}
	c.write = func(w *bytes.Buffer, v reflect.Value) {
		for i := range v.Len() {
			element(w, "member", func() { e.write(w, v.Index(i)) })
		}
	}
	return err
}

// mapping is Name.entry.1.key, Name.entry.1.value and so on. Entries are written in the order of their keys.
func (ts *types) mapping(c *codec, t reflect.Type) error {
	e, err := ts.compile(t.Elem())
	c.read = func(n *tree, v reflect.Value) error {
		nodes, err := n.children["entry"].elements()
		if err != nil {
			return err
		}
		v.Set(reflect.MakeMap(t))
		for _, node := range nodes {
			key, value := node.children["key"], node.children["value"]
			if key == nil || value == nil {
				return badValue("Map entries must have a key and a value.")
			}
			ev := reflect.New(t.Elem()).Elem()
			if err := e.read(value, ev); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(key.value).Convert(t.Key()), ev)
		}
		return nil
	}
	c.write = func(w *bytes.Buffer, v reflect.Value) {
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
		for _, k := range keys {
			element(w, "entry", func() {
				textElement(w, "key", k.String())
				element(w, "value", func() { e.write(w, v.MapIndex(k)) })
			})
		}
	}
	return err
}

// union is for the SDK's union interfaces: a structure with one member. A member is a struct type called by the names of the union
// and the member, whose one field, Value, is the member's value.
func (ts *types) union(c *codec, t reflect.Type) error {
	members := map[string]field{}
	for i, typ := range ts.unions {
		name, ok := strings.CutPrefix(typ.Name(), t.Name()+"Member")
		if !ok || !reflect.PointerTo(typ).Implements(t) {
			continue
		}
		e, err := ts.compile(typ.Field(0).Type)
		if err != nil {
			return err
		}
		members[name] = field{name, i, e}
	}
	c.read = func(n *tree, v reflect.Value) error {
		if len(n.children) != 1 {
			return badValue("A union takes one member.")
		}
		for name, child := range n.children {
			m, ok := members[name]
			if !ok {
				return badValue("A union has no member " + name + ".")
			}
			member := reflect.New(ts.unions[m.index])
			v.Set(member)
			return m.codec.read(child, member.Elem().Field(0))
		}
		return nil
	}
	c.write = func(w *bytes.Buffer, v reflect.Value) {
		for name, m := range members {
			if v.Elem().Type() == reflect.PointerTo(ts.unions[m.index]) {
				element(w, name, func() { m.codec.write(w, v.Elem().Elem().Field(0)) })
			}
		}
	}
	return nil
}

// boolean takes the four spellings of XML Schema.
func boolean(c *codec) {
	c.read = func(n *tree, v reflect.Value) error {
		switch n.value {
		case "true", "1":
			v.SetBool(true)
		case "false", "0":
		default:
			return badValue("boolean must follow xsd1.1 definition")
		}
		return nil
	}
	c.write = func(w *bytes.Buffer, v reflect.Value) { w.WriteString(strconv.FormatBool(v.Bool())) }
}

func integer(c *codec, bits int) {
	c.read = func(n *tree, v reflect.Value) error {
		i, err := strconv.ParseInt(n.value, 10, bits)
		if err != nil {
			return badValue("integer must follow xsd1.1 definition")
		}
		v.SetInt(i)
		return nil
	}
	c.write = func(w *bytes.Buffer, v reflect.Value) { w.WriteString(strconv.FormatInt(v.Int(), 10)) }
}

func timestamp(c *codec) {
	c.read = func(n *tree, v reflect.Value) error {
		t, err := smithytime.ParseDateTime(n.value)
		if err != nil {
			return badValue("timestamp must follow ISO8601")
		}
		v.Set(reflect.ValueOf(t))
		return nil
	}
	c.write = func(w *bytes.Buffer, v reflect.Value) {
		w.WriteString(smithytime.FormatDateTime(v.Interface().(time.Time)))
	}
}

func blob(c *codec) {
	c.read = func(n *tree, v reflect.Value) error {
		b, err := base64.StdEncoding.DecodeString(n.value)
		if err != nil {
			return badValue("blob must be Base64")
		}
		v.SetBytes(b)
		return nil
	}
	c.write = func(w *bytes.Buffer, v reflect.Value) { w.WriteString(base64.StdEncoding.EncodeToString(v.Bytes())) }
}
