package functionurl

import (
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/services/lambda/functionurl/payload"
)

// codec is the wire form of requests to URLs: every path and method is one of the same operation. Nothing is read from the body.
type codec struct {
	service *Service
	errors  protocol.Codec
	api     *protocol.API
	// signed, open and preflight are the operations: by URLs that want signatures, by others, and what browsers ask before.
	signed, open, preflight *protocol.Operation
}

func newCodec(s *Service, errors protocol.Codec) *codec {
	operation := func(name string, open bool) *protocol.Operation {
		return &protocol.Operation{Name: name, Input: reflect.TypeFor[Request](), Output: reflect.TypeFor[Response](), Open: open}
	}
	c := &codec{
		service: s, errors: errors,
		signed: operation(invokeOperation, false), open: operation(invokeOperation, true), preflight: operation(preflightOperation, true),
	}
	c.api = &protocol.API{
		ID: "Lambda function URLs", SigningName: ServiceName, SignedAs: "lambda", Operations: []protocol.Operation{*c.signed, *c.preflight},
	}
	return c
}

// Operation finds whether callers must sign. A URL that nobody has is open, too: Decode has the answer for it.
func (c *codec) Operation(r *protocol.Request) (*protocol.Operation, error) {
	a, ok := addressOf(r.HTTP)
	if !ok {
		return nil, awserr.New("UnknownOperationException", http.StatusNotFound, "The request is not for a function URL.")
	}
	u, err := c.service.locate(r.HTTP.Context(), a)
	switch {
	case err != nil:
		return nil, err
	case u == nil:
		return c.open, nil
	case isPreflight(u.Cors, r.HTTP):
		return c.preflight, nil
	case u.AuthType == "NONE":
		return c.open, nil
	}
	return c.signed, nil
}

// methods are those that a function can be asked with (urls-invocation, requestContext.http.method).
var methods = map[string]bool{
	http.MethodGet: true, http.MethodPost: true, http.MethodPut: true, http.MethodHead: true, http.MethodOptions: true, http.MethodPatch: true,
	http.MethodDelete: true,
}

// Decode makes the request. Whoever it is from, it is judged by the configuration of this moment: one that has changed since Operation
// looked is refused.
func (c *codec) Decode(r *protocol.Request, op *protocol.Operation) (any, error) {
	a, _ := addressOf(r.HTTP)
	u, err := c.service.locate(r.HTTP.Context(), a)
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, unknown(a.id)
	}
	if !methods[r.HTTP.Method] {
		return nil, awserr.New("MethodNotAllowedException", http.StatusMethodNotAllowed, "The method %s is not allowed.", clip(r.HTTP.Method, 32))
	}
	if now, err := c.Operation(r); err != nil {
		return nil, err
	} else if now != op {
		return nil, forbidden()
	}
	return &Request{url: u, at: a, http: r.HTTP, body: r.Body}, nil
}

// Encode answers. A streamed response goes out part by part; when the function breaks it off, so does the connection: what was announced as a
// whole must not look like one.
func (c *codec) Encode(w http.ResponseWriter, _ *protocol.Operation, out any, requestID string) error {
	r := out.(*Response)
	defer func() { c.service.metrics.latency.Observe(time.Since(r.arrived).Seconds()) }()
	if r.pipe != nil {
		return c.encodeStream(w, r, requestID)
	}
	c.begin(w, r, &r.Answer, requestID, len(r.Body))
	if bodyAllowed(r.Status) {
		_, _ = w.Write(r.Body) // the client may be gone; there is nobody left to tell
	}
	return nil
}

// begin sends the head of a response. length is -1 where it is not known.
func (c *codec) begin(w http.ResponseWriter, r *Response, a *payload.Answer, requestID string, length int) {
	h := w.Header()
	for name, values := range a.Header {
		h[name] = values
	}
	h.Set("X-Amzn-Requestid", requestID)
	if r.trace != "" {
		h.Set("X-Amzn-Trace-Id", r.trace)
	}
	if length >= 0 && bodyAllowed(a.Status) {
		h.Set("Content-Length", strconv.Itoa(length))
	}
	c.service.metrics.count(a.Status)
	w.WriteHeader(a.Status)
}

// bodyAllowed tells statuses that can have a body (RFC 9110, 15).
func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

func (c *codec) encodeStream(w http.ResponseWriter, r *Response, requestID string) error {
	var parts payload.Splitter
	begun := false
	begin := func(head *payload.Answer) {
		override(head.Header, r.cors, r.added)
		c.begin(w, r, head, requestID, -1)
		begun = true
	}
	var malformed error
	result, err := r.pipe.Copy(func(part []byte) error {
		head, rest, err := parts.Split(r.pipe.ContentType(), part)
		if err != nil {
			malformed = err
			return err
		}
		if head != nil {
			begin(head)
		}
		if !begun {
			return nil
		}
		if len(rest) > 0 {
			if _, err := w.Write(rest); err != nil {
				return err
			}
		}
		return http.NewResponseController(w).Flush()
	})
	switch {
	case begun && (err != nil || result.FunctionError != ""):
		panic(http.ErrAbortHandler)
	case malformed != nil:
		return withHeaders(badGateway(malformed.Error()), r.added)
	case err != nil:
		return withHeaders(err, r.added)
	case result.FunctionError != "":
		return withHeaders(failed(result), r.added)
	case begun:
		return nil
	}
	head, err := parts.End(r.pipe.ContentType())
	if err != nil {
		return withHeaders(badGateway(err.Error()), r.added)
	}
	begin(head)
	return nil
}

// EncodeError answers with an error as Lambda's API does, but for those that are the function's.
func (c *codec) EncodeError(w http.ResponseWriter, err *awserr.Error, requestID string) {
	c.service.metrics.count(err.Status)
	if err.Code != badAnswer {
		c.errors.EncodeError(w, err, requestID)
		return
	}
	for name, value := range err.Headers {
		w.Header().Set(name, value)
	}
	protocol.Answer(w, err.Status, "application/json", []byte(err.Message), requestID)
}
