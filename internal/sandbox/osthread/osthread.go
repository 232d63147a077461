// Package osthread runs functions on one operating system thread.
//
// Some state of Linux belongs to a thread: its namespaces, and the "parent" whose death PR_SET_PDEATHSIG reports. A child that
// must die with the server has to be started from a thread that lives as long as the server; Go ends threads at will, so the
// drivers start all children here. Functions run one after the other and must be short. A Thread is safe for concurrent use.
package osthread

import (
	"errors"
	"runtime"
	"sync"
)

// ErrClosed means that the thread has ended.
var ErrClosed = errors.New("thread is closed")

// Thread is one operating system thread.
type Thread struct {
	calls  chan func()
	closed chan struct{}
	once   sync.Once
	done   sync.WaitGroup
}

// New starts a thread and runs setup on it. The thread is never used for anything else and ends with Close; whatever setup
// does to it (namespaces, …) needs no undoing.
func New(setup func() error) (*Thread, error) {
	t := &Thread{calls: make(chan func()), closed: make(chan struct{})}
	ready := make(chan error, 1)
	t.done.Go(func() {
		runtime.LockOSThread()
		if isMain() {
			// The main thread stands for the whole process in /proc/self: hold it, so that a further goroutine gets another.
			defer runtime.UnlockOSThread()
			var other sync.WaitGroup
			other.Go(func() {
				runtime.LockOSThread()
				t.run(setup, ready)
			})
			other.Wait()
			return
		}
		t.run(setup, ready) // never unlocked: the thread ends with this goroutine
	})
	if err := <-ready; err != nil {
		t.done.Wait()
		return nil, err
	}
	return t, nil
}

func (t *Thread) run(setup func() error, ready chan<- error) {
	err := setup()
	ready <- err
	if err != nil {
		return
	}
	for {
		select {
		case f := <-t.calls:
			f()
		case <-t.closed:
			return
		}
	}
}

// Do runs f on the thread and returns its error, or ErrClosed.
func (t *Thread) Do(f func() error) error {
	result := make(chan error, 1)
	select {
	case t.calls <- func() { result <- f() }:
		return <-result
	case <-t.closed:
		return ErrClosed
	}
}

// Close ends the thread after the function that runs. Children that watch for its death get their signal.
func (t *Thread) Close() {
	t.once.Do(func() { close(t.closed) })
	t.done.Wait()
}
