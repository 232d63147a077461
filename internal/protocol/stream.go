package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/licet/licet/internal/awserr"
)

// Stream is the output of an operation that answers with a stream of events
// (https://smithy.io/2.0/aws/amazon-eventstream.html). Its row is service.Op with Stream in the place of the SDK's output.
type Stream struct {
	// Output is the operation's own output, whose members become the headers of the answer.
	Output any
	// Send sends the events until there are no more, or ctx ends. Its error ends the answer with an exception.
	Send func(ctx context.Context, events *Events) error
}

// StreamCodec is a Codec whose API has operations with streams.
type StreamCodec interface {
	// EncodeHead begins the answer of such an operation. An error means nothing was written.
	EncodeHead(w http.ResponseWriter, op *Operation, out any, requestID string) error
}

// Events writes events to a client, each at once. It is for one goroutine.
type Events struct {
	w       http.ResponseWriter
	extend  func() error // gives the client time for one more event
	encoder *eventstream.Encoder
	message bytes.Buffer
}

// NewEvents makes a writer of events. Before each, extend is called.
func NewEvents(w http.ResponseWriter, extend func() error) *Events {
	return &Events{w: w, extend: extend, encoder: eventstream.NewEncoder()}
}

// Send sends an event by the name of its member in the model. An error says that the client is gone.
func (e *Events) Send(name, contentType string, payload []byte) error {
	return e.send(eventstream.Message{Payload: payload, Headers: eventstream.Headers{
		header(":message-type", "event"), header(":event-type", name), header(":content-type", contentType),
	}})
}

// Fail ends the stream with an error, as an exception of the model.
func (e *Events) Fail(err *awserr.Error) error {
	payload, marshalErr := json.Marshal(struct {
		Message string `json:"message"`
	}{err.Message})
	if marshalErr != nil {
		return fmt.Errorf("encode exception: %w", marshalErr)
	}
	return e.send(eventstream.Message{Payload: payload, Headers: eventstream.Headers{
		header(":message-type", "exception"), header(":exception-type", err.Code), header(":content-type", "application/json"),
	}})
}

func header(name, value string) eventstream.Header {
	return eventstream.Header{Name: name, Value: eventstream.StringValue(value)}
}

func (e *Events) send(m eventstream.Message) error {
	e.message.Reset()
	if err := e.encoder.Encode(&e.message, m); err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	if err := e.extend(); err != nil {
		return err
	}
	if _, err := e.w.Write(e.message.Bytes()); err != nil {
		return err
	}
	return http.NewResponseController(e.w).Flush()
}
