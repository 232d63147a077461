// Package restjson is the server side of AWS's protocol restJson1, as Lambda speaks it.
//
// It never authenticates, authorizes, or checks what a value may be; of the required members only those in the path are sure to be
// there. Everything is safe for concurrent use. After an error from Decode nothing is kept; after one from Encode nothing was
// written.
//
// An operation is found by method, path and literal query parameters. How its members are spread over path, query, headers and
// body comes from the traits of the SDK's schemas and is compiled at the operation's first use. A payload, such as Invoke's, is
// neither parsed nor copied: the input aliases the request's body. Bodies are read and written by package json. Event
// streams, documents, prefix headers and query maps are not supported.
//
// Source: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html; what it leaves open is as Lambda was seen to answer.
//
// To serve another service: codec, err := restjson.New(api), where the API's operations have schemas.
package restjson

import (
	"fmt"
	"net/http"
	"reflect"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/json"
)

// Codec speaks the protocol for one service.
type Codec struct {
	api        *protocol.API
	errors     *json.Errors
	shapes     *json.Shapes
	routes     []*route // in the order in which they are tried
	operations map[string]*operation
	bodies     protocol.Buffers
}

// contentType is that of Invoke's answers, too, whose body is what a function returned: AWS labels it so.
const contentType = "application/json"

var _ protocol.Codec = (*Codec)(nil)

// New makes the codec of a service. It fails if an operation has no usable HTTP binding.
func New(api *protocol.API) (*Codec, error) {
	c := &Codec{
		api: api, errors: json.NewErrors(api.Types), shapes: json.NewShapes(api.Unions), operations: map[string]*operation{},
	}
	for i := range api.Operations {
		r, err := newRoute(&api.Operations[i])
		if err != nil {
			return nil, err
		}
		c.routes = append(c.routes, r)
		c.operations[r.op.Name] = r.op
	}
	sortRoutes(c.routes)
	return c, nil
}

// Operation finds the operation by method, path and query.
func (c *Codec) Operation(r *protocol.Request) (*protocol.Operation, error) {
	path := split(r.HTTP.URL.EscapedPath())
	query, _ := r.Parameters() // Decode tells of an error
	for _, route := range c.routes {
		if route.match(r.HTTP.Method, path, query) {
			return route.op.Operation, nil
		}
	}
	// AWS answers the code alone, and no text.
	return nil, awserr.New("UnknownOperationException", http.StatusNotFound,
		"%s has no operation %s %s.", c.api.ID, r.HTTP.Method, r.HTTP.URL.Path)
}

// Decode reads the input. It keeps no hold of r, but a payload aliases r.Body.
func (c *Codec) Decode(r *protocol.Request, op *protocol.Operation) (any, error) {
	plan, err := c.plan(op)
	if err != nil {
		return nil, awserr.Internal(err)
	}
	in := reflect.New(op.Input)
	if err := plan.decode(r, in.Elem()); err != nil {
		return nil, json.Serialization(err)
	}
	return in.Interface(), nil
}

func (p *operation) decode(r *protocol.Request, in reflect.Value) error {
	path := split(r.HTTP.URL.EscapedPath())
	query, err := r.Parameters()
	if err != nil {
		return err
	}
	for _, b := range p.in.bindings {
		var texts []string
		switch b.place {
		case inPath:
			text, err := p.route.label(path, b.name)
			if err != nil {
				return err
			}
			if err := parse(in.Field(b.index), text); err != nil {
				return err
			}
		case inQuery:
			texts = query[b.name]
		case inHeader:
			texts = r.HTTP.Header.Values(b.name)
		}
		if len(texts) == 0 {
			continue
		}
		if err := parseAll(in.Field(b.index), texts); err != nil {
			return err
		}
	}
	switch {
	case p.in.payload != nil:
		return p.in.payload.read(in, r.Body)
	case p.in.body.Empty() || len(r.Body) == 0:
		return nil
	}
	return p.in.body.Unmarshal(r.Body, in)
}

// Encode writes the output. The status is the output's own, if it has one, else the operation's.
func (c *Codec) Encode(w http.ResponseWriter, op *protocol.Operation, out any, requestID string) error {
	plan, err := c.plan(op)
	if err != nil {
		return err
	}
	if plan.out.body.EventStream {
		return awserr.NotImplemented(c.api.ID, op.Name)
	}
	v := reflect.ValueOf(out).Elem()
	room := c.bodies.Get()
	defer c.bodies.Put(room)
	kept := plan.out.kept(v)
	body := kept.Body()
	if body == nil {
		if body, err = plan.out.encode(room, v); err != nil {
			return err
		}
		kept.Keep(body)
	}
	code, err := plan.head(w.Header(), v)
	if err != nil {
		return fmt.Errorf("%s %w", op.Name, err)
	}
	protocol.Answer(w, code, contentType, body, requestID)
	return nil
}

// head sets the headers that members are bound to, and gives the status.
func (p *operation) head(h http.Header, out reflect.Value) (int, error) {
	code := p.code
	if i := p.out.code; i >= 0 && out.Field(i).Int() != 0 {
		code = int(out.Field(i).Int())
	}
	if code < 200 || code > 599 {
		return 0, fmt.Errorf("answers status %d", code)
	}
	for _, b := range p.out.bindings {
		if f := out.Field(b.index); !json.Absent(f) {
			h.Set(b.name, reflect.Indirect(f).String())
		}
	}
	return code, nil
}

// EncodeHead begins an answer of events (protocol.StreamCodec). The type of its content is a member.
func (c *Codec) EncodeHead(w http.ResponseWriter, op *protocol.Operation, out any, requestID string) error {
	plan, err := c.plan(op)
	if err != nil {
		return err
	}
	code, err := plan.head(w.Header(), reflect.ValueOf(out).Elem())
	if err != nil {
		return fmt.Errorf("%s %w", op.Name, err)
	}
	w.Header().Set("X-Amzn-Requestid", requestID)
	w.WriteHeader(code)
	return nil
}

// EncodeError writes an error: its code is in a header, its text and members in the body (lambda.md 6.1).
func (c *Codec) EncodeError(w http.ResponseWriter, err *awserr.Error, requestID string) {
	for k, v := range err.Headers {
		w.Header().Set(k, v)
	}
	w.Header().Set("X-Amzn-Errortype", err.Code)
	protocol.Answer(w, err.Status, contentType, c.errors.Body(err, nil), requestID)
}
