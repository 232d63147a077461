package execution

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
)

// imageFunction is a function of a container image.
func imageFunction() Function {
	f := testFunction()
	f.Runtime, f.Handler, f.CodeDir = "", "", ""
	f.Image = &Image{
		RootDir: "/images/x/root", Args: []string{"/entry", "app.handler"}, Dir: "/work/deep",
		Env: []string{"FROM=image", "BOTH=image", "AWS_REGION=image"},
		Files: fstest.MapFS{
			"work/deep": {Mode: fs.ModeDir | 0o755}, "work": {Mode: fs.ModeDir | 0o711}, "file": {Mode: 0o755},
			"closed": {Mode: fs.ModeDir | 0o700}, "closed/open": {Mode: fs.ModeDir | 0o755},
		},
	}
	return f
}

func TestImage(t *testing.T) {
	processes := make(chan sandbox.Process, 1)
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		processes <- p.Process
		return serve(echo)(p)
	})
	f := imageFunction()
	f.Env = map[string]string{"BOTH": "function"}
	out := b.invoke(f, Invocation{Payload: []byte(`1`), LogTail: true})
	if string(out.Payload) != "1" || strings.Contains(string(out.LogTail), "INIT_START") {
		t.Errorf("got %s, log\n%s", out.Payload, out.LogTail)
	}
	spec := b.driver.created[0]
	if spec.RootDir != "/images/x/root" || len(spec.Mounts) != 0 {
		t.Errorf("got root %s and mounts %v", spec.RootDir, spec.Mounts)
	}
	p := <-processes
	if diff := cmp.Diff(p.Args, f.Image.Args); diff != "" || p.Dir != "/work/deep" {
		t.Errorf("in %s, arguments (-got +want):\n%s", p.Dir, diff)
	}
	for _, want := range []string{"FROM=image", "BOTH=function", "AWS_REGION=us-east-1", "PWD=/work/deep", "LAMBDA_TASK_ROOT=/var/task",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"} {
		if !slices.Contains(p.Env, want) {
			t.Errorf("%s is not among the variables", want)
		}
	}
	if slices.ContainsFunc(p.Env, func(v string) bool { return strings.HasPrefix(v, "_HANDLER=") }) {
		t.Error("an image has a handler")
	}
	if !b.Directories()["/images/x/root"] {
		t.Error("the image is not said to be in use")
	}
}

func TestImageFailures(t *testing.T) {
	const entrypoint, dir = "Runtime.InvalidEntrypoint", "Runtime.InvalidWorkingDir"
	for name, c := range map[string]struct {
		change  func(*Image)
		startIt error
		kind    string
		reason  string
	}{
		"no program":         {func(i *Image) { i.Args = nil }, nil, entrypoint, "fork/exec : no such file or directory"},
		"nameless program":   {func(i *Image) { i.Args = []string{""} }, nil, entrypoint, "fork/exec : no such file or directory"},
		"no directory":       {func(i *Image) { i.Dir = "" }, nil, dir, "the working directory '' is invalid, it needs to be an absolute path"},
		"relative directory": {func(i *Image) { i.Dir = "work" }, nil, dir, "the working directory 'work' is invalid, it needs to be an absolute path"},
		"missing directory":  {func(i *Image) { i.Dir = "/work/none/x" }, nil, dir, "the working directory doesn't exist: /work/none/x"},
		"file as directory":  {func(i *Image) { i.Dir = "/file" }, nil, dir, "the working directory doesn't exist: /file"},
		"below /tmp":         {func(i *Image) { i.Dir = "/tmp/x" }, nil, dir, "the working directory doesn't exist: /tmp/x"},
		"closed directory":   {func(i *Image) { i.Dir = "/closed/open" }, nil, entrypoint, "fork/exec /entry: permission denied"},
		"missing":            {nil, fmt.Errorf("%w: %w", sandbox.ErrExec, fs.ErrNotExist), entrypoint, "fork/exec /entry: no such file or directory"},
		"missing in PATH": {func(i *Image) { i.Args[0] = "app.handler" }, fmt.Errorf("%w: %w", sandbox.ErrExec, fs.ErrNotExist), entrypoint,
			`exec: "app.handler": executable file not found in $PATH`},
		"of another machine": {func(i *Image) { i.Args[0] = "found" }, fmt.Errorf("%w: %w", sandbox.ErrExec, syscall.ENOEXEC), entrypoint,
			"fork/exec found: exec format error"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, serve(echo))
			b.driver.startIt = c.startIt
			f := imageFunction()
			if c.change != nil {
				c.change(f.Image)
			}
			out := b.invoke(f, Invocation{RequestID: "id"})
			want := fmt.Sprintf(`{"errorType":%q,"errorMessage":%q}`, c.kind, "RequestId: id Error: "+c.reason)
			if got := strings.ReplaceAll(string(out.Payload), `\u0026`, "&"); got != want || out.FunctionError != unhandled {
				t.Errorf("got %s %s, want %s", out.FunctionError, got, want)
			}
		})
	}
}

func TestImageWorksIn(t *testing.T) {
	for _, dir := range []string{"/", "/tmp", "/tmp/", "/work", "/work/../work/deep/"} {
		b := newBench(t, serve(echo))
		f := imageFunction()
		f.Image.Dir = dir
		if out := b.invoke(f, Invocation{Payload: []byte(`1`)}); string(out.Payload) != "1" {
			t.Errorf("%s: got %s", dir, out.Payload)
		}
	}
}

// Extensions of an image are the files of its /opt/extensions.
func TestImageExtensions(t *testing.T) {
	events := make(chan string, 3)
	b := newBench(t, programs(serve(echo), map[string]func(*fakeProcess) sandbox.Exit{"agent": agent(events)}))
	f := imageFunction()
	f.Image.Files.(fstest.MapFS)["opt/extensions/agent"] = &fstest.MapFile{Mode: 0o755}
	f.Image.Files.(fstest.MapFS)["opt/extensions/lib"] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
	if out := b.invoke(f, Invocation{Payload: []byte(`1`)}); string(out.Payload) != "1" {
		t.Errorf("got %s", out.Payload)
	}
	if event := <-events; !strings.Contains(event, "INVOKE") {
		t.Errorf("got %s", event)
	}
	b.stop()
	if event := <-events; !strings.Contains(event, "SHUTDOWN") {
		t.Errorf("got %s", event)
	}
}
