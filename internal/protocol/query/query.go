// Package query is the server side of AWS's protocol awsQuery, as IAM, STS and SQS speak it: parameters in a form or a query string,
// answers in XML.
//
// It never authenticates, authorizes, or checks what a value may be: a required member may be missing. Everything is safe for
// concurrent use. After an error from Decode nothing is kept; after one from Encode nothing was written.
//
// The SDK has no schemas for these services. Names on the wire are those of the Go fields but for the few in wireName and in the API's
// Elements. How a type is read and written is compiled at its first use and kept. Documents are not supported: no service has one.
//
// Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html; the texts of errors are those that AWS's services were seen
// to give.
//
// To serve another service: look in the SDK's serializers.go and deserializers.go for names that differ, add them to wireName, and
// call query.New(api); likewise emptyResult. The tests find what was forgotten.
package query

import (
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
	operations map[string]*protocol.Operation
	bodies     protocol.Buffers
}

const contentType = "text/xml"

var _ protocol.Codec = (*Codec)(nil)

// New makes the codec of a service.
func New(api *protocol.API) *Codec {
	c := &Codec{
		api: api, types: newTypes(api),
		operations: map[string]*protocol.Operation{},
	}
	for i := range api.Operations {
		c.operations[api.Operations[i].Name] = &api.Operations[i]
	}
	return c
}

// Operation finds the operation that the parameter Action names, if Version is the service's.
func (c *Codec) Operation(r *protocol.Request) (*protocol.Operation, error) {
	values, err := c.parameters(r)
	if err != nil {
		return nil, err
	}
	action, version := values.Get("Action"), values.Get("Version")
	if action == "" {
		// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
		return nil, awserr.New("MissingAction", http.StatusBadRequest, "The request is missing an action or a required parameter.")
	}
	op, ok := c.operations[action]
	if !ok || version != c.api.Version {
		return nil, awserr.New("InvalidAction", http.StatusBadRequest,
			"Could not find operation %s for version %s", action, version)
	}
	return op, nil
}

// Decode reads the parameters. Those that the input does not have are ignored.
func (c *Codec) Decode(r *protocol.Request, op *protocol.Operation) (any, error) {
	values, err := c.parameters(r)
	if err != nil {
		return nil, err
	}
	t, err := c.types.compiled.Of(op.Input)
	if err != nil {
		return nil, awserr.Internal(err)
	}
	tree, err := newTree(values)
	if err != nil {
		return nil, err
	}
	in := reflect.New(op.Input)
	if err := t.read(tree, in.Elem()); err != nil {
		return nil, malformed(err.Error())
	}
	return in.Interface(), nil
}

// Encode writes the output: <XResponse><XResult>…</XResult><ResponseMetadata/></XResponse>, without XResult where the model has
// no output.
func (c *Codec) Encode(w http.ResponseWriter, op *protocol.Operation, out any, requestID string) error {
	t, err := c.types.compiled.Of(op.Output)
	if err != nil {
		return err
	}
	body := c.bodies.Get()
	defer c.bodies.Put(body)
	b := append(*body, '<')
	b = append(b, op.Name...)
	b = append(b, `Response xmlns="`...)
	b = append(b, c.api.Namespace...)
	b = append(b, `">`...)
	if !t.empty || emptyResult(op.Name) {
		b = append(b, '<')
		b = append(b, op.Name...)
		b = append(b, "Result>"...)
		b = t.write(b, reflect.ValueOf(out).Elem())
		b = append(b, "</"...)
		b = append(b, op.Name...)
		b = append(b, "Result>"...)
	}
	b = append(b, "<ResponseMetadata><RequestId>"...)
	b = xmlwire.AppendText(b, requestID)
	b = append(b, "</RequestId></ResponseMetadata></"...)
	b = append(b, op.Name...)
	b = append(b, "Response>\n"...)
	*body = b
	protocol.Answer(w, http.StatusOK, contentType, b, requestID)
	return nil
}

// emptyResult tells of the operations whose output is modelled but has no members.
func emptyResult(op string) bool { return op == "UpdateRole" || op == "PutAccountProperties" }

// EncodeError writes an error, its members beside its text.
func (c *Codec) EncodeError(w http.ResponseWriter, err *awserr.Error, requestID string) {
	for k, v := range err.Headers {
		w.Header().Set(k, v)
	}
	b := []byte(`<ErrorResponse xmlns="` + c.api.Namespace + `"><Error>`)
	b = xmlwire.AppendElement(b, "Type", err.Fault())
	b = xmlwire.AppendElement(b, "Code", c.api.QueryCode(err.Code))
	b = xmlwire.AppendElement(b, "Message", err.Message)
	for _, name := range slices.Sorted(maps.Keys(err.Members)) {
		b = xmlwire.AppendElement(b, name, err.Members[name])
	}
	b = append(b, "</Error>"...)
	b = xmlwire.AppendElement(b, "RequestId", requestID)
	b = append(b, "</ErrorResponse>\n"...)
	protocol.Answer(w, err.Status, contentType, b, requestID)
}

// tag is an element's beginning and end.
type tag struct{ name, open, close string }

func newTag(name string) tag { return tag{name, "<" + name + ">", "</" + name + ">"} }

// malformed is the answer to parameters that cannot be read.
func malformed(text string) error {
	return awserr.New("MalformedInput", http.StatusBadRequest, "%s", text)
}
