package execution

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/execution/extension"
	"github.com/licet/licet/internal/sandbox"
)

func snapStartFunction() Function {
	f := testFunction()
	f.Version, f.SnapStart = "1", true
	return f
}

// restore asks to be restored; ok is false when the process is killed.
func (p *fakeProcess) restore() (ok bool) {
	resp, _ := p.call("GET", api+"/restore/next", "")
	return resp != nil && resp.StatusCode == http.StatusOK
}

// hooked is a runtime that prints before and after it is restored, and runs after in between.
func hooked(after func(*fakeProcess)) func(*fakeProcess) sandbox.Exit {
	return func(p *fakeProcess) sandbox.Exit {
		p.print("before\n")
		if !p.restore() {
			return sandbox.Exit{}
		}
		p.print("after\n")
		if after != nil {
			after(p)
		}
		return serve(echo)(p)
	}
}

var restoreNumbers = regexp.MustCompile(`[0-9.]+ ms`)

// withoutNumbers makes the lines of a text log comparable.
func withoutNumbers(log string) []string {
	var lines []string
	for line := range strings.Lines(log) {
		line = restoreNumbers.ReplaceAllString(line, "N ms")
		line, _, _ = strings.Cut(line, "\tRuntime Version ARN")
		line = strings.ReplaceAll(line, " RequestId: "+id, "")
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// TestRestoreAPI walks the states of a runtime that is restored; each refused request leaves the state as it was.
func TestRestoreAPI(t *testing.T) {
	walked := make(chan bool, 1)
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		refused := func(method, path, from, to string) {
			t.Helper()
			want := fmt.Sprintf(`{"errorMessage":"State transition from %s to %s failed for runtime. Error: State transition is not allowed",`+
				`"errorType":"InvalidStateTransition"}`+"\n", from, to)
			if resp, body := p.call(method, api+path, "{}"); resp == nil || resp.StatusCode != http.StatusForbidden || body != want {
				t.Errorf("%s in %s: got %v %s", path, from, resp, body)
			}
		}
		refused("POST", "/restore/error", "Started", "RuntimeRestoreErrorState")
		if resp, _ := p.call("POST", api+"/restore/next", ""); resp == nil || resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST of restore/next: got %v", resp)
		}
		if resp, body := p.call("GET", api+"/restore/next", ""); resp == nil || resp.StatusCode != http.StatusOK || body != "" {
			t.Errorf("restore/next: got %v %s", resp, body)
		}
		refused("GET", "/restore/next", "Restoring", "Ready")
		refused("POST", "/init/error", "Restoring", "InitError")
		event, payload, _ := p.next()
		refused("GET", "/restore/next", "Running", "Ready")
		refused("POST", "/restore/error", "Running", "RuntimeRestoreErrorState")
		p.respond(event, payload)
		walked <- true
		p.next()
		return sandbox.Exit{}
	})
	if got := b.invoke(snapStartFunction(), Invocation{Payload: []byte("1")}); string(got.Payload) != "1" {
		t.Errorf("got %s", got.Payload)
	}
	<-walked
}

// A runtime that waits to be restored can ask for nothing else, and its question ends with its process.
func TestRestoreReady(t *testing.T) {
	s := newSession(extension.New(extension.Function{}), nil)
	s.restored = make(chan struct{})
	if s.release() {
		t.Error("a runtime was released that did not ask")
	}
	asked := make(chan any)
	go func() {
		defer func() { asked <- recover() }()
		nextRestore(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), s)
	}()
	if got := <-s.steps; got.kind != restoreReady {
		t.Errorf("got %s, want RestoreReady", got.kind)
	}
	if _, _, refused := s.asks(); refused == nil || !strings.Contains(refused.message, "from RestoreReady to Ready failed") {
		t.Errorf("next: got %v", refused)
	}
	if refused := s.asksRestore(); refused == nil || !strings.Contains(refused.message, "from RestoreReady to Ready failed") {
		t.Errorf("restore/next: got %v", refused)
	}
	close(s.ended)
	if got := <-asked; got != http.ErrAbortHandler {
		t.Errorf("got %v, want the connection to be closed", got)
	}
}

func TestRestoreLog(t *testing.T) {
	const (
		initStart    = "INIT_START Runtime Version: provided:al2023"
		initReport   = "INIT_REPORT Init Duration: N ms"
		restoreStart = "RESTORE_START Runtime Version: provided:al2023"
		done         = "RESTORE_REPORT Restore Duration: N ms"
		report       = "REPORT\tDuration: N ms\tBilled Duration: N ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB"
		billed       = "\tRestore Duration: N ms\tBilled Restore Duration: N ms"
	)
	second := []string{"START Version: 1", "END", report}
	tests := map[string]struct {
		program func(*fakeProcess) sandbox.Exit
		want    []string
	}{
		"hooks": {hooked(nil), append([]string{initStart, "before", initReport, restoreStart, "after", done,
			"START Version: 1", "END", report + billed}, second...)},
		// "If runtime has not called /restore/next then just return" (the official agent, rapid/handlers.go).
		"no interest": {serve(echo), append([]string{initStart, initReport, restoreStart, done, "START Version: 1", "END", report + billed}, second...)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, test.program)
			b.initLimit = time.Nanosecond // is that of others
			tail := b.invoke(snapStartFunction(), Invocation{LogTail: true}).LogTail
			b.invoke(snapStartFunction(), Invocation{LogTail: true})
			b.stop()
			if diff := cmp.Diff(withoutNumbers(b.logs.text(t)), test.want); diff != "" {
				t.Errorf("log (-got +want):\n%s", diff)
			}
			if strings.Contains(string(tail), "RESTORE") || strings.Contains(string(tail), "INIT") {
				t.Errorf("got a tail of %s", tail)
			}
		})
	}
}

// What is billed is the runtime's part of the phase, together with the invocation.
func TestRestoreIsBilled(t *testing.T) {
	b := newBench(t, hooked(func(*fakeProcess) { time.Sleep(20 * time.Millisecond) }))
	tail := string(b.invoke(snapStartFunction(), Invocation{LogTail: true}).LogTail)
	_, line, _ := strings.Cut(tail, "REPORT ")
	var took, restored float64
	var billed, memory, peak, billedRestore int
	if _, err := fmt.Sscanf(line, "RequestId: "+id+"\tDuration: %f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t"+
		"Restore Duration: %f ms\tBilled Restore Duration: %d ms\t\n", &took, &billed, &memory, &peak, &restored, &billedRestore); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	if billedRestore < 20 || restored < 20 || float64(billedRestore) > restored+1 {
		t.Errorf("got a Restore Duration of %v, billed %d", restored, billedRestore)
	}
	if sum := took + float64(billedRestore); float64(billed) < sum-.01 || float64(billed) > sum+1.01 { // took is rounded
		t.Errorf("got %d billed of %v and %d", billed, took, billedRestore)
	}
}

func TestRestoreFailures(t *testing.T) {
	fails := func(kind string) func(*fakeProcess) {
		return func(p *fakeProcess) {
			if resp, body := p.call("POST", api+"/restore/error", `{"errorMessage":"m"}`, "Lambda-Runtime-Function-Error-Type", kind); resp == nil ||
				resp.StatusCode != http.StatusAccepted || body != `{"status":"OK"}`+"\n" {
				p.sandbox.driver.t.Errorf("restore/error: got %v %s", resp, body)
			}
			p.print("last words\n")
			p.hang()
		}
	}
	tests := map[string]struct {
		after   func(*fakeProcess)
		timeout bool
		status  string
		events  string
		words   bool
	}{
		"hook": {after: fails("Runtime.AfterRestoreError"), status: "\tStatus: error\tError Type: Runtime.AfterRestoreError",
			events: "error Runtime.AfterRestoreError", words: true},
		"unknown": {after: fails("My.Error"), status: "\tStatus: error\tError Type: Runtime.Unknown", events: "error Runtime.Unknown", words: true},
		"exit": {after: func(p *fakeProcess) { panic(exit(65)) }, status: "\tStatus: error\tError Type: Runtime.ExitError",
			events: "error Runtime.ExitError"},
		"timeout": {after: func(p *fakeProcess) { p.hang() }, timeout: true, status: "\tStatus: timeout", events: "timeout"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, inJSON := range []bool{false, true} {
				b := newBench(t, exits(hooked(test.after)))
				if test.timeout {
					b.restoreLimit = 2 * time.Second // in which it prints its line
				}
				f := snapStartFunction()
				f.JSONLogs, f.ApplicationLogLevel, f.SystemLogLevel = inJSON, "INFO", "DEBUG"
				_, err := b.Invoke(context.Background(), f, Invocation{RequestID: id})
				if got, ok := errors.AsType[ErrSnapStart](err); !ok || got.Timeout != test.timeout {
					t.Errorf("got %v", err)
				}
				b.stop()
				lines := []string{"INIT_START Runtime Version: provided:al2023", "before", "INIT_REPORT Init Duration: N ms",
					"RESTORE_START Runtime Version: provided:al2023", "after", "RESTORE_REPORT Restore Duration: N ms" + test.status}
				got := withoutNumbers(b.logs.text(t))
				if inJSON {
					lines = []string{"initStart", "before", "initRuntimeDone success", "initReport success", "restoreStart", "after",
						"restoreRuntimeDone " + test.events, "restoreReport " + test.events}
					got = kinds(t, b.logs.text(t))
				}
				if test.words { // they may come before or after what the runtime has done is told
					got = without(got, "last words")
				}
				if diff := cmp.Diff(got, lines); diff != "" {
					t.Errorf("log (-got +want):\n%s", diff)
				}
			}
		})
	}
}

func without(lines []string, word string) (rest []string) {
	for _, line := range lines {
		if line != word {
			rest = append(rest, line)
		}
	}
	return rest
}

// exit ends a fake process, by panic.
type exit int

func exits(program func(*fakeProcess) sandbox.Exit) func(*fakeProcess) sandbox.Exit {
	return func(p *fakeProcess) (e sandbox.Exit) {
		defer func() {
			if code := recover(); code != nil {
				e = sandbox.Exit{Code: int(code.(exit))}
			}
		}()
		return program(p)
	}
}

// The environment of a Restore phase that failed is gone, and the next invocation has another.
func TestRestoreFailureEndsEnvironment(t *testing.T) {
	first := true
	b := newBench(t, hooked(func(p *fakeProcess) {
		if first {
			first = false
			p.call("POST", api+"/restore/error", "{}")
			p.hang()
		}
	}))
	to := newParts()
	got, err := b.Invoke(t.Context(), snapStartFunction(), Invocation{RequestID: id, Stream: to})
	if diff := cmp.Diff(got, Result{FunctionError: "Unhandled", ErrorType: "SnapStartException"}); err != nil || diff != "" {
		t.Errorf("stream: got %v and (-got +want):\n%s", err, diff)
	}
	if got := b.invoke(snapStartFunction(), Invocation{Payload: []byte("again")}); string(got.Payload) != "again" {
		t.Errorf("got %s", got.Payload)
	}
	if created, _ := b.driver.counts(); created != 2 {
		t.Errorf("got %d environments, want 2", created)
	}
}

// After a crash the environment is initialized and restored again for the next invocation, of which neither is a part.
func TestRestoreAfterCrash(t *testing.T) {
	b := newBench(t, exits(func(p *fakeProcess) sandbox.Exit {
		if !p.restore() {
			return sandbox.Exit{}
		}
		return serve(func(p *fakeProcess, payload string) string {
			if payload == "crash" {
				panic(exit(1))
			}
			return payload
		})(p)
	}))
	b.invoke(snapStartFunction(), Invocation{Payload: []byte("crash")})
	if got := b.invoke(snapStartFunction(), Invocation{Payload: []byte("again")}); string(got.Payload) != "again" {
		t.Errorf("got %s %s", got.Payload, got.FunctionError)
	}
	b.stop()
	if got := strings.Count(b.logs.text(t), "RESTORE_REPORT Restore Duration"); got != 2 {
		t.Errorf("restored %d times, want 2:\n%s", got, b.logs.text(t))
	}
	if created, _ := b.driver.counts(); created != 1 {
		t.Errorf("got %d environments, want 1", created)
	}
}

// Variables that would be those of one environment are missing in a snapshot.
func TestSnapStartVariables(t *testing.T) {
	b := newBench(t, serve(func(p *fakeProcess, _ string) string {
		return p.env("AWS_LAMBDA_INITIALIZATION_TYPE") + p.env("AWS_LAMBDA_LOG_GROUP_NAME") + p.env("AWS_LAMBDA_LOG_STREAM_NAME")
	}))
	if got := b.invoke(snapStartFunction(), Invocation{}); string(got.Payload) != "snap-start" {
		t.Errorf("got %s", got.Payload)
	}
}

// Extensions are told of the Restore phase through the Telemetry API.
func TestTelemetryOfRestore(t *testing.T) {
	got, subscribed := make(chan string, 100), make(chan struct{})
	b := newBench(t, programs(func(p *fakeProcess) sandbox.Exit {
		<-subscribed
		return hooked(nil)(p)
	}, map[string]func(*fakeProcess) sandbox.Exit{"agent": subscriber(t, got, "/2022-07-01/telemetry", "2025-01-29", subscribed)}))
	f := withExtensions(t, "agent")
	f.SnapStart = true
	b.invoke(f, Invocation{})
	var told []string
	for len(told) == 0 || told[len(told)-1] != "report success" {
		if kind := kinds(t, <-got)[0]; !strings.HasPrefix(kind, "{") && kind != "extension" { // else it is printed, or comes at any time
			told = append(told, kind)
		}
	}
	want := []string{"initStart", "telemetrySubscription", "initRuntimeDone success", "initReport success", "restoreStart",
		"restoreRuntimeDone success", "restoreReport success", "start", "runtimeDone success", "report success"}
	if diff := cmp.Diff(told, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}
