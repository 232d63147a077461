package platform

import (
	"strconv"
	"time"
)

// Start is the begin of an invocation.
type Start struct {
	RequestID   string   `json:"requestId"`
	FunctionARN string   `json:"functionArn,omitempty"` // unqualified
	TenantID    string   `json:"tenantId,omitempty"`
	Version     string   `json:"version,omitempty"`
	Tracing     *Tracing `json:"tracing,omitempty"`
}

// Type is "platform.start".
func (*Start) Type() string { return "platform.start" }

// Level is INFO.
func (*Start) Level() (Level, bool) { return Info, true }

// AppendText appends the START line.
func (e *Start) AppendText(b []byte) []byte {
	b = append(b, "START RequestId: "...)
	b = append(b, e.RequestID...)
	b = append(b, " Version: "...)
	b = append(b, e.Version...)
	return append(b, '\n')
}

// In has the request alone in the Logs API.
func (e *Start) In(s Schema) (any, bool) {
	if s.Logs() {
		return &Start{RequestID: e.RequestID, Version: e.Version}, true
	}
	return e, true
}

// RuntimeDone is the end of what a runtime does for an invocation: extensions may still be at work.
type RuntimeDone struct {
	RequestID string              `json:"requestId"`
	TenantID  string              `json:"tenantId,omitempty"`
	Status    string              `json:"status"`
	Metrics   *RuntimeDoneMetrics `json:"metrics,omitempty"`
	Tracing   *Tracing            `json:"tracing,omitempty"`
	Spans     []Span              `json:"spans,omitempty"`
	ErrorType string              `json:"errorType,omitempty"`
}

// RuntimeDoneMetrics are those of a RuntimeDone.
type RuntimeDoneMetrics struct {
	Duration      Milliseconds `json:"durationMs"`
	ProducedBytes int          `json:"producedBytes"`
}

// Type is "platform.runtimeDone".
func (*RuntimeDone) Type() string { return "platform.runtimeDone" }

// Level tells failures apart.
func (e *RuntimeDone) Level() (Level, bool) { return failing(e.Status, Debug), true }

// AppendText appends nothing.
func (*RuntimeDone) AppendText(b []byte) []byte { return b }

// In is not for the first schema of the Logs API. The other has a word of its own for what is not a timeout.
func (e *RuntimeDone) In(s Schema) (any, bool) {
	if s != Logs2021March {
		return e, s.Telemetry()
	}
	status := e.Status
	if status == Error {
		status = "failure"
	}
	return &RuntimeDone{RequestID: e.RequestID, Status: status}, true
}

// End is the end of an invocation, before its Report. Only text logs and the Logs API know it.
type End struct {
	RequestID string `json:"requestId"`
}

// Type is "platform.end".
func (*End) Type() string { return "platform.end" }

// Level is none.
func (*End) Level() (Level, bool) { return 0, false }

// AppendText appends the END line.
func (e *End) AppendText(b []byte) []byte {
	b = append(b, "END RequestId: "...)
	b = append(b, e.RequestID...)
	return append(b, '\n')
}

// In is for the Logs API.
func (e *End) In(s Schema) (any, bool) { return e, s.Logs() }

// Report is what an invocation took.
type Report struct {
	RequestID string        `json:"requestId"`
	TenantID  string        `json:"tenantId,omitempty"`
	Metrics   ReportMetrics `json:"metrics"`
	Tracing   *Tracing      `json:"tracing,omitempty"`
	Spans     []Span        `json:"spans,omitempty"`
	Status    string        `json:"status"`
	ErrorType string        `json:"errorType,omitempty"`
}

// ReportMetrics are those of a Report.
type ReportMetrics struct {
	Duration Milliseconds `json:"durationMs"`
	// Billed is the duration together with that of the Init phase, as AWS bills since August 2025, or with what is billed of the Restore
	// phase, rounded up to a millisecond.
	Billed       int64        `json:"billedDurationMs"`
	MemoryMB     int          `json:"memorySizeMB"`
	PeakMemoryMB int64        `json:"maxMemoryUsedMB"`
	Init         Milliseconds `json:"initDurationMs,omitempty"` // 0 when there was no Init phase, or a failed one
	*Restored                 // nil when there was no Restore phase
}

// Type is "platform.report".
func (*Report) Type() string { return "platform.report" }

// Level tells failures apart.
func (e *Report) Level() (Level, bool) { return failing(e.Status, Info), true }

// AppendText appends the REPORT line; the form of Status is that recorded from AWS in 2025 and 2026.
func (e *Report) AppendText(b []byte) []byte {
	b = append(b, "REPORT RequestId: "...)
	b = append(b, e.RequestID...)
	b = append(b, "\tDuration: "...)
	b = appendMilliseconds(b, time.Duration(e.Metrics.Duration))
	b = append(b, " ms\tBilled Duration: "...)
	b = strconv.AppendInt(b, e.Metrics.Billed, 10)
	b = append(b, " ms\tMemory Size: "...)
	b = strconv.AppendInt(b, int64(e.Metrics.MemoryMB), 10)
	b = append(b, " MB\tMax Memory Used: "...)
	b = strconv.AppendInt(b, e.Metrics.PeakMemoryMB, 10)
	b = append(b, " MB\t"...)
	if e.Metrics.Init > 0 {
		b = append(b, "Init Duration: "...)
		b = appendMilliseconds(b, time.Duration(e.Metrics.Init))
		b = append(b, " ms\t"...)
	}
	if r := e.Metrics.Restored; r != nil {
		b = append(b, "Restore Duration: "...)
		b = appendMilliseconds(b, time.Duration(r.Duration))
		b = append(b, " ms\tBilled Restore Duration: "...)
		b = strconv.AppendInt(b, r.Billed, 10)
		b = append(b, " ms\t"...)
	}
	if e.Status != Success {
		b = appendStatus(b, e.Status, e.ErrorType)
	}
	return append(b, '\n')
}

// In has no more than request and metrics in the Logs API.
func (e *Report) In(s Schema) (any, bool) {
	if s.Logs() {
		return &struct {
			RequestID string        `json:"requestId"`
			Metrics   ReportMetrics `json:"metrics"`
		}{e.RequestID, e.Metrics}, true
	}
	return e, true
}

// Fault is a process that ended before its time. Only the Logs API knows it.
type Fault string

// Type is "platform.fault".
func (*Fault) Type() string { return "platform.fault" }

// Level is none.
func (*Fault) Level() (Level, bool) { return 0, false }

// AppendText appends nothing.
func (*Fault) AppendText(b []byte) []byte { return b }

// In is for the Logs API.
func (e *Fault) In(s Schema) (any, bool) { return e, s.Logs() }
