//go:build linux

package oci

import (
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/sandboxtest"
)

// needRoot skips what an unprivileged user cannot do, and fails with an instruction where only a program is missing.
func needRoot(t testing.TB, runtime string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the oci driver needs root: run the tests as root to test it")
	}
	if _, err := exec.LookPath(runtime); err != nil {
		t.Fatalf("install %s to test the oci driver (Debian, Ubuntu: apt-get install %[1]s)", runtime)
	}
}

func conformance(runtime string, users bool) sandboxtest.Config {
	return sandboxtest.Config{Isolates: true, New: func(t *testing.T, dir string) sandbox.Driver {
		needRoot(t, runtime)
		return newDriver(t, Config{Dir: dir, Runtime: runtime, WithoutUsers: !users})
	}, CopiesOutput: runtime == "runc"} // docs/DIFFERENCES.md
}

func TestConformance(t *testing.T) {
	for _, runtime := range []string{"crun", "runc"} {
		t.Run(runtime, func(t *testing.T) { sandboxtest.Run(t, conformance(runtime, true)) })
	}
	t.Run("without user namespaces", func(t *testing.T) { sandboxtest.Run(t, conformance("crun", false)) })
}

func TestCrash(t *testing.T) { sandboxtest.Crash(t, "TestCrash", conformance("crun", true)) }

func newDriver(t testing.TB, c Config) sandbox.Driver {
	t.Helper()
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// group is the control group of a driver's sandboxes: one for each directory (internal/sandbox/linux).
func group(dir string) string {
	hash := fnv.New32a()
	fmt.Fprint(hash, dir)
	return fmt.Sprintf("/licet/%08x", hash.Sum32())
}

// state is all that a sandbox could leave behind on the host. Other drivers of the machine have theirs.
func state(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, glob := range []string{"/sys/fs/cgroup" + group(dir), "/sys/fs/cgroup/*" + group(dir), dir + "/*"} {
		found, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		got[glob] = strings.Join(found, " ")
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, dir) {
			got["mounts"] += line
		}
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	got["open files"] = fmt.Sprint(len(fds))
	// Every mount and network namespace that any thread of this process, of its descendants and of those in the driver's control group is
	// in, or that is open in this one. Others on the machine have theirs.
	for _, process := range processes(t, dir) {
		for _, glob := range []string{"task/[0-9]*/ns/mnt", "task/[0-9]*/ns/net", "fd/*"} {
			found, err := filepath.Glob(filepath.Join(process, glob))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if link, err := os.Readlink(f); err == nil && (strings.HasPrefix(link, "mnt:") || strings.HasPrefix(link, "net:")) {
					got[link] = "namespace"
				}
			}
		}
	}
	return got
}

// processes are the folders in /proc of this process, its descendants and those in the control group of a driver of dir.
func processes(t *testing.T, dir string) (found []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, process := range all {
		in, _ := os.ReadFile(process + "/cgroup") // it may have ended
		if strings.Contains(string(in), group(dir)) || descends(process) {
			found = append(found, process)
		}
	}
	return found
}

// descends tells whether a process is this one, or was started by one that is.
func descends(process string) bool {
	for process != "/proc/0" {
		if process == fmt.Sprintf("/proc/%d", os.Getpid()) {
			return true
		}
		status, err := os.ReadFile(process + "/status")
		if err != nil {
			return false
		}
		_, rest, _ := strings.Cut(string(status), "\nPPid:\t")
		parent, _, _ := strings.Cut(rest, "\n")
		process = "/proc/" + parent
	}
	return false
}

// TestNothingLeft compares the machine before and after.
func TestNothingLeft(t *testing.T) {
	needRoot(t, "crun")
	dir := t.TempDir()
	newDriver(t, Config{Dir: dir}).Close() // opens what Go keeps open, and makes the lock file
	before := state(t, dir)
	d := newDriver(t, Config{Dir: dir})
	for i := range 3 {
		s, err := d.Create(t.Context(), sandbox.Spec{ID: fmt.Sprint(i), Listeners: []sandbox.ListenerSpec{{Name: "a", Port: 9001}}})
		if err != nil {
			t.Fatal(err)
		}
		script := sandbox.Process{Args: []string{"/bin/sh", "-c", "echo x > /tmp/x; sleep 1000 & [ " + fmt.Sprint(i) + " = 0 ] || wait"}}
		p, err := s.Start(t.Context(), script)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if _, err := p.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if i < 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	// Threads with namespaces of their own end a moment after their last function.
	var diff string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if diff = cmp.Diff(before, state(t, dir)); diff == "" {
			return
		}
	}
	t.Errorf("what is left (-before +after):\n%s", diff)
}

func TestDirectoryHasOneOwner(t *testing.T) {
	needRoot(t, "crun")
	dir := t.TempDir()
	d := newDriver(t, Config{Dir: dir})
	defer d.Close()
	if second, err := New(Config{Dir: dir}); err == nil {
		second.Close()
		t.Error("two drivers share a directory")
	}
}

func TestNoRuntime(t *testing.T) {
	needRoot(t, "crun")
	_, err := New(Config{Dir: t.TempDir(), Runtime: "no-such-runtime"})
	if err == nil || !strings.Contains(err.Error(), "apt-get install crun") {
		t.Errorf("got %v, want advice", err)
	}
}

// TestImageLinks: a link in an image does not lead a mount out of it.
func TestImageLinks(t *testing.T) {
	needRoot(t, "crun")
	root, victim := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "var"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(root, "var/task")); err != nil {
		t.Fatal(err)
	}
	d := newDriver(t, Config{Dir: t.TempDir()})
	defer d.Close()
	s, err := d.Create(t.Context(), sandbox.Spec{ID: "x", RootDir: root, Mounts: []sandbox.Mount{{Source: "/usr", Target: "/var/task/new"}}})
	if err == nil {
		s.Close()
		t.Error("a mount followed the link out of the image")
	}
	if left, err := os.ReadDir(victim); err != nil || len(left) > 0 {
		t.Errorf("the target of the link has %v, %v", left, err)
	}
}

// TestFailedStart: what a runtime has to say is in the error.
func TestFailedStart(t *testing.T) {
	needRoot(t, "crun")
	d := newDriver(t, Config{Dir: t.TempDir()})
	defer d.Close()
	s, err := d.Create(t.Context(), sandbox.Spec{ID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Start(t.Context(), sandbox.Process{Args: []string{"/bin/sh"}, Dir: "/no/such/directory"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "/no/such/directory") {
		t.Errorf("got %v, want the runtime's reason", err)
	}
}

// BenchmarkStart measures a restart in a sandbox, BenchmarkCreate a whole one.
func BenchmarkStart(b *testing.B) {
	needRoot(b, "crun")
	d := newDriver(b, Config{Dir: b.TempDir()})
	defer d.Close()
	s, err := d.Create(b.Context(), sandbox.Spec{ID: "x"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p, err := s.Start(b.Context(), sandbox.Process{Args: []string{"/usr/bin/true"}})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	u, err := s.Usage()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(u.MemoryPeakBytes)/1e6, "MB-peak")
}

func BenchmarkCreate(b *testing.B) {
	needRoot(b, "crun")
	d := newDriver(b, Config{Dir: b.TempDir()})
	defer d.Close()
	for b.Loop() {
		s, err := d.Create(b.Context(), sandbox.Spec{ID: "x", Listeners: []sandbox.ListenerSpec{{Name: "a", Port: 9001}}})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
