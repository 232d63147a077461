package execution

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/runtimes"
	driver "github.com/licet/licet/internal/sandbox/process"
)

// newProcessManager is a manager with the process driver and the real runtimes. At the end nothing of it may be left.
func newProcessManager(t *testing.T) (*Manager, *fakeLogs) {
	t.Helper()
	dir := t.TempDir()
	processes, err := driver.New(driver.Config{Dir: filepath.Join(dir, "sandboxes")})
	if err != nil {
		t.Fatal(err)
	}
	set, err := runtimes.Load()
	if err == nil {
		err = set.Install(filepath.Join(dir, "runtimes"))
	}
	if err != nil {
		t.Fatal(err)
	}
	logs := &fakeLogs{}
	m, err := New(Config{Driver: processes, Runtimes: Managed(set), Credentials: testCredentials, Logs: logs,
		Endpoint: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "AWS "+r.URL.Path) })})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "sandboxes", "f-*")); err != nil || len(left) != 0 {
			t.Errorf("left: %v, %v", left, err)
		}
		if err := processes.Close(); err != nil {
			t.Error(err)
		}
	})
	return m, logs
}

func buildBootstrap(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "bootstrap"), "./testdata/bootstrap")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the test's bootstrap: %v\n%s", err, out)
	}
	return dir
}

func TestProcessProvided(t *testing.T) {
	m, _ := newProcessManager(t)
	f := testFunction()
	f.CodeDir = buildBootstrap(t)
	f.Timeout = 2 * time.Second
	f.Env = map[string]string{"NAME": "value"}
	failure := func(kind, text string) string {
		return fmt.Sprintf(`{"errorType":%q,"errorMessage":"RequestId: %s Error: %s"}`, kind, id, text)
	}
	tests := []struct {
		event, want, functionError, log string
	}{
		{event: "echo hello", want: `"hello"`, log: startOf + endOf + report("Init Duration: N ms\t")},
		{event: "env NAME", want: `"value"`, log: startOf + endOf + report("")},
		{event: "env AWS_ACCESS_KEY_ID", want: `"ASIAEXAMPLE"`, log: startOf + endOf + report("")},
		{event: "get /path", want: `"AWS /path"`, log: startOf + endOf + report("")},
		{event: "keep first", want: `""`, log: startOf + endOf + report("")},
		{event: "exit", want: failure("Runtime.ExitError", "Runtime exited with error: exit status 3"), functionError: "Unhandled",
			log: startOf + "leaving\n" + endOf + report("Status: error\tError Type: Runtime.ExitError")},
		{event: "kill", want: failure("Runtime.ExitError", "Runtime exited with error: signal: killed"), functionError: "Unhandled",
			log: startOf + endOf + report("Status: error\tError Type: Runtime.ExitError")},
		{event: "sleep", want: failure("Sandbox.Timedout", "Task timed out after 2.00 seconds"),
			functionError: "Unhandled", log: startOf + endOf + report("Status: timeout")},
		{event: "keep second", want: `"first"`, log: startOf + endOf + report("")}, // /tmp survives exits and timeouts
	}
	for _, test := range tests {
		got, err := m.Invoke(t.Context(), f, Invocation{RequestID: id, Payload: []byte(`"` + test.event + `"`), LogTail: true})
		if err != nil {
			t.Fatalf("%s: %v", test.event, err)
		}
		got.LogTail = []byte(withoutMemory(plain(string(got.LogTail))))
		want := Result{Payload: []byte(test.want), FunctionError: test.functionError, LogTail: []byte(withoutMemory(test.log))}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", test.event, diff)
		}
	}
}

// withoutMemory hides Max Memory Used, which a real process decides.
func withoutMemory(log string) string {
	return regexp.MustCompile(`Used: \d+ MB`).ReplaceAllString(log, "Used: N MB")
}

func TestProcessBootstrapProblems(t *testing.T) {
	for _, test := range []struct {
		name    string
		content string
		mode    os.FileMode
		want    string
	}{
		{name: "missing", want: "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"},
		{name: "not executable", content: "#!/bin/sh\n", mode: 0o644, want: "fork/exec /var/task/bootstrap: "},
		{name: "not a program", content: "\x7fELF nothing", mode: 0o755, want: "fork/exec /var/task/bootstrap: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, _ := newProcessManager(t)
			f := testFunction()
			f.CodeDir = t.TempDir()
			if test.mode != 0 {
				if err := os.WriteFile(filepath.Join(f.CodeDir, "bootstrap"), []byte(test.content), test.mode); err != nil {
					t.Fatal(err)
				}
			}
			got, err := m.Invoke(t.Context(), f, Invocation{RequestID: id, LogTail: true})
			if err != nil {
				t.Fatal(err)
			}
			want := `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: ` + id + ` Error: ` + test.want
			if !strings.HasPrefix(string(got.Payload), want) || got.FunctionError != "Unhandled" {
				t.Errorf("got %s, want %s…", got.Payload, want)
			}
			if !strings.HasSuffix(string(got.LogTail), "\tStatus: error\tError Type: Runtime.InvalidEntrypoint\n") {
				t.Errorf("got log %s", got.LogTail)
			}
		})
	}
}

func TestProcessPython(t *testing.T) {
	m, _ := newProcessManager(t)
	f := testFunction()
	f.Runtime, f.Handler, f.CodeDir = "python3.12", "app.handler", t.TempDir()
	code := "def handler(event, context):\n    print('event', event)\n    return {'id': context.aws_request_id, 'event': event}\n"
	if err := os.WriteFile(filepath.Join(f.CodeDir, "app.py"), []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := m.Invoke(t.Context(), f, Invocation{RequestID: id, Payload: []byte(`{"a": 1}`), LogTail: true})
		if err != nil {
			t.Fatal(err)
		}
		if want := `{"id": "` + id + `", "event": {"a": 1}}`; string(got.Payload) != want {
			t.Errorf("got %s, want %s", got.Payload, want)
		}
		if !strings.Contains(string(got.LogTail), "event {'a': 1}\n") {
			t.Errorf("got log %s, want what the function printed", got.LogTail)
		}
	}
	f.Handler, f.Revision = "missing.handler", "r2"
	got, err := m.Invoke(t.Context(), f, Invocation{RequestID: id, LogTail: true})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got.Payload), `"Runtime.ImportModuleError"`) || got.FunctionError != "Unhandled" {
		t.Errorf("got %s, want Runtime.ImportModuleError", got.Payload)
	}
	if !strings.Contains(string(got.LogTail), "Phase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError\n") {
		t.Errorf("got log %s", got.LogTail)
	}
}

func TestRuntimeVersion(t *testing.T) {
	for _, test := range []struct{ name, interpreter, want string }{
		{"python3.12", "3.11.2", "python:3.11.2"},
		{"nodejs20.x", "18.19.0", "nodejs:18.19.0"},
		{"provided.al2023", "", "provided:al2023"},
		{"provided", "", "provided"},
	} {
		if got := runtimeVersion(test.name, test.interpreter); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}
