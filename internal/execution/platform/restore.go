package platform

import "time"

// The events of an environment that is made from a snapshot. Text lines are those of public logs of AWS from 2023 to 2026 and of
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, "Failures during the Restore phase".

// RestoreStart is the begin of a Restore phase.
type RestoreStart struct {
	RuntimeVersion    string `json:"runtimeVersion,omitempty"`
	RuntimeVersionARN string `json:"runtimeVersionArn,omitempty"`
	FunctionName      string `json:"functionName"`
	FunctionVersion   string `json:"functionVersion"`
	InstanceID        string `json:"instanceId"`        // name of the log stream
	InstanceMaxMemory int64  `json:"instanceMaxMemory"` // bytes
}

// Type is "platform.restoreStart".
func (*RestoreStart) Type() string { return "platform.restoreStart" }

// Level is that of InitStart.
func (e *RestoreStart) Level() (Level, bool) { return beginning(e.RuntimeVersion), true }

// AppendText appends the RESTORE_START line.
func (e *RestoreStart) AppendText(b []byte) []byte {
	return appendRuntime(b, "RESTORE_START", e.RuntimeVersion, e.RuntimeVersionARN)
}

// In has fewer fields in the first schema, as that of InitStart has, and none in the Logs API.
func (e *RestoreStart) In(s Schema) (any, bool) {
	switch {
	case s.Logs():
		return struct{}{}, true
	case s == Telemetry2022July:
		return &struct {
			RuntimeVersion    string `json:"runtimeVersion,omitempty"`
			RuntimeVersionARN string `json:"runtimeVersionArn,omitempty"`
		}{e.RuntimeVersion, e.RuntimeVersionARN}, true
	}
	return e, true
}

// RestoreRuntimeDone is the end of what a runtime does in a Restore phase.
type RestoreRuntimeDone struct {
	Status    string `json:"status"`
	ErrorType string `json:"errorType,omitempty"`
}

// Type is "platform.restoreRuntimeDone".
func (*RestoreRuntimeDone) Type() string { return "platform.restoreRuntimeDone" }

// Level tells failures apart.
func (e *RestoreRuntimeDone) Level() (Level, bool) { return failing(e.Status, Debug), true }

// AppendText appends nothing.
func (*RestoreRuntimeDone) AppendText(b []byte) []byte { return b }

// In is for the Telemetry API.
func (e *RestoreRuntimeDone) In(s Schema) (any, bool) { return e, s.Telemetry() }

// RestoreReport is the end of a Restore phase.
type RestoreReport struct {
	Status    string               `json:"status"`
	ErrorType string               `json:"errorType,omitempty"`
	Metrics   RestoreReportMetrics `json:"metrics"`
}

// RestoreReportMetrics are those of a RestoreReport.
type RestoreReportMetrics struct {
	Duration Milliseconds `json:"durationMs"`
	Billed   int64        `json:"-"` // milliseconds; the Logs API alone has them
}

// Type is "platform.restoreReport".
func (*RestoreReport) Type() string { return "platform.restoreReport" }

// Level tells failures apart.
func (e *RestoreReport) Level() (Level, bool) { return failing(e.Status, Info), true }

// AppendText appends the RESTORE_REPORT line.
func (e *RestoreReport) AppendText(b []byte) []byte {
	b = append(b, "RESTORE_REPORT Restore Duration: "...)
	b = appendMilliseconds(b, time.Duration(e.Metrics.Duration))
	b = append(b, " ms"...)
	if e.Status != Success {
		b = append(b, '\t')
		b = appendStatus(b, e.Status, e.ErrorType)
	}
	return append(b, '\n')
}

// In has the metrics alone in the Logs API.
func (e *RestoreReport) In(s Schema) (any, bool) {
	if !s.Logs() {
		return e, true
	}
	type metrics struct {
		Duration Milliseconds `json:"durationMs"`
		Billed   int64        `json:"billedDurationMs"`
	}
	return &struct {
		Metrics metrics `json:"metrics"`
	}{metrics{e.Metrics.Duration, e.Metrics.Billed}}, true
}

// Restored is what a Report tells of the Restore phase before the first invocation.
type Restored struct {
	Duration Milliseconds `json:"restoreDurationMs"`
	Billed   int64        `json:"billedRestoreDurationMs"`
}
