package sandboxtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
)

func testCheck(t *testing.T, d sandbox.Driver) {
	if err := d.Check(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if err := d.Check(bounded(t)); err != nil {
		t.Fatalf("second time: %v", err)
	}
}

func testExit(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	for script, want := range map[string]sandbox.Exit{
		"exit 0":                     {},
		"exit 7":                     {Code: 7},
		"exit 129":                   {Code: 129}, // Lambda's Node.js runtime ends so
		"kill -KILL $$":              {Code: -1, Signal: 9},
		"kill -TERM $$":              {Code: -1, Signal: 15},
		"ulimit -c 0; kill -SEGV $$": {Code: -1, Signal: 11},
		"ulimit -c 0; kill -ABRT $$": {Code: -1, Signal: 6},
	} {
		if got := sh(t, s, script).Exit; got != want {
			t.Errorf("%s: got %+v, want %+v", script, got, want)
		}
	}
}

func testEnvironment(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	env := []string{"PATH=/usr/bin:/bin", "EMPTY=", "SPACED= a  b ", "LINE=a=b\"c'd$e\\f", "UMLAUT=äöü", "TMPDIR=" + s.Path("/tmp")}
	var out strings.Builder
	wait(t, start(t, s, sandbox.Process{Args: []string{"env", "-0"}, Env: env, Stdout: &out}))
	got := strings.Split(strings.TrimSuffix(out.String(), "\x00"), "\x00")
	got = slices.DeleteFunc(got, func(v string) bool { return strings.HasPrefix(v, "HOME=") }) // as the contract allows
	slices.Sort(got)
	slices.Sort(env)
	if diff := cmp.Diff(env, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func testDirectory(t *testing.T, d sandbox.Driver) {
	code := t.TempDir()
	s := create(t, d, sandbox.Spec{Mounts: []sandbox.Mount{{Source: code, Target: "/var/task"}}})
	for dir, want := range map[string]string{"": "/", "/var/task": s.Path("/var/task"), s.Path("/tmp"): s.Path("/tmp")} {
		var out strings.Builder
		wait(t, start(t, s, sandbox.Process{Args: []string{"/bin/sh", "-c", "pwd -P"}, Dir: dir, Stdout: &out}))
		if got := strings.TrimSpace(out.String()); got != want {
			t.Errorf("directory %q: got %q, want %q", dir, got, want)
		}
	}
}

func testNotExecutable(t *testing.T, d sandbox.Driver) {
	code := t.TempDir()
	write(t, filepath.Join(code, "plain"), "exit 0\n", 0o644)
	write(t, filepath.Join(code, "good"), "#!/bin/sh\nexit 0\n", 0o755)
	write(t, filepath.Join(code, "formless"), "exit 0\n", 0o755)
	write(t, filepath.Join(code, "orphan"), "#!/no/such/interpreter\nexit 0\n", 0o755)
	write(t, filepath.Join(code, "foreign"), string(foreignELF()), 0o755)
	s := create(t, d, sandbox.Spec{Mounts: []sandbox.Mount{{Source: code, Target: "/var/task"}}})
	for program, want := range map[string]error{
		"/var/task/missing": fs.ErrNotExist, "/var/task/plain": fs.ErrPermission, "/var/task": nil, "missing-from-path": nil,
		"/var/task/formless": syscall.ENOEXEC, "/var/task/foreign": syscall.ENOEXEC, "/var/task/orphan": fs.ErrNotExist,
	} {
		p, err := s.Start(bounded(t), sandbox.Process{Args: []string{program}, Env: []string{"PATH=/usr/bin"}})
		if err == nil {
			_, err = p.Wait(bounded(t))
		}
		if !errors.Is(err, sandbox.ErrExec) || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: got %v, want ErrExec with %v", program, err, want)
		}
	}
	ok(t, run(t, s, "/var/task/good"), "") // the sandbox is still of use
}

// foreignELF is the header of a program for a machine that none of ours is (elf(5)): 64-bit, big-endian, IBM S/390.
func foreignELF() []byte {
	header := make([]byte, 64)
	copy(header, "\x7fELF\x02\x02\x01")
	copy(header[16:], "\x00\x02\x00\x16\x00\x00\x00\x01")
	return header
}

func testOutput(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	got := sh(t, s, "echo out; echo err >&2; printf 'no end'")
	if diff := cmp.Diff(result{Stdout: "out\nno end", Stderr: "err\n"}, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	const size = 256 << 20
	var count counter
	wait(t, start(t, s, sandbox.Process{
		Args: []string{"/bin/sh", "-c", fmt.Sprintf("head -c %d /dev/zero; echo end >&2", size)},
		Env:  []string{"PATH=/usr/bin:/bin"}, Stdout: &count, Stderr: &count,
	}))
	if want := counter(size + len("end\n")); count != want {
		t.Errorf("got %d bytes of output, want %d", count, want)
	}
}

// counter counts bytes. It has no lock: the contract says that one writer for both outputs is not called twice at a time.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// testOutputBlocks: a writer that takes its time holds up the process, and neither Kill nor another sandbox.
func testOutputBlocks(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	r, w := io.Pipe()
	p := start(t, s, sandbox.Process{Args: []string{"/bin/sh", "-c", "while :; do echo x; done"}, Stdout: w})
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	ok(t, sh(t, create(t, d, sandbox.Spec{ID: "other"}), "echo other"), "other\n")
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, r) // what the pipe still holds is delivered
	if got, want := wait(t, p), (sandbox.Exit{Code: -1, Signal: 9}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// testOutputFails: a writer that fails does not end the process.
func testOutputFails(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	r, w := io.Pipe()
	r.Close()
	script := "i=0; while [ $i -lt 10000 ]; do echo 0123456789 || exit 1; i=$((i+1)); done; exit 3"
	p := start(t, s, sandbox.Process{Args: []string{"/bin/sh", "-c", script}, Stdout: w})
	if got, want := wait(t, p), (sandbox.Exit{Code: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// testOutputFile: a file goes to the process itself, so that nothing it printed is still on its way when it speaks to a listener.
func testOutputFile(t *testing.T, d sandbox.Driver) {
	if runtime.GOOS != "linux" {
		t.Skip("a process can name its own output in /proc only")
	}
	s := create(t, d, sandbox.Spec{})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	want, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	wait(t, start(t, s, sandbox.Process{
		Args: []string{"/bin/sh", "-c", "readlink /proc/self/fd/1; readlink /proc/self/fd/2"}, Env: []string{"PATH=/usr/bin:/bin"},
		Stdout: w, Stderr: w,
	}))
	if err := w.Close(); err != nil {
		t.Fatalf("the driver closed the file: %v", err)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want+"\n"+want+"\n"); diff != "" {
		t.Errorf("outputs: -got +want:\n%s", diff)
	}
}

// testStandardErrorPath: scripts write to /dev/stderr, which opens the pipe anew.
func testStandardErrorPath(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	got := sh(t, s, "echo out > /dev/stdout && echo err > /dev/stderr")
	if diff := cmp.Diff(result{Stdout: "out\n", Stderr: "err\n"}, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

const sayHello = `import socket, sys
host, port = sys.argv[1].rsplit(":", 1)
s = socket.create_connection((host, int(port)), timeout=20)
s.sendall(sys.argv[2].encode())
s.shutdown(socket.SHUT_WR)
sys.stdout.write(s.makefile().read())`

func testListeners(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{Listeners: []sandbox.ListenerSpec{{Name: "runtime", Port: 9001}, {Name: "aws", Port: 4566}}})
	if l, address := s.Listener("nobody"); l != nil || address != "" {
		t.Errorf("listener of another name: got %v at %q, want none", l, address)
	}
	for range 2 { // they outlive the process
		for _, name := range []string{"runtime", "aws"} {
			l, address := s.Listener(name)
			if l == nil {
				t.Fatalf("no listener %s", name)
			}
			var served sync.WaitGroup
			served.Go(func() {
				if err := echo(l, name+" heard "); err != nil {
					t.Errorf("serve %s: %v", name, err)
				}
			})
			ok(t, py(t, s, sayHello, address, "hello"), name+" heard hello")
			served.Wait()
		}
	}
}

// echo answers one connection with a prefix and what it was sent.
func echo(l net.Listener, prefix string) error {
	c, err := l.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	b, err := io.ReadAll(c)
	if err != nil {
		return err
	}
	_, err = c.Write(append([]byte(prefix), b...))
	return err
}

func testMounts(t *testing.T, d sandbox.Driver) {
	code, layer := t.TempDir(), t.TempDir()
	write(t, filepath.Join(code, "index.txt"), "code", 0o644)
	write(t, filepath.Join(code, "deep/run"), "#!/bin/sh\ncat \"$1\" \"$2\" \"$3\"\n", 0o755)
	write(t, filepath.Join(layer, "layer.txt"), "layer", 0o644)
	write(t, filepath.Join(layer, "one"), "one file", 0o600+0o044)
	s := create(t, d, sandbox.Spec{Mounts: []sandbox.Mount{
		{Source: code, Target: "/var/task"}, {Source: layer, Target: "/opt"},
		{Source: filepath.Join(layer, "one"), Target: "/var/runtime/one"},
	}})
	got := run(t, s, "/var/task/deep/run", "/var/task/index.txt", "/opt/layer.txt", "/var/runtime/one")
	ok(t, got, "codelayerone file")
	ok(t, sh(t, s, `cat "$1"`, s.Path("/var/task")+"/index.txt"), "code")
}

func testRestart(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	tmp := s.Path("/tmp")
	ok(t, sh(t, s, `cd "$1" && echo kept > file && pwd -P`, tmp), tmp+"\n")
	ok(t, sh(t, s, `cat "$1/file"`, tmp), "kept\n")
	other := create(t, d, sandbox.Spec{ID: "other"})
	if got := sh(t, other, `cat "$1/file"`, other.Path("/tmp")); got.Exit.Code == 0 {
		t.Errorf("another sandbox read %q", got.Stdout)
	}
}

// testSideBySide: processes share the sandbox and end each for itself.
func testSideBySide(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	if err := s.Kill(); err != nil {
		t.Errorf("Kill before Start: %v", err)
	}
	const script = `echo up; while ! [ -e "$1" ]; do sleep 0.02; done; exit 4`
	first := begin(t, s, "/bin/sh", "-c", script, "sh", s.Path("/tmp")+"/one").want("up")
	second := begin(t, s, "/bin/sh", "-c", script, "sh", s.Path("/tmp")+"/two").want("up")
	third := begin(t, s, "/bin/sh", "-c", "echo up; exec sleep 1000").want("up")
	ok(t, sh(t, s, `echo > "$1"/one`, s.Path("/tmp")), "")
	if got, want := wait(t, first), (sandbox.Exit{Code: 4}); got != want {
		t.Errorf("first: got %+v, want %+v", got, want)
	}
	if err := third.Kill(); err != nil {
		t.Fatal(err)
	}
	if got, want := wait(t, third), (sandbox.Exit{Code: -1, Signal: 9}); got != want {
		t.Errorf("third: got %+v, want %+v", got, want)
	}
	ok(t, sh(t, s, `echo > "$1"/two`, s.Path("/tmp")), "")
	if got, want := wait(t, second), (sandbox.Exit{Code: 4}); got != want {
		t.Errorf("second: got %+v, want %+v", got, want)
	}
	many := []sandbox.Running{begin(t, s, "/bin/sleep", "1000"), begin(t, s, "/bin/sleep", "1000")}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, p := range many {
		if got, want := wait(t, p), (sandbox.Exit{Code: -1, Signal: 9}); got != want {
			t.Errorf("after Kill of all: got %+v, want %+v", got, want)
		}
	}
}

// testDial: what listens inside can be reached from outside.
func testDial(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	const serve = `import socket
l = socket.create_server(("127.0.0.1", 0))
print(l.getsockname()[1], flush=True)
c, _ = l.accept()
c.sendall(b"inside heard " + c.makefile("rb").readline())`
	p := begin(t, s, python, "-c", serve)
	port, err := strconv.Atoi(p.next())
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Dial(bounded(t), port)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(c); string(b) != "inside heard hello\n" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	wait(t, p)
	if c, err := s.Dial(bounded(t), port); err == nil {
		c.Close()
		t.Error("connected to a process that has ended")
	}
}

// testFit: what is mounted later is there for processes that run and for new ones.
func testFit(t *testing.T, d sandbox.Driver) {
	code := t.TempDir()
	write(t, filepath.Join(code, "index.txt"), "code", 0o644)
	s := create(t, d, sandbox.Spec{Later: []string{"/var/task", "/opt"}})
	l, w := io.Pipe()
	p := start(t, s, sandbox.Process{Args: []string{python, "-c", readFiles}, Env: []string{"PATH=/usr/bin:/bin"}, Stdout: w, Stderr: w})
	lines := bufio.NewReader(l)
	if line, err := lines.ReadString('\n'); line != "up\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	if err := s.Fit(bounded(t), sandbox.Limits{MemoryBytes: 300 << 20}, []sandbox.Mount{{Source: code, Target: "/var/task"}}); err != nil {
		t.Fatal(err)
	}
	file := s.Path("/var/task") + "/index.txt"
	ok(t, sh(t, s, `echo "$1" > "$2"/path`, file, s.Path("/tmp")), "")
	go func() { wait(t, p); w.Close() }()
	if rest, err := io.ReadAll(lines); string(rest) != "code\n" || err != nil {
		t.Errorf("a process that ran: got %q, %v", rest, err)
	}
	ok(t, sh(t, s, `cat "$1"`, file), "code")
	if err := s.Fit(bounded(t), sandbox.Limits{}, []sandbox.Mount{{Source: code, Target: "/var/other"}}); err == nil {
		t.Error("a mount at a place that the spec did not name")
	}
	if err := s.Fit(bounded(t), sandbox.Limits{MemoryBytes: -1}, nil); err == nil {
		t.Error("a negative limit")
	}
}

// readFiles prints "up", and the content of the file that is named in TMPDIR or /tmp later.
const readFiles = `import os, time
print("up", flush=True)
name = os.environ.get("TMPDIR", "/tmp") + "/path"
while not (os.path.exists(name) and open(name).read().endswith("\n")): time.sleep(0.01)
print(open(open(name).read().strip()).read())`

func testKill(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	var p sandbox.Running
	for range 3 {
		p = begin(t, s, "/bin/sh", "-c", "trap '' TERM INT HUP; echo up; exec sleep 1000").want("up")
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		if got, want := wait(t, p), (sandbox.Exit{Code: -1, Signal: 9}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if got, want := wait(t, p), (sandbox.Exit{Code: -1, Signal: 9}); got != want {
			t.Errorf("second Wait: got %+v, want %+v", got, want)
		}
	}
	if err := p.Kill(); err != nil {
		t.Errorf("Kill after the end: %v", err)
	}
	if err := s.Kill(); err != nil {
		t.Errorf("Kill of all after the end: %v", err)
	}
	if err := p.Signal(15); !errors.Is(err, sandbox.ErrEnded) {
		t.Errorf("Signal after the end: got %v, want ErrEnded", err)
	}
}

func testSignal(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	p := begin(t, s, "/bin/sh", "-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.02; done").want("up")
	if err := p.Signal(15); err != nil {
		t.Fatal(err)
	}
	if got, want := wait(t, p), (sandbox.Exit{Code: 5}); got != want {
		t.Errorf("caught: got %+v, want %+v", got, want)
	}
	p = begin(t, s, "/bin/sh", "-c", "echo up; exec sleep 1000").want("up")
	if err := p.Signal(15); err != nil {
		t.Fatal(err)
	}
	if got, want := wait(t, p), (sandbox.Exit{Code: -1, Signal: 15}); got != want {
		t.Errorf("not caught: got %+v, want %+v", got, want)
	}
}

const leaveChild = `import os, socket, sys, time
host, port = sys.argv[1].rsplit(":", 1)
ready, done = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        s = socket.create_connection((host, int(port)))
        s.sendall(b"child")
        os.write(done, b"x")
        time.sleep(1000)
    os._exit(0)
os.read(ready, 1)`

// testStrays: what a process leaves behind is gone when Wait returns, whatever session it moved to.
func testStrays(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{Listeners: []sandbox.ListenerSpec{{Name: "a", Port: 9001}}})
	l, address := s.Listener("a")
	// Without TMPDIR, so that the driver's own addition is what marks the child.
	ok(t, py(t, s, leaveChild, address), "")
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	// The child held the connection: its end shows that the child is gone.
	if b, err := io.ReadAll(c); string(b) != "child" || err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("read %q, %v; want what the child sent, and the end", b, err)
	}
}

func testWaitCanceled(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	p := begin(t, s, "/bin/sh", "-c", "echo up; exec sleep 1000").want("up")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: got %v, want context.Canceled", err)
	}
	other := create(t, d, sandbox.Spec{ID: "other"})
	if _, err := other.Start(ctx, sandbox.Process{Args: []string{"/bin/sh"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Start: got %v, want context.Canceled", err)
	}
}

func testUsage(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{Limits: sandbox.Limits{MemoryBytes: 256 << 20}})
	const program = "import sys, time\nb = bytearray(50 << 20)\nt = time.process_time()\n" +
		"while time.process_time() < t + 0.05: pass\nprint('up', flush=True)\nsys.stdin.read() or time.sleep(1000)"
	p := begin(t, s, python, "-c", program).want("up")
	check := func(when string) {
		t.Helper()
		u, err := s.Usage()
		if err != nil {
			t.Fatal(err)
		}
		if u.MemoryPeakBytes < 50<<20 || u.MemoryPeakBytes > 256<<20 {
			t.Errorf("%s: got a peak of %d bytes, want between 50 and 256 MB", when, u.MemoryPeakBytes)
		}
		if u.CPUNanos < int64(50*time.Millisecond) || u.CPUNanos > int64(limit) {
			t.Errorf("%s: got %v of CPU time, want 50 ms or more", when, time.Duration(u.CPUNanos))
		}
	}
	check("running")
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	wait(t, p)
	check("ended")
}

func testOpenFiles(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{Limits: sandbox.Limits{OpenFiles: 100}})
	const script = `while ! [ -e "$1"/started ]; do sleep 0.02; done; ulimit -n`
	p := begin(t, s, "/bin/sh", "-c", script, "sh", s.Path("/tmp"))
	ok(t, sh(t, s, `echo > "$1"/started`, s.Path("/tmp")), "") // a driver may set the limit until Start returns
	if got, want := wait(t, p.want("100")), (sandbox.Exit{}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func testConcurrent(t *testing.T, d sandbox.Driver) {
	var group sync.WaitGroup
	for i := range 6 {
		group.Go(func() {
			id := fmt.Sprintf("many-%d", i)
			s, err := d.Create(bounded(t), sandbox.Spec{ID: id})
			if err != nil {
				t.Errorf("create %s: %v", id, err)
				return
			}
			for range 3 {
				var out strings.Builder
				p, err := s.Start(bounded(t), sandbox.Process{Args: []string{"/bin/sh", "-c", "echo " + id}, Stdout: &out})
				if err != nil {
					t.Errorf("start in %s: %v", id, err)
					break
				}
				if exit, err := p.Wait(bounded(t)); err != nil || exit.Code != 0 || out.String() != id+"\n" {
					t.Errorf("%s: got %+v, %v, output %q", id, exit, err, out.String())
				}
			}
			if err := s.Close(); err != nil {
				t.Errorf("close %s: %v", id, err)
			}
		})
	}
	group.Wait()
}

func testSpecs(t *testing.T, d sandbox.Driver) {
	for name, spec := range map[string]sandbox.Spec{
		"no id":           {},
		"upper case":      {ID: "A"},
		"path as id":      {ID: "../x"},
		"long id":         {ID: strings.Repeat("x", 65)},
		"relative source": {ID: "a", Mounts: []sandbox.Mount{{Source: "x", Target: "/x"}}},
		"relative target": {ID: "a", Mounts: []sandbox.Mount{{Source: "/x", Target: "x"}}},
		"climbing target": {ID: "a", Mounts: []sandbox.Mount{{Source: "/x", Target: "/var/../../x"}}},
		"relative root":   {ID: "a", RootDir: "x"},
		"network":         {ID: "a", Network: "everything"},
		"negative limit":  {ID: "a", Limits: sandbox.Limits{MemoryBytes: -1}},
		"listeners":       {ID: "a", Listeners: []sandbox.ListenerSpec{{Name: "x"}, {Name: "x"}}},
	} {
		if s, err := d.Create(bounded(t), spec); err == nil {
			t.Errorf("%s: created", name)
			s.Close()
		}
	}
	s := create(t, d, sandbox.Spec{ID: "same"})
	if _, err := d.Create(bounded(t), sandbox.Spec{ID: "same"}); err == nil {
		t.Error("created two of one id")
	}
	ok(t, sh(t, s, "echo fine"), "fine\n")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	create(t, d, sandbox.Spec{ID: "same"})
}

func testClosed(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{ID: "one", Listeners: []sandbox.ListenerSpec{{Name: "a", Port: 9001}}})
	begin(t, s, "/bin/sh", "-c", "echo up; exec sleep 1000").want("up")
	running := create(t, d, sandbox.Spec{ID: "two"})
	p := begin(t, running, "/bin/sh", "-c", "echo up; exec sleep 1000").want("up")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l, _ := s.Listener("a")
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: got %v, want net.ErrClosed", err)
	}
	if _, err := s.Start(bounded(t), sandbox.Process{Args: []string{"/bin/sh"}}); !errors.Is(err, sandbox.ErrClosed) {
		t.Errorf("Start: got %v, want ErrClosed", err)
	}
	for range 2 {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if exit, err := p.Wait(bounded(t)); err != nil || exit.Signal != 9 {
		t.Errorf("process of a closed driver: got %+v, %v; want killed", exit, err)
	}
	if _, err := d.Create(bounded(t), sandbox.Spec{ID: "late"}); !errors.Is(err, sandbox.ErrClosed) {
		t.Errorf("Create: got %v, want ErrClosed", err)
	}
}

// write makes a file that everyone may read, and the directories above it.
func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}
