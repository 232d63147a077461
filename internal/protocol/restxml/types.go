package restxml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/xmlwire"
)

// node is an XML element.
type node struct {
	name     string
	attrs    []xml.Attr
	text     []byte
	children []*node
}

// Bounds of a document: the longest that S3 takes are a thousand keys to delete and ten thousand parts of an upload.
const (
	maxDepth    = 16
	maxElements = 100_000
)

var errTooLarge = errors.New("too large a document")

// parse reads a document.
func parse(body []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	above := []*node{{}}
	for elements := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(above) == 1 && len(above[0].children) == 1 {
			return above[0].children[0], nil
		}
		if err != nil {
			return nil, err
		}
		top := above[len(above)-1]
		switch token := token.(type) {
		case xml.StartElement:
			if elements++; elements > maxElements || len(above) > maxDepth {
				return nil, errTooLarge
			}
			n := &node{name: token.Name.Local, attrs: token.Attr}
			top.children = append(top.children, n)
			above = append(above, n)
		case xml.EndElement:
			above = above[:len(above)-1]
		case xml.CharData:
			top.text = append(top.text, token...)
		}
	}
}

// attr gives an attribute; its prefix is of no importance.
func (n *node) attr(name string) (string, bool) {
	_, local, _ := strings.Cut(name, ":")
	for _, a := range n.attrs {
		if a.Name.Local == local {
			return a.Value, true
		}
	}
	return "", false
}

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

// codec reads a value of one Go type from an element, and writes it as the content of one.
type codec struct {
	read  func(*node, reflect.Value) error
	write func([]byte, reflect.Value) []byte
	// attributes writes those of the element; nil for none.
	attributes func([]byte, reflect.Value) []byte
	// empty is set on structures without members, only on those with one.
	empty bool
	only  *member
}

// structure gives the codec of a structure without some of its members.
func (ts *types) structure(t reflect.Type, without func(name string) bool) (*codec, error) {
	return ts.compiled.With(func(c *codec) error { return ts.fillStructure(c, t, without) })
}

func (ts *types) fill(c *codec, t reflect.Type) error {
	if t == reflect.TypeFor[time.Time]() {
		timestamp(c)
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return ts.pointer(c, t)
	case reflect.Struct:
		return ts.fillStructure(c, t, func(string) bool { return false })
	case reflect.Interface:
		return ts.union(c, t)
	case reflect.String:
		c.read = func(n *node, v reflect.Value) error { v.SetString(string(n.text)); return nil }
		c.write = func(b []byte, v reflect.Value) []byte { return xmlwire.AppendText(b, v.String()) }
	case reflect.Bool:
		c.read = func(n *node, v reflect.Value) error {
			on, err := strconv.ParseBool(strings.TrimSpace(string(n.text)))
			v.SetBool(on)
			return err
		}
		c.write = func(b []byte, v reflect.Value) []byte { return strconv.AppendBool(b, v.Bool()) }
	case reflect.Int32, reflect.Int64:
		c.read = func(n *node, v reflect.Value) error {
			i, err := strconv.ParseInt(strings.TrimSpace(string(n.text)), 10, t.Bits())
			v.SetInt(i)
			return err
		}
		c.write = func(b []byte, v reflect.Value) []byte { return strconv.AppendInt(b, v.Int(), 10) }
	default:
		return fmt.Errorf("type %v is not supported", t)
	}
	return nil
}

// timestamp is written with milliseconds, as S3 does.
func timestamp(c *codec) {
	c.read = func(n *node, v reflect.Value) error {
		t, err := parseTime(strings.TrimSpace(string(n.text)))
		v.Set(reflect.ValueOf(t))
		return err
	}
	c.write = func(b []byte, v reflect.Value) []byte {
		return v.Interface().(time.Time).UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	}
}

func (ts *types) pointer(c *codec, t reflect.Type) error {
	e, err := ts.compiled.Part(t.Elem())
	c.read = func(n *node, v reflect.Value) error {
		v.Set(reflect.New(t.Elem()))
		return e.read(n, v.Elem())
	}
	c.write = func(b []byte, v reflect.Value) []byte { return e.write(b, v.Elem()) }
	c.attributes = func(b []byte, v reflect.Value) []byte {
		if e.attributes == nil {
			return b
		}
		return e.attributes(b, v.Elem())
	}
	return err
}

// member is one of a structure or union.
type member struct {
	name  string // of the element, or of the attribute
	inner string // of the elements of a list that has an element of its own
	attr  bool
	list  bool // codec is that of its elements
	index int
	codec *codec
}

func (ts *types) member(t reflect.Type, f reflect.StructField) (m member, err error) {
	m = member{name: f.Name, index: f.Index[0], list: f.Type.Kind() == reflect.Slice}
	if name, ok := ts.elements[t.Name()+"."+f.Name]; ok {
		m.name, _ = strings.CutSuffix(name, ",flat")
		m.name, m.attr = strings.CutPrefix(m.name, "@")
		m.name, m.inner, _ = strings.Cut(m.name, ">")
	}
	element := f.Type
	if m.list {
		element = f.Type.Elem()
	}
	if m.codec, err = ts.compiled.Part(element); err != nil {
		err = fmt.Errorf("member %s of %v: %w", f.Name, t, err)
	}
	return m, err
}

// fillStructure is for structures. Members are written in the order of the fields; those that are not set are left out. Elements that
// are no members are ignored.
func (ts *types) fillStructure(c *codec, t reflect.Type, without func(name string) bool) error {
	var members, attributes []member
	for f := range t.Fields() {
		if !f.IsExported() || without(f.Name) {
			continue
		}
		m, err := ts.member(t, f)
		if err != nil {
			return err
		}
		if m.attr {
			attributes = append(attributes, m)
		} else {
			members = append(members, m)
		}
	}
	c.empty = len(members)+len(attributes) == 0
	if len(members) == 1 {
		c.only = &members[0]
	}
	c.read = func(n *node, v reflect.Value) error {
		for i := range attributes {
			m := &attributes[i]
			if value, ok := n.attr(m.name); ok {
				v.Field(m.index).SetString(value)
			}
		}
		for i := range members {
			if err := members[i].read(n, v.Field(members[i].index)); err != nil {
				return err
			}
		}
		return nil
	}
	c.write = func(b []byte, v reflect.Value) []byte {
		for i := range members {
			b = members[i].write(b, v.Field(members[i].index))
		}
		return b
	}
	if len(attributes) > 0 {
		c.attributes = func(b []byte, v reflect.Value) []byte {
			for i := range attributes {
				b = attributes[i].writeAttribute(b, v.Field(attributes[i].index))
			}
			return b
		}
	}
	return nil
}

// read sets a member from the children of a structure's element.
func (m *member) read(n *node, v reflect.Value) error {
	for _, child := range n.children {
		if child.name != m.name {
			continue
		}
		switch {
		case !m.list:
			return m.codec.read(child, v)
		case m.inner == "":
			if err := m.append(child, v); err != nil {
				return err
			}
		default:
			v.Set(reflect.MakeSlice(v.Type(), 0, len(child.children)))
			for _, e := range child.children {
				if e.name != m.inner {
					return fmt.Errorf("%s has an element %s", m.name, e.name)
				}
				if err := m.append(e, v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (m *member) append(n *node, v reflect.Value) error {
	e := reflect.New(v.Type().Elem()).Elem()
	if err := m.codec.read(n, e); err != nil {
		return err
	}
	v.Set(reflect.Append(v, e))
	return nil
}

// write appends a member to an answer, if it is set.
func (m *member) write(b []byte, v reflect.Value) []byte {
	switch {
	case !m.list:
		if v.IsZero() {
			return b
		}
		return m.element(b, m.name, v)
	case v.IsNil():
		return b
	case m.inner == "":
		for i := range v.Len() {
			b = m.element(b, m.name, v.Index(i))
		}
		return b
	}
	b = append(b, '<')
	b = append(b, m.name...)
	b = append(b, '>')
	for i := range v.Len() {
		b = m.element(b, m.inner, v.Index(i))
	}
	b = append(b, "</"...)
	b = append(b, m.name...)
	return append(b, '>')
}

// content appends what is in the element of a member that is no list.
func (m *member) content(b []byte, v reflect.Value) []byte {
	if v.IsZero() {
		return b
	}
	return m.codec.write(b, v)
}

func (m *member) element(b []byte, name string, v reflect.Value) []byte {
	b = append(b, '<')
	b = append(b, name...)
	if m.codec.attributes != nil {
		b = m.codec.attributes(b, v)
	}
	b = append(b, '>')
	b = m.codec.write(b, v)
	b = append(b, "</"...)
	b = append(b, name...)
	return append(b, '>')
}

// writeAttribute declares the one prefix that there is.
func (m *member) writeAttribute(b []byte, v reflect.Value) []byte {
	if v.Len() == 0 {
		return b
	}
	b = append(b, ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" `...)
	b = append(b, m.name...)
	b = append(b, `="`...)
	b = xmlwire.AppendText(b, v.String())
	return append(b, '"')
}

// union is for the SDK's union interfaces: a structure with one member.
func (ts *types) union(c *codec, t reflect.Type) error {
	types := xmlwire.Members(ts.unions, t)
	if len(types) == 0 {
		return fmt.Errorf("type %v is not supported", t)
	}
	byName, byType, structs := map[string]member{}, map[reflect.Type]member{}, map[string]reflect.Type{}
	for name, typ := range types {
		m, err := ts.member(typ, typ.Field(0))
		if err != nil {
			return err
		}
		if m.name == "Value" { // it has no other
			m.name = name
		}
		byName[m.name], byType[reflect.PointerTo(typ)] = m, m
		structs[m.name] = typ
	}
	c.read = func(n *node, v reflect.Value) error {
		if len(n.children) != 1 {
			return errors.New("a union takes one member")
		}
		m, ok := byName[n.children[0].name]
		if !ok {
			return fmt.Errorf("a union has no member %s", n.children[0].name)
		}
		value := reflect.New(structs[m.name])
		v.Set(value)
		return m.read(n, value.Elem().Field(0))
	}
	c.write = func(b []byte, v reflect.Value) []byte {
		m := byType[v.Elem().Type()]
		return m.write(b, v.Elem().Elem().Field(0))
	}
	return nil
}
