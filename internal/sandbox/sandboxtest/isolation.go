package sandboxtest

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/licet/licet/internal/sandbox"
)

func testReadOnly(t *testing.T, d sandbox.Driver) {
	code := t.TempDir()
	if err := os.Chmod(code, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(code, "file"), "x", 0o666)
	s := create(t, d, sandbox.Spec{Mounts: []sandbox.Mount{{Source: code, Target: "/var/task"}}})
	for _, path := range []string{
		"/var/task/new", "/var/task/file", "/new", "/etc/new", "/etc/passwd", "/usr/new", "/var/new", "/dev/new", "/home/new",
		"/proc/sys/kernel/hostname", "/proc/sysrq-trigger",
	} {
		if got := sh(t, s, `echo changed > "$1"`, path); got.Exit.Code == 0 {
			t.Errorf("wrote to %s", path)
		}
	}
	ok(t, sh(t, s, "echo x > /tmp/x && cat /tmp/x; echo x > /dev/null"), "x\n")
}

func testHostFiles(t *testing.T, d sandbox.Driver) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	write(t, secret, "secret", 0o644)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	s := create(t, d, sandbox.Spec{})
	for _, path := range []string{secret, dir, "/root", "/home/licet", "/etc/shadow", "/etc/hostname", "/sys/kernel", "/run",
		"/boot", "/var/lib", "/dev/shm", "/dev/mem", "/dev/kmsg", "/proc/kcore", "/proc/1/root", "/proc/1/environ", "/proc/1/cwd"} {
		if got := sh(t, s, `head -c 1 "$1" || ls "$1/"* | head -n 1`, path); got.Stdout != "" {
			t.Errorf("%s shows %q", path, got.Stdout)
		}
	}
	// What a program needs is there.
	ok(t, sh(t, s, "id -un && getent hosts localhost | head -n 1 | grep -c localhost && head -c 1 /dev/urandom | wc -c"),
		"sbx_user1051\n1\n1\n")
	ok(t, py(t, s, "import ssl; print(len(ssl.create_default_context().get_ca_certs()) > 0)"), "True\n")
}

func testHostProcesses(t *testing.T, d sandbox.Driver) {
	other := create(t, d, sandbox.Spec{ID: "other"})
	begin(t, other, python, "-c", "print('up', flush=True)\nimport time; time.sleep(1000)", "marker").want("up")
	s := create(t, d, sandbox.Spec{})
	got := sh(t, s, `for f in /proc/[0-9]*/cmdline; do tr '\0' ' ' < $f; echo; done`)
	if strings.Contains(got.Stdout, "marker") || strings.Contains(got.Stdout, filepath.Base(os.Args[0])) {
		t.Errorf("processes inside: %s", got.Stdout)
	}
	if pids := strings.Count(got.Stdout, "\n"); pids > 3 {
		t.Errorf("got %d processes, want those of the shell alone: %s", pids, got.Stdout)
	}
}

func testPrivileges(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	ok(t, sh(t, s, "grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status | tr -s '\\t ' ' '"),
		"Groups: \nCapInh: 0000000000000000\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\n"+
			"CapBnd: 0000000000000000\nCapAmb: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2\n")
	ok(t, sh(t, s, "[ $(id -u) -ge 990 ] && [ $(id -g) -ge 990 ] && echo unprivileged"), "unprivileged\n")
	ok(t, py(t, s, "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"), "(1, 1)\n") // nor a pipe: core(5)
	ok(t, sh(t, s, "ls -id /proc/self/fd/3 2>/dev/null; ls /proc/self/fd | wc -l"), "4\n")          // 0, 1, 2 and the directory
}

// testSystemCalls: the doors out of a container are shut, and what programs need is not.
func testSystemCalls(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{})
	const program = `import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    if getattr(libc, name)(*args) >= 0: print(name, "worked")
    elif ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS): print(name, errno.errorcode[ctypes.get_errno()])
call("unshare", 0x10000000)
call("unshare", 0x00020000)
call("mount", b"none", b"/tmp", b"tmpfs", 0, None)
call("ptrace", 0, 0, 0, 0)
call("reboot", 0)
call("swapon", b"/tmp/x", 0)
call("klogctl", 10, 0, 0)
call("syscall", 250, 0, 0, 0) if os.uname().machine == "x86_64" else None
call("syscall", 321, 0, 0, 0) if os.uname().machine == "x86_64" else None
import threading, subprocess, multiprocessing, mmap, select, signal, asyncio
t = threading.Thread(target=print, args=("thread",)); t.start(); t.join()
print(subprocess.run(["/bin/echo", "child"], capture_output=True, text=True).stdout.strip())
async def f(): await asyncio.sleep(0.001); print("async")
asyncio.run(f())
print(len(os.urandom(3)), os.memfd_create("x") > 2)`
	ok(t, py(t, s, program), "thread\nchild\nasync\n3 True\n")
}

func testNoOtherNetwork(t *testing.T, d sandbox.Driver) {
	host, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	other := create(t, d, sandbox.Spec{ID: "other", Listeners: []sandbox.ListenerSpec{{Name: "a", Port: 9123}}})
	_, address := other.Listener("a")
	s := create(t, d, sandbox.Spec{Listeners: []sandbox.ListenerSpec{{Name: "b", Port: 9001}}})
	for _, a := range []string{host.Addr().String(), address, "192.0.2.1:80"} {
		got := py(t, s, sayHello, a, "hello")
		if got.Exit.Code == 0 || !strings.Contains(got.Stderr, "refused") && !strings.Contains(got.Stderr, "unreachable") {
			t.Errorf("connect to %s: got %+v, want refused or unreachable", a, got)
		}
	}
	ok(t, py(t, s, "import socket; print(socket.if_nameindex())"), "[(1, 'lo')]\n")
	// An abstract socket's name belongs to the network namespace too.
	name := fmt.Sprintf("licet-sandboxtest-%d", os.Getpid()) // the suites of other drivers run at the same time
	hold, err := net.Listen("unix", "@"+name)
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	got := py(t, s, `import socket, sys; socket.socket(socket.AF_UNIX).connect("\0" + sys.argv[1])`, name)
	if got.Exit.Code == 0 {
		t.Error("connected to a socket of the host")
	}
}

func testHostNetwork(t *testing.T, d sandbox.Driver) {
	host, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	s := create(t, d, sandbox.Spec{Network: sandbox.NetworkHost, Listeners: []sandbox.ListenerSpec{{Name: "a", Port: 9001}}})
	own, address := s.Listener("a")
	for name, l := range map[string]net.Listener{host.Addr().String(): host, address: own} {
		done := make(chan error, 1)
		go func() { done <- echo(l, "heard ") }()
		ok(t, py(t, s, sayHello, name, "hello"), "heard hello")
		if err := <-done; err != nil {
			t.Errorf("serve %s: %v", name, err)
		}
	}
	// A sandbox's listeners are its own, although others can see them.
	other := create(t, d, sandbox.Spec{ID: "other", Network: sandbox.NetworkHost})
	done := make(chan error, 1)
	go func() { done <- echo(own, "heard ") }()
	if got := py(t, other, sayHello, address, "stranger"); strings.Contains(got.Stdout, "heard") {
		t.Errorf("another sandbox: got %+v, want no answer", got)
	}
	ok(t, py(t, s, sayHello, address, "hello"), "heard hello")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// testSocketMemory: what sockets hold is memory, too.
func testSocketMemory(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{Limits: sandbox.Limits{MemoryBytes: 64 << 20, TmpBytes: 16 << 20}})
	const program = `import socket
listener, held, total = socket.socket(), [], 0
listener.bind(("127.0.0.1", 0))
listener.listen(500)
for i in range(400):
    s = socket.create_connection(listener.getsockname())
    s.setblocking(False)
    held += [s, listener.accept()[0]]
    try:
        while True: total += s.send(bytes(1 << 16))
    except BlockingIOError: pass
print(total >> 20)`
	got := py(t, s, program)
	held, err := strconv.Atoi(strings.TrimSpace(got.Stdout))
	if !got.Exit.OutOfMemory && (err != nil || held > 128) {
		t.Errorf("got %+v, want at most about 64 MB held, or a process out of memory", got)
	}
}

// testFitReadOnly: what is mounted later is as much out of reach as what was there.
func testFitReadOnly(t *testing.T, d sandbox.Driver) {
	code := t.TempDir()
	if err := os.Chmod(code, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(code, "file"), "x", 0o666)
	s := create(t, d, sandbox.Spec{Later: []string{"/var/task"}})
	if err := s.Fit(bounded(t), sandbox.Limits{}, []sandbox.Mount{{Source: code, Target: "/var/task"}}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/var/task/new", "/var/task/file"} {
		if got := sh(t, s, `echo changed > "$1"`, path); got.Exit.Code == 0 {
			t.Errorf("wrote to %s", path)
		}
	}
	ok(t, sh(t, s, "grep -c ' /var/task ro,nosuid,nodev' /proc/self/mountinfo"), "1\n")
}

// testFitLimits: limits change for what runs.
func testFitLimits(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{Limits: sandbox.Limits{MemoryBytes: 512 << 20, TmpBytes: 64 << 20}})
	const program = "import os, time\nprint('up', flush=True)\nwhile not os.path.exists('/tmp/go'): time.sleep(0.01)\n" +
		"b = bytearray(200 << 20)\ntime.sleep(1000)"
	p := begin(t, s, python, "-c", program).want("up")
	if err := s.Fit(bounded(t), sandbox.Limits{MemoryBytes: 64 << 20, TmpBytes: 8 << 20}, nil); err != nil {
		t.Fatal(err)
	}
	got := sh(t, s, "head -c 64M /dev/zero > /tmp/big; wc -c < /tmp/big; rm /tmp/big")
	if got.Stdout != fmt.Sprintln(8<<20) {
		t.Errorf("got %+v, want /tmp full at 8 MB", got)
	}
	ok(t, sh(t, s, "echo > /tmp/go"), "")
	if got, want := wait(t, p), (sandbox.Exit{Code: -1, Signal: 9, OutOfMemory: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func testMemory(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{Limits: sandbox.Limits{MemoryBytes: 64 << 20, TmpBytes: 16 << 20}})
	for range 2 {
		// Held for a while: a driver may enforce the exact limit with a delay, beside a hard one.
		got := py(t, s, "b = bytearray(512 << 20)\nimport time; time.sleep(1000)").Exit
		if want := (sandbox.Exit{Code: -1, Signal: 9, OutOfMemory: true}); got != want {
			t.Errorf("much too much: got %+v, want %+v", got, want)
		}
	}
	got := py(t, s, "b = bytearray(72 << 20)\nimport time; time.sleep(1000)").Exit
	if want := (sandbox.Exit{Code: -1, Signal: 9, OutOfMemory: true}); got != want {
		t.Errorf("a little too much: got %+v, want %+v", got, want)
	}
	ok(t, py(t, s, "b = bytearray(32 << 20); print(len(b))"), fmt.Sprintln(32<<20))
	if got := sh(t, s, "kill -KILL $$").Exit; got.OutOfMemory {
		t.Error("a process that killed itself is said to be out of memory")
	}
}

// testMemoryOfTmp: on Lambda the files of /tmp are no memory.
func testMemoryOfTmp(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{Limits: sandbox.Limits{MemoryBytes: 64 << 20, TmpBytes: 200 << 20}})
	ok(t, sh(t, s, "head -c 150M /dev/zero > /tmp/big && wc -c < /tmp/big"), fmt.Sprintln(150<<20))
	ok(t, sh(t, s, "wc -c < /tmp/big && sleep 0.5 && echo alive"), fmt.Sprintln(150<<20)+"alive\n")
	// Nor is what the kernel needs for them.
	s = create(t, d, sandbox.Spec{ID: "small", Limits: sandbox.Limits{MemoryBytes: 32 << 20, TmpBytes: 200 << 20}})
	const smallFiles = `import mmap
n = 0
try:
    while True:
        with open("/tmp/%d" % n, "wb", 0) as f: f.write(bytes(mmap.PAGESIZE))
        n += 1
except OSError: print(n * mmap.PAGESIZE > 195 << 20)`
	ok(t, py(t, s, smallFiles), "True\n")
}

func testProcesses(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{Limits: sandbox.Limits{Processes: 40}})
	const program = `import os, time
n = 1
try:
    while n < 200:
        if os.fork() == 0: time.sleep(1000)
        n += 1
except BlockingIOError: pass
print(30 <= n <= 40)`
	ok(t, py(t, s, program), "True\n")
}

func testForkBomb(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{ID: "bomb", Limits: sandbox.Limits{Processes: 200}})
	p := begin(t, s, "/bin/sh", "-c", "echo up; bomb() { bomb 2>/dev/null | bomb 2>/dev/null & }; bomb 2>/dev/null; sleep 1000").want("up")
	ok(t, sh(t, create(t, d, sandbox.Spec{}), "echo fine"), "fine\n")
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	wait(t, p)
	ok(t, sh(t, s, "echo again"), "again\n")
}

func testTmpFull(t *testing.T, d sandbox.Driver) {
	s := create(t, d, sandbox.Spec{Limits: sandbox.Limits{TmpBytes: 8 << 20}})
	got := sh(t, s, "head -c 64M /dev/zero > /tmp/big; wc -c < /tmp/big")
	if got.Stdout != fmt.Sprintln(8<<20) || !strings.Contains(got.Stderr, "No space left on device") {
		t.Errorf("got %+v, want /tmp full at 8 MB", got)
	}
	// Many small files do not get around it.
	got = py(t, s, "import os\nos.remove('/tmp/big')\nfor i in range(1 << 20): open(f'/tmp/{i}', 'w').close()")
	if !strings.Contains(got.Stderr, "No space left on device") {
		t.Errorf("got %+v, want a limit of files", got)
	}
}

// testRootDir: the root of a container image, here a shell with its libraries.
func testRootDir(t *testing.T, d sandbox.Driver) {
	root, code := t.TempDir(), t.TempDir()
	libraries, err := exec.CommandContext(bounded(t), "ldd", "/bin/sh").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(strings.Fields(string(libraries)), "/bin/sh") {
		if !filepath.IsAbs(path) {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(root, path), string(b), 0o755)
	}
	write(t, filepath.Join(code, "file"), "code", 0o644)
	write(t, filepath.Join(root, "etc/own"), "own", 0o644)
	write(t, filepath.Join(root, "foreign"), string(foreignELF()), 0o755)
	write(t, filepath.Join(root, "orphan"), "#!/usr/bin/env\n", 0o755)
	if err := os.Symlink("/usr/bin/env", filepath.Join(root, "dangling")); err != nil {
		t.Fatal(err)
	}
	s := create(t, d, sandbox.Spec{RootDir: root, Mounts: []sandbox.Mount{{Source: code, Target: "/var/task"}}})
	const script = `for f in /etc/own /var/task/file; do read -r line < $f; echo "$line"; done
(: > /new) 2>/dev/null || echo read-only
: > /tmp/new && echo tmp
[ -e /usr/bin/env ] || echo no /usr/bin/env`
	ok(t, sh(t, s, script), "own\ncode\nread-only\ntmp\nno /usr/bin/env\n")
	for program, want := range map[string]error{
		"/missing": fs.ErrNotExist, "/etc/own": fs.ErrPermission, "/foreign": syscall.ENOEXEC, "/orphan": fs.ErrNotExist,
		"/dangling": fs.ErrNotExist, "missing-from-path": fs.ErrNotExist,
	} {
		p, err := s.Start(bounded(t), sandbox.Process{Args: []string{program}, Env: []string{"PATH=/"}})
		if err == nil {
			_, err = p.Wait(bounded(t))
		}
		if !errors.Is(err, sandbox.ErrExec) || !errors.Is(err, want) {
			t.Errorf("%s: got %v, want ErrExec with %v", program, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "var")); !os.IsNotExist(err) {
		t.Errorf("the driver changed the root directory: %v", err)
	}
}
