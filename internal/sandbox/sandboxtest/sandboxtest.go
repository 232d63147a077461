// Package sandboxtest is the conformance suite of sandbox drivers.
//
// A driver's own test calls Run with what the driver isolates; the rest every driver must do. The tests need /bin/sh and
// /usr/bin/python3 of the host, bind nothing but loopback, and stop what they start. Where the machine lacks what a driver
// needs, Driver.Check fails the test with its advice.
//
// To add a test: a function, and a line in the table of Run.
package sandboxtest

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
)

// Config says how to make a driver, and what it promises beyond the contract's least.
type Config struct {
	// New makes a driver that keeps its state in dir. The suite closes it.
	New func(t *testing.T, dir string) sandbox.Driver
	// Isolates is true for a driver with own file system, processes, network and limits; false for one that has none of it.
	Isolates bool
	// CopiesOutput is true for a driver whose runtime puts pipes of its own between a process and the files it was given.
	CopiesOutput bool
}

// limit is how long any step may take: a bound for what hangs, not a measure.
const limit = time.Minute

const python = "/usr/bin/python3"

// Run runs the suite.
func Run(t *testing.T, c Config) {
	for _, program := range []string{"/bin/sh", python} {
		if _, err := os.Stat(program); err != nil {
			t.Fatalf("the conformance suite needs %s: install it (Debian: apt-get install python3)", program)
		}
	}
	for _, test := range []struct {
		name     string
		run      func(*testing.T, sandbox.Driver)
		isolated bool // only for drivers that isolate
	}{
		{"Check", testCheck, false},
		{"Exit", testExit, false},
		{"Environment", testEnvironment, false},
		{"Directory", testDirectory, false},
		{"NotExecutable", testNotExecutable, false},
		{"Output", testOutput, false},
		{"OutputBlocks", testOutputBlocks, false},
		{"OutputFails", testOutputFails, false},
		{"OutputFile", testOutputFile, false},
		{"StandardErrorPath", testStandardErrorPath, false},
		{"Listeners", testListeners, false},
		{"Mounts", testMounts, false},
		{"Restart", testRestart, false},
		{"SideBySide", testSideBySide, false},
		{"Dial", testDial, false},
		{"Fit", testFit, false},
		{"Kill", testKill, false},
		{"Signal", testSignal, false},
		{"Strays", testStrays, false},
		{"WaitCanceled", testWaitCanceled, false},
		{"Usage", testUsage, false},
		{"OpenFiles", testOpenFiles, false},
		{"Concurrent", testConcurrent, false},
		{"Specs", testSpecs, false},
		{"Closed", testClosed, false},
		{"ReadOnly", testReadOnly, true},
		{"HostFiles", testHostFiles, true},
		{"HostProcesses", testHostProcesses, true},
		{"Privileges", testPrivileges, true},
		{"SystemCalls", testSystemCalls, true},
		{"NoOtherNetwork", testNoOtherNetwork, true},
		{"HostNetwork", testHostNetwork, true},
		{"FitReadOnly", testFitReadOnly, true},
		{"FitLimits", testFitLimits, true},
		{"Memory", testMemory, true},
		{"MemoryOfTmp", testMemoryOfTmp, true},
		{"SocketMemory", testSocketMemory, true},
		{"Processes", testProcesses, true},
		{"ForkBomb", testForkBomb, true},
		{"TmpFull", testTmpFull, true},
		{"RootDir", testRootDir, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.isolated && !c.Isolates {
				t.Skip("the driver does not isolate, and says so")
			}
			if test.name == "OutputFile" && c.CopiesOutput {
				t.Skip("the driver copies output, and says so")
			}
			dir := t.TempDir()
			d := c.New(t, dir)
			t.Cleanup(func() {
				if err := d.Close(); err != nil {
					t.Errorf("close driver: %v", err)
				}
				checkEmpty(t, dir)
			})
			test.run(t, d)
		})
	}
}

// checkEmpty fails the test if the driver's directory still has a sandbox's files.
func checkEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			t.Errorf("the closed driver left %s", e.Name())
		}
	}
}

// context returns one that ends before the test would hang.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// create makes a sandbox, with an ID if the spec has none, that is closed with the test.
func create(t *testing.T, d sandbox.Driver, spec sandbox.Spec) sandbox.Sandbox {
	t.Helper()
	if spec.ID == "" {
		spec.ID = "test"
	}
	s, err := d.Create(bounded(t), spec)
	if err != nil {
		t.Fatalf("create sandbox: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close sandbox: %v", err)
		}
	})
	return s
}

// result is what a process did.
type result struct {
	Exit           sandbox.Exit
	Stdout, Stderr string
}

// start starts a process.
func start(t *testing.T, s sandbox.Sandbox, p sandbox.Process) sandbox.Running {
	t.Helper()
	running, err := s.Start(bounded(t), p)
	if err != nil {
		t.Fatalf("start %q: %v", p.Args, err)
	}
	return running
}

// run runs a program to its end.
func run(t *testing.T, s sandbox.Sandbox, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := start(t, s, sandbox.Process{Args: args, Env: []string{"PATH=/usr/bin:/bin"}, Stdout: &stdout, Stderr: &stderr})
	exit, err := p.Wait(bounded(t))
	if err != nil {
		t.Fatalf("wait for %q: %v (stderr %q)", args, err, stderr.String())
	}
	return result{exit, stdout.String(), stderr.String()}
}

// sh runs a shell script; py a Python program.
func sh(t *testing.T, s sandbox.Sandbox, script string, args ...string) result {
	t.Helper()
	return run(t, s, append([]string{"/bin/sh", "-c", script, "sh"}, args...)...)
}

func py(t *testing.T, s sandbox.Sandbox, program string, args ...string) result {
	t.Helper()
	return run(t, s, append([]string{python, "-c", program}, args...)...)
}

// ok fails the test unless the process ended well with that output.
func ok(t *testing.T, got result, stdout string) {
	t.Helper()
	if diff := cmp.Diff(result{Stdout: stdout}, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

// begin starts a process and returns the lines it prints, read one at a time.
func begin(t *testing.T, s sandbox.Sandbox, args ...string) *lines {
	t.Helper()
	l := &lines{t: t, lines: make(chan string, 100)}
	l.Running = start(t, s, sandbox.Process{Args: args, Env: []string{"PATH=/usr/bin:/bin"}, Stdout: l, Stderr: l})
	return l
}

// lines is a process, and hands on the lines that it writes.
type lines struct {
	sandbox.Running
	t     *testing.T
	part  string
	lines chan string
}

func (l *lines) Write(p []byte) (int, error) {
	l.part += string(p)
	for {
		line, rest, ok := strings.Cut(l.part, "\n")
		if !ok {
			return len(p), nil
		}
		l.part = rest
		l.lines <- line
	}
}

// want returns the process after its next line, which has to be this one.
func (l *lines) want(line string) sandbox.Running {
	l.t.Helper()
	if got := l.next(); got != line {
		l.t.Fatalf("process printed %q, want %q", got, line)
	}
	return l
}

// next line of the process.
func (l *lines) next() string {
	l.t.Helper()
	select {
	case line := <-l.lines:
		return line
	case <-time.After(limit):
		l.t.Fatal("process printed nothing")
		return ""
	}
}

// wait waits for the end of the process.
func wait(t *testing.T, p sandbox.Running) sandbox.Exit {
	t.Helper()
	exit, err := p.Wait(bounded(t))
	if err != nil {
		t.Fatalf("wait: %v", err)
	}
	return exit
}
