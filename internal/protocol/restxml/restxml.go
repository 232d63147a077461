// Package restxml is the server side of AWS's protocol restXml, as S3 speaks it.
//
// It never authenticates, authorizes, or checks what a value may be: of the required members only those that tell operations apart
// are sure to be there. Everything is safe for concurrent use. After an error from Decode nothing is kept; after one from Encode
// nothing was written.
//
// An operation is found by method, by whether the path names a bucket and a key, by literal query parameters, and by the few
// members without which it cannot be asked for. How its members are spread over path, query, headers and body is in the API's bindings, how
// they are called in XML in its Elements; both are compiled at the operation's first use. A payload that is a stream is not kept in
// memory. Streams of events are not supported.
//
// Source: https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html and
// https://docs.aws.amazon.com/AmazonS3/latest/API/Type_API_Reference.html; what they leave open is as S3 was seen to answer.
//
// To serve another service: codec, err := restxml.New(api, nil), where the API's operations have HTTP bindings.
package restxml

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/xmlwire"
)

// Codec speaks the protocol for one service.
type Codec struct {
	api        *protocol.API
	types      *types
	hosted     func(host string) (bucket string)
	routes     []*route // in the order in which they are tried
	operations map[string]*operation
	bodies     protocol.Buffers
}

const contentType = "application/xml"

var (
	_ protocol.Codec          = (*Codec)(nil)
	_ protocol.StreamingCodec = (*Codec)(nil)
)

// New makes the codec of a service. hosted is for S3, whose paths and hosts name buckets: it gives the bucket that a host's name begins with,
// "" for none. The paths of other services, for which it is nil, are as their bindings say. It fails if an operation has no usable HTTP
// binding.
func New(api *protocol.API, hosted func(host string) (bucket string)) (*Codec, error) {
	c := &Codec{
		api: api, hosted: hosted, types: newTypes(api), operations: map[string]*operation{},
	}
	for i := range api.Operations {
		r, err := newRoute(&api.Operations[i], hosted != nil)
		if err != nil {
			return nil, err
		}
		if r == nil {
			continue
		}
		c.routes = append(c.routes, r)
		c.operations[r.op.Name] = r.op
	}
	sortRoutes(c.routes)
	return c, nil
}

// Operation finds the operation by method, path, query and headers.
func (c *Codec) Operation(r *protocol.Request) (*protocol.Operation, error) {
	at, err := c.locate(r.HTTP)
	if err != nil {
		return nil, err
	}
	query, _ := r.Parameters() // Decode tells of an error
	for _, route := range c.routes {
		if route.match(r.HTTP, at, query) {
			return route.op.Operation, nil
		}
	}
	// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
	return nil, awserr.New("MethodNotAllowed", http.StatusMethodNotAllowed, "The specified method is not allowed against this resource.")
}

// Streams tells whether the payload of an operation is a stream.
func (c *Codec) Streams(op *protocol.Operation) bool {
	plan, err := c.plan(op)
	if err != nil || plan.in.payload < 0 || plan.in.xml != nil {
		return false
	}
	return op.Input.Field(plan.in.payload).Type.Kind() == reflect.Interface
}

// HostedBucket gives the bucket that the request's host names; "" when its path does.
func (c *Codec) HostedBucket(r *http.Request) string {
	if c.hosted == nil {
		return ""
	}
	return c.hosted(r.Host)
}

// Decode reads the input. A payload that is a stream reads r.Stream, or r.Body without one.
func (c *Codec) Decode(r *protocol.Request, op *protocol.Operation) (any, error) {
	plan, err := c.plan(op)
	if err != nil {
		return nil, awserr.Internal(err)
	}
	at, err := c.locate(r.HTTP)
	if err != nil {
		return nil, err
	}
	if template := c.operations[op.Name].template; template != nil {
		if at.labels, err = labels(template, r.HTTP.URL.EscapedPath()); err != nil {
			return nil, err
		}
	}
	query, err := r.Parameters()
	if err != nil {
		return nil, invalid("The query string is malformed.")
	}
	in := reflect.New(op.Input)
	for i := range plan.in.bindings {
		b := &plan.in.bindings[i]
		if err := b.read(in.Elem().Field(b.index), r.HTTP, at, query); err != nil {
			return nil, err
		}
	}
	return in.Interface(), plan.in.readBody(in.Elem(), r)
}

// Encode writes the output. An answer whose stream breaks off is broken off, too.
func (c *Codec) Encode(w http.ResponseWriter, op *protocol.Operation, out any, requestID string) error {
	plan, err := c.plan(op)
	if err != nil {
		return err
	}
	if _, events := reflect.PointerTo(op.Output).MethodByName("GetStream"); events {
		return awserr.NotImplemented(c.api.ID, op.Name)
	}
	v := reflect.ValueOf(out).Elem()
	h := http.Header{}
	for i := range plan.out.bindings {
		b := &plan.out.bindings[i]
		b.write(h, v.Field(b.index))
	}
	if s := plan.out.stream(v); s != nil {
		defer s.Close() // it was read
		maps.Copy(w.Header(), h)
		answer(w, plan.status(h), requestID)
		if _, err := io.Copy(w, s); err != nil {
			panic(http.ErrAbortHandler) // the length that was announced tells the client
		}
		return nil
	}
	room := c.bodies.Get()
	defer c.bodies.Put(room)
	if *room, err = plan.out.writeBody(*room, v, c.api.Namespace); err != nil {
		return fmt.Errorf("encode output of %s: %w", op.Name, err)
	}
	maps.Copy(w.Header(), h)
	if len(*room) > 0 && w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", contentType)
	}
	if op.HTTP.Method != http.MethodHead && plan.code != http.StatusNoContent {
		w.Header().Set("Content-Length", fmt.Sprint(len(*room)))
	}
	answer(w, plan.status(h), requestID)
	_, _ = w.Write(*room) // the client may be gone
	return nil
}

// answer begins an answer: S3 has its own headers for what identifies a request
// (https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html).
func answer(w http.ResponseWriter, status int, requestID string) {
	w.Header().Set("X-Amz-Request-Id", requestID)
	w.Header().Set("X-Amz-Id-2", requestID)
	w.WriteHeader(status)
}

// EncodeError writes an error, its members beside its text.
func (c *Codec) EncodeError(w http.ResponseWriter, err *awserr.Error, requestID string) {
	for k, v := range err.Headers {
		w.Header().Set(k, v)
	}
	if err.Status == http.StatusNotModified { // has no body
		answer(w, err.Status, requestID)
		return
	}
	b := []byte(xml.Header)
	if c.hosted == nil { // S3 alone does without the element around it (trait aws.protocols#restXml, noErrorWrapping)
		b = append(b, "<ErrorResponse>"...)
	}
	b = append(b, "<Error>"...)
	b = xmlwire.AppendElement(b, "Code", err.Code)
	b = xmlwire.AppendElement(b, "Message", err.Message)
	for _, name := range slices.Sorted(maps.Keys(err.Members)) {
		b = xmlwire.AppendElement(b, name, err.Members[name])
	}
	b = xmlwire.AppendElement(b, "RequestId", requestID)
	b = xmlwire.AppendElement(b, "HostId", requestID)
	b = append(b, "</Error>"...)
	if c.hosted == nil {
		b = xmlwire.AppendElement(b, "RequestId", requestID)
		b = append(b, "</ErrorResponse>"...)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", fmt.Sprint(len(b)))
	answer(w, err.Status, requestID)
	_, _ = w.Write(b) // the client may be gone
}

// invalid is the answer to a parameter or header that cannot be read.
func invalid(text string) error {
	return awserr.New("InvalidArgument", http.StatusBadRequest, "%s", text)
}

// malformed is the answer to a body that cannot be read: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func malformed() error {
	return awserr.New("MalformedXML", http.StatusBadRequest,
		"The XML you provided was not well-formed or did not validate against our published schema")
}
