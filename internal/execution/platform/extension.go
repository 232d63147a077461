package platform

import "strings"

// Extension is how an extension came out of an initialization.
type Extension struct {
	Name      string   `json:"name"`
	State     string   `json:"state"` // "Ready", or another of the Extensions API's states
	Events    []string `json:"events"`
	ErrorType string   `json:"errorType,omitempty"`
}

// Type is "platform.extension".
func (*Extension) Type() string { return "platform.extension" }

// Level tells failures apart.
func (e *Extension) Level() (Level, bool) {
	if e.ErrorType != "" {
		return Warn, true
	}
	return Info, true
}

// AppendText appends the EXTENSION line.
func (e *Extension) AppendText(b []byte) []byte {
	b = append(b, "EXTENSION\tName: "...)
	b = append(b, e.Name...)
	b = append(b, "\tState: "...)
	b = append(b, e.State...)
	b = append(b, "\tEvents: ["...)
	b = append(b, strings.Join(e.Events, ", ")...)
	b = append(b, ']')
	if e.ErrorType != "" {
		b = append(b, "\tError Type: "...)
		b = append(b, e.ErrorType...)
	}
	return append(b, '\n')
}

// In is for all.
func (e *Extension) In(Schema) (any, bool) { return e, true }

// Subscription is an extension that subscribed to telemetry or, with ByLogsAPI, to logs.
type Subscription struct {
	Name      string   `json:"name"`
	State     string   `json:"state"` // "Subscribed"
	Types     []string `json:"types"`
	ByLogsAPI bool     `json:"-"`
}

// Type is "platform.telemetrySubscription" or "platform.logsSubscription".
func (e *Subscription) Type() string {
	if e.ByLogsAPI {
		return "platform.logsSubscription"
	}
	return "platform.telemetrySubscription"
}

// Level is INFO.
func (*Subscription) Level() (Level, bool) { return Info, true }

// AppendText appends the TELEMETRY or LOGS line.
func (e *Subscription) AppendText(b []byte) []byte {
	api := "TELEMETRY"
	if e.ByLogsAPI {
		api = "LOGS"
	}
	b = append(b, api...)
	b = append(b, "\tName: "...)
	b = append(b, e.Name...)
	b = append(b, "\tState: "...)
	b = append(b, e.State...)
	b = append(b, "\tTypes: ["...)
	for i, t := range e.Types {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, strings.ToUpper(t[:1])...) // no type is empty
		b = append(b, t[1:]...)
	}
	return append(b, "]\n"...)
}

// In is for all.
func (e *Subscription) In(Schema) (any, bool) { return e, true }

// LogsDropped is told to a subscriber that missed something.
type LogsDropped struct {
	Bytes   int    `json:"droppedBytes"`
	Records int    `json:"droppedRecords"`
	Reason  string `json:"reason"`
}

// Type is "platform.logsDropped".
func (*LogsDropped) Type() string { return "platform.logsDropped" }

// Level is WARN.
func (*LogsDropped) Level() (Level, bool) { return Warn, true }

// AppendText appends nothing.
func (*LogsDropped) AppendText(b []byte) []byte { return b }

// In is for all.
func (e *LogsDropped) In(Schema) (any, bool) { return e, true }
