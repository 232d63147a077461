package platform

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func ms(n float64) Milliseconds { return Milliseconds(n * float64(time.Millisecond)) }

func report(took, init float64, billed int64, memory int, peak int64, status, errorType string) *Report {
	return &Report{RequestID: "r", Status: status, ErrorType: errorType,
		Metrics: ReportMetrics{Duration: ms(took), Billed: billed, MemoryMB: memory, PeakMemoryMB: peak, Init: ms(init)}}
}

func restored(took float64, billed int64, memory int, peak int64, r *Restored) *Report {
	e := report(took, 0, billed, memory, peak, Success, "")
	e.Metrics.Restored = r
	return e
}

func TestText(t *testing.T) {
	// The numbers of REPORT and RESTORE_REPORT lines were recorded from AWS, EXTENSION and TELEMETRY lines are those of public logs of AWS.
	tests := []struct {
		event Event
		want  string
	}{
		{report(41.71, 0, 42, 384, 232, Success, ""),
			"REPORT RequestId: r\tDuration: 41.71 ms\tBilled Duration: 42 ms\tMemory Size: 384 MB\tMax Memory Used: 232 MB\t\n"},
		{report(2.37, 423.98, 427, 1024, 95, Success, ""),
			"REPORT RequestId: r\tDuration: 2.37 ms\tBilled Duration: 427 ms\tMemory Size: 1024 MB\tMax Memory Used: 95 MB\t" +
				"Init Duration: 423.98 ms\t\n"},
		{report(3000, 402.04, 3403, 128, 73, Timeout, ""),
			"REPORT RequestId: r\tDuration: 3000.00 ms\tBilled Duration: 3403 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB\t" +
				"Init Duration: 402.04 ms\tStatus: timeout\n"},
		{report(103085.64, 0, 103086, 128, 126, Error, "Runtime.OutOfMemory"),
			"REPORT RequestId: r\tDuration: 103085.64 ms\tBilled Duration: 103086 ms\tMemory Size: 128 MB\t" +
				"Max Memory Used: 126 MB\tStatus: error\tError Type: Runtime.OutOfMemory\n"},
		{&InitStart{Phase: PhaseInit, RuntimeVersion: "python:3.14.v10", RuntimeVersionARN: "arn:x"},
			"INIT_START Runtime Version: python:3.14.v10\tRuntime Version ARN: arn:x\n"},
		{&InitStart{Phase: PhaseInvoke, RuntimeVersion: "python:3.14.v10"}, ""},
		{&InitReport{Phase: PhaseInit, Status: Error, ErrorType: "Runtime.ImportModuleError", Metrics: InitMetrics{ms(1882.55)}},
			"INIT_REPORT Init Duration: 1882.55 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n"},
		{&InitReport{Phase: PhaseInvoke, Status: Timeout, Metrics: InitMetrics{ms(3000)}},
			"INIT_REPORT Init Duration: 3000.00 ms\tPhase: invoke\tStatus: timeout\n"},
		{&InitReport{Phase: PhaseInit, Status: Success}, ""},
		{&InitReport{InitializationType: SnapStart, Phase: PhaseInit, Status: Success, Metrics: InitMetrics{ms(13316.04)}},
			"INIT_REPORT Init Duration: 13316.04 ms\n"},
		{&RestoreStart{RuntimeVersion: "java:21.mainline.v82", RuntimeVersionARN: "arn:x"},
			"RESTORE_START Runtime Version: java:21.mainline.v82\tRuntime Version ARN: arn:x\n"},
		{&RestoreStart{}, ""},
		{&RestoreRuntimeDone{Status: Error}, ""},
		{&RestoreReport{Status: Success, Metrics: RestoreReportMetrics{Duration: ms(511.25)}}, "RESTORE_REPORT Restore Duration: 511.25 ms\n"},
		{&RestoreReport{Status: Timeout, Metrics: RestoreReportMetrics{Duration: ms(1236.04)}},
			"RESTORE_REPORT Restore Duration: 1236.04 ms\tStatus: timeout\n"},
		{&RestoreReport{Status: Error, ErrorType: "Runtime.ExitError", Metrics: RestoreReportMetrics{Duration: ms(1236.04)}},
			"RESTORE_REPORT Restore Duration: 1236.04 ms\tStatus: error\tError Type: Runtime.ExitError\n"},
		{restored(306.34, 610, 3009, 155, &Restored{ms(511.25), 303}),
			"REPORT RequestId: r\tDuration: 306.34 ms\tBilled Duration: 610 ms\tMemory Size: 3009 MB\tMax Memory Used: 155 MB\t" +
				"Restore Duration: 511.25 ms\tBilled Restore Duration: 303 ms\t\n"},
		{&InitRuntimeDone{Status: Error}, ""},
		{&Start{RequestID: "r", Version: "$LATEST"}, "START RequestId: r Version: $LATEST\n"},
		{&RuntimeDone{RequestID: "r", Status: Error}, ""},
		{&End{RequestID: "r"}, "END RequestId: r\n"},
		{&Extension{Name: "AppConfigAgent", State: "Ready", Events: []string{"INVOKE", "SHUTDOWN"}},
			"EXTENSION\tName: AppConfigAgent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n"},
		{&Extension{Name: "lambda-adapter", State: "Ready"}, "EXTENSION\tName: lambda-adapter\tState: Ready\tEvents: []\n"},
		{&Subscription{Name: "datadog-agent", State: "Subscribed", Types: []string{"platform", "function", "extension"}},
			"TELEMETRY\tName: datadog-agent\tState: Subscribed\tTypes: [Platform, Function, Extension]\n"},
		{&Subscription{Name: "a", State: "Subscribed", Types: []string{"platform"}, ByLogsAPI: true},
			"LOGS\tName: a\tState: Subscribed\tTypes: [Platform]\n"},
		{&LogsDropped{Records: 1}, ""},
	}
	for _, test := range tests {
		if diff := cmp.Diff(string(test.event.AppendText(nil)), test.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", test.event.Type(), diff)
		}
	}
}

// The lines of start and report, but for the tenant and the trace, were recorded from AWS in October 2026.
func TestRecords(t *testing.T) {
	at := time.Date(2026, 10, 8, 7, 30, 29, 470e6, time.UTC)
	start := &Start{RequestID: "79b5e81f", FunctionARN: "arn:aws:lambda:eu-central-1:825765399535:function:n", Version: "$LATEST"}
	rich := &Start{RequestID: "r", TenantID: "t", Version: "1", Tracing: TracingOf("Root=1-2-3")}
	done := &RuntimeDone{RequestID: "r", Status: Error, ErrorType: "Runtime.ExitError", Metrics: &RuntimeDoneMetrics{ms(2.5), 16},
		Spans: []Span{{"responseLatency", Time(at), ms(1.25)}}}
	fault := Fault("it ended")
	initStart := &InitStart{InitializationType: "on-demand", Phase: PhaseInit, RuntimeVersion: "v", RuntimeVersionARN: "a",
		FunctionName: "f", FunctionVersion: "1", InstanceID: "s", InstanceMaxMemory: 128 << 20}
	restoreStart := &RestoreStart{RuntimeVersion: "v", RuntimeVersionARN: "a", FunctionName: "f", FunctionVersion: "1", InstanceID: "s",
		InstanceMaxMemory: 128 << 20}
	restoreReport := &RestoreReport{Status: Success, Metrics: RestoreReportMetrics{ms(70.87), 13}}
	tests := []struct {
		event  Event
		schema Schema
		want   string // "" for none
	}{
		{start, Telemetry2025January, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.start","record":{"requestId":"79b5e81f",` +
			`"functionArn":"arn:aws:lambda:eu-central-1:825765399535:function:n","version":"$LATEST"}}`},
		{report(1233.96, 463.512, 1698, 256, 123, Success, ""), Telemetry2022December,
			`{"time":"2026-10-08T07:30:29.470Z","type":"platform.report","record":{"requestId":"r","metrics":{"durationMs":1233.96,` +
				`"billedDurationMs":1698,"memorySizeMB":256,"maxMemoryUsedMB":123,"initDurationMs":463.512},"status":"success"}}`},
		{report(1072.145, 0, 1073, 256, 125, Error, "Runtime.ExitError"), Telemetry2022July,
			`{"time":"2026-10-08T07:30:29.470Z","type":"platform.report","record":{"requestId":"r","metrics":{"durationMs":1072.145,` +
				`"billedDurationMs":1073,"memorySizeMB":256,"maxMemoryUsedMB":125},"status":"error","errorType":"Runtime.ExitError"}}`},
		{report(1, 0, 1, 128, 40, Error, "x"), Logs2020August, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.report","record":` +
			`{"requestId":"r","metrics":{"durationMs":1,"billedDurationMs":1,"memorySizeMB":128,"maxMemoryUsedMB":40}}}`},
		{rich, Telemetry2022July, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.start","record":{"requestId":"r","tenantId":"t",` +
			`"version":"1","tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1-2-3"}}}`},
		{rich, Logs2021March, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.start","record":{"requestId":"r","version":"1"}}`},
		{done, Telemetry2022July, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.runtimeDone","record":{"requestId":"r",` +
			`"status":"error","metrics":{"durationMs":2.5,"producedBytes":16},"spans":[{"name":"responseLatency",` +
			`"start":"2026-10-08T07:30:29.470Z","durationMs":1.25}],"errorType":"Runtime.ExitError"}}`},
		{done, Logs2021March, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.runtimeDone","record":` +
			`{"requestId":"r","status":"failure"}}`},
		{done, Logs2020August, ""},
		{&End{RequestID: "r"}, Logs2020August, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.end","record":{"requestId":"r"}}`},
		{&End{RequestID: "r"}, Telemetry2025January, ""},
		{&fault, Logs2020August, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.fault","record":"it ended"}`},
		{&fault, Telemetry2022July, ""},
		{initStart, Telemetry2022July, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.initStart","record":` +
			`{"initializationType":"on-demand","phase":"init","runtimeVersion":"v","runtimeVersionArn":"a"}}`},
		{initStart, Telemetry2022December, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.initStart","record":` +
			`{"initializationType":"on-demand","phase":"init","runtimeVersion":"v","runtimeVersionArn":"a","functionName":"f",` +
			`"functionVersion":"1","instanceId":"s","instanceMaxMemory":134217728}}`},
		{initStart, Logs2021March, ""},
		// As recorded in February 2024 (alexcasalboni/aws-lambda-power-tuning, test/unit/test-utils.js).
		{restored(147.156, 201, 512, 91, &Restored{ms(500.795), 53}), Telemetry2025January, `{"time":"2026-10-08T07:30:29.470Z",` +
			`"type":"platform.report","record":{"requestId":"r","metrics":{"durationMs":147.156,"billedDurationMs":201,"memorySizeMB":512,` +
			`"maxMemoryUsedMB":91,"restoreDurationMs":500.795,"billedRestoreDurationMs":53},"status":"success"}}`},
		{restoreStart, Telemetry2025January, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.restoreStart","record":{"runtimeVersion":"v",` +
			`"runtimeVersionArn":"a","functionName":"f","functionVersion":"1","instanceId":"s","instanceMaxMemory":134217728}}`},
		{restoreStart, Telemetry2022July, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.restoreStart","record":{"runtimeVersion":"v",` +
			`"runtimeVersionArn":"a"}}`},
		{restoreStart, Logs2021March, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.restoreStart","record":{}}`},
		{&RestoreRuntimeDone{Status: Error, ErrorType: "E"}, Telemetry2022July, `{"time":"2026-10-08T07:30:29.470Z",` +
			`"type":"platform.restoreRuntimeDone","record":{"status":"error","errorType":"E"}}`},
		{&RestoreRuntimeDone{Status: Success}, Logs2021March, ""},
		{restoreReport, Telemetry2022December, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.restoreReport","record":` +
			`{"status":"success","metrics":{"durationMs":70.87}}}`},
		{restoreReport, Logs2020August, `{"time":"2026-10-08T07:30:29.470Z","type":"platform.restoreReport","record":` +
			`{"metrics":{"durationMs":70.87,"billedDurationMs":13}}}`},
		{&Extension{Name: "x", State: "Ready", Events: []string{}}, Logs2020August, `{"time":"2026-10-08T07:30:29.470Z",` +
			`"type":"platform.extension","record":{"name":"x","state":"Ready","events":[]}}`},
		{&LogsDropped{Bytes: 1, Records: 2, Reason: "why"}, Telemetry2022July, `{"time":"2026-10-08T07:30:29.470Z",` +
			`"type":"platform.logsDropped","record":{"droppedBytes":1,"droppedRecords":2,"reason":"why"}}`},
	}
	for _, test := range tests {
		got := ""
		if record, ok := test.event.In(test.schema); ok {
			got = string(Render(at, test.event.Type(), record))
			if !json.Valid([]byte(got)) {
				t.Errorf("%s is not JSON", got)
			}
		}
		if diff := cmp.Diff(got, test.want); diff != "" {
			t.Errorf("%s in %s (-got +want):\n%s", test.event.Type(), test.schema, diff)
		}
	}
}

// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html, "System log level event mapping".
func TestLevels(t *testing.T) {
	tests := []struct {
		event Event
		want  Level
	}{
		{&InitStart{RuntimeVersion: "v"}, Info},
		{&InitStart{}, Debug},
		{&InitRuntimeDone{Status: Success}, Debug},
		{&InitRuntimeDone{Status: Error}, Warn},
		{&InitReport{InitializationType: "on-demand", Status: Success}, Debug},
		{&InitReport{InitializationType: "provisioned-concurrency", Status: Success}, Info},
		{&InitReport{InitializationType: "provisioned-concurrency", Status: Error}, Warn},
		{&RestoreStart{RuntimeVersion: "v"}, Info},
		{&RestoreStart{}, Debug},
		{&RestoreRuntimeDone{Status: Success}, Debug},
		{&RestoreRuntimeDone{Status: Timeout}, Warn},
		{&RestoreReport{Status: Success}, Info},
		{&RestoreReport{Status: Error}, Warn},
		{&Start{}, Info},
		{&RuntimeDone{Status: Success}, Debug},
		{&RuntimeDone{Status: Timeout}, Warn},
		{&Report{Status: Success}, Info},
		{&Report{Status: Timeout}, Warn},
		{&Extension{State: "Ready"}, Info},
		{&Extension{State: "InitError", ErrorType: "Extension.InitError"}, Warn},
		{&Subscription{}, Info},
		{&LogsDropped{}, Warn},
	}
	for _, test := range tests {
		if got, ok := test.event.Level(); !ok || got != test.want {
			t.Errorf("%s %+v: got level %d, %v, want %d", test.event.Type(), test.event, got, ok, test.want)
		}
	}
	for _, e := range []Event{&End{}, new(Fault)} {
		if _, ok := e.Level(); ok {
			t.Errorf("%s is in JSON logs", e.Type())
		}
	}
}

func TestLineLevel(t *testing.T) {
	tests := []struct {
		line string
		want Level
	}{
		{"plain text", Info},
		{"ERROR plain text", Info},
		{`{"level": "debug", "msg": "m", "timestamp": "2024-11-02T16:51:31.587199Z"}`, Debug},
		{`{"level":"CRITICAL","time":"2024-11-02T16:51:31Z"}`, Fatal},
		{`{"level":"trace","@timestamp":"2024-11-02T16:51:31+01:00"}` + "\n", Trace},
		{`{"level":"WARNING","timestamp":"2024-11-02T16:51:31Z"}`, Warn},
		{`{"level":"error"}`, Info},
		{`{"level":"error","timestamp":"yesterday"}`, Info},
		{`{"level":"loud","timestamp":"2024-11-02T16:51:31Z"}`, Info},
		{`{"level":7,"timestamp":"2024-11-02T16:51:31Z"}`, Info},
		{`{"level":"error","timestamp":"2024-11-02T16:51:31Z"`, Info},
	}
	for _, test := range tests {
		if got := LineLevel(test.line); got != test.want {
			t.Errorf("%s: got %d, want %d", test.line, got, test.want)
		}
	}
}
