// Package query is the server side of AWS's protocol awsQuery, as IAM and STS speak it: parameters in a form or a query string,
// answers in XML.
//
// It never authenticates, authorizes, or checks what a value may be: a required member may be missing. Everything is safe for
// concurrent use. After an error from Decode nothing is kept; after one from Encode nothing was written.
//
// The SDK has no schemas for these services. Names on the wire are those of the Go fields but for the few in wireName. How a type is
// read and written is compiled at its first use and kept. Flattened lists and documents are not supported: IAM and STS have none.
//
// Source: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html; the texts of errors are those that AWS's services were seen
// to give.
//
// To serve another service: look in the SDK's serializers.go and deserializers.go for names that differ, add them to wireName, and
// call query.New(api); likewise emptyResult. The tests find what was forgotten.
package query

import (
	"bytes"
	"encoding/xml"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
)

// Codec speaks the protocol for one service.
type Codec struct {
	api        *protocol.API
	types      *types
	operations map[string]*protocol.Operation
	// bodies are buffers that have held an answer: lists of a hundred documents are long.
	bodies sync.Pool
}

// keptBody is the longest buffer that is kept, in bytes.
const keptBody = 1 << 20

var _ protocol.Codec = (*Codec)(nil)

// New makes the codec of a service.
func New(api *protocol.API) *Codec {
	c := &Codec{
		api: api, types: &types{unions: api.Unions, known: map[reflect.Type]*codec{}},
		operations: map[string]*protocol.Operation{},
	}
	for i := range api.Operations {
		c.operations[api.Operations[i].Name] = &api.Operations[i]
	}
	return c
}

// Operation finds the operation that the parameter Action names, if Version is the service's.
func (c *Codec) Operation(r *protocol.Request) (*protocol.Operation, error) {
	values, err := parameters(r)
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
	values, err := parameters(r)
	if err != nil {
		return nil, err
	}
	t, err := c.types.of(op.Input)
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
	t, err := c.types.of(op.Output)
	if err != nil {
		return err
	}
	body, ok := c.bodies.Get().(*bytes.Buffer)
	if !ok {
		body = new(bytes.Buffer)
	}
	body.Reset()
	defer func() {
		if body.Cap() <= keptBody {
			c.bodies.Put(body)
		}
	}()
	body.WriteString("<" + op.Name + `Response xmlns="` + c.api.Namespace + `">`)
	if !t.empty || emptyResult(op.Name) {
		element(body, op.Name+"Result", func() { t.write(body, reflect.ValueOf(out).Elem()) })
	}
	element(body, "ResponseMetadata", func() { textElement(body, "RequestId", requestID) })
	body.WriteString("</" + op.Name + "Response>\n")
	answer(w, http.StatusOK, body.Bytes(), requestID)
	return nil
}

// emptyResult tells of the operations whose output is modelled but has no members.
func emptyResult(op string) bool { return op == "UpdateRole" || op == "PutAccountProperties" }

// EncodeError writes an error, its members beside its text.
func (c *Codec) EncodeError(w http.ResponseWriter, err *awserr.Error, requestID string) {
	for k, v := range err.Headers {
		w.Header().Set(k, v)
	}
	kind := "Receiver"
	if err.Sender() {
		kind = "Sender"
	}
	var body bytes.Buffer
	body.WriteString(`<ErrorResponse xmlns="` + c.api.Namespace + `">`)
	element(&body, "Error", func() {
		textElement(&body, "Type", kind)
		textElement(&body, "Code", err.Code)
		textElement(&body, "Message", err.Message)
		for _, name := range slices.Sorted(maps.Keys(err.Members)) {
			textElement(&body, name, err.Members[name])
		}
	})
	textElement(&body, "RequestId", requestID)
	body.WriteString("</ErrorResponse>\n")
	answer(w, err.Status, body.Bytes(), requestID)
}

func answer(w http.ResponseWriter, status int, body []byte, requestID string) {
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-Requestid", requestID)
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_, _ = w.Write(body)
}

// element writes an element around what content writes.
func element(w *bytes.Buffer, name string, content func()) {
	w.WriteByte('<')
	w.WriteString(name)
	w.WriteByte('>')
	content()
	w.WriteString("</")
	w.WriteString(name)
	w.WriteByte('>')
}

func textElement(w *bytes.Buffer, name, text string) {
	element(w, name, func() { escape(w, text) })
}

func escape(w *bytes.Buffer, text string) {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\'' || c == '&' || c == '<' || c == '>' {
			_ = xml.EscapeText(w, []byte(text)) // a buffer cannot fail
			return
		}
	}
	w.WriteString(text) // most texts have nothing to escape
}

// malformed is the answer to parameters that cannot be read.
func malformed(text string) error {
	return awserr.New("MalformedInput", http.StatusBadRequest, "%s", text)
}
