//go:build linux

package linux

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/licet/licet/internal/sandbox"
	"github.com/licet/licet/internal/sandbox/stdio"
)

// place is one sandbox.
type place struct {
	Ground
	starter   Starter
	slot      int
	listeners map[string]net.Listener

	mu     sync.Mutex // above the fields below, and Ground.Spec.Limits
	closed bool
	broken error         // what makes the sandbox useless
	runs   map[*run]bool // that have not ended
	watch  chan struct{} // closed when the last of them has; nil when none runs
}

// run is one process tree of a sandbox.
type run struct {
	place *place
	task  Task
	out   *stdio.Pipes
	kills int64 // processes that the kernel had killed for their memory before
	// tooMuch is set before the process is killed for its memory.
	tooMuch atomic.Bool
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

func (s *place) Path(target string) string { return target }

func (s *place) Start(ctx context.Context, p sandbox.Process) (sandbox.Running, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start process: %w", err)
	}
	if len(p.Args) == 0 {
		return nil, fmt.Errorf("start process: no program given: %w", sandbox.ErrExec)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	r, err := s.start(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("start process: %w", err)
	}
	return r, nil
}

// usable is called with the lock.
func (s *place) usable() error {
	if s.closed {
		return sandbox.ErrClosed
	}
	return s.broken
}

// start is called with the lock.
func (s *place) start(ctx context.Context, p sandbox.Process) (_ *run, err error) {
	kills, err := s.group.outOfMemory()
	if err != nil {
		return nil, fmt.Errorf("ask for memory: %v", err)
	}
	// The init that each process has is not the function's.
	if err := s.group.allow(s.Spec.Limits.Processes + int64(len(s.runs)) + 1); err != nil {
		return nil, err
	}
	meter, err := s.meter()
	if err != nil {
		return nil, fmt.Errorf("ask for memory: %v", err)
	}
	defer func() {
		if err != nil {
			meter.close()
		}
	}()
	out, err := stdio.New(p.Stdout, p.Stderr)
	if err != nil {
		return nil, err
	}
	p.Stdout, p.Stderr = out.Stdout, out.Stderr
	task, err := s.starter.Start(ctx, p)
	out.CloseWriteEnds()
	if err != nil {
		out.Wait()
		return nil, err
	}
	r := &run{place: s, task: task, out: out, kills: kills, done: make(chan struct{})}
	s.runs[r] = true
	if s.watch == nil {
		s.watch = make(chan struct{})
		go s.watchMemory(meter, s.watch)
	}
	go r.attend()
	return r, nil
}

// attend owns a run from its start to its end.
func (r *run) attend() {
	defer close(r.done)
	r.exit, r.err = r.task.Wait()
	r.out.Wait()
	kills, err := r.place.group.outOfMemory()
	if err != nil {
		r.err = errors.Join(r.err, fmt.Errorf("ask for memory: %v", err))
	}
	r.exit.OutOfMemory = r.exit.Signal == int(syscall.SIGKILL) && (kills > r.kills || r.tooMuch.Load())
	r.place.forget(r)
}

// forget takes a run that has ended from the list.
func (s *place) forget(r *run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.runs, r)
	if err := s.group.allow(s.Spec.Limits.Processes + int64(len(s.runs))); err != nil { // it may be 0: KillMembers
		s.broken = errors.Join(s.broken, err)
	}
	if len(s.runs) == 0 {
		close(s.watch)
		s.watch = nil
	}
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

// Kill ends the PID namespace's init, and so all in it. The others get their signals here, because among a thousand that fork or
// spin it would take half a minute until the init has the CPU time to die and the kernel goes on to them.
func (r *run) Kill() error {
	if r.ended() {
		return nil
	}
	// The init is the last, because with it goes the namespace by which the others are found. It ends also when they cannot be found, as by a
	// server that can open no more files: somebody waits for it.
	err := r.place.KillMembers(r.task.Init())
	if killed := syscall.Kill(r.task.Init(), syscall.SIGKILL); killed != nil && !errors.Is(killed, syscall.ESRCH) {
		err = errors.Join(err, fmt.Errorf("kill process: %v", killed))
	}
	return err
}

func (r *run) Signal(signal int) error {
	if r.ended() {
		return sandbox.ErrEnded
	}
	pid, err := r.task.Program()
	if err == nil && pid == 0 {
		return sandbox.ErrEnded
	}
	if err == nil {
		err = syscall.Kill(pid, syscall.Signal(signal))
	}
	if errors.Is(err, syscall.ESRCH) {
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
	var runs []*run
	for r := range s.runs {
		runs = append(runs, r)
	}
	return runs
}

func (s *place) Kill() error {
	var errs []error
	for _, r := range s.running() {
		errs = append(errs, r.Kill())
	}
	return errors.Join(errs...)
}

func (s *place) Usage() (sandbox.Usage, error) {
	s.mu.Lock()
	closed, limit := s.closed, s.Spec.Limits.MemoryBytes
	s.mu.Unlock()
	if closed {
		return sandbox.Usage{}, sandbox.ErrClosed
	}
	u, err := s.group.usage()
	if err != nil {
		return sandbox.Usage{}, err
	}
	// The kernel's peak has files in it, the limit has not.
	u.MemoryPeakBytes = min(u.MemoryPeakBytes, limit)
	return u, nil
}

func (s *place) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	var errs []error
	for _, r := range s.running() {
		errs = append(errs, r.Kill())
		<-r.done
	}
	return errors.Join(append(errs, s.release())...)
}

// watchTime is how often memory is looked at.
const watchTime = 100 * time.Millisecond

// meter is what a watch reads; nil when there is one already.
func (s *place) meter() (*meter, error) {
	if s.watch != nil {
		return nil, nil
	}
	return s.group.meter()
}

// watchMemory kills what runs when its anonymous memory is above the limit: the kernel's own limit counts the files of /tmp too, and
// allows for them.
func (s *place) watchMemory(m *meter, stop <-chan struct{}) {
	defer m.close()
	ticker := time.NewTicker(watchTime)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		limit := s.Spec.Limits.MemoryBytes
		s.mu.Unlock()
		// An error means that the machine is in trouble, where the kernel's limit still holds.
		if over, err := m.over(limit); err != nil || !over {
			continue
		}
		for _, r := range s.running() {
			r.tooMuch.Store(true)
			_ = r.Kill() // or in the next round
		}
	}
}
