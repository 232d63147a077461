package sandboxtest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/sandbox"
)

// crashDir names the environment variable by which a test process learns that it is the server that will crash.
const crashDir = "LICET_SANDBOXTEST_CRASH_DIR"

// marker is in the command line of every process that the crashing server of a directory starts. The suites of other drivers run at the same
// time.
func marker(dir string) string { return "licet-sandboxtest-marker:" + dir }

// Crash kills a server with running sandboxes and checks that its processes end, and that a new driver of the same directory finds
// a clean place. The test that calls it must be called test, because it is run again, as the server, in a process of its own.
func Crash(t *testing.T, test string, c Config) {
	if dir := os.Getenv(crashDir); dir != "" {
		crashServer(t, c, dir)
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can tell a process that its parent has died")
	}
	dir := t.TempDir()
	// For both: one crash, and one after it.
	for range 2 {
		server := exec.CommandContext(bounded(t), os.Args[0], "-test.run=^"+test+"$")
		server.Env = append(os.Environ(), crashDir+"="+dir)
		out, err := server.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		for scanner := bufio.NewScanner(out); scanner.Scan() && scanner.Text() != "up"; {
			t.Log(scanner.Text())
		}
		for start := time.Now(); marked(t, dir) != 2; time.Sleep(time.Millisecond) { // those of the last server end a moment after it
			if time.Since(start) > limit {
				t.Fatalf("got %d processes of the server, want the program and its child", marked(t, dir))
			}
		}
		if err := server.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		server.Wait() // killed
	}
	d := c.New(t, dir)
	for start := time.Now(); marked(t, dir) > 0; time.Sleep(time.Millisecond) {
		if time.Since(start) > limit {
			t.Fatal("processes of the crashed server are still there")
		}
	}
	ok(t, sh(t, create(t, d, sandbox.Spec{ID: "crash"}), "echo new"), "new\n")
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	checkEmpty(t, dir)
}

const leaveSleeper = `import os, sys, time
if os.fork() == 0: os.setsid()
else: print("up", flush=True)
time.sleep(1000)`

func crashServer(t *testing.T, c Config, dir string) {
	s := create(t, c.New(t, dir), sandbox.Spec{ID: "crash"})
	begin(t, s, python, "-c", leaveSleeper, marker(dir)).want("up")
	os.Stdout.WriteString("up\n")
	time.Sleep(limit) // to be killed
}

// marked counts the processes of the host that have the marker of a directory.
func marked(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.HasSuffix(string(b), "\x00"+marker(dir)+"\x00") {
			n++
		}
	}
	return n
}
