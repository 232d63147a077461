package restxml

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	smithytime "github.com/aws/smithy-go/time"

	"github.com/licet/licet/internal/protocol"
)

// operation is an operation and what is compiled of it at its first use.
type operation struct {
	*protocol.Operation
	code int // status of success
	// template is the path of an operation of another service than S3, in segments.
	template []string

	once    sync.Once
	in, out *shape
	err     error
}

// shape is how an input or output is spread over an HTTP message.
type shape struct {
	bindings []binding
	// payload is the index of the member that is the whole body, or -1; xml reads and writes it, or with no payload the members that
	// are bound to nothing. It is nil for a body of bytes, and where there is no body.
	payload int
	xml     *codec
	root    string
}

// binding is a member that stands in the path, the query or headers.
type binding struct {
	protocol.Binding
	index int
}

func (c *Codec) plan(op *protocol.Operation) (*operation, error) {
	p := c.operations[op.Name]
	p.once.Do(func() {
		if p.code = op.Code; p.code == 0 {
			p.code = http.StatusOK
		}
		if p.in, p.err = c.compile(op.Input, op.HTTP.Input); p.err != nil {
			return
		}
		if p.out, p.err = c.compile(op.Output, op.HTTP.Output); p.err == nil && p.out.root == "" {
			p.out.root = op.HTTP.Root
		}
	})
	return p, p.err
}

func (c *Codec) compile(t reflect.Type, bindings []protocol.Binding) (*shape, error) {
	s := &shape{payload: -1}
	bound := map[string]bool{"ResultMetadata": true}
	if bucket, ok := t.FieldByName("Bucket"); ok && c.hosted != nil && strings.HasSuffix(t.Name(), "Input") {
		bound["Bucket"] = true // the SDK has it in the host
		s.bindings = append(s.bindings, binding{protocol.Binding{Place: protocol.InPath, Field: "Bucket", Name: "Bucket"}, bucket.Index[0]})
	}
	for _, b := range bindings {
		f, ok := t.FieldByName(b.Field)
		if !ok {
			return nil, fmt.Errorf("%v has no member %s", t, b.Field)
		}
		bound[b.Field] = true
		if b.Place != protocol.InPayload {
			s.bindings = append(s.bindings, binding{b, f.Index[0]})
			continue
		}
		s.payload, s.root = f.Index[0], b.Name
		if err := c.compilePayload(s, f.Type); err != nil {
			return nil, fmt.Errorf("payload of %v: %w", t, err)
		}
	}
	if s.payload >= 0 {
		return s, nil
	}
	document, err := c.types.structure(t, func(name string) bool { return bound[name] })
	if err == nil && !document.empty {
		s.xml = document
	}
	return s, err
}

func (c *Codec) compilePayload(s *shape, t reflect.Type) (err error) {
	if t.Kind() == reflect.Interface && t.Implements(reflect.TypeFor[io.Reader]()) || t == reflect.TypeFor[*string]() {
		return nil
	}
	if s.root == "" && t.Kind() == reflect.Pointer {
		s.root = t.Elem().Name()
	}
	s.xml, err = c.types.compiled.Of(t)
	return err
}

// readBody reads the body of a request.
func (s *shape) readBody(in reflect.Value, r *protocol.Request) error {
	body := r.Body
	switch {
	case s.payload < 0 && s.xml == nil:
		return nil
	case s.xml == nil:
		switch f := in.Field(s.payload); {
		case f.Kind() == reflect.Interface && r.Stream != nil:
			f.Set(reflect.ValueOf(r.Stream))
		case f.Kind() == reflect.Interface:
			f.Set(reflect.ValueOf(bytes.NewReader(body)))
		default:
			text := string(body)
			f.Set(reflect.ValueOf(&text))
		}
		return nil
	case len(body) == 0:
		return nil
	}
	root, err := parse(body)
	if err != nil || s.root != "" && root.name != s.root {
		return malformed()
	}
	target := in
	if s.payload >= 0 {
		target = in.Field(s.payload)
	}
	if err := s.xml.read(root, target); err != nil {
		return malformed()
	}
	return nil
}

// stream gives the body of an output that has one to be copied; nil for others.
func (s *shape) stream(out reflect.Value) io.ReadCloser {
	if s.payload < 0 || s.xml != nil {
		return nil
	}
	body, _ := out.Field(s.payload).Interface().(io.ReadCloser)
	return body
}

// writeBody appends the body of an output to b.
func (s *shape) writeBody(b []byte, out reflect.Value, namespace string) ([]byte, error) {
	v := out
	if s.payload >= 0 {
		v = out.Field(s.payload)
	}
	switch {
	case s.xml == nil && s.payload < 0:
		return b, nil
	case s.xml == nil:
		if text, ok := v.Interface().(*string); ok && text != nil {
			b = append(b, *text...)
		}
		return b, nil
	case s.root == "":
		return nil, fmt.Errorf("the root of %v has no name", out.Type())
	case s.payload >= 0 && v.IsNil():
		return b, nil
	}
	b = append(b, xml.Header...)
	b = append(b, '<')
	b = append(b, s.root...)
	b = append(b, ` xmlns="`...)
	b = append(b, namespace...)
	b = append(b, `">`...)
	if only := s.xml.only; only != nil && only.name == s.root {
		b = only.content(b, v.Field(only.index)) // GetBucketLocation has no element in its document
	} else {
		b = s.xml.write(b, v)
	}
	b = append(b, "</"...)
	b = append(b, s.root...)
	return append(b, '>'), nil
}

// status is that of success: a part of an object has its own.
func (o *operation) status(h http.Header) int {
	if h.Get("Content-Range") != "" {
		return http.StatusPartialContent
	}
	return o.code
}

// read sets a member of an input.
func (b *binding) read(v reflect.Value, r *http.Request, at place, query url.Values) error {
	var texts []string
	switch b.Place {
	case protocol.InPath:
		switch label, ok := at.labels[b.Name]; {
		case ok:
			texts = []string{label}
		case b.Name == "Bucket":
			texts = []string{at.bucket}
		default:
			texts = []string{at.key}
		}
	case protocol.InQuery:
		texts = query[b.Name]
	case protocol.InHeader:
		texts = headerOf(r, b.Name)
	case protocol.InPrefixHeaders:
		readPrefixed(v, b.Name, r.Header)
		return nil
	}
	if len(texts) == 0 {
		return nil
	}
	if err := fromText(v, texts); err != nil {
		return invalid(fmt.Sprintf("The value of %s is not valid: %v.", b.Name, err))
	}
	return nil
}

// headerOf gives a header's values. The length of the body is no header to net/http.
func headerOf(r *http.Request, name string) []string {
	if name == "Content-Length" {
		if r.ContentLength < 0 {
			return nil
		}
		return []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	return r.Header.Values(name)
}

// readPrefixed sets a map from the headers whose names begin with prefix; the keys are in lower case.
func readPrefixed(v reflect.Value, prefix string, h http.Header) {
	var values map[string]string
	for name, texts := range h {
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			if values == nil {
				values = map[string]string{}
			}
			values[strings.ToLower(name[len(prefix):])] = strings.Join(texts, ",")
		}
	}
	v.Set(reflect.ValueOf(values))
}

// write adds a member of an output to the headers.
func (b *binding) write(h http.Header, v reflect.Value) {
	switch {
	case b.Place == protocol.InPrefixHeaders:
		for key, value := range v.Interface().(map[string]string) {
			h[http.CanonicalHeaderKey(b.Name+key)] = []string{value}
		}
	case b.Place == protocol.InHeader:
		if text, ok := toText(v, b.DateTime); ok {
			h.Set(b.Name, text)
		}
	}
}

// fromText sets v, of a string, number, boolean, time or list, or pointer to one, from the texts of a label, parameter or header.
func fromText(v reflect.Value, texts []string) error {
	text := texts[0]
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return fromText(v.Elem(), texts)
	case v.Type() == reflect.TypeFor[time.Time]():
		t, err := parseTime(text)
		v.Set(reflect.ValueOf(t))
		return err
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		on, err := strconv.ParseBool(text)
		v.SetBool(on)
		return shorter(err)
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
		return shorter(err)
	case reflect.Slice:
		for _, text := range texts {
			for part := range strings.SplitSeq(text, ",") {
				e := reflect.New(v.Type().Elem()).Elem()
				if err := fromText(e, []string{strings.TrimSpace(part)}); err != nil {
					return err
				}
				v.Set(reflect.Append(v, e))
			}
		}
	default:
		return fmt.Errorf("type %v is not supported here", v.Type())
	}
	return nil
}

// shorter leaves out of an error what Go's function is called.
func shorter(err error) error {
	if n, ok := err.(*strconv.NumError); ok {
		return n.Err
	}
	return err
}

// parseTime reads the formats of headers and of documents.
func parseTime(text string) (time.Time, error) {
	if t, err := http.ParseTime(text); err == nil {
		return t, nil
	}
	return smithytime.ParseDateTime(text)
}

// toText is what a header says of v; false when it is not set.
func toText(v reflect.Value, dateTime bool) (string, bool) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "", false
		}
		v = v.Elem()
	} else if v.IsZero() {
		return "", false
	}
	if t, ok := v.Interface().(time.Time); ok && dateTime {
		return smithytime.FormatDateTime(t), true
	} else if ok {
		return t.UTC().Format(http.TimeFormat), true
	}
	return fmt.Sprint(v.Interface()), true
}
