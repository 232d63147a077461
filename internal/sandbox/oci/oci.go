//go:build linux

package oci

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/osthread"
)

// Driver makes sandboxes. It is safe for concurrent use.
type Driver struct {
	dir     string // state directory
	box     string // where every sandbox, in its own mount namespace, builds its box
	lock    *os.File
	runtime runtimeCommand
	cgroups *cgroups
	users   bool             // user namespaces work
	thread  *osthread.Thread // starts all processes
	host    *os.File         // the host's mount namespace

	mu        sync.Mutex
	closed    bool
	sandboxes map[string]*place
	slots     map[int]bool // ranges of user ids in use
}

// runtimeCommand is how an OCI runtime is called.
type runtimeCommand struct {
	path string
	// global options that make it leave cgroups alone.
	options []string
}

// New makes a driver, after it has removed what a crashed server left. Its errors tell a person what is missing.
func New(c Config) (*Driver, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("the oci driver needs root: start the server as root, or choose --sandbox process, which does not isolate")
	}
	runtime, err := findRuntime(c.Runtime)
	if err != nil {
		return nil, err
	}
	d := &Driver{runtime: runtime, sandboxes: map[string]*place{}, slots: map[int]bool{}, users: userNamespaces()}
	if err := d.own(c.Dir); err != nil {
		return nil, err
	}
	if err := d.start(c.CgroupParent); err != nil {
		return nil, errors.Join(err, d.release())
	}
	return d, nil
}

// findRuntime finds crun or runc, or what was asked for.
func findRuntime(name string) (runtimeCommand, error) {
	names := []string{name}
	if name == "" {
		names = []string{"crun", "runc"}
	}
	for _, n := range names {
		path, err := exec.LookPath(n)
		if err != nil {
			continue
		}
		if path, err = filepath.Abs(path); err != nil {
			return runtimeCommand{}, fmt.Errorf("find OCI runtime: %v", err)
		}
		if filepath.Base(path) == "crun" {
			return runtimeCommand{path, []string{"--cgroup-manager=disabled"}}, nil
		}
		// runc's word for "do without cgroups where they cannot be written".
		return runtimeCommand{path, []string{"--rootless=true"}}, nil
	}
	return runtimeCommand{}, fmt.Errorf("there is no OCI runtime (looked for %q): install one (Debian, Ubuntu: apt-get install crun; "+
		"Fedora: dnf install crun), or choose --sandbox process, which does not isolate", names)
}

// userNamespaces tries whether a process can be started in a user namespace.
func userNamespaces() bool {
	cmd := exec.Command("/bin/sh", "-c", ":")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: idBase, Size: idCount}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: idBase, Size: idCount}}}
	return cmd.Run() == nil
}

// own makes the state directory and locks it.
func (d *Driver) own(dir string) error {
	if dir == "" {
		return errors.New("the oci driver needs a state directory")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make state directory: %v", err)
	}
	var err error
	if dir, err = filepath.Abs(dir); err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return fmt.Errorf("find state directory: %v", err)
	}
	d.dir, d.box = dir, filepath.Join(dir, "box")
	if d.lock, err = os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return fmt.Errorf("lock state directory: %v", err)
	}
	if err := syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("lock %s (is another server using it?): %v", d.lock.Name(), err), d.lock.Close())
	}
	return nil
}

// start removes leftovers and prepares cgroups and the thread.
func (d *Driver) start(cgroupParent string) error {
	if cgroupParent == "" {
		cgroupParent = "/licet"
	}
	// One group for each state directory, so that two servers never meet.
	hash := fnv.New32a()
	hash.Write([]byte(d.dir))
	mountinfo, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("find cgroups: %v", err)
	}
	defer mountinfo.Close()
	if d.cgroups, err = findCgroups(mountinfo, filepath.Join(cgroupParent, fmt.Sprintf("%08x", hash.Sum32()))); err != nil {
		return err
	}
	if err := errors.Join(d.cgroups.removeLeftovers(), d.cgroups.prepare(), mkdir(d.box)); err != nil {
		return err
	}
	d.thread, err = osthread.New(func() error {
		// A thread may only change its mount namespace when it shares its root and working directory with no other.
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return fmt.Errorf("prepare thread: %v", err)
		}
		d.host, err = os.Open("/proc/thread-self/ns/mnt")
		return err
	})
	return err
}

// enter runs f on the thread, in a sandbox's mount namespace.
func (d *Driver) enter(namespace *os.File, f func() error) error {
	return d.thread.Do(func() error {
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNS); err != nil {
			return fmt.Errorf("enter mount namespace: %v", err)
		}
		err := f()
		// Back, so that the thread does not keep the namespace alive.
		if back := unix.Setns(int(d.host.Fd()), unix.CLONE_NEWNS); back != nil {
			return errors.Join(err, fmt.Errorf("leave mount namespace: %v", back))
		}
		return err
	})
}

// Name is "oci".
func (d *Driver) Name() string { return "oci" }

// Check runs a program in a sandbox as a function's would be.
func (d *Driver) Check(ctx context.Context) error {
	s, err := d.Create(ctx, sandbox.Spec{ID: "check", Listeners: []sandbox.ListenerSpec{{Name: "check", Port: 9001}}})
	if err != nil {
		return advise(err)
	}
	defer s.Close()
	if err := s.Start(ctx, sandbox.Process{Args: []string{"/bin/sh", "-c", "exit 0"}}); err != nil {
		return advise(err)
	}
	exit, err := s.Wait(ctx)
	if err != nil {
		return advise(err)
	}
	if exit != (sandbox.Exit{}) {
		return advise(fmt.Errorf("a program that does nothing ended with %+v", exit))
	}
	return nil
}

// advise adds what a person can do.
func advise(err error) error {
	return fmt.Errorf("try a sandbox: %w (the oci driver needs root with the right to make namespaces, mounts and cgroups: "+
		"in a container, start it with --privileged; or choose --sandbox process, which does not isolate)", err)
}

// Create makes a sandbox's namespaces.
func (d *Driver) Create(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	spec.Limits = spec.Limits.OrDefault()
	s := &place{driver: d, spec: spec}
	slot, err := d.register(s)
	if err != nil {
		return nil, err
	}
	s.ids, s.slot = newIDs(slot, d.users), slot
	if err := s.prepare(ctx); err != nil {
		d.unregister(s)
		return nil, err
	}
	return s, nil
}

// register gives a sandbox its place among the others.
func (d *Driver) register(s *place) (slot int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, sandbox.ErrClosed
	}
	if d.sandboxes[s.spec.ID] != nil {
		return 0, fmt.Errorf("sandbox %s exists already", s.spec.ID)
	}
	for d.slots[slot] {
		slot++
	}
	if slot == idSlots {
		return 0, fmt.Errorf("there are %d sandboxes: no user ids are left", slot)
	}
	d.slots[slot] = true
	d.sandboxes[s.spec.ID] = s
	return slot, nil
}

func (d *Driver) unregister(s *place) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.slots, s.slot)
	delete(d.sandboxes, s.spec.ID)
}

// prepare makes the namespaces and their contents on a thread of their own.
func (s *place) prepare(ctx context.Context) error {
	d := s.driver
	var err error
	thread, threadErr := osthread.New(func() error {
		if err := ownMounts(d.cgroups); err != nil {
			return err
		}
		b := &box{dir: d.box, spec: s.spec, ids: s.ids}
		if err := b.build(); err != nil {
			return err
		}
		own := s.spec.Network != sandbox.NetworkHost
		if own {
			if err := enterNetwork(); err != nil {
				return err
			}
			file := filepath.Join(boxDir, boxNetwork)
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				return fmt.Errorf("keep network namespace: %v", err)
			}
			if err := unix.Mount("/proc/thread-self/ns/net", file, "", unix.MS_BIND, ""); err != nil {
				return fmt.Errorf("keep network namespace: %v", err)
			}
		}
		if s.listeners, err = listen(ctx, s.spec.Listeners, own, s.ids.hostUser()); err != nil {
			return err
		}
		if s.mounts, err = os.Open("/proc/thread-self/ns/mnt"); err != nil {
			return errors.Join(fmt.Errorf("keep mount namespace: %v", err), closeAll(s.listeners))
		}
		return nil
	})
	if threadErr != nil {
		return fmt.Errorf("prepare sandbox %s: %w", s.spec.ID, threadErr)
	}
	thread.Close()
	return nil
}

// Close closes every sandbox and removes the driver's own files and cgroups.
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
	return errors.Join(append(errs, d.release())...)
}

// release gives back what New took.
func (d *Driver) release() error {
	var errs []error
	if d.thread != nil {
		d.thread.Close()
		errs = append(errs, d.host.Close())
	}
	if d.cgroups != nil {
		errs = append(errs, d.cgroups.close())
	}
	if err := os.Remove(d.box); err != nil && !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, d.lock.Close())...)
}
