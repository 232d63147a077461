//go:build linux

package linux

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/licet/licet/internal/sandbox"
)

// cgroupMount is where a hierarchy is mounted.
type cgroupMount struct {
	dir string
	v2  bool
}

// cgroups makes groups. Each controller lives in one hierarchy: a v1 mount of its own, or the v2 mount; hosts may have both
// (cgroups(7)).
type cgroups struct {
	mounts      []cgroupMount          // all that are mounted
	controllers map[string]cgroupMount // memory, pids, cpu and, on v1, cpuacct
	parent      string                 // relative to the mounts
}

// neededControllers are those that a host must have.
var neededControllers = [...]string{"memory", "pids", "cpu"}

// findCgroups reads a mountinfo file (proc_pid_mountinfo(5)).
func findCgroups(mountinfo io.Reader, parent string) (*cgroups, error) {
	c := &cgroups{controllers: map[string]cgroupMount{}, parent: parent}
	unified := cgroupMount{}
	for scanner := bufio.NewScanner(mountinfo); scanner.Scan(); {
		before, after, ok := strings.Cut(scanner.Text(), " - ")
		point, super := strings.Fields(before), strings.Fields(after)
		if !ok || len(point) < 5 || len(super) < 3 {
			continue
		}
		m := cgroupMount{dir: point[4], v2: super[0] == "cgroup2"}
		switch super[0] {
		case "cgroup2":
			unified = m
			c.mounts = append(c.mounts, m)
		case "cgroup":
			c.mounts = append(c.mounts, m)
			for _, option := range strings.Split(super[2], ",") {
				if option == "cpuacct" || slices.Contains(neededControllers[:], option) {
					c.controllers[option] = m
				}
			}
		}
	}
	if unified.dir != "" {
		available, err := os.ReadFile(filepath.Join(unified.dir, "cgroup.controllers"))
		if err != nil {
			return nil, fmt.Errorf("read cgroup controllers: %v", err)
		}
		for _, name := range strings.Fields(string(available)) {
			if _, v1 := c.controllers[name]; !v1 && slices.Contains(neededControllers[:], name) {
				c.controllers[name] = unified
			}
		}
	}
	for _, name := range neededControllers {
		if _, ok := c.controllers[name]; !ok {
			return nil, fmt.Errorf("the cgroup controller %q is in no mounted hierarchy: mount cgroup2 at /sys/fs/cgroup, "+
				"or boot with cgroup_enable=%s", name, name)
		}
	}
	return c, nil
}

// hybrid says whether v1 and v2 are mounted side by side, which crun refuses.
func (c *cgroups) hybrid() bool {
	return slices.ContainsFunc(c.mounts, func(m cgroupMount) bool { return m.v2 }) &&
		slices.ContainsFunc(c.mounts, func(m cgroupMount) bool { return !m.v2 })
}

// used lists the hierarchies that have controllers for us, each once.
func (c *cgroups) used() []cgroupMount {
	var used []cgroupMount
	for _, m := range c.controllers {
		if !slices.Contains(used, m) {
			used = append(used, m)
		}
	}
	return used
}

// prepare makes the parent in every hierarchy, with the limits of all sandboxes together.
func (c *cgroups) prepare() error {
	for _, m := range c.used() {
		if err := makeShared(filepath.Join(m.dir, c.parent)); err != nil {
			return fmt.Errorf("make cgroup: %v", err)
		}
		if !m.v2 {
			continue
		}
		var enable []string
		for name, home := range c.controllers {
			if home.v2 {
				enable = append(enable, "+"+name)
			}
		}
		dir := m.dir
		for _, name := range append([]string{""}, strings.Split(strings.Trim(c.parent, "/"), "/")...) {
			dir = filepath.Join(dir, name)
			if err := enableControllers(dir, strings.Join(enable, " ")); err != nil {
				return err
			}
		}
	}
	return c.limitAll()
}

// makeShared makes a group whose parent another server, the last one, may remove meanwhile.
func makeShared(dir string) (err error) {
	for range 100 {
		if err = os.MkdirAll(dir, 0o755); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENODEV) {
			return err
		}
	}
	return err
}

// enableControllers gives the children of a v2 group the controllers. A group other than the machine's first must have no
// processes of its own for that (cgroups(7), "no internal processes"): where the server is the only one, as in its own container
// or service, it moves into a group beside ours.
func enableControllers(dir, controllers string) error {
	file := filepath.Join(dir, "cgroup.subtree_control")
	err := os.WriteFile(file, []byte(controllers), 0)
	if errors.Is(err, syscall.EBUSY) {
		if procs, readErr := processes(dir); readErr == nil && slices.Equal(procs, []int{os.Getpid()}) {
			server := filepath.Join(dir, "licet-server")
			if err := errors.Join(mkdir(server), put(server, os.Getpid())); err != nil {
				return fmt.Errorf("move the server to a cgroup of its own: %v", err)
			}
			err = os.WriteFile(file, []byte(controllers), 0)
		}
	}
	if err != nil {
		return fmt.Errorf("enable cgroup controllers (no other process may be in %s; start the server as its own service "+
			"with Delegate=yes, or alone in its container): %v", dir, err)
	}
	return nil
}

func mkdir(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// removeLeftovers kills what an earlier server left in our parent groups and removes them.
func (c *cgroups) removeLeftovers() error {
	for _, m := range c.used() {
		parent := filepath.Join(m.dir, c.parent)
		entries, err := os.ReadDir(parent)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read cgroups that are left: %v", err)
		}
		for _, e := range entries {
			if !e.IsDir() {
				continue
			}
			if err := removeGroup(filepath.Join(parent, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// close removes the parent groups.
func (c *cgroups) close() error {
	var errs []error
	for _, m := range c.used() {
		errs = append(errs, removeGroup(filepath.Join(m.dir, c.parent, runtimesGroup)))
		errs = append(errs, removeGroup(filepath.Join(m.dir, c.parent)))
		// The group above is shared by all servers: the last one removes it.
		syscall.Rmdir(filepath.Dir(filepath.Join(m.dir, c.parent)))
	}
	return errors.Join(errs...)
}

// removeGroup kills all processes of a group without children and removes it.
func removeGroup(dir string) error {
	var err error
	for deadline := time.Now().Add(killTime); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		// A group is busy for a moment after its last process has ended.
		if err = syscall.Rmdir(dir); err == nil || errors.Is(err, syscall.ENOENT) {
			return nil
		}
		pids, readErr := processes(dir)
		if readErr != nil {
			return fmt.Errorf("list processes of cgroup: %v", readErr)
		}
		if err := kill(pids); err != nil {
			return err
		}
	}
	return fmt.Errorf("remove cgroup %s: %v", dir, err)
}

func kill(pids []int) error {
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("kill process %d: %v", pid, err)
		}
	}
	return nil
}

// killTime bounds what only a machine in trouble does not do at once.
const killTime = time.Minute

// processes of a group.
func processes(dir string) ([]int, error) {
	b, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, f := range strings.Fields(string(b)) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

func put(dir string, pid int) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
}

// group is the cgroup of one process tree, in all hierarchies.
type group struct {
	cgroups *cgroups
	name    string
}

// dir of the group in a controller's hierarchy, and whether that is v2.
func (g *group) dir(controller string) (string, bool) {
	m := g.cgroups.controllers[controller]
	return filepath.Join(m.dir, g.cgroups.parent, g.name), m.v2
}

// create makes a group with its limits.
func (c *cgroups) create(name string, l sandbox.Limits) (*group, error) {
	g := &group{cgroups: c, name: name}
	for _, m := range c.used() {
		if err := mkdir(filepath.Join(m.dir, c.parent, name)); err != nil {
			return nil, errors.Join(fmt.Errorf("make cgroup: %v", err), g.remove())
		}
	}
	if err := g.limit(l); err != nil {
		return nil, errors.Join(err, g.remove())
	}
	return g, nil
}

// add puts a process into the group. Its children will be in it too.
func (g *group) add(pid int) error {
	for _, m := range g.cgroups.used() {
		if err := put(filepath.Join(m.dir, g.cgroups.parent, g.name), pid); err != nil {
			return fmt.Errorf("put process into cgroup: %v", err)
		}
	}
	return nil
}

// runtimesGroup is where runtimes are when they must not be in their sandbox's group. No sandbox has this name.
const runtimesGroup = "_runtimes"

// release takes a process out of the group, in the hierarchy that counts processes.
func (g *group) release(pid int) error {
	m := g.cgroups.controllers["pids"]
	dir := filepath.Join(m.dir, g.cgroups.parent, runtimesGroup)
	if err := errors.Join(mkdir(dir), put(dir, pid)); err != nil {
		return fmt.Errorf("take process out of cgroup: %w", err)
	}
	return nil
}

// members lists the processes of the group whose PID namespace is that of the process init, without it, and says whether there are
// others. There are no members when it has ended.
func (g *group) members(init int) (pids []int, others bool, err error) {
	dir, _ := g.dir("pids")
	all, err := processes(dir)
	if err != nil {
		return nil, false, fmt.Errorf("list processes: %w", err)
	}
	namespace, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", init))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) || errors.Is(err, syscall.EACCES) { // one that ends denies it
		return nil, len(all) > 0, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("find process: %v", err)
	}
	for _, pid := range all {
		switch other, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid)); {
		case pid == init || err != nil: // err: it has ended
		case other == namespace:
			pids = append(pids, pid)
		default:
			others = true
		}
	}
	return pids, others, nil
}

// innermost is the number of a process in its own PID namespace: the last of NSpid (proc_pid_status(5)).
func innermost(pid int) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "\nNSpid:")
	line, _, _ := strings.Cut(rest, "\n")
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return 0, fmt.Errorf("process %d has no number", pid)
	}
	return strconv.Atoi(fields[len(fields)-1])
}

// remove kills what is in the group and removes it.
func (g *group) remove() error {
	var errs []error
	for _, m := range g.cgroups.used() {
		errs = append(errs, removeGroup(filepath.Join(m.dir, g.cgroups.parent, g.name)))
	}
	return errors.Join(errs...)
}

// outOfMemory counts the processes that the kernel killed for their memory.
func (g *group) outOfMemory() (int64, error) {
	dir, v2 := g.dir("memory")
	if v2 {
		return field(filepath.Join(dir, "memory.events"), "oom_kill")
	}
	return field(filepath.Join(dir, "memory.oom_control"), "oom_kill")
}

// close takes nil, too.
func (m *meter) close() {
	if m != nil {
		_ = m.usage.Close() // it was only read
	}
}

// over says whether the group's anonymous memory, which is neither files nor the kernel's, is above a limit.
func (m *meter) over(limit int64) (bool, error) {
	n, err := m.usage.ReadAt(m.text[:], 0)
	if n == 0 {
		return false, err
	}
	all, err := strconv.ParseInt(strings.TrimSpace(string(m.text[:n])), 10, 64)
	if err != nil || all <= limit {
		return false, err // the detail costs the kernel more
	}
	anonymous, err := field(m.stat, m.anonymous)
	return anonymous > limit, err
}

// meter reads how much memory a group uses. It is asked many times a second, of every group: the file stays open.
type meter struct {
	usage           *os.File
	stat, anonymous string // where the detail is, and its name
	text            [32]byte
}

// meter must be closed.
func (g *group) meter() (*meter, error) {
	dir, v2 := g.dir("memory")
	usage, name := "memory.usage_in_bytes", "rss"
	if v2 {
		usage, name = "memory.current", "anon"
	}
	f, err := os.Open(filepath.Join(dir, usage))
	return &meter{usage: f, stat: filepath.Join(dir, "memory.stat"), anonymous: name}, err
}

// usage since the group was made.
func (g *group) usage() (sandbox.Usage, error) {
	var u sandbox.Usage
	var err, cpuErr error
	dir, v2 := g.dir("memory")
	if v2 {
		u.MemoryPeakBytes, err = number(filepath.Join(dir, "memory.peak"))
		if errors.Is(err, fs.ErrNotExist) { // Linux before 5.19
			u.MemoryPeakBytes, err = number(filepath.Join(dir, "memory.current"))
		}
	} else {
		u.MemoryPeakBytes, err = number(filepath.Join(dir, "memory.max_usage_in_bytes"))
	}
	if dir, v2 = g.dir("cpu"); v2 {
		u.CPUNanos, cpuErr = field(filepath.Join(dir, "cpu.stat"), "usage_usec")
		u.CPUNanos *= int64(time.Microsecond)
	} else {
		dir, _ = g.dir("cpuacct")
		u.CPUNanos, cpuErr = number(filepath.Join(dir, "cpuacct.usage"))
	}
	if err := errors.Join(err, cpuErr); err != nil {
		return sandbox.Usage{}, fmt.Errorf("read cgroup usage: %v", err)
	}
	return u, nil
}

// number reads a file that has one number.
func number(file string) (int64, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
}

// field reads a number from a file of lines "name number".
func field(file, name string) (int64, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && key == name {
			return strconv.ParseInt(value, 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, name)
}
