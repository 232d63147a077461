// Package subscription is the form in which CloudWatch Logs hands log events to functions: JSON, compressed with gzip, in base64.
//
// It is pure: no I/O, no clock. It does not choose events, and does not call functions.
//
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html, example 2, and
// https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html.
package subscription

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// MaxPayload is the largest payload that a function takes asynchronously, in bytes
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const MaxPayload = 1 << 20

// MessageSize is how many bytes of log events go into a message, but one event at least: as many as make no payload above
// MaxPayload, however badly they compress.
const MessageSize = 512 << 10

// Message is what a function gets.
type Message struct {
	Type    string   `json:"messageType"`
	Owner   string   `json:"owner"` // the account of the log group
	Group   string   `json:"logGroup"`
	Stream  string   `json:"logStream"`
	Filters []string `json:"subscriptionFilters"`
	Events  []Event  `json:"logEvents"`
}

// Event is a log event.
type Event struct {
	ID        string `json:"id"`        // 56 digits
	Timestamp int64  `json:"timestamp"` // milliseconds
	Message   string `json:"message"`
	// Fields are those that a filter pattern of fields extracts.
	Fields map[string]string `json:"extractedFields,omitempty"`
}

// DataMessage is the type of messages with events.
const DataMessage = "DATA_MESSAGE"

// Payload is the input of the function.
func (m Message) Payload() ([]byte, error) {
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("encode log events: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress log events: %w", err)
	}
	data := base64.StdEncoding.EncodeToString(compressed.Bytes())
	return []byte(`{"awslogs":{"data":"` + data + `"}}`), nil
}
