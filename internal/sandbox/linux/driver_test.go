//go:build linux

package linux

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/sandbox"
)

// idle launches nothing.
type idle struct{}

func (idle) Name() string { return "idle" }
func (idle) Close() error { return nil }
func (idle) Open(*Ground) (Starter, error) {
	return nil, errors.New("the idle launcher launches nothing")
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("sandboxes need root: run the tests as root to test them")
	}
}

func newDriver(t *testing.T, dir string) *Driver {
	t.Helper()
	d, err := New(Config{Dir: dir, Launcher: idle{}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestFailedOpen: a sandbox that could not be made leaves nothing.
func TestFailedOpen(t *testing.T) {
	needRoot(t)
	d := newDriver(t, t.TempDir())
	for range 2 { // the id is free again
		if _, err := d.Create(t.Context(), sandbox.Spec{ID: "x"}); err == nil || !strings.Contains(err.Error(), "launches nothing") {
			t.Errorf("got %v, want the launcher's error", err)
		}
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// TestLeftoverCgroups: a crash of the machine's memory aside, cgroups are all that a server can leave.
func TestLeftoverCgroups(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	d := newDriver(t, dir)
	g, err := d.cgroups.create("left", sandbox.Limits{}.OrDefault())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := g.add(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	d.lock.Close() // as the end of the process would
	reaped := make(chan error, 1)
	go func() { reaped <- cmd.Wait() }()
	second := newDriver(t, dir)
	if err := <-reaped; err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("process in a cgroup that was left: got %v, want killed", err)
	}
	for _, c := range []string{"memory", "pids", "cpu"} {
		if group, _ := g.dir(c); exists(group) {
			t.Errorf("%s is still there", group)
		}
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	d.thread.Close()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// child is a task that is one process.
type child struct {
	Task
	pid int
}

func (c child) Init() int { return c.pid }

// TestKillWithoutMembers: what runs ends also when its processes cannot be listed.
func TestKillWithoutMembers(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	none := cgroupMount{dir: filepath.Join(t.TempDir(), "none")}
	g := &group{cgroups: &cgroups{controllers: map[string]cgroupMount{"pids": none}}}
	r := &run{place: &place{Ground: Ground{group: g}}, task: child{pid: cmd.Process.Pid}, done: make(chan struct{})}
	if err := r.Kill(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want why the processes could not be listed", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the process runs on")
		_ = cmd.Process.Kill() // it is the test's own
	}
}
