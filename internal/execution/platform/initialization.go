package platform

import (
	"strconv"
	"time"
)

// InitStart is the begin of an initialization.
type InitStart struct {
	InitializationType string `json:"initializationType"` // "on-demand", "provisioned-concurrency" or "snap-start"
	Phase              string `json:"phase"`
	RuntimeVersion     string `json:"runtimeVersion,omitempty"`
	RuntimeVersionARN  string `json:"runtimeVersionArn,omitempty"`
	FunctionName       string `json:"functionName"`
	FunctionARN        string `json:"functionArn,omitempty"`
	FunctionVersion    string `json:"functionVersion"`
	InstanceID         string `json:"instanceId"`        // name of the log stream
	InstanceMaxMemory  int64  `json:"instanceMaxMemory"` // bytes
}

// Type is "platform.initStart".
func (*InitStart) Type() string { return "platform.initStart" }

// Level is INFO of an environment whose runtime's version is known.
func (e *InitStart) Level() (Level, bool) { return beginning(e.RuntimeVersion), true }

// AppendText is for the first initialization of an environment only, and for a runtime whose version is known.
func (e *InitStart) AppendText(b []byte) []byte {
	if e.Phase != PhaseInit {
		return b
	}
	return appendRuntime(b, "INIT_START", e.RuntimeVersion, e.RuntimeVersionARN)
}

// In has fewer fields in the first schema.
func (e *InitStart) In(s Schema) (any, bool) {
	if s == Telemetry2022July {
		return &struct {
			InitializationType string `json:"initializationType"`
			Phase              string `json:"phase"`
			RuntimeVersion     string `json:"runtimeVersion,omitempty"`
			RuntimeVersionARN  string `json:"runtimeVersionArn,omitempty"`
		}{e.InitializationType, e.Phase, e.RuntimeVersion, e.RuntimeVersionARN}, true
	}
	return e, s.Telemetry()
}

// InitRuntimeDone is the end of a runtime's initialization.
type InitRuntimeDone struct {
	InitializationType string `json:"initializationType"`
	Phase              string `json:"phase"`
	Status             string `json:"status"`
	ErrorType          string `json:"errorType,omitempty"`
}

// Type is "platform.initRuntimeDone".
func (*InitRuntimeDone) Type() string { return "platform.initRuntimeDone" }

// Level tells failures apart.
func (e *InitRuntimeDone) Level() (Level, bool) { return failing(e.Status, Debug), true }

// AppendText appends nothing.
func (*InitRuntimeDone) AppendText(b []byte) []byte { return b }

// In is for the Telemetry API.
func (e *InitRuntimeDone) In(s Schema) (any, bool) { return e, s.Telemetry() }

// InitReport is the end of an initialization, that of extensions included.
type InitReport struct {
	InitializationType string      `json:"initializationType"`
	Phase              string      `json:"phase"`
	Status             string      `json:"status"`
	ErrorType          string      `json:"errorType,omitempty"`
	Metrics            InitMetrics `json:"metrics"`
}

// InitMetrics are those of an InitReport.
type InitMetrics struct {
	Duration Milliseconds `json:"durationMs"`
}

// Type is "platform.initReport".
func (*InitReport) Type() string { return "platform.initReport" }

// Level tells failures apart, and what was initialized without an invocation.
func (e *InitReport) Level() (Level, bool) {
	if e.InitializationType != "on-demand" {
		return failing(e.Status, Info), true
	}
	return failing(e.Status, Debug), true
}

// AppendText is for an initialization that failed, and for one whose end is that of a snapshot.
func (e *InitReport) AppendText(b []byte) []byte {
	if e.Status == Success && e.InitializationType != SnapStart {
		return b
	}
	b = append(b, "INIT_REPORT Init Duration: "...)
	b = appendMilliseconds(b, time.Duration(e.Metrics.Duration))
	b = append(b, " ms"...)
	if e.Status == Success {
		return append(b, '\n')
	}
	b = append(b, "\tPhase: "...)
	b = append(b, e.Phase...)
	b = append(b, '\t')
	return append(appendStatus(b, e.Status, e.ErrorType), '\n')
}

// In is for the Telemetry API.
func (e *InitReport) In(s Schema) (any, bool) { return e, s.Telemetry() }

// appendRuntime appends the line that begins a phase, if the version of the runtime is known.
func appendRuntime(b []byte, line, version, arn string) []byte {
	if version == "" {
		return b
	}
	b = append(b, line...)
	b = append(b, " Runtime Version: "...)
	b = append(b, version...)
	b = append(b, "\tRuntime Version ARN: "...)
	b = append(b, arn...)
	return append(b, '\n')
}

func appendMilliseconds(b []byte, d time.Duration) []byte {
	return strconv.AppendFloat(b, float64(d)/float64(time.Millisecond), 'f', 2, 64)
}

// appendStatus appends how something failed.
func appendStatus(b []byte, status, errorType string) []byte {
	b = append(b, "Status: "...)
	b = append(b, status...)
	if status == Error {
		b = append(b, "\tError Type: "...)
		b = append(b, errorType...)
	}
	return b
}
