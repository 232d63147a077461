// Package protocol is the contract of the wire codecs: how an HTTP request becomes an operation's input, and how its output or
// error becomes an HTTP response.
//
// Inputs and outputs are aws-sdk-go-v2's own structs (pointers to them). Codecs are in the folders below, one for each AWS
// protocol (https://smithy.io/2.0/aws/protocols/index.html); they neither authenticate nor authorize. Everything here is
// safe for concurrent use.
package protocol

import (
	"io"
	"net/http"
	"net/url"
	"reflect"

	smithy "github.com/aws/smithy-go"

	"github.com/licet/licet/internal/awserr"
)

// API describes a service on the wire. The generated *api packages provide it.
type API struct {
	// ID is the SDK's service id, such as "CloudWatch Logs".
	ID string
	// SigningName is the service in the credential scope, such as "logs".
	SigningName string
	// SignedAs is the service in the credential scope where that is shared with another; "" for SigningName.
	SignedAs string
	// Version is the API version of the query protocol, such as "2010-05-08".
	Version string
	// TargetPrefix is the part of X-Amz-Target before the dot, for the JSON protocols.
	TargetPrefix string
	// Namespace is the XML namespace of responses, for the query protocol.
	Namespace string
	// Types has the error shapes, for the JSON protocols; nil for others.
	Types *smithy.TypeRegistry
	// Unions are the SDK's struct types that each stand for one member of a union, which is an interface.
	Unions []reflect.Type
	// Elements are the names on the wire of members, by type and field, where these are not the fields' own, for the protocols in XML:
	// "Name", "Name>Element" for a list, "Name,flat" for a list whose elements have that name, "@name" for an attribute. In the query
	// protocol a map can be flat, too: "Name,flat,Key,Value".
	Elements map[string]string
	// MaxForm bounds the parameters of a request of the query protocol, in bytes; 0 means that of most services.
	MaxForm int
	// QueryCodes are the error codes of the query protocol by those of the JSON protocols, where they differ and the error shapes do not
	// say so, for a service that speaks both.
	QueryCodes map[string]string
	// Operations, sorted by name.
	Operations []Operation
}

// Operation describes one operation on the wire.
type Operation struct {
	Name string
	// Schema has the HTTP binding; nil for protocols without.
	Schema *smithy.Schema
	// HTTP is the binding of an operation without a schema; nil for protocols without.
	HTTP *HTTP
	// Code is the HTTP status of success where AWS answers another than its model says; 0 means as modelled.
	Code int
	// Open tells that nobody is authenticated who calls it: the caller is anonymous, whatever the request says of a signature. Codecs set it
	// for single requests.
	Open bool
	// Input and Output are the SDK's struct types (not pointers).
	Input, Output reflect.Type
}

// HTTP is how an operation is spread over HTTP messages, for a protocol whose SDK has no schemas
// (https://smithy.io/2.0/spec/http-bindings.html).
type HTTP struct {
	Method string
	// URI is the path with labels in braces, and the query that tells the operation from others: /{Key+}?tagging
	URI           string
	Input, Output []Binding
	// Root is the name of the root of an output that is a document; "" for others.
	Root string
}

// Binding is a member that is not part of a body's structure.
type Binding struct {
	// Field of the Go struct.
	Field string
	Place Place
	// DateTime tells that a time is written as in RFC 3339, not as in HTTP's own headers.
	DateTime bool
	// Name of the label, parameter or header; the prefix of the names of headers; for a payload that is XML, the name of its root.
	Name string
}

// Place is where a member stands.
type Place string

const (
	InPath          Place = "InPath"
	InQuery         Place = "InQuery"
	InHeader        Place = "InHeader"
	InPrefixHeaders Place = "InPrefixHeaders"
	InPayload       Place = "InPayload"
)

// Request is an HTTP request with its body read.
type Request struct {
	HTTP *http.Request
	Body []byte
	// Stream is the body of an operation whose Codec takes it unread (StreamingCodec); nil for others. It is good as far as it was read to
	// io.EOF.
	Stream io.Reader
	// Form holds the parameters of a request of a query protocol once they were read. Codecs alone set it.
	Form url.Values

	query url.Values
}

// Parameters gives those of the URL; nil for most requests of REST protocols, which have none.
func (r *Request) Parameters() (url.Values, error) {
	if r.query != nil || r.HTTP.URL.RawQuery == "" {
		return r.query, nil
	}
	query, err := url.ParseQuery(r.HTTP.URL.RawQuery)
	if err == nil {
		r.query = query
	}
	return query, err
}

// StreamingCodec is a Codec of a service whose requests sign a hash of their payload that stands in a header: some payloads are too large
// to be in memory.
type StreamingCodec interface {
	// Streams tells whether the operation takes its body unread.
	Streams(op *Operation) bool
	// HostedBucket gives the bucket that the request's host names; "" when its path does, or none.
	HostedBucket(r *http.Request) string
}

// Chooser is a Codec of a service that speaks several protocols. It stands for the one that it speaks to clients of which nothing is known.
type Chooser interface {
	Codec
	// Choose gives the codec of a request, of which only the head is read.
	Choose(r *http.Request) Codec
}

// Codec is one service's protocol. Errors are *awserr.Error: SerializationException for malformed bodies,
// UnknownOperationException (or the protocol's equivalent) for unknown operations.
type Codec interface {
	// Operation finds which operation is asked for.
	Operation(r *Request) (*Operation, error)
	// Decode makes the operation's input, a pointer to a struct of type op.Input.
	Decode(r *Request, op *Operation) (any, error)
	// Encode answers with the output, a pointer to a struct of type op.Output. An error means nothing was written.
	Encode(w http.ResponseWriter, op *Operation, out any, requestID string) error
	// EncodeError answers with an error.
	EncodeError(w http.ResponseWriter, err *awserr.Error, requestID string)
}
