package query

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	smithytime "github.com/aws/smithy-go/time"

	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/xmlwire"
)

// types compiles Go types.
type types struct {
	unions   []reflect.Type
	elements map[string]string
	compiled *xmlwire.Types[codec]
}

func newTypes(api *protocol.API) *types {
	ts := &types{unions: api.Unions, elements: api.Elements}
	ts.compiled = xmlwire.NewTypes(ts.fill)
	return ts
}

// codec reads a value of one Go type from parameters and writes it as the content of an XML element.
type codec struct {
	read func(*tree, reflect.Value) error
	// write appends to an answer.
	write func([]byte, reflect.Value) []byte
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
		c.write = func(b []byte, v reflect.Value) []byte { return xmlwire.AppendText(b, v.String()) }
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
	e, err := ts.compiled.Part(t.Elem())
	c.read = func(n *tree, v reflect.Value) error {
		v.Set(reflect.New(t.Elem()))
		return e.read(n, v.Elem())
	}
	c.write = func(b []byte, v reflect.Value) []byte { return e.write(b, v.Elem()) }
	if t == reflect.TypeFor[*string]() { // most members are
		c.write = func(b []byte, v reflect.Value) []byte { return xmlwire.AppendText(b, *v.Interface().(*string)) }
	}
	return err
}

// field is a member of a structure or union.
type field struct {
	tag
	index int
	codec *codec
	// flat members stand as elements that have the member's name.
	flat bool
	// absent tells whether the member is left out; nil when it never is.
	absent func(reflect.Value) bool
}

// write appends the member as an element, or if it is flat as its elements.
func (f *field) write(b []byte, v reflect.Value) []byte {
	if f.flat {
		return f.codec.write(b, v)
	}
	b = append(b, f.open...)
	b = f.codec.write(b, v)
	return append(b, f.close...)
}

// field compiles a member of a structure.
func (ts *types) field(t reflect.Type, f reflect.StructField) (field, error) {
	name, names, flat := strings.Cut(ts.elements[t.Name()+"."+f.Name], ",flat")
	if name == "" {
		name = wireName(t, f.Name)
	}
	if !flat {
		e, err := ts.compiled.Part(f.Type)
		return field{tag: newTag(name), codec: e}, err
	}
	e, err := ts.compiled.Part(f.Type.Elem())
	if err != nil {
		return field{}, err
	}
	c := &codec{}
	if f.Type.Kind() == reflect.Map {
		keyName, valueName, _ := strings.Cut(strings.TrimPrefix(names, ","), ",")
		flatMapping(c, f.Type, e, newTag(name), newTag(keyName), newTag(valueName))
	} else {
		flatList(c, f.Type, e, newTag(name))
	}
	return field{tag: newTag(name), codec: c, flat: true}, nil
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
		made, err := ts.field(t, f)
		if err != nil {
			return fmt.Errorf("member %s of %v: %w", f.Name, t, err)
		}
		made.index, made.absent = i, absence(f.Type)
		fields = append(fields, made)
	}
	c.empty = len(fields) == 0
	c.read = func(n *tree, v reflect.Value) error {
		for i := range fields {
			f := &fields[i]
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
	c.write = func(b []byte, v reflect.Value) []byte {
		for i := range fields {
			f := &fields[i]
			if fv := v.Field(f.index); f.absent == nil || !f.absent(fv) {
				b = f.write(b, fv)
			}
		}
		return b
	}
	return nil
}

// absence gives the test by which members of a type are left out; nil when they never are.
func absence(t reflect.Type) func(reflect.Value) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return reflect.Value.IsNil
	case reflect.String:
		return func(v reflect.Value) bool { return v.Len() == 0 }
	}
	return nil
}

// list is Name.member.1, Name.member.2 and so on; Name alone, without a value, is an empty list.
func (ts *types) list(c *codec, t reflect.Type) error {
	e, err := ts.compiled.Part(t.Elem())
	c.read = func(n *tree, v reflect.Value) error {
		nodes, err := n.children["member"].elements()
		if err != nil {
			return err
		}
		return readList(nodes, v, t, e)
	}
	c.write = writeList(e, newTag("member"))
	return err
}

// flatList is Name.1, Name.2 and so on; a value without an index is an empty list.
func flatList(c *codec, t reflect.Type, e *codec, name tag) {
	c.read = func(n *tree, v reflect.Value) error {
		nodes, err := n.elements()
		if err != nil {
			return err
		}
		return readList(nodes, v, t, e)
	}
	c.write = writeList(e, name)
}

func readList(nodes []*tree, v reflect.Value, t reflect.Type, e *codec) error {
	v.Set(reflect.MakeSlice(t, len(nodes), len(nodes)))
	for i, node := range nodes {
		if err := e.read(node, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func writeList(e *codec, name tag) func([]byte, reflect.Value) []byte {
	return func(b []byte, v reflect.Value) []byte {
		for i := range v.Len() {
			b = append(b, name.open...)
			b = e.write(b, v.Index(i))
			b = append(b, name.close...)
		}
		return b
	}
}

// mapping is Name.entry.1.key, Name.entry.1.value and so on. Entries are written in the order of their keys.
func (ts *types) mapping(c *codec, t reflect.Type) error {
	e, err := ts.compiled.Part(t.Elem())
	c.read = func(n *tree, v reflect.Value) error {
		nodes, err := n.children["entry"].elements()
		if err != nil {
			return err
		}
		return readMap(nodes, v, t, e, "key", "value")
	}
	c.write = writeMap(e, newTag("entry"), newTag("key"), newTag("value"))
	return err
}

// flatMapping is Name.1.Key, Name.1.Value and so on, with names of its own for keys and values.
func flatMapping(c *codec, t reflect.Type, e *codec, name, key, value tag) {
	c.read = func(n *tree, v reflect.Value) error {
		nodes, err := n.elements()
		if err != nil {
			return err
		}
		return readMap(nodes, v, t, e, key.name, value.name)
	}
	c.write = writeMap(e, name, key, value)
}

func readMap(nodes []*tree, v reflect.Value, t reflect.Type, e *codec, keyName, valueName string) error {
	v.Set(reflect.MakeMap(t))
	for _, node := range nodes {
		key, value := node.children[keyName], node.children[valueName]
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

func writeMap(e *codec, name, key, value tag) func([]byte, reflect.Value) []byte {
	return func(b []byte, v reflect.Value) []byte {
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
		for _, k := range keys {
			b = append(append(b, name.open...), key.open...)
			b = xmlwire.AppendText(b, k.String())
			b = append(append(b, key.close...), value.open...)
			b = e.write(b, v.MapIndex(k))
			b = append(append(b, value.close...), name.close...)
		}
		return b
	}
}

// union is for the SDK's union interfaces: a structure with one member.
func (ts *types) union(c *codec, t reflect.Type) error {
	members := xmlwire.Members(ts.unions, t)
	codecs, tags := map[string]*codec{}, map[reflect.Type]field{}
	for name, typ := range members {
		e, err := ts.compiled.Part(typ.Field(0).Type)
		if err != nil {
			return err
		}
		codecs[name], tags[reflect.PointerTo(typ)] = e, field{tag: newTag(name), codec: e}
	}
	c.read = func(n *tree, v reflect.Value) error {
		if len(n.children) != 1 {
			return badValue("A union takes one member.")
		}
		for name, child := range n.children {
			e, ok := codecs[name]
			if !ok {
				return badValue("A union has no member " + name + ".")
			}
			member := reflect.New(members[name])
			v.Set(member)
			return e.read(child, member.Elem().Field(0))
		}
		return nil
	}
	c.write = func(b []byte, v reflect.Value) []byte {
		m := tags[v.Elem().Type()]
		return m.write(b, v.Elem().Elem().Field(0))
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
	c.write = func(b []byte, v reflect.Value) []byte { return strconv.AppendBool(b, v.Bool()) }
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
	c.write = func(b []byte, v reflect.Value) []byte { return strconv.AppendInt(b, v.Int(), 10) }
}

// appendDateTime appends what smithytime.FormatDateTime gives: milliseconds, without zeros at their end.
func appendDateTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	// RFC 3339 is a layout that the standard library writes fast.
	return t.Add(-time.Duration(t.Nanosecond()%int(time.Millisecond))).AppendFormat(b, time.RFC3339Nano)
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
	c.write = func(b []byte, v reflect.Value) []byte {
		if v.CanAddr() { // as members of structures are; it saves a copy in memory of its own
			return appendDateTime(b, *v.Addr().Interface().(*time.Time))
		}
		return appendDateTime(b, v.Interface().(time.Time))
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
	c.write = func(b []byte, v reflect.Value) []byte { return base64.StdEncoding.AppendEncode(b, v.Bytes()) }
}
