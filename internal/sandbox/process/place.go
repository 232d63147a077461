package process

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/stdio"
)

// SIGKILL cannot be refused, so only a machine in trouble lets the time run out.
const (
	killTime  = time.Minute
	killPause = 5 * time.Millisecond
)

var errKillTime = errors.New("killed processes do not end")

// place is one sandbox.
type place struct {
	driver    *Driver
	id        string
	tmp       string   // private directory, the /tmp of the code
	later     []string // targets that Fit may show
	listeners map[string]net.Listener

	mu     sync.Mutex // above the fields below
	closed bool
	mounts []sandbox.Mount
	limits sandbox.Limits
	runs   map[*run]bool // that have not ended
	used   sandbox.Usage // CPU of those that have, and the most memory that a call of Usage saw
}

// run is one process of a sandbox.
type run struct {
	place   *place
	process *os.Process
	done    chan struct{} // closed when the fields below are set
	exit    sandbox.Exit
	err     error
}

func (s *place) Listener(name string) (net.Listener, string) {
	l := s.listeners[name]
	if l == nil {
		return nil, ""
	}
	return l, l.Addr().String()
}

func (s *place) Path(target string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return hostPath(append([]sandbox.Mount{{Source: s.tmp, Target: "/tmp"}}, s.mounts...), target)
}

// Dial connects to the host's loopback, which is the sandbox's.
func (s *place) Dial(ctx context.Context, port int) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// Fit remembers: nothing is limited, and nothing is mounted.
func (s *place) Fit(_ context.Context, l sandbox.Limits, mounts []sandbox.Mount) error {
	if err := l.Validate(); err != nil {
		return err
	}
	for _, m := range mounts {
		if !slices.Contains(s.later, m.Target) {
			return fmt.Errorf("show %s at %s: the sandbox has no place for it", m.Source, m.Target)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return sandbox.ErrClosed
	}
	open := s.limits.OpenFiles
	s.limits = l.OrDefault()
	s.limits.OpenFiles = open
	s.mounts = append(slices.Clone(s.mounts), mounts...)
	return nil
}

func (s *place) Start(ctx context.Context, p sandbox.Process) (sandbox.Running, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start process: %w", err)
	}
	if len(p.Args) == 0 {
		return nil, fmt.Errorf("start process: no program given: %w", sandbox.ErrExec)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, sandbox.ErrClosed
	}
	r, err := s.start(p)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// start is called with the lock.
func (s *place) start(p sandbox.Process) (*run, error) {
	cmd := s.command(p)
	program, err := find(cmd.Path, cmd.Dir, cmd.Env)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w: %w", p.Args[0], err, sandbox.ErrExec)
	}
	cmd.Path = program
	out, err := stdio.New(p.Stdout, p.Stderr)
	if err != nil {
		return nil, fmt.Errorf("start process: %v", err)
	}
	cmd.Stdout, cmd.Stderr = out.Stdout, out.Stderr
	err = s.driver.thread.Do(cmd.Start)
	out.CloseWriteEnds()
	if err != nil {
		out.Wait()
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.ENOEXEC) {
			err = fmt.Errorf("%w: %w", err, sandbox.ErrExec)
		}
		return nil, fmt.Errorf("start %s: %w", p.Args[0], err)
	}
	r := &run{place: s, process: cmd.Process, done: make(chan struct{})}
	s.runs[r] = true
	go r.finish(out)
	// The limit may come a moment after the first instructions of the program; a program that beats it keeps its open files.
	if err := limitOpenFiles(cmd.Process.Pid, s.limits.OpenFiles); err != nil && !errors.Is(err, syscall.ESRCH) {
		return nil, errors.Join(fmt.Errorf("limit open files: %v", err), r.Kill())
	}
	return r, nil
}

// command translates the targets of mounts and adds TMPDIR. It leaves /tmp alone: a caller has it from Path, and that may be below
// the host's /tmp. Its own Path is Args[0], still to be found.
func (s *place) command(p sandbox.Process) *exec.Cmd {
	cmd := &exec.Cmd{Env: slices.Clone(p.Env), Dir: "/", SysProcAttr: attributes()}
	for _, a := range p.Args {
		cmd.Args = append(cmd.Args, hostPath(s.mounts, a))
	}
	cmd.Path = cmd.Args[0]
	if p.Dir != "" {
		cmd.Dir = hostPath(s.mounts, p.Dir)
	}
	if !slices.ContainsFunc(cmd.Env, func(v string) bool { return strings.HasPrefix(v, "TMPDIR=") }) {
		cmd.Env = append(cmd.Env, "TMPDIR="+s.tmp)
	}
	return cmd
}

// find finds a program as the shell would, with the PATH of env rather than the server's.
func find(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return exec.LookPath(name)
	}
	for _, v := range env {
		path, ok := strings.CutPrefix(v, "PATH=")
		if !ok {
			continue
		}
		for _, d := range filepath.SplitList(path) {
			if file, err := exec.LookPath(filepath.Join("/", d, name)); err == nil {
				return file, nil
			}
		}
	}
	return "", exec.ErrNotFound
}

// finish owns the process to its end.
func (r *run) finish(out *stdio.Pipes) {
	defer close(r.done)
	state, err := r.process.Wait()
	if err == nil {
		err = r.killRest()
	}
	if err != nil {
		// Without this the output might never end.
		r.err = fmt.Errorf("end process %d and what it left behind: %v", r.process.Pid, err)
		out.Abandon()
	}
	out.Wait()
	if state == nil {
		return
	}
	r.exit = sandbox.Exit{Code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		r.exit.Signal = int(status.Signal())
	}
	r.place.mu.Lock()
	defer r.place.mu.Unlock()
	r.place.used.CPUNanos += int64(state.UserTime() + state.SystemTime())
}

// killRest kills what the process left behind: its group, and, when no other process of the sandbox runs, all that have its TMPDIR.
func (r *run) killRest() error {
	s := r.place
	s.mu.Lock()
	delete(s.runs, r)
	mark := ""
	if len(s.runs) == 0 {
		mark = s.tmp
	}
	defer s.mu.Unlock() // not before they are gone: a process that starts now would be taken for one of them
	return killRest(r.process.Pid, mark)
}

func (r *run) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func (r *run) Wait(ctx context.Context) (sandbox.Exit, error) {
	select {
	case <-r.done:
		return r.exit, r.err
	case <-ctx.Done():
		return sandbox.Exit{}, fmt.Errorf("wait for process: %w", ctx.Err())
	}
}

// Kill kills the group, whose first process finish waits for and whose strays it kills after that.
func (r *run) Kill() error {
	if r.ended() {
		return nil
	}
	if err := syscall.Kill(-r.process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill process group %d: %v", r.process.Pid, err)
	}
	return nil
}

func (r *run) Signal(signal int) error {
	err := r.process.Signal(syscall.Signal(signal))
	if errors.Is(err, os.ErrProcessDone) {
		return sandbox.ErrEnded
	}
	if err != nil {
		return fmt.Errorf("send signal %d: %v", signal, err)
	}
	return nil
}

// running lists what runs.
func (s *place) running() []*run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.runs))
}

func (s *place) Kill() error {
	var errs []error
	for _, r := range s.running() {
		errs = append(errs, r.Kill())
	}
	return errors.Join(errs...)
}

// Usage adds up what runs. What the kernel tells at the end of a process is of no use for its memory: getrusage(2) counts the memory of
// the server, from which it was forked.
func (s *place) Usage() (sandbox.Usage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := sandbox.Usage{CPUNanos: s.used.CPUNanos}
	for r := range s.runs {
		u, err := usage(r.process.Pid)
		if err != nil {
			return sandbox.Usage{}, fmt.Errorf("read usage of process %d: %v", r.process.Pid, err)
		}
		now.CPUNanos += u.CPUNanos
		now.MemoryPeakBytes += u.MemoryPeakBytes
	}
	s.used.MemoryPeakBytes = max(s.used.MemoryPeakBytes, min(now.MemoryPeakBytes, s.limits.MemoryBytes))
	now.MemoryPeakBytes = s.used.MemoryPeakBytes
	return now, nil
}

func (s *place) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	runs := slices.Collect(maps.Keys(s.runs))
	s.mu.Unlock()
	var errs []error
	for _, r := range runs {
		errs = append(errs, r.Kill())
		<-r.done
		errs = append(errs, r.err)
	}
	errs = append(errs, s.remove())
	s.driver.mu.Lock()
	delete(s.driver.sandboxes, s.id)
	s.driver.mu.Unlock()
	return errors.Join(errs...)
}

// remove closes the listeners and removes the private directory.
func (s *place) remove() error {
	for _, l := range s.listeners {
		l.Close() // fails only when it is closed already
	}
	if err := os.RemoveAll(s.tmp); err != nil {
		return fmt.Errorf("remove private directory: %v", err)
	}
	return nil
}
