package platform

import (
	"encoding/json"
	"math"
	"time"
)

// Event is something that happened in an execution environment.
type Event interface {
	// Type is the name of the event, "platform.start".
	Type() string
	// Level of the event's line in a JSON log. ok is false when such logs do not have the event.
	Level() (l Level, ok bool)
	// AppendText appends the event's line of a text log, with its newline, or nothing when text logs do not have the event.
	AppendText(b []byte) []byte
	// In is what subscribers of a schema get as the event's record; ok is false when they are not told.
	In(s Schema) (record any, ok bool)
}

// Schema is a version of the records that subscribers get.
type Schema string

// The schemas of the Telemetry API, and those of the Logs API.
const (
	Telemetry2022July     Schema = "2022-07-01"
	Telemetry2022December Schema = "2022-12-13"
	Telemetry2025January  Schema = "2025-01-29"
	Logs2020August        Schema = "2020-08-15"
	Logs2021March         Schema = "2021-03-18" // knows the end of the runtime's work, too
)

// Telemetry tells whether s is a schema of the Telemetry API.
func (s Schema) Telemetry() bool {
	return s == Telemetry2022July || s == Telemetry2022December || s == Telemetry2025January
}

// Logs tells whether s is a schema of the Logs API.
func (s Schema) Logs() bool { return s == Logs2020August || s == Logs2021March }

// Phases in which a runtime is initialized: before the first invocation, or as part of one.
const (
	PhaseInit   = "init"
	PhaseInvoke = "invoke"
)

// SnapStart is the InitializationType of an environment that is made from a snapshot.
const SnapStart = "snap-start"

// Values of a Status.
const (
	Success = "success"
	Error   = "error"
	Timeout = "timeout"
)

// Milliseconds is a duration as records have it: with microseconds, no finer.
type Milliseconds time.Duration

// MarshalJSON gives a number.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(float64(time.Duration(m).Microseconds()) / 1000)
}

// Billed is the time that a customer pays for: rounded up to a millisecond.
func Billed(d time.Duration) int64 { return int64(math.Ceil(float64(d) / float64(time.Millisecond))) }

// Span is a part of what an event tells of.
type Span struct {
	Name     string       `json:"name"`
	Start    Time         `json:"start"`
	Duration Milliseconds `json:"durationMs"`
}

// SpanOf is a span by its ends. One that ends before it begins takes no time.
func SpanOf(name string, from, to time.Time) Span {
	return Span{Name: name, Start: Time(from), Duration: Milliseconds(max(0, to.Sub(from)))}
}

// Tracing is the trace header of an invocation.
type Tracing struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// TracingOf is nil for an invocation without a trace header.
func TracingOf(header string) *Tracing {
	if header == "" {
		return nil
	}
	return &Tracing{Type: "X-Amzn-Trace-Id", Value: header}
}

// Time is written as "2026-10-08T07:30:27.768Z".
type Time time.Time

const timeFormat = "2006-01-02T15:04:05.000Z"

// MarshalJSON gives a string.
func (t Time) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, `"`+timeFormat+`"`), nil
}

// Render is an event, or a printed line, as JSON: a line of a JSON log without its newline, or what a subscriber gets. record comes from
// In, or is what was printed.
func Render(at time.Time, kind string, record any) []byte {
	line, err := json.Marshal(struct {
		Time   Time   `json:"time"`
		Type   string `json:"type"`
		Record any    `json:"record"`
	}{Time(at), kind, record})
	if err != nil {
		panic(err) // records are strings and numbers, and JSON that was checked
	}
	return line
}
