package execution

import (
	"slices"
	"sync/atomic"
	"time"
)

// An environment that is about to be free is better than a new one, whose start takes milliseconds of CPU time and whose memory stays:
// an invocation that finds none idle waits, when it can expect one soon.
const (
	// shortWait is how long an invocation may expect to wait in the place of a start.
	shortWait = time.Millisecond
	// longestWait is when it has waited in vain (Manager.longestWait).
	longestWait = 10 * time.Millisecond
	// limitWait is the same where the alternative is to throttle: a caller who has had an answer may count on its concurrency being free,
	// however busy the machine is.
	limitWait = time.Second
)

// queue is that of a pool; what is not atomic is guarded by Manager.mu.
type queue struct {
	waiting []*waiter
	// settling counts environments that have answered, and only have to ask for their next event.
	settling atomic.Int32
	typical  time.Duration // how long the last invocations held an environment, about
}

// waiter waits for an environment. It gets none when it is only to look again.
type waiter struct{ turn chan *environment }

// promising says whether one more invocation should wait.
func (q *queue) promising(environments int) bool {
	ahead := len(q.waiting)
	if ahead < int(q.settling.Load()) {
		return true
	}
	return environments > 0 && q.typical > 0 && q.typical*time.Duration(ahead+1)/time.Duration(environments) <= shortWait
}

// took notes how long an invocation held an environment.
func (q *queue) took(d time.Duration) {
	if q.typical == 0 {
		q.typical = d
		return
	}
	q.typical += (d - q.typical) / 8
}

// next gives e to the invocation that has waited the longest, and says whether there was one.
func (q *queue) next(e *environment) bool {
	if len(q.waiting) == 0 {
		return false
	}
	q.waiting[0].turn <- e // has room
	q.waiting = slices.Delete(q.waiting, 0, 1)
	return true
}

// wait waits for an environment of p as long as it may. m.mu is held, and given up meanwhile. It may return nil.
func (m *Manager) wait(p *pool, long time.Duration) *environment {
	w := &waiter{turn: make(chan *environment, 1)}
	p.queue.waiting = append(p.queue.waiting, w)
	m.mu.Unlock()
	longest := time.NewTimer(long)
	defer longest.Stop()
	select {
	case e := <-w.turn:
		m.mu.Lock()
		return e
	case <-longest.C:
	case <-m.lifetime.Done():
	}
	m.mu.Lock()
	select {
	case e := <-w.turn: // in the last moment
		return e
	default:
	}
	p.queue.waiting = slices.DeleteFunc(p.queue.waiting, func(other *waiter) bool { return other == w })
	return nil
}
