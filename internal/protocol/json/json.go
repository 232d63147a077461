// Package json is the server side of AWS's JSON protocols: of awsJson1_0 and awsJson1_1 all, of restJson1 how bodies are read and
// written.
//
// It never authenticates, authorizes, or checks what a value may be: a required member may be missing. Everything is safe for
// concurrent use. After an error from Decode nothing is kept; after one from Encode nothing was written.
//
// Structs are the SDK's; their members' names come from the schemas that the SDK exports. How a struct is read and written is
// compiled at its first use and kept. Documents and event streams are not supported.
//
// Source: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html; what it leaves open is as AWS's services were seen to
// answer, and said so where it stands.
//
// To serve another service: codec := json.New(api, json.Version11).
package json

import (
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
)

// Version is a version of the protocol, by its content type.
type Version string

// The two versions, which differ in nothing else that reaches the wire.
const (
	Version10 Version = "application/x-amz-json-1.0"
	Version11 Version = "application/x-amz-json-1.1"
)

// Codec speaks one of the protocols for one service.
type Codec struct {
	api        *protocol.API
	version    Version
	errors     *Errors
	shapes     *Shapes
	operations map[string]*operation
	bodies     protocol.Buffers
}

// operation is what is compiled of one operation, at its first use.
type operation struct {
	*protocol.Operation
	once    sync.Once
	in, out *Struct
	err     error
}

var _ protocol.Codec = (*Codec)(nil)

// New makes the codec of a service.
func New(api *protocol.API, version Version) *Codec {
	c := &Codec{
		api: api, version: version, errors: NewErrors(api.Types), shapes: NewShapes(api.Unions), operations: map[string]*operation{},
	}
	for i := range api.Operations {
		op := &api.Operations[i]
		c.operations[op.Name] = &operation{Operation: op}
	}
	return c
}

// Operation finds the operation that the X-Amz-Target header names.
func (c *Codec) Operation(r *protocol.Request) (*protocol.Operation, error) {
	prefix, name, _ := strings.Cut(r.HTTP.Header.Get("X-Amz-Target"), ".")
	if op, ok := c.operations[name]; ok && prefix == c.api.TargetPrefix && r.HTTP.Method == http.MethodPost {
		return op.Operation, nil
	}
	// The code and status that DynamoDB answers; it sends no text.
	return nil, awserr.New("UnknownOperationException", http.StatusBadRequest,
		"X-Amz-Target names no operation of %s.", c.api.ID)
}

// Decode reads the body. An empty one is refused, as DynamoDB does: all SDKs send {} at least.
func (c *Codec) Decode(r *protocol.Request, op *protocol.Operation) (any, error) {
	plan, err := c.plan(op)
	if err != nil {
		return nil, awserr.Internal(err)
	}
	in := reflect.New(op.Input)
	if err := plan.in.Unmarshal(r.Body, in.Elem()); err != nil {
		return nil, Serialization(err)
	}
	return in.Interface(), nil
}

// Encode writes the output. An operation without output members answers an empty body.
func (c *Codec) Encode(w http.ResponseWriter, op *protocol.Operation, out any, requestID string) error {
	plan, err := c.plan(op)
	if err != nil {
		return err
	}
	if plan.out.EventStream {
		return awserr.NotImplemented(c.api.ID, op.Name)
	}
	body := c.bodies.Get()
	defer c.bodies.Put(body)
	if !plan.out.Empty() {
		if *body, err = plan.out.Append(*body, reflect.ValueOf(out).Elem()); err != nil {
			return err
		}
	}
	protocol.Answer(w, http.StatusOK, string(c.version), *body, requestID)
	return nil
}

// EncodeHead begins an answer of events (protocol.StreamCodec): the output's other members are in the first of them
// (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html and amazon-eventstream.html, initial-response).
func (c *Codec) EncodeHead(w http.ResponseWriter, op *protocol.Operation, out any, requestID string) error {
	plan, err := c.plan(op)
	if err != nil {
		return err
	}
	body, err := plan.out.Append(nil, reflect.ValueOf(out).Elem())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.Header().Set("X-Amzn-Requestid", requestID)
	w.WriteHeader(http.StatusOK)
	events := protocol.NewEvents(w, func() error { return nil })
	_ = events.Send("initial-response", string(c.version), body) // the client may be gone
	return nil
}

// EncodeError writes an error: its code is in the member __type and in the header that the SDKs read first.
func (c *Codec) EncodeError(w http.ResponseWriter, err *awserr.Error, requestID string) {
	for k, v := range err.Headers {
		w.Header().Set(k, v)
	}
	w.Header().Set("X-Amzn-Errortype", err.Code)
	if c.api.QueryCompatible() { // clients know the older code, and look for it here
		w.Header().Set("X-Amzn-Query-Error", c.api.QueryCode(err.Code)+";"+err.Fault())
	}
	protocol.Answer(w, err.Status, string(c.version), c.errors.Body(err, map[string]string{"__type": err.Code}), requestID)
}

func (c *Codec) plan(op *protocol.Operation) (*operation, error) {
	p := c.operations[op.Name]
	p.once.Do(func() {
		if p.in, p.err = c.shapes.Struct(op.Input, Schema(op.Input), nil); p.err == nil {
			p.out, p.err = c.shapes.Struct(op.Output, Schema(op.Output), nil)
		}
	})
	return p, p.err
}
