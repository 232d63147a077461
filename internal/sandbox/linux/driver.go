//go:build linux

package linux

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

	"github.com/licet/licet/internal/lockfile"
	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/osthread"
)

// Config of a driver.
type Config struct {
	// Dir is the state directory: it belongs to one driver at a time, is made if missing, and stays all but empty. Required.
	Dir string
	// CgroupParent is the cgroup below which the sandboxes' are made, in every hierarchy; "" for "/licet".
	CgroupParent string
	// WithoutUsers does without user namespaces, as on a kernel that forbids them.
	WithoutUsers bool
	// Launcher starts the processes. Required.
	Launcher Launcher
}

// Driver makes sandboxes. It is safe for concurrent use.
type Driver struct {
	launcher Launcher
	dir      string // state directory
	box      string // where every sandbox, in its own mount namespace, builds its box
	lock     *lockfile.Lock
	cgroups  *cgroups
	users    bool             // user namespaces work
	thread   *osthread.Thread // starts all processes
	host     *os.File         // the host's mount namespace
	network  *os.File         // the host's network namespace

	mu        sync.Mutex
	closed    bool
	sandboxes map[string]*place
	slots     map[int]bool // ranges of user ids in use
}

// Launcher starts the processes of a driver's sandboxes.
type Launcher interface {
	// Name of the driver, for logs and the doctor.
	Name() string
	// Open makes ready to start processes in a new sandbox. What it returns belongs to the sandbox.
	Open(g *Ground) (Starter, error)
	// Close gives back what all sandboxes shared, after the last one was closed.
	Close() error
}

// Starter starts the processes of one sandbox, one at a time.
type Starter interface {
	// Start starts a process in a new PID namespace, the sandbox's mount and network namespaces and its cgroups. Its outputs are
	// files, which belong to the caller.
	Start(ctx context.Context, p sandbox.Process) (Task, error)
	// Close gives back what Open took. Nothing runs any more.
	Close() error
}

// Task is a process that a Starter started.
type Task interface {
	// Init is the first process of the PID namespace, as the host numbers it. With it all others end.
	Init() int
	// Program is the process itself, as the host numbers it, or 0 when it has ended.
	Program() (int, error)
	// Wait is called once. It returns when the PID namespace is empty, and leaves OutOfMemory to its caller. Init is valid until then.
	Wait() (sandbox.Exit, error)
}

// Ground is what a sandbox's processes are started on.
type Ground struct {
	Spec sandbox.Spec // with all limits; Fit changes them
	IDs  IDs
	// Mounts is the sandbox's mount namespace, in which the box is at BoxDir. Network is its network namespace; nil for the host's.
	Mounts, Network *os.File

	driver *Driver
	group  *group
}

// Enter runs f, which must be short, in the sandbox's mount namespace, on the thread from which children have to be started.
func (g *Ground) Enter(f func() error) error { return g.driver.enter(g.Mounts, f) }

// Join puts a process into the sandbox's cgroups.
func (g *Ground) Join(pid int) error { return g.group.add(pid) }

// KillMembers kills the processes of the sandbox whose PID namespace is that of the process init, but not init. When they are all of
// the sandbox, nobody forks any more until they are gone.
func (g *Ground) KillMembers(init int) error {
	pids, others, err := g.group.members(init)
	if err != nil {
		return err
	}
	if !others && len(pids) > 0 {
		if err := g.group.allow(0); err != nil {
			return err
		}
		if pids, _, err = g.group.members(init); err != nil {
			return err
		}
	}
	return kill(pids)
}

// Find returns the process of the sandbox, as the host numbers it, that has a number in the PID namespace of the process init, or 0.
func (g *Ground) Find(init, inside int) (int, error) {
	pids, _, err := g.group.members(init)
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		if n, err := innermost(pid); err == nil && n == inside { // else it has ended
			return pid, nil
		}
	}
	return 0, nil
}

// Leave takes a process out of the cgroup that counts processes.
func (g *Ground) Leave(pid int) error { return g.group.release(pid) }

// New makes a driver, after it has removed what a crashed server left. Its errors tell a person what is missing.
func New(c Config) (*Driver, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("the %s driver needs root: start the server as root, or choose --sandbox process, which does not isolate",
			c.Launcher.Name())
	}
	d := &Driver{launcher: c.Launcher, sandboxes: map[string]*place{}, slots: map[int]bool{}, users: !c.WithoutUsers && userNamespaces()}
	if err := d.own(c.Dir); err != nil {
		return nil, err
	}
	if err := d.start(c.CgroupParent); err != nil {
		return nil, errors.Join(err, d.release())
	}
	return d, nil
}

// userNamespaces tries whether a process can be started in a user namespace.
func userNamespaces() bool {
	cmd := exec.Command("/bin/sh", "-c", ":")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: idBase, Size: IDCount}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: idBase, Size: IDCount}}}
	return cmd.Run() == nil
}

// own makes the state directory and locks it.
func (d *Driver) own(dir string) error {
	if dir == "" {
		return errors.New("the driver needs a state directory")
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
	if d.lock, err = lockfile.Take(filepath.Join(dir, "lock")); err != nil {
		return fmt.Errorf("lock %s (is another server using it?): %v", dir, err)
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
		if d.host, err = os.Open("/proc/thread-self/ns/mnt"); err == nil {
			d.network, err = os.Open("/proc/thread-self/ns/net")
		}
		return err
	})
	return err
}

// enter runs f on the thread, in a sandbox's mount namespace.
func (d *Driver) enter(namespace *os.File, f func() error) error {
	return d.thread.Do(func() error { return d.within(namespace, f) })
}

// within is called on the thread, and leaves it in the host's mount namespace, so that it does not keep the other one alive.
func (d *Driver) within(namespace *os.File, f func() error) error {
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("enter mount namespace: %v", err)
	}
	err := f()
	if back := unix.Setns(int(d.host.Fd()), unix.CLONE_NEWNS); back != nil {
		return errors.Join(err, fmt.Errorf("leave mount namespace: %v", back))
	}
	return err
}

// Name is the launcher's.
func (d *Driver) Name() string { return d.launcher.Name() }

// Check runs a program in a sandbox as a function's would be.
func (d *Driver) Check(ctx context.Context) error {
	if err := d.check(ctx); err != nil {
		return fmt.Errorf("try a sandbox: %w (the %s driver needs root with the right to make namespaces, mounts and cgroups: "+
			"in a container, start it with --privileged; or choose --sandbox process, which does not isolate)", err, d.Name())
	}
	return nil
}

func (d *Driver) check(ctx context.Context) error {
	s, err := d.Create(ctx, sandbox.Spec{ID: "check", Listeners: []sandbox.ListenerSpec{{Name: "check", Port: 9001}}})
	if err != nil {
		return err
	}
	defer s.Close()
	p, err := s.Start(ctx, sandbox.Process{Args: []string{"/bin/sh", "-c", "exit 0"}})
	if err != nil {
		return err
	}
	exit, err := p.Wait(ctx)
	if err == nil && exit != (sandbox.Exit{}) {
		err = fmt.Errorf("a program that does nothing ended with %+v", exit)
	}
	return err
}

// Create makes a sandbox's namespaces and cgroups.
func (d *Driver) Create(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	spec.Limits = spec.Limits.OrDefault()
	s := &place{Ground: Ground{Spec: spec, driver: d}, runs: map[*run]bool{}}
	slot, err := d.register(s)
	if err != nil {
		return nil, err
	}
	s.IDs, s.slot = newIDs(slot, d.users), slot
	if err := s.open(ctx); err != nil {
		err = fmt.Errorf("prepare sandbox %s: %w", spec.ID, err)
		return nil, errors.Join(err, s.release())
	}
	return s, nil
}

// open makes all parts of the sandbox. After an error, release still has to be called.
func (s *place) open(ctx context.Context) (err error) {
	if s.group, err = s.driver.cgroups.create(s.Spec.ID, s.Spec.Limits); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	s.starter, err = s.driver.launcher.Open(&s.Ground)
	return err
}

// release gives back what open took.
func (s *place) release() error {
	var errs []error
	if s.starter != nil {
		errs = append(errs, s.starter.Close())
	}
	errs = append(errs, closeAll(s.listeners))
	for _, f := range []*os.File{s.Mounts, s.Network} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if s.group != nil {
		errs = append(errs, s.group.remove())
	}
	s.driver.unregister(s)
	return errors.Join(errs...)
}

// register gives a sandbox its place among the others.
func (d *Driver) register(s *place) (slot int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, sandbox.ErrClosed
	}
	if d.sandboxes[s.Spec.ID] != nil {
		return 0, fmt.Errorf("sandbox %s exists already", s.Spec.ID)
	}
	for d.slots[slot] {
		slot++
	}
	if slot == idSlots {
		return 0, fmt.Errorf("there are %d sandboxes: no user ids are left", slot)
	}
	d.slots[slot] = true
	d.sandboxes[s.Spec.ID] = s
	return slot, nil
}

func (d *Driver) unregister(s *place) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.slots, s.slot)
	delete(d.sandboxes, s.Spec.ID)
}

// prepare makes the namespaces and their contents on a thread of their own.
func (s *place) prepare(ctx context.Context) error {
	thread, err := osthread.New(func() (err error) {
		if err := ownMounts(s.driver.cgroups); err != nil {
			return err
		}
		b := &box{dir: s.driver.box, spec: s.Spec, ids: s.IDs}
		if err := b.build(); err != nil {
			return err
		}
		own := s.Spec.Network != sandbox.NetworkHost
		if own {
			if s.Network, err = ownNetwork(); err != nil {
				return err
			}
		}
		if s.listeners, err = listen(ctx, s.Spec.Listeners, own, s.IDs.HostUser()); err != nil {
			return err
		}
		if s.Mounts, err = os.Open("/proc/thread-self/ns/mnt"); err != nil {
			return fmt.Errorf("keep mount namespace: %v", err)
		}
		return nil
	})
	if err != nil {
		return err
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
	errs = append(errs, d.launcher.Close())
	if d.thread != nil {
		d.thread.Close()
		errs = append(errs, d.host.Close(), d.network.Close())
	}
	if d.cgroups != nil {
		errs = append(errs, d.cgroups.close())
	}
	if err := os.Remove(d.box); err != nil && !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, d.lock.Close())...)
}
