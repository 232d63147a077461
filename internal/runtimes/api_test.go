package runtimes

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/process"
)

// limit is how long any step may take: a bound for what hangs, not a measure.
const limit = time.Minute

// invocation is what the fake Runtime API hands out.
type invocation struct {
	Event  string
	Header map[string]string
	// Close ends the connection after the answer, as a server may.
	Close bool
}

// post is what a bootstrap sent, or its question whether it was restored.
type post struct {
	Path      string
	ErrorType string
	Type      string
	Body      string
}

// scenario is one run of a bootstrap: a function's files, events, and what must come of them. Directories, times and ports
// are replaced by fixed words before they are compared.
type scenario struct {
	files       map[string]string
	handler     string
	env         []string
	invocations []invocation
	// refuse answers the first posts with a status instead of 202.
	refuse []int
	want   []post
	log    string
	exit   sandbox.Exit // the zero value: still running, and killed by the test
	ended  bool         // exit counts
}

// fakeAPI serves the Runtime API of one process (lambda.md 7.5).
type fakeAPI struct {
	next   chan invocation
	posts  chan post
	refuse []int
	count  int
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, "/2018-06-01/runtime/")
	if r.Method == http.MethodGet && path == "invocation/next" {
		f.serveNext(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	kind := r.Header.Get("Lambda-Runtime-Function-Error-Type")
	if in := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); in != "" { // of a response that was streamed
		details, err := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		if err != nil {
			details = []byte(err.Error())
		}
		kind, body = in, append(body, details...)
	}
	f.posts <- post{path, kind, r.Header.Get("Content-Type"), string(body)}
	status := http.StatusAccepted
	if path == restoreNext {
		status = http.StatusOK
	}
	if len(f.refuse) > 0 {
		status, f.refuse = f.refuse[0], f.refuse[1:]
	}
	w.WriteHeader(status)
	io.WriteString(w, `{"status":"OK"}`)
}

func (f *fakeAPI) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case in := <-f.next:
		f.count++
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("id-%d", f.count))
		h.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(limit).UnixMilli()))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:f")
		for name, value := range in.Header {
			h.Set(name, value)
		}
		if in.Close {
			h.Set("Connection", "close")
		}
		io.WriteString(w, in.Event)
	case <-r.Context().Done():
	}
}

// run runs a scenario with a runtime.
func run(t *testing.T, runtime string, sc scenario) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	api := &fakeAPI{next: make(chan invocation, 100), posts: make(chan post, 100), refuse: sc.refuse}
	server := httptest.NewServer(api)
	defer server.CloseClientConnections()
	code := t.TempDir()
	for name, content := range sc.files {
		write(t, filepath.Join(code, name), content)
	}
	s, c := prepare(t, runtime, code)
	env := append(c.EnvAt(s.Path), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"), "_HANDLER="+sc.handler,
		"AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/f", "AWS_LAMBDA_LOG_STREAM_NAME=stream")
	var log bytes.Buffer
	process, err := s.Start(ctx,
		sandbox.Process{Args: c.Args, Env: append(env, sc.env...), Dir: "/var/task", Stdout: &log, Stderr: &log})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range sc.invocations {
		api.next <- in
	}
	var got []post
	for range sc.want {
		select {
		case p := <-api.posts:
			p.Body = plain(p.Body, code, c)
			got = append(got, p)
		case <-ctx.Done():
			process.Kill()
			process.Wait(t.Context())
			t.Fatalf("got %d of %d posts: %+v; log:\n%s", len(got), len(sc.want), got, log.String())
		}
	}
	if !sc.ended {
		process.Kill()
		sc.exit = sandbox.Exit{Code: -1, Signal: 9}
	}
	exit, err := process.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sc.want, got); diff != "" {
		t.Errorf("posts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sc.log, plain(log.String(), code, c)); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if exit != sc.exit {
		t.Errorf("got %+v, want %+v", exit, sc.exit)
	}
}

// prepare makes a sandbox for the code, of the driver that isolates nothing: what the bootstraps do is the same in all.
func prepare(t *testing.T, runtime, code string) (sandbox.Sandbox, Command) {
	t.Helper()
	set, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Install(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	r, ok := set.Lookup(runtime)
	if !ok {
		t.Fatalf("no runtime %s", runtime)
	}
	c, err := r.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	d, err := process.New(process.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	mounts := append([]sandbox.Mount{{Source: code, Target: "/var/task"}, {Source: filepath.Join(code, "layers"), Target: "/opt"}}, c.Mounts...)
	s, err := d.Create(t.Context(), sandbox.Spec{ID: "test", Mounts: mounts})
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

var times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ`)

// plain replaces what differs from run to run.
func plain(s, code string, c Command) string {
	s = strings.ReplaceAll(s, code, "/var/task")
	for _, m := range c.Mounts {
		s = strings.ReplaceAll(s, m.Source, m.Target)
	}
	return times.ReplaceAllString(s, "TIME")
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}
