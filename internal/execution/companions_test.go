package execution

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
)

const extensionAPI = "/2020-01-01/extension"

// withExtensions is a function with a layer that has files of these names in its extensions directory.
func withExtensions(t testing.TB, names ...string) Function {
	t.Helper()
	f := testFunction()
	f.LayerDir = t.TempDir()
	if err := os.Mkdir(filepath.Join(f.LayerDir, "extensions"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(f.LayerDir, "extensions", name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// register makes an extension of p known and returns its identifier.
func (p *fakeProcess) register(name, events string) string {
	resp, body := p.call("POST", extensionAPI+"/register", `{"events": [`+events+`]}`, "Lambda-Extension-Name", name)
	if resp == nil || resp.StatusCode != 200 {
		p.sandbox.driver.t.Errorf("register %s: got %v %s", name, resp, body)
		return ""
	}
	return resp.Header.Get("Lambda-Extension-Identifier")
}

// nextFor waits for the next event of an extension; it is "" when the process is killed.
func (p *fakeProcess) nextFor(id string) string {
	_, body := p.call("GET", extensionAPI+"/event/next", "", "Lambda-Extension-Identifier", id)
	return body
}

// programs runs the program of an extension for its file, and the runtime for anything else.
func programs(runtime func(*fakeProcess) sandbox.Exit, extensions map[string]func(*fakeProcess) sandbox.Exit,
) func(*fakeProcess) sandbox.Exit {
	return func(p *fakeProcess) sandbox.Exit {
		if program := extensions[filepath.Base(p.Args[0])]; program != nil {
			return program(p)
		}
		return runtime(p)
	}
}

// agent is an extension that tells events what it gets, and ends at SHUTDOWN.
func agent(events chan<- string) func(*fakeProcess) sandbox.Exit {
	return func(p *fakeProcess) sandbox.Exit {
		id := p.register(filepath.Base(p.Args[0]), `"INVOKE", "SHUTDOWN"`)
		for {
			event := p.nextFor(id)
			if event == "" {
				return sandbox.Exit{}
			}
			events <- event
			if strings.Contains(event, "SHUTDOWN") {
				return sandbox.Exit{}
			}
		}
	}
}

// untilTerminated serves events until the process gets SIGTERM, which it tells.
func untilTerminated(events chan<- string, program func(*fakeProcess) sandbox.Exit) func(*fakeProcess) sandbox.Exit {
	return func(p *fakeProcess) sandbox.Exit {
		go program(p)
		select {
		case s := <-p.signals:
			events <- syscall.Signal(s).String()
		case <-p.ctx.Done():
			events <- "killed"
		}
		return sandbox.Exit{}
	}
}

func TestExtensionLife(t *testing.T) {
	events := make(chan string, 10)
	agents := map[string]func(*fakeProcess) sandbox.Exit{"agent": agent(events)}
	b := newBench(t, programs(untilTerminated(events, serve(echo)), agents))
	b.shutdownWithExternal = time.Minute // whatever the machine does
	f := withExtensions(t, "agent")
	for range 2 {
		got := b.invoke(f, Invocation{Payload: []byte(`1`), InvokedARN: "arn", LogTail: true})
		if string(got.Payload) != "1" {
			t.Errorf("got %s", got.Payload)
		}
	}
	b.stop()
	for _, want := range []string{`{"eventType":"INVOKE","deadlineMs":`, `{"eventType":"INVOKE","deadlineMs":`, "terminated",
		`{"eventType":"SHUTDOWN","deadlineMs":`} {
		if got := <-events; !strings.HasPrefix(got, want) {
			t.Errorf("got %s, want %s…", got, want)
		} else if strings.Contains(want, "SHUTDOWN") && !strings.HasSuffix(got, `,"shutdownReason":"spindown"}`) {
			t.Errorf("got %s, want spindown", got)
		}
	}
}

// The caller has its answer while an extension is still at work, and the environment takes its next event only afterwards.
func TestAnswerDoesNotWaitForExtensions(t *testing.T) {
	working, done := make(chan struct{}), make(chan struct{})
	b := newBench(t, programs(serve(echo), map[string]func(*fakeProcess) sandbox.Exit{"slow": func(p *fakeProcess) sandbox.Exit {
		id := p.register("slow", `"INVOKE"`)
		for p.nextFor(id) != "" {
			working <- struct{}{}
			<-done
		}
		return sandbox.Exit{}
	}}))
	f := withExtensions(t, "slow")
	if got := b.invoke(f, Invocation{Payload: []byte(`1`)}); string(got.Payload) != "1" {
		t.Errorf("got %s", got.Payload)
	}
	<-working
	b.mu.Lock()
	for e := range b.environments {
		if e.idle() {
			t.Error("the environment is idle while its extension works")
		}
	}
	b.mu.Unlock()
	close(done)
	go func() { <-working }()
	b.invoke(f, Invocation{LogTail: true})
}

func TestExtensionFailures(t *testing.T) {
	failure := func(kind, text string) string {
		return fmt.Sprintf(`{"errorType":%q,"errorMessage":"RequestId: %s Error: %s"}`, kind, id, text)
	}
	report := func(name, path string, exit sandbox.Exit) func(*fakeProcess) sandbox.Exit {
		return func(p *fakeProcess) sandbox.Exit {
			who := p.register(name, `"INVOKE"`)
			if path != "" {
				p.call("POST", extensionAPI+path, "{}", "Lambda-Extension-Identifier", who,
					"Lambda-Extension-Function-Error-Type", "Extension.Any")
			}
			return exit
		}
	}
	tests := []struct {
		name    string
		program func(*fakeProcess) sandbox.Exit
		want    string
	}{
		{"never registers", func(*fakeProcess) sandbox.Exit { return sandbox.Exit{Code: 1} },
			failure("Extension.Crash", "exit status 1")},
		{"ends", report("x", "", sandbox.Exit{}), failure("Extension.Crash", "exit code 0")},
		{"is killed", report("x", "", sandbox.Exit{Code: -1, Signal: 9}), failure("Extension.Crash", "signal: killed")},
		{"fails to initialize", report("x", "/init/error", sandbox.Exit{Code: 2}), failure("Extension.InitError", "exit status 2")},
		{"gives up", report("x", "/exit/error", sandbox.Exit{Code: 3}), failure("Extension.ExitError", "exit status 3")},
		{"ends in its event", func(p *fakeProcess) sandbox.Exit {
			p.nextFor(p.register("x", `"INVOKE"`))
			return sandbox.Exit{Code: 4}
		}, failure("Extension.Crash", "exit status 4")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			runtime := func(p *fakeProcess) sandbox.Exit { // never answers
				p.next()
				return p.hang()
			}
			b := newBench(t, programs(runtime, map[string]func(*fakeProcess) sandbox.Exit{"x": test.program}))
			b.shutdownWithExternal = 10 * time.Millisecond
			got := b.invoke(withExtensions(t, "x"), Invocation{RequestID: id})
			if diff := cmp.Diff(got, Result{Payload: []byte(test.want), FunctionError: "Unhandled"}); diff != "" {
				t.Errorf("got (-got +want):\n%s", diff)
			}
		})
	}
}

// An extension that takes the name of another is not the server's fault: the other is refused, as one that registers twice is.
func TestNameOfAnotherExtension(t *testing.T) {
	took, refused := make(chan struct{}), make(chan string, 2) // they are started twice
	b := newBench(t, programs(serve(echo), map[string]func(*fakeProcess) sandbox.Exit{
		"a": func(p *fakeProcess) sandbox.Exit {
			p.register("b", "")
			took <- struct{}{}
			return p.hang()
		},
		"b": func(p *fakeProcess) sandbox.Exit {
			_, body := p.call("POST", extensionAPI+"/register", `{"events": []}`, "Lambda-Extension-Name", "b")
			refused <- body
			return sandbox.Exit{Code: 1}
		},
	}))
	b.driver.started = func(p sandbox.Process) {
		if filepath.Base(p.Args[0]) == "a" {
			<-took // before anything is known of the other
		}
	}
	got := b.invoke(withExtensions(t, "a", "b"), Invocation{RequestID: id})
	if want := `{"errorType":"Extension.Crash","errorMessage":"RequestId: ` + id + ` Error: exit status 1"}`; string(got.Payload) != want {
		t.Errorf("got %s, want %s", got.Payload, want)
	}
	select {
	case body := <-refused:
		if !strings.Contains(body, "Extension.InvalidExtensionState") {
			t.Errorf("register: got %s", body)
		}
	default:
		t.Error("the other extension was not started")
	}
}

func TestTooManyExtensions(t *testing.T) {
	names := make([]string, 11)
	for i := range names {
		names[i] = fmt.Sprintf("x%02d", i)
	}
	b := newBench(t, func(p *fakeProcess) sandbox.Exit { return p.hang() })
	got := b.invoke(withExtensions(t, names...), Invocation{RequestID: id})
	want := `{"errorType":"Extension.LaunchError","errorMessage":"RequestId: ` + id + ` Error: ErrTooManyExtensions"}`
	if string(got.Payload) != want {
		t.Errorf("got %s, want %s", got.Payload, want)
	}
}

func TestExtensionShutdownReasons(t *testing.T) {
	for _, test := range []struct{ event, want string }{{"hang", "timeout"}, {"exit", "failure"}} {
		t.Run(test.event, func(t *testing.T) {
			events := make(chan string, 10)
			runtime := func(p *fakeProcess) sandbox.Exit {
				for {
					id, payload, ok := p.next()
					switch {
					case !ok:
						return sandbox.Exit{}
					case payload == "exit":
						return sandbox.Exit{Code: 1}
					case payload == "hang":
						select { // a runtime that ends when it is told to
						case <-p.signals:
						case <-p.ctx.Done():
						}
						return sandbox.Exit{}
					}
					p.respond(id, payload)
				}
			}
			b := newBench(t, programs(runtime, map[string]func(*fakeProcess) sandbox.Exit{"agent": agent(events)}))
			b.shutdownWithExternal = time.Minute // whatever the machine does
			f := withExtensions(t, "agent")
			f.Timeout = 2 * time.Second // in which the agent gets its event
			if test.event == "exit" {
				f.Timeout = time.Minute
			}
			if got := b.invoke(f, Invocation{Payload: []byte(test.event)}); got.FunctionError == "" {
				t.Errorf("got %s", got.Payload)
			}
			if got := <-events; !strings.Contains(got, "INVOKE") {
				t.Errorf("got %s, want INVOKE", got)
			}
			if got := <-events; !strings.HasSuffix(got, fmt.Sprintf(`"shutdownReason":%q}`, test.want)) {
				t.Errorf("got %s, want reason %s", got, test.want)
			}
			f.Timeout, f.Revision = time.Minute, "r2"
			if got := b.invoke(f, Invocation{Payload: []byte(`again`), LogTail: true}); string(got.Payload) != "again" {
				t.Errorf("got %s after the reset", got.Payload)
			}
			b.shutdownWithExternal = 10 * time.Millisecond // all is idle
		})
	}
}

// What does not end at SHUTDOWN is killed when the phase is over.
func TestStubbornExtensionIsKilled(t *testing.T) {
	b := newBench(t, programs(serve(echo), map[string]func(*fakeProcess) sandbox.Exit{"stubborn": func(p *fakeProcess) sandbox.Exit {
		who := p.register("stubborn", `"SHUTDOWN"`)
		p.nextFor(who)
		return p.hang()
	}}))
	b.shutdownWithExternal = 10 * time.Millisecond
	b.invoke(withExtensions(t, "stubborn"), Invocation{LogTail: true})
	b.stop() // the end of the test checks that nothing is left
}

func TestInternalExtension(t *testing.T) {
	events := make(chan string, 10)
	b := newBench(t, untilTerminated(events, func(p *fakeProcess) sandbox.Exit {
		who := p.register("inside", `"INVOKE"`)
		go func() {
			for event := p.nextFor(who); event != ""; event = p.nextFor(who) {
				events <- event
			}
		}()
		return serve(echo)(p)
	}))
	b.shutdownWithInternal = time.Minute // whatever the machine does
	b.invoke(testFunction(), Invocation{LogTail: true})
	if got := <-events; !strings.HasPrefix(got, `{"eventType":"INVOKE"`) {
		t.Errorf("got %s", got)
	}
	b.stop()
	if got := <-events; got != "terminated" {
		t.Errorf("the runtime was %s, want terminated", got)
	}
}

func TestExtensionVariables(t *testing.T) {
	got := make(chan []string, 1)
	b := newBench(t, programs(serve(echo), map[string]func(*fakeProcess) sandbox.Exit{"x": func(p *fakeProcess) sandbox.Exit {
		got <- p.Env
		return agent(make(chan string, 10))(p)
	}}))
	f := withExtensions(t, "x")
	f.Env = map[string]string{"NAME": "value"}
	b.invoke(f, Invocation{LogTail: true})
	var names []string
	for _, v := range <-got {
		name, _, _ := strings.Cut(v, "=")
		names = append(names, name)
	}
	want := []string{"AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME",
		"AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN", "GOMAXPROCS", "LANG", "NAME", "PATH", "TZ"}
	if diff := cmp.Diff(names, want); diff != "" {
		t.Errorf("variables (-got +want):\n%s", diff)
	}
}
