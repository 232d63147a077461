package execution

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
)

// jsonFunction logs in JSON.
func jsonFunction(system, application string) Function {
	f := testFunction()
	f.JSONLogs, f.SystemLogLevel, f.ApplicationLogLevel = true, system, application
	return f
}

// kinds are the types of platform events in a JSON log with their status, and its other lines.
func kinds(t *testing.T, log string) (kinds []string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var e struct {
			Type   string
			Record struct{ Status, ErrorType string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Type == "" {
			kinds = append(kinds, strings.TrimSuffix(line, "\n"))
			continue
		}
		kinds = append(kinds, strings.TrimSpace(strings.TrimPrefix(e.Type, "platform.")+" "+e.Record.Status+" "+e.Record.ErrorType))
	}
	return kinds
}

func TestSystemLogLevel(t *testing.T) {
	program := func(p *fakeProcess) sandbox.Exit {
		for {
			id, payload, ok := p.next()
			if !ok || payload == "crash" {
				return sandbox.Exit{Code: 1}
			}
			p.respond(id, payload)
		}
	}
	tests := []struct {
		level string
		want  []string
	}{
		{"DEBUG", []string{"initStart", "initRuntimeDone success", "initReport success", "start", "runtimeDone success", "report success",
			"start", "runtimeDone error Runtime.ExitError", "report error Runtime.ExitError"}},
		{"INFO", []string{"initStart", "start", "report success",
			"start", "runtimeDone error Runtime.ExitError", "report error Runtime.ExitError"}},
		{"WARN", []string{"runtimeDone error Runtime.ExitError", "report error Runtime.ExitError"}},
	}
	for _, test := range tests {
		b := newBench(t, program)
		b.invoke(jsonFunction(test.level, "INFO"), Invocation{Payload: []byte("1"), LogTail: true}) // it is idle again with the tail
		tail := b.invoke(jsonFunction(test.level, "INFO"), Invocation{Payload: []byte("crash"), LogTail: true}).LogTail
		b.stop()
		got := kinds(t, b.logs.text(t))
		if diff := cmp.Diff(got, test.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", test.level, diff)
		}
		if !strings.HasSuffix(b.logs.text(t), string(tail)) || !strings.Contains(string(tail), `"platform.report"`) {
			t.Errorf("%s: got a tail of %s", test.level, tail)
		}
	}
}

func TestFailedInitInJSON(t *testing.T) {
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		p.call("POST", api+"/init/error", `{}`, "Lambda-Runtime-Function-Error-Type", "Runtime.Broken")
		return sandbox.Exit{Code: 1}
	})
	b.invoke(jsonFunction("DEBUG", "INFO"), Invocation{})
	b.stop()
	failed := []string{"initStart", "initRuntimeDone error Runtime.Broken", "initReport error Runtime.Broken"}
	want := append(append(failed, failed...), "start", "report error Runtime.Broken")
	if diff := cmp.Diff(kinds(t, b.logs.text(t)), want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestApplicationLogLevel(t *testing.T) {
	lines := []string{`{"level":"trace","timestamp":"2026-01-01T00:00:00Z"}`, `{"level":"debug","timestamp":"2026-01-01T00:00:00Z"}`,
		"plain", `{"level":"ERROR","timestamp":"2026-01-01T00:00:00Z"}`}
	for level, want := range map[string]int{"TRACE": 4, "DEBUG": 3, "INFO": 2, "WARN": 1, "ERROR": 1, "FATAL": 0} {
		format := make(chan string, 1)
		b := newBench(t, serve(func(p *fakeProcess, payload string) string {
			format <- p.env("AWS_LAMBDA_LOG_FORMAT") + " " + p.env("AWS_LAMBDA_LOG_LEVEL")
			p.print("%s\n", strings.Join(lines, "\n"))
			return payload
		}))
		b.invoke(jsonFunction("WARN", level), Invocation{})
		b.stop()
		var got []string
		if want > 0 { // else there is no stream
			got = kinds(t, b.logs.text(t))
		}
		if diff := cmp.Diff(strings.Join(got, "\n"), strings.Join(lines[len(lines)-want:], "\n")); diff != "" {
			t.Errorf("%s (-got +want):\n%s", level, diff)
		}
		if got := <-format; got != "JSON "+level {
			t.Errorf("got %q in the environment", got)
		}
	}
}

func TestStreamName(t *testing.T) {
	at := time.Date(2026, 10, 8, 23, 59, 0, 0, time.UTC)
	f := testFunction()
	if got := streamName(f, "22be", at); got != "2026/10/08/[$LATEST]22be" {
		t.Errorf("got %s", got)
	}
	f.LogGroup = "/own" // as in a log of AWS from October 2026
	if got := streamName(f, "22be", at); got != "2026/10/08/fn[$LATEST]22be" {
		t.Errorf("got %s in a group of its own", got)
	}
}

// subscriber is an extension that subscribes to everything, tells when it has, and passes on the records that it gets. It ends when
// it knows what came of the invocation.
func subscriber(t *testing.T, got chan<- string, path, schema string, subscribed chan<- struct{}) func(*fakeProcess) sandbox.Exit {
	return func(p *fakeProcess) sandbox.Exit {
		known := make(chan struct{})
		know := sync.OnceFunc(func() { close(known) })
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Error(err)
			return sandbox.Exit{Code: 1}
		}
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var records []json.RawMessage
			if err := json.NewDecoder(r.Body).Decode(&records); err != nil {
				t.Error(err)
			}
			for _, record := range records {
				got <- string(record)
				if strings.Contains(string(record), `"status":"timeout"`) || strings.Contains(string(record), "platform.report") {
					know()
				}
			}
		})}
		go s.Serve(l)
		defer s.Close()
		id := p.register("agent", `"INVOKE", "SHUTDOWN"`)
		body := fmt.Sprintf(`{"schemaVersion": %q, "types": ["platform", "function", "extension"], "buffering": {"timeoutMs": 25},
			"destination": {"protocol": "HTTP", "URI": "http://sandbox:%d"}}`, schema, l.Addr().(*net.TCPAddr).Port)
		if resp, answer := p.call("PUT", path, body, "Lambda-Extension-Identifier", id); resp == nil || resp.StatusCode != 200 {
			t.Errorf("subscribe: got %v %s", resp, answer)
		}
		close(subscribed)
		p.print("from the extension\n")
		for event := "-"; event != "" && !strings.Contains(event, "SHUTDOWN"); {
			event = p.nextFor(id)
		}
		select {
		case <-known:
		case <-p.ctx.Done():
		}
		return sandbox.Exit{}
	}
}

// steady makes the times in a record comparable.
func steady(record string) string {
	record = regexp.MustCompile(`"(time|start)":"[^"]+"`).ReplaceAllString(record, "T")
	record = regexp.MustCompile(`("(durationMs|billedDurationMs|initDurationMs)"):[0-9.]+`).ReplaceAllString(record, "$1:N")
	record = regexp.MustCompile(`("runtimeVersionArn":)"[^"]+"`).ReplaceAllString(record, `$1"A"`)
	return regexp.MustCompile(`("instanceId":)"[^"]+"`).ReplaceAllString(record, `$1"S"`)
}

// TestTelemetry drives a subscriber through an initialization and an invocation.
func TestTelemetry(t *testing.T) {
	tests := []struct {
		path, schema string
		want         []string
	}{
		{"/2022-07-01/telemetry", "2022-12-13", []string{
			`{T,"type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init","runtimeVersion":"provided:al2023",` +
				`"runtimeVersionArn":"A","functionName":"fn","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:fn",` +
				`"functionVersion":"$LATEST","instanceId":"S","instanceMaxMemory":134217728}}`,
			`{T,"type":"platform.telemetrySubscription","record":{"name":"agent","state":"Subscribed",` +
				`"types":["platform","function","extension"]}}`,
			`{T,"type":"platform.initRuntimeDone","record":{"initializationType":"on-demand","phase":"init","status":"success"}}`,
			`{T,"type":"platform.extension","record":{"name":"agent","state":"Ready","events":["INVOKE","SHUTDOWN"]}}`,
			`{T,"type":"platform.initReport","record":{"initializationType":"on-demand","phase":"init","status":"success",` +
				`"metrics":{"durationMs":N}}}`,
			`{T,"type":"platform.start","record":{"requestId":"11111111-2222-3333-4444-555555555555",` +
				`"functionArn":"arn:aws:lambda:us-east-1:000000000000:function:fn","tenantId":"blue","version":"$LATEST",` +
				`"tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1"}}}`,
			`{T,"type":"function","record":"from the function"}`,
			`{T,"type":"platform.runtimeDone","record":{"requestId":"11111111-2222-3333-4444-555555555555","tenantId":"blue",` +
				`"status":"success","metrics":{"durationMs":N,"producedBytes":4},"tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1"},` +
				`"spans":[{"name":"responseLatency",T,"durationMs":N},{"name":"responseDuration",T,"durationMs":N},` +
				`{"name":"runtimeOverhead",T,"durationMs":N}]}}`,
			`{T,"type":"platform.report","record":{"requestId":"11111111-2222-3333-4444-555555555555","tenantId":"blue",` +
				`"metrics":{"durationMs":N,"billedDurationMs":N,"memorySizeMB":128,"maxMemoryUsedMB":40,"initDurationMs":N},` +
				`"tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1"},"spans":[{"name":"extensionOverhead",T,"durationMs":N}],` +
				`"status":"success"}}`,
		}},
		{"/2020-08-15/logs", "2020-08-15", []string{
			`{T,"type":"platform.logsSubscription","record":{"name":"agent","state":"Subscribed",` +
				`"types":["platform","function","extension"]}}`,
			`{T,"type":"platform.extension","record":{"name":"agent","state":"Ready","events":["INVOKE","SHUTDOWN"]}}`,
			`{T,"type":"platform.start","record":{"requestId":"11111111-2222-3333-4444-555555555555","version":"$LATEST"}}`,
			`{T,"type":"function","record":"from the function"}`,
			`{T,"type":"platform.end","record":{"requestId":"11111111-2222-3333-4444-555555555555"}}`,
			`{T,"type":"platform.report","record":{"requestId":"11111111-2222-3333-4444-555555555555",` +
				`"metrics":{"durationMs":N,"billedDurationMs":N,"memorySizeMB":128,"maxMemoryUsedMB":40,"initDurationMs":N}}}`,
		}},
	}
	for _, test := range tests {
		got, subscribed := make(chan string, 100), make(chan struct{})
		function := func(p *fakeProcess) sandbox.Exit {
			<-subscribed
			return serve(func(p *fakeProcess, payload string) string {
				p.print("from the function\n")
				return payload
			})(p)
		}
		b := newBench(t, programs(function, map[string]func(*fakeProcess) sandbox.Exit{
			"agent": subscriber(t, got, test.path, test.schema, subscribed)}))
		b.invoke(withExtensions(t, "agent"), Invocation{Payload: []byte("true"), Tenant: "blue", TraceID: "Root=1", LogTail: true})
		var records []string
		for printed := false; len(records) < len(test.want) || !printed; {
			record := steady(<-got)
			if record == `{T,"type":"extension","record":"from the extension"}` { // which comes at any time
				printed = true
				continue
			}
			records = append(records, record)
		}
		if diff := cmp.Diff(records, test.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", test.schema, diff)
		}
		b.stop()
		text := strings.Replace(b.logs.text(t), "from the extension\n", "", 1)
		for _, want := range []string{"\tName: agent\tState: Subscribed\tTypes: [Platform, Function, Extension]\n",
			"EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\nSTART RequestId:"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in the log:\n%s", want, text)
			}
		}
	}
}

// What an extension prints is no code of the function: no level hides it.
func TestExtensionLinesHaveNoLevel(t *testing.T) {
	printed := make(chan struct{})
	b := newBench(t, programs(func(p *fakeProcess) sandbox.Exit {
		p.print("of the function\n")
		<-printed
		return serve(echo)(p)
	}, map[string]func(*fakeProcess) sandbox.Exit{"agent": func(p *fakeProcess) sandbox.Exit {
		p.print("of the extension\n")
		close(printed)
		return agent(make(chan string, 10))(p)
	}}))
	f := withExtensions(t, "agent")
	f.JSONLogs, f.SystemLogLevel, f.ApplicationLogLevel = true, "WARN", "FATAL"
	b.invoke(f, Invocation{})
	b.stop()
	if diff := cmp.Diff(b.logs.text(t), "of the extension\n"); diff != "" {
		t.Errorf("log (-got +want):\n%s", diff)
	}
}

// TestTelemetryOfTimeout: what comes of an invocation is told before the extension is shut down for it.
func TestTelemetryOfTimeout(t *testing.T) {
	got := make(chan string, 100)
	hang := func(p *fakeProcess) sandbox.Exit {
		p.next()
		return p.hang()
	}
	b := newBench(t, programs(hang, map[string]func(*fakeProcess) sandbox.Exit{
		"agent": subscriber(t, got, "/2022-07-01/telemetry", "2025-01-29", make(chan struct{}))}))
	f := withExtensions(t, "agent")
	f.Timeout = 50 * time.Millisecond
	b.invoke(f, Invocation{})
	for {
		if record := <-got; strings.Contains(record, `"type":"platform.runtimeDone"`) {
			if !strings.Contains(record, `"status":"timeout"`) {
				t.Errorf("got %s, want the timeout", record)
			}
			return
		}
	}
}

// The lines of a warm invocation in a text log are three allocations, as their strings are.
func TestTextLogsCostTheirLines(t *testing.T) {
	b := newBench(t, serve(echo))
	b.invoke(testFunction(), Invocation{LogTail: true})
	b.mu.Lock()
	var e *environment
	for e = range b.environments {
	}
	b.mu.Unlock()
	e.log.writer = nil // nothing is queued
	i := &invocation{environment: e, Invocation: Invocation{RequestID: id}}
	if n := testing.AllocsPerRun(100, func() {
		i.tellStart()
		i.stage = stageInvoke
		i.tellRuntimeEnd()
		i.tellReport()
	}); n > 3 {
		t.Errorf("got %v allocations, want 3", n)
	}
	e.log.writer = b.logs
}
