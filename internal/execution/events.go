package execution

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/licet/licet/internal/execution/platform"
)

// events are those that an environment tells again and again, kept so that telling them allocates nothing. They are its owner's.
type events struct {
	start       platform.Start
	runtimeDone platform.RuntimeDone
	end         platform.End
	report      platform.Report
}

// tell lets the log know what happened, and who subscribed to telemetry.
func (e *environment) tell(event platform.Event) {
	now := time.Now()
	e.log.event(now, event)
	if e.process != nil {
		e.process.telemetry.Event(now, event)
	}
}

// detailed tells whether somebody wants to know more than a text log says.
func (e *environment) detailed() bool {
	return e.log.json || e.process != nil && e.process.telemetry.Any()
}

func (i *invocation) tellInitStart() {
	f := &i.function
	version, arn := i.runtime()
	i.tell(&platform.InitStart{
		InitializationType: i.initializationType(), Phase: i.phase, RuntimeVersion: version, RuntimeVersionARN: arn,
		FunctionName: f.Name, FunctionARN: f.ARN, FunctionVersion: f.Version, InstanceID: i.log.stream,
		InstanceMaxMemory: int64(f.MemoryMB) << 20,
	})
}

// runtime names the runtime that Lambda brings. An image brings its own, of which nothing is known.
func (e *environment) runtime() (version, arn string) {
	f := &e.function
	if f.Image != nil {
		return "", ""
	}
	version = runtimeVersion(f.Runtime, e.command.Version)
	return version, runtimeARN(f.Region, version)
}

// runtimeARN names no build of AWS; it is as stable as the version it names.
func runtimeARN(region, version string) string {
	digest := sha256.Sum256([]byte(version))
	return fmt.Sprintf("arn:aws:lambda:%s::runtime:%s", region, hex.EncodeToString(digest[:]))
}

// tellRuntimeEnd tells that the runtime has done what it was at, or came to its end in it.
func (i *invocation) tellRuntimeEnd() {
	switch i.stage {
	case stageInit:
		i.stage = stageReady
		if i.process.output != nil { // the runtime was started
			if i.restores() {
				i.process.output.drain() // what it printed comes before the report
			}
			i.tellInitRuntimeDone()
		}
	case stageRestore:
		i.stage = stageOver
		i.process.output.drain()
		i.tellRestoreRuntimeDone()
	case stageInvoke:
		i.stage = stageOver
		if i.detailed() {
			i.process.output.drain()
			i.tellRuntimeDone()
		}
	}
}

func (i *invocation) tellInitRuntimeDone() {
	status, errorType := i.status()
	i.tell(&platform.InitRuntimeDone{InitializationType: i.initializationType(), Phase: i.phase, Status: status, ErrorType: errorType})
}

func (i *invocation) tellInitReport(took time.Duration) {
	status, errorType := i.status()
	i.tell(&platform.InitReport{InitializationType: i.initializationType(), Phase: i.phase, Status: status, ErrorType: errorType,
		Metrics: platform.InitMetrics{Duration: platform.Milliseconds(took)}})
}

// tellExtensions tells how each extension came out of the initialization.
func (i *invocation) tellExtensions() {
	if !i.process.extensions.Any() {
		return
	}
	for _, x := range i.process.extensions.List() {
		i.tell(&platform.Extension{Name: x.Name, State: x.State, Events: x.Events, ErrorType: x.ErrorType})
	}
}

func (i *invocation) tellStart() {
	i.told.start = platform.Start{RequestID: i.RequestID, FunctionARN: i.function.ARN, TenantID: i.Tenant, Version: i.function.Version}
	if i.detailed() {
		i.told.start.Tracing = platform.TracingOf(i.TraceID)
	}
	i.tell(&i.told.start)
}

func (i *invocation) tellRuntimeDone() {
	now := time.Now()
	status, errorType := i.status()
	done := &i.told.runtimeDone
	*done = platform.RuntimeDone{RequestID: i.RequestID, TenantID: i.Tenant, Status: status, ErrorType: errorType,
		Metrics: &platform.RuntimeDoneMetrics{Duration: platform.Milliseconds(now.Sub(i.began))},
		Tracing: i.told.start.Tracing}
	if !i.answered.IsZero() {
		done.Metrics.ProducedBytes = cmp.Or(i.out.streamed, len(i.out.payload))
		done.Spans = []platform.Span{platform.SpanOf("responseLatency", i.began, i.answering),
			platform.SpanOf("responseDuration", i.answering, i.answered), platform.SpanOf("runtimeOverhead", i.answered, now)}
	}
	i.tell(done)
	if status == platform.Error {
		fault := platform.Fault("RequestId: " + i.RequestID + " Process exited before completing request")
		i.tell(&fault)
	}
}

// tellReport tells the last events of an invocation.
func (i *invocation) tellReport() {
	status, errorType := i.status()
	i.told.end = platform.End{RequestID: i.RequestID}
	i.tell(&i.told.end)
	u := &i.usage
	billed := u.took + u.init
	if u.restored != nil {
		billed += time.Duration(u.restored.Billed) * time.Millisecond
	}
	i.told.report = platform.Report{RequestID: i.RequestID, TenantID: i.Tenant, Tracing: i.told.start.Tracing, Spans: u.spans,
		Status: status, ErrorType: errorType, Metrics: platform.ReportMetrics{
			Duration: platform.Milliseconds(u.took), Billed: platform.Billed(billed), MemoryMB: u.memoryMB,
			PeakMemoryMB: (u.peakMemory + 1<<20 - 1) >> 20, Init: platform.Milliseconds(u.init), Restored: u.restored}}
	i.tell(&i.told.report)
}

// status is how the runtime came out of what it did: an error that a handler raised is none of the runtime's.
func (i *invocation) status() (status, errorType string) {
	switch i.out.status {
	case "":
		return platform.Success, ""
	case statusError:
		return platform.Error, i.out.errorType
	}
	return i.out.status, ""
}
