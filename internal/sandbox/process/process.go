// Package process runs function code as plain child processes: the driver for machines that forbid namespaces, and for macOS.
//
// IT DOES NOT ISOLATE. Code inside is the server's user: it sees the host's files (the server's data among them), processes and
// network, including the listeners of other sandboxes; memory, CPU, the number of processes and the size of /tmp are not limited;
// mounts are not read-only. It is for code that you trust as you trust yourself, and the server says so when it starts.
//
// What it does: every process starts in a session of its own with exactly the environment it was given (and TMPDIR, the private
// directory that stands for /tmp, unless it is there already), listeners at free ports of 127.0.0.1, and the open files limit
// (on Linux). Mounts are not mounted: Path, and the driver itself in Args and Dir, turn a target into its source.
//
// When a process has ended, what it left behind is killed: its process group, and, on Linux, when it was the last that ran, every
// process that has the sandbox's TMPDIR in its first environment, whatever session it moved to. A process that clears its environment and leaves the
// group is not found. On Linux the first process dies with the server; a new Driver of the same directory kills the rest and
// removes the files of the old one.
//
// To change what is found and killed: strays_linux.go. All drivers pass sandboxtest.
package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/licet/licet/internal/lockfile"
	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/osthread"
)

// Config of a driver.
type Config struct {
	// Dir holds the private directories of the sandboxes. It belongs to one driver at a time; it is made if missing. Required.
	Dir string
}

// Driver makes sandboxes. It is safe for concurrent use.
type Driver struct {
	dir    string
	lock   *lockfile.Lock
	thread *osthread.Thread

	mu        sync.Mutex
	closed    bool
	sandboxes map[string]*place
}

// New makes a driver, after it has removed what a crashed server left in the directory.
func New(c Config) (*Driver, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil || c.Dir == "" {
		return nil, fmt.Errorf("directory %q of the process driver: want a path", c.Dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of the process driver: %v", err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("find directory of the process driver: %v", err)
	}
	lock, err := lockfile.Take(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("lock %s (is another server using it?): %v", dir, err)
	}
	d := &Driver{dir: dir, lock: lock, sandboxes: map[string]*place{}}
	if err := d.removeLeftovers(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if d.thread, err = osthread.New(func() error { return nil }); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return d, nil
}

func (d *Driver) removeLeftovers() error {
	if err := killRest(0, d.dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return fmt.Errorf("read directory of the process driver: %v", err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if err := os.RemoveAll(filepath.Join(d.dir, e.Name())); err != nil {
			return fmt.Errorf("remove what an earlier server left: %v", err)
		}
	}
	return nil
}

// Name is "process".
func (d *Driver) Name() string { return "process" }

// Check runs a program.
func (d *Driver) Check(ctx context.Context) error {
	s, err := d.Create(ctx, sandbox.Spec{ID: "check"})
	if err != nil {
		return err
	}
	defer s.Close()
	p, err := s.Start(ctx, sandbox.Process{Args: []string{"/bin/sh", "-c", "exit 0"}})
	if err != nil {
		return fmt.Errorf("run a child process (the process driver needs no more than that): %w", err)
	}
	exit, err := p.Wait(ctx)
	if err == nil && exit.Code != 0 {
		err = fmt.Errorf("a child process that does nothing ended with %+v", exit)
	}
	return err
}

// Create makes the sandbox's private directory and its listeners.
func (d *Driver) Create(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	if spec.RootDir != "" {
		return nil, fmt.Errorf("the process driver has no own root file system, so it cannot show %s", spec.RootDir)
	}
	s := &place{driver: d, id: spec.ID, tmp: filepath.Join(d.dir, spec.ID), mounts: spec.Mounts, later: spec.Later,
		limits: spec.Limits.OrDefault(), listeners: map[string]net.Listener{}, runs: map[*run]bool{}}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, sandbox.ErrClosed
	}
	if d.sandboxes[spec.ID] != nil {
		return nil, fmt.Errorf("sandbox %s exists already", spec.ID)
	}
	if err := os.Mkdir(s.tmp, 0o700); err != nil {
		return nil, fmt.Errorf("make private directory: %v", err)
	}
	var config net.ListenConfig
	for _, l := range spec.Listeners {
		listener, err := config.Listen(ctx, "tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open listener %s: %v", l.Name, err), s.remove())
		}
		s.listeners[l.Name] = listener
	}
	d.sandboxes[spec.ID] = s
	return s, nil
}

// Close closes every sandbox and gives the directory free.
func (d *Driver) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	var left []*place
	for _, s := range d.sandboxes {
		left = append(left, s)
	}
	d.mu.Unlock()
	var errs []error
	for _, s := range left {
		errs = append(errs, s.Close())
	}
	d.thread.Close()
	return errors.Join(append(errs, d.lock.Close())...)
}

// hostPath turns a path at or below a mount's target, the longest that fits, into one of the host.
func hostPath(mounts []sandbox.Mount, path string) string {
	best := sandbox.Mount{}
	for _, m := range mounts {
		if (path == m.Target || strings.HasPrefix(path, m.Target+"/")) && len(m.Target) > len(best.Target) {
			best = m
		}
	}
	return best.Source + path[len(best.Target):]
}
