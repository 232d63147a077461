package restjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"sync"
	"time"

	smithy "github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithytime "github.com/aws/smithy-go/time"
	"github.com/aws/smithy-go/traits"

	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/json"
)

// operation is an operation and what is compiled of it at its first use.
type operation struct {
	*protocol.Operation
	route *route
	code  int // status of success

	once    sync.Once
	in, out *shape
	err     error
}

// shape is how an input or output is spread over an HTTP message: https://smithy.io/2.0/spec/http-bindings.html
type shape struct {
	bindings []binding
	// body has the members that are bound to nothing.
	body *json.Struct
	// payload is the member that is the whole body, or nil.
	payload *payload
	// code and metadata are the indices of the fields that are the response code and the metadata, or -1.
	code, metadata int
}

// binding is a member that stands in the path, the query or a header.
type binding struct {
	place place
	name  string
	index int
}

type place int

const (
	inPath place = iota
	inQuery
	inHeader
)

// payload is a member that is the body: an object, or with a nil object bytes.
type payload struct {
	index  int
	object *json.Struct
}

func (c *Codec) plan(op *protocol.Operation) (*operation, error) {
	p := c.operations[op.Name]
	p.once.Do(func() {
		if p.in, p.err = c.compile(op.Input); p.err != nil {
			return
		}
		if p.out, p.err = c.compile(op.Output); p.err != nil {
			return
		}
		p.err = p.out.writable(op.Output)
	})
	return p, p.err
}

// writable reports why an output of type t cannot be encoded: headers must be strings, and payloads no streams.
func (s *shape) writable(t reflect.Type) error {
	for _, b := range s.bindings {
		if f := t.Field(b.index).Type; f != reflect.TypeFor[*string]() && f.Kind() != reflect.String {
			return fmt.Errorf("header %s of %v is no string", b.name, t)
		}
	}
	if s.payload != nil && t.Field(s.payload.index).Type.Kind() == reflect.Interface {
		return fmt.Errorf("the payload of %v is a stream", t)
	}
	return nil
}

func (c *Codec) compile(t reflect.Type) (*shape, error) {
	s := &shape{code: -1, metadata: -1}
	if f, ok := t.FieldByName("ResultMetadata"); ok && f.Type == reflect.TypeFor[middleware.Metadata]() {
		s.metadata = f.Index[0]
	}
	schema := json.Schema(t)
	if schema != nil {
		for name, m := range schema.Members() {
			if !bound(m) || json.IsEventStream(m) {
				continue
			}
			if err := c.bind(s, t, m); err != nil {
				return nil, fmt.Errorf("member %s of %v: %w", name, t, err)
			}
		}
	}
	var err error
	s.body, err = c.shapes.Struct(t, schema, func(m *smithy.Schema) bool { return !bound(m) })
	return s, err
}

// bound reports whether a member is no part of the body's object.
func bound(m *smithy.Schema) bool {
	return has[*traits.HTTPLabel](m) || has[*traits.HTTPQuery](m) || has[*traits.HTTPHeader](m) || has[*traits.HTTPPayload](m) ||
		has[*traits.HTTPResponseCode](m) || has[*traits.HTTPPrefixHeaders](m) || has[*traits.HTTPQueryParams](m)
}

func has[T smithy.Trait](m *smithy.Schema) bool {
	_, ok := smithy.SchemaTrait[T](m)
	return ok
}

// bind adds a bound member to s.
func (c *Codec) bind(s *shape, t reflect.Type, m *smithy.Schema) error {
	f, err := json.Field(t, m)
	if err != nil {
		return err
	}
	index := f.Index[0]
	if q, ok := smithy.SchemaTrait[*traits.HTTPQuery](m); ok {
		s.bindings = append(s.bindings, binding{inQuery, q.Name, index})
		return nil
	}
	if h, ok := smithy.SchemaTrait[*traits.HTTPHeader](m); ok {
		s.bindings = append(s.bindings, binding{inHeader, h.Name, index})
		return nil
	}
	switch {
	case has[*traits.HTTPLabel](m):
		s.bindings = append(s.bindings, binding{inPath, m.MemberName(), index})
	case has[*traits.HTTPResponseCode](m):
		s.code = index
	case has[*traits.HTTPPayload](m):
		s.payload, err = c.payload(f, m)
	default:
		return errors.New("this HTTP binding is not supported")
	}
	return err
}

func (c *Codec) payload(f reflect.StructField, m *smithy.Schema) (*payload, error) {
	p := &payload{index: f.Index[0]}
	switch {
	case f.Type == reflect.TypeFor[[]byte](), f.Type == reflect.TypeFor[io.Reader]():
		return p, nil
	case f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct:
		var err error
		p.object, err = c.shapes.Struct(f.Type.Elem(), m, nil)
		return p, err
	}
	return nil, fmt.Errorf("a payload of type %v is not supported", f.Type)
}

// kept is where the encoding of an output is kept; nil if it is not.
func (s *shape) kept(out reflect.Value) *protocol.Encoding {
	if s.metadata < 0 {
		return nil
	}
	return protocol.EncodingOf(out.Field(s.metadata).Addr().Interface().(*middleware.Metadata))
}

// encode gives the body of an output: its payload, or in room the object of the members that are bound to nothing.
func (s *shape) encode(room *[]byte, out reflect.Value) (body []byte, err error) {
	switch {
	case s.payload == nil && s.body.Empty():
		return nil, nil
	case s.payload == nil:
		*room, err = s.body.Append(*room, out)
		return *room, err
	case s.payload.object == nil:
		return out.Field(s.payload.index).Bytes(), nil
	}
	f := out.Field(s.payload.index)
	if f.IsNil() {
		return nil, nil
	}
	*room, err = s.payload.object.Append(*room, f.Elem())
	return *room, err
}

// read sets the member from the body. The bytes are not copied.
func (p *payload) read(in reflect.Value, body []byte) error {
	f := in.Field(p.index)
	switch {
	case f.Kind() == reflect.Interface:
		f.Set(reflect.ValueOf(bytes.NewReader(body)))
	case len(body) == 0:
	case p.object == nil:
		f.SetBytes(body)
	default:
		f.Set(reflect.New(f.Type().Elem()))
		return p.object.Unmarshal(body, f.Elem())
	}
	return nil
}

// parse sets v, of a string, number, boolean or time, or pointer to one, from the text of a label, query parameter or header.
func parse(v reflect.Value, text string) error {
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return parse(v.Elem(), text)
	case v.Type() == reflect.TypeFor[time.Time]():
		t, err := smithytime.ParseDateTime(text)
		v.Set(reflect.ValueOf(t))
		return unless(err, "a Timestamp")
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return unless(strconv.ErrSyntax, "a Boolean")
		}
		v.SetBool(text == "true")
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
		return unless(err, "an Integer")
	default:
		return fmt.Errorf("type %v is not supported here", v.Type())
	}
	return nil
}

func unless(err error, kind string) error {
	if err == nil {
		return nil
	}
	return errors.New("STRING_VALUE can not be converted to " + kind)
}

// parseAll is parse for query parameters, which make a list by coming more than once.
func parseAll(v reflect.Value, texts []string) error {
	if v.Kind() != reflect.Slice {
		return parse(v, texts[0])
	}
	v.Set(reflect.MakeSlice(v.Type(), len(texts), len(texts)))
	for i, text := range texts {
		if err := parse(v.Index(i), text); err != nil {
			return err
		}
	}
	return nil
}
