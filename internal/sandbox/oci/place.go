//go:build linux

package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/licet/licet/internal/sandbox"
)

// place is one sandbox.
type place struct {
	driver    *Driver
	spec      sandbox.Spec
	ids       ids
	slot      int
	mounts    *os.File // its mount namespace
	listeners map[string]net.Listener

	mu     sync.Mutex
	closed bool
	run    *run // the last one, running or ended
}

// run is one process tree of a sandbox.
type run struct {
	cmd   *exec.Cmd
	group *group
	log   *os.File // the runtime's own messages
	// tooMuch is set before the process is killed for its memory.
	tooMuch atomic.Bool
	stop    chan struct{} // closed when the process has ended
	done    chan struct{} // closed when the fields below are set
	exit    sandbox.Exit
	usage   sandbox.Usage
	err     error
}

// script runs in the sandbox's mount namespace and a new PID namespace, and becomes the runtime. hidepid hides the runtime, the
// only process of another user, from those inside. A line of input says that it is in its cgroups; the end of input without it,
// that the start has failed.
const script = `exec 3>&2 2>>"$1"; shift
mount -t proc -o nosuid,nodev,noexec,hidepid=2 proc /proc && read -r go && exec 2>&3 3>&- "$@"
exit 125`

func (s *place) Listener(name string) (net.Listener, string) {
	l := s.listeners[name]
	if l == nil {
		return nil, ""
	}
	return l, l.Addr().String()
}

func (s *place) Path(target string) string { return target }

func (s *place) Start(ctx context.Context, p sandbox.Process) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("start process: %w", err)
	}
	if len(p.Args) == 0 {
		return fmt.Errorf("start process: no program given: %w", sandbox.ErrExec)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return sandbox.ErrClosed
	}
	if s.run != nil && !s.run.ended() {
		return sandbox.ErrRunning
	}
	if err := checkProgram(s.spec, p.Args[0]); err != nil {
		return fmt.Errorf("start process: %w", err)
	}
	r := &run{stop: make(chan struct{}), done: make(chan struct{})}
	if err := s.launch(r, p); err != nil {
		return fmt.Errorf("start process: %w", err)
	}
	s.run = r
	return nil
}

// launch starts the runtime and lets it go on when it is in its cgroups.
func (s *place) launch(r *run, p sandbox.Process) (err error) {
	if r.group, err = s.driver.cgroups.create(s.spec.ID, s.spec.Limits); err != nil {
		return err
	}
	gate, err := s.fork(r, p)
	if err != nil {
		return errors.Join(err, r.group.remove())
	}
	err = r.group.add(r.cmd.Process.Pid)
	if err == nil {
		_, err = gate.Write([]byte("\n"))
	}
	// What is left of standard input is at its end, as the program finds it.
	err = errors.Join(err, gate.Close())
	if err != nil {
		err = errors.Join(err, r.kill())
		r.cmd.Wait() // killed
		return errors.Join(err, r.group.remove(), r.log.Close())
	}
	go s.attend(r)
	return nil
}

// attend owns a run from its start to its end.
func (s *place) attend(r *run) {
	defer close(r.done)
	var watches sync.WaitGroup
	watches.Go(func() { s.watchMemory(r) })
	var strays error
	watches.Go(func() {
		if strays = r.endStrays(); strays != nil {
			r.kill() // all, so that Wait does not wait for ever; fails only when it is gone
		}
	})
	waitErr := r.cmd.Wait()
	close(r.stop)
	watches.Wait()
	r.err = strays
	s.finish(r, waitErr)
}

// fork writes the container's description and starts the shell that becomes the runtime. It returns the writing end of its input.
func (s *place) fork(r *run, p sandbox.Process) (gate *os.File, err error) {
	d := s.driver
	description, err := json.Marshal(config(s.spec, s.ids, p))
	if err != nil {
		return nil, fmt.Errorf("describe container: %v", err)
	}
	// The program gets this end as its standard input, which some runtimes give to its user: it must not be a file of the host.
	input, gate, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %v", err)
	}
	defer input.Close()
	log := filepath.Join(boxDir, boxLog)
	args := append([]string{"sh", "-c", script, "sh", log, d.runtime.path}, d.runtime.options...)
	args = append(args, "--root", filepath.Join(boxDir, boxState), "--log", log, "--log-format", "json",
		"run", "--pid-file", filepath.Join(boxDir, boxPID), "--bundle", boxDir, s.spec.ID)
	r.cmd = &exec.Cmd{
		Path: "/bin/sh", Args: args, Dir: "/", Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, Stdin: input,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL,
			Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS},
	}
	r.cmd.Stdout, r.cmd.Stderr = tolerate(p.Stdout, p.Stderr)
	err = d.enter(s.mounts, func() error {
		// A runtime that was killed leaves its state.
		for _, name := range []string{boxState, boxPID} {
			if err := os.RemoveAll(filepath.Join(boxDir, name)); err != nil {
				return fmt.Errorf("remove state of the last container: %v", err)
			}
		}
		if err := os.WriteFile(filepath.Join(boxDir, "config.json"), description, 0o600); err != nil {
			return fmt.Errorf("describe container: %v", err)
		}
		if r.log, err = os.OpenFile(log, os.O_CREATE|os.O_TRUNC|os.O_RDONLY, 0o600); err != nil {
			return fmt.Errorf("make log of the runtime: %v", err)
		}
		if err := r.cmd.Start(); err != nil {
			return errors.Join(fmt.Errorf("start %s: %v", d.runtime.path, err), r.log.Close())
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, gate.Close())
	}
	return gate, nil
}

// finish tells how the run went. All processes of its PID namespace have ended, and the pipes with them.
func (s *place) finish(r *run, waitErr error) {
	status, ok := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		r.err = errors.Join(r.err, fmt.Errorf("wait for process: %v", waitErr))
	}
	killed, err := r.group.outOfMemory()
	if err != nil {
		r.err = errors.Join(r.err, fmt.Errorf("ask for memory: %v", err))
	}
	if r.usage, err = r.group.usage(); err != nil {
		r.err = errors.Join(r.err, err)
	}
	if err := r.group.remove(); err != nil {
		r.err = errors.Join(r.err, err)
	}
	r.exit = exitOf(status)
	r.exit.OutOfMemory = r.exit.Signal == int(syscall.SIGKILL) && (killed > 0 || r.tooMuch.Load())
	if r.exit.Code > 0 {
		r.err = errors.Join(r.err, runtimeError(r.log))
	}
	r.log.Close() // was only read
}

// fatal are the signals n that exit status 128+n of a runtime stands for. The other numbers programs use as statuses of their own,
// as Lambda's Node.js runtime 128 and 129.
var fatal = map[syscall.Signal]bool{
	syscall.SIGINT: true, syscall.SIGQUIT: true, syscall.SIGILL: true, syscall.SIGTRAP: true, syscall.SIGABRT: true,
	syscall.SIGBUS: true, syscall.SIGFPE: true, syscall.SIGKILL: true, syscall.SIGUSR1: true, syscall.SIGSEGV: true,
	syscall.SIGUSR2: true, syscall.SIGPIPE: true, syscall.SIGALRM: true, syscall.SIGTERM: true, syscall.SIGXCPU: true,
	syscall.SIGXFSZ: true, syscall.SIGSYS: true,
}

func exitOf(status syscall.WaitStatus) sandbox.Exit {
	if status.Signaled() {
		return sandbox.Exit{Code: -1, Signal: int(status.Signal())}
	}
	code := status.ExitStatus()
	if signal := syscall.Signal(code - 128); fatal[signal] {
		return sandbox.Exit{Code: -1, Signal: int(signal)}
	}
	return sandbox.Exit{Code: code}
}

func (r *run) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// kill ends the PID namespace's init, and so all in it. The others get their signals here, because among a thousand that fork or
// spin it would take half a minute until the init has the CPU time to die and the kernel goes on to them.
func (r *run) kill() error {
	if err := r.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill process: %v", err)
	}
	pids, err := r.group.processes()
	if err == nil {
		err = r.group.kill(pids)
	}
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENODEV) {
		return nil // the group is gone, and all processes with it
	}
	return err
}

func (s *place) current() *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.run
}

func (s *place) Wait(ctx context.Context) (sandbox.Exit, error) {
	r := s.current()
	if r == nil {
		return sandbox.Exit{}, sandbox.ErrNotRunning
	}
	select {
	case <-r.done:
		return r.exit, r.err
	case <-ctx.Done():
		return sandbox.Exit{}, fmt.Errorf("wait for process: %w", ctx.Err())
	}
}

func (s *place) Kill() error {
	if r := s.current(); r != nil {
		return r.kill()
	}
	return nil
}

func (s *place) Signal(signal int) error {
	r := s.current()
	if r == nil || r.ended() {
		return sandbox.ErrNotRunning
	}
	pid, err := r.program()
	if err == nil && pid == 0 {
		return sandbox.ErrNotRunning
	}
	if err == nil {
		err = syscall.Kill(pid, syscall.Signal(signal))
	}
	if errors.Is(err, syscall.ESRCH) {
		return sandbox.ErrNotRunning
	}
	if err != nil {
		return fmt.Errorf("send signal %d: %v", signal, err)
	}
	return nil
}

func (s *place) Usage() (sandbox.Usage, error) {
	r := s.current()
	if r == nil {
		return sandbox.Usage{}, nil
	}
	var u sandbox.Usage
	var err error
	if r.ended() {
		u = r.usage
	} else if u, err = r.group.usage(); err != nil {
		// The group goes when the process ends, which may be now.
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENODEV) {
			return sandbox.Usage{}, err
		}
		<-r.done
		u = r.usage
	}
	// The kernel's peak has files in it, the limit has not.
	u.MemoryPeakBytes = min(u.MemoryPeakBytes, s.spec.Limits.MemoryBytes)
	return u, nil
}

func (s *place) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	r := s.run
	s.mu.Unlock()
	var errs []error
	if r != nil {
		errs = append(errs, r.kill())
		<-r.done
	}
	errs = append(errs, closeAll(s.listeners), s.mounts.Close())
	s.driver.unregister(s)
	return errors.Join(errs...)
}

// watchTime is how often memory is looked at.
const watchTime = 100 * time.Millisecond

// watchMemory kills the process when its anonymous memory is above the limit: the kernel's own limit counts the files of /tmp
// too, and allows for them.
func (s *place) watchMemory(r *run) {
	ticker := time.NewTicker(watchTime)
	defer ticker.Stop()
	limit := s.spec.Limits.MemoryBytes
	for {
		select {
		case <-r.stop:
			return
		case <-ticker.C:
		}
		// An error means that the group is being removed, or that the machine is in trouble, where the kernel's limit still holds.
		if over, err := r.group.over(limit); err != nil || !over {
			continue
		}
		r.tooMuch.Store(true)
		if r.kill() == nil {
			return
		}
	}
}

// tolerate wraps the writers of a process so that one that fails loses its own output and nothing else. A file goes to the process
// itself.
func tolerate(stdout, stderr io.Writer) (io.Writer, io.Writer) {
	wrap := func(w io.Writer) io.Writer {
		if f, ok := w.(*os.File); ok {
			return f
		}
		return &tolerant{writer: w}
	}
	out := wrap(stdout)
	if same(stdout, stderr) {
		return out, out
	}
	return out, wrap(stderr)
}

// same compares writers; those of types that cannot be compared are not the same.
func same(a, b io.Writer) (equal bool) {
	defer func() { _ = recover() }()
	return a == b
}

// tolerant hands on until an error, and discards after it. nil discards everything.
type tolerant struct {
	writer io.Writer
	failed bool
}

func (t *tolerant) Write(p []byte) (int, error) {
	if t.writer != nil && !t.failed {
		_, err := t.writer.Write(p)
		t.failed = err != nil
	}
	return len(p), nil
}
