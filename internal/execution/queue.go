package execution

import (
	"slices"
	"sync/atomic"
	"time"
)

// An environment that is about to be free is better than a new one, whose start takes milliseconds of CPU time and whose memory stays:
// an invocation that finds none idle waits, when it can expect one soon.
const (
	// shortWait is how long an invocation may expect to wait in the place of a start, whatever a start takes.
	shortWait = time.Millisecond
	// longestWait is when it has waited in vain (Manager.longestWait).
	longestWait = 10 * time.Millisecond
	// settleWait is the same where an environment has answered, and only has to ask for its next event.
	settleWait = 100 * time.Millisecond
	// limitWait is the same where the alternative is to throttle (Manager.limitWait): a caller who has had an answer may count on its
	// concurrency being free, however busy the machine is.
	limitWait = time.Second
	// crowdWait is the same where so many environments work that one more would only slow them down (Manager.crowded), if an invocation
	// takes less than fast.
	crowdWait = 50 * time.Millisecond
	fast      = 5 * time.Millisecond
	// crowdPause is how long nobody waits for that after one has waited in vain: some invocations take longer than others.
	crowdPause = time.Second
	// forever is for an invocation that waits for its turn to start, too.
	forever = 24 * time.Hour
)

// queue is that of a pool; what is not atomic is guarded by Manager.mu.
type queue struct {
	waiting []*waiter
	// settling counts environments that have answered, and only have to ask for their next event.
	settling atomic.Int32
	quick    time.Duration // how long the quicker ones of the last invocations held an environment
	start    time.Duration // how long the last start took
	pause    time.Time     // until then there is no crowd
}

// waiter waits for an environment. It gets none when it is only to look again.
type waiter struct {
	given chan *environment // capacity 1
	// next is the invocation that waits, if pass may begin it, and function what it is to run; nil: it looks for itself.
	next     *invocation
	function Function
	// begun is set when pass begins next, which is given its environment after that. It is guarded by Manager.mu.
	begun bool
}

func newWaiter() *waiter { return &waiter{given: make(chan *environment, 1)} }

// settles says whether more environments have answered than invocations wait.
func (q *queue) settles() bool { return len(q.waiting) < int(q.settling.Load()) }

// promising says whether one more invocation should wait: when it will have an environment in half the time of a start. Where the
// alternative is to throttle, that does not count.
func (q *queue) promising(environments int, full bool) bool {
	if q.settles() {
		return true
	}
	ahead := len(q.waiting)
	patience := shortWait
	if !full {
		patience = min(max(q.start/2, shortWait), longestWait/2)
	}
	return environments > 0 && q.quick > 0 && q.quick*time.Duration(ahead+1)/time.Duration(environments) <= patience
}

// crowded tells whether so many environments of p work that another one, although it is idle, would only slow them down: invocations
// are short, and the processors have enough to do. m.mu is held.
func (m *Manager) crowded(p *pool) bool {
	busy := p.size - len(p.idle) - len(p.provisioned)
	return busy >= m.crowd && p.queue.quick > 0 && p.queue.quick < fast && time.Now().After(p.queue.pause)
}

// patience is how long one more invocation should wait for an environment of p; 0 for not at all. refused says that it can have no other.
// m.mu is held.
func (m *Manager) patience(p *pool, refused bool) time.Duration {
	switch promising := p.queue.promising(p.size, refused); {
	case refused && promising:
		return m.limitWait
	case refused:
		return 0
	case m.crowded(p):
		return crowdWait
	case p.queue.settles():
		return max(m.longestWait, settleWait)
	case promising:
		return m.longestWait
	}
	return 0
}

// took notes how long an invocation held an environment. What took longer than others did counts little: on a busy machine all do, and
// more environments would make it worse.
func (q *queue) took(d time.Duration) {
	if q.quick == 0 || d < q.quick {
		q.quick = d
		return
	}
	q.quick += (d - q.quick) / 64
}

// disappointed notes that an invocation has waited in vain.
func (q *queue) disappointed() {
	q.quick *= 2
	q.pause = time.Now().Add(crowdPause)
}

// next gives e to the invocation that has waited the longest, and says whether there was one.
func (q *queue) next(e *environment) bool {
	if len(q.waiting) == 0 {
		return false
	}
	q.waiting[0].given <- e // has room
	q.waiting = slices.Delete(q.waiting, 0, 1)
	return true
}

// pass is release for e, whose runtime asks for an event. It begins what waits for e, if that may be, and returns its event: the one who
// waits for its end need not be woken before. Nil is none.
func (m *Manager) pass(e *environment) *event {
	w := m.successor(e)
	if w == nil {
		return nil
	}
	w.next.own(e)
	ev := w.next.beginWarm()
	w.given <- e // has room
	return ev
}

// successor ends an invocation's ownership of e. The waiter that it may return waits for an invocation that owns e now.
func (m *Manager) successor(e *environment) *waiter {
	if e.turn != nil { // its end is for release
		m.release(e, true)
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := e.pool
	now := time.Now()
	if m.closing || e.retired || len(p.queue.waiting) == 0 || p.queue.waiting[0].next == nil || !e.fresh(now) || !e.credentials.lasting(now) {
		m.give(e, true)
		return nil
	}
	w := p.queue.waiting[0]
	m.settled(e, now)
	m.running.Add(1) // it does not come to rest between the two
	defer m.running.Done()
	m.leave(p, e.count)
	c := m.counted(p, &w.function, w.function.Reserved == nil && e.provision == nil)
	if m.refusal(p, w.function, c) != "" {
		m.rest(e) // it looks for itself what is to be done
		return nil
	}
	p.queue.waiting = slices.Delete(p.queue.waiting, 0, 1)
	w.begun = true
	m.enter(p, c)
	e.entered = now
	e.counts(c)
	return w
}

// wait waits for an environment of p as long as it may, and until a turn to start is there, if one is given. m.mu is held, and given
// up meanwhile. It may return nil.
func (m *Manager) wait(p *pool, w *waiter, turn *turn, long time.Duration) *environment {
	p.queue.waiting = append(p.queue.waiting, w)
	m.keep(p)
	m.mu.Unlock()
	longest := time.NewTimer(long)
	defer longest.Stop()
	select {
	case e := <-w.given:
		m.mu.Lock()
		return e
	case <-turn.ready():
	case <-longest.C:
	case <-m.lifetime.Done():
	}
	m.mu.Lock()
	if w.begun { // in the last moment
		m.mu.Unlock()
		defer m.mu.Lock()
		return <-w.given
	}
	select {
	case e := <-w.given: // the same
		return e
	default:
	}
	p.queue.waiting = slices.DeleteFunc(p.queue.waiting, func(other *waiter) bool { return other == w })
	if turn == nil {
		p.queue.disappointed()
	}
	m.forget(p)
	return nil
}

// claim gives an invocation, which counts from now on, a new environment of p when it is its turn to start one, or one that becomes
// free before. m.mu is held.
func (m *Manager) claim(p *pool, f Function) (*environment, error) {
	c := m.counted(p, &f, f.Reserved == nil)
	m.enter(p, c)
	p.claims++
	turn := m.starts.line(f.ARN)
	e := m.free(p, turn)
	p.claims--
	switch {
	case m.closing:
		if e != nil {
			m.remove(e)
		}
		m.leave(p, c)
		m.forget(p)
		turn.end()
		return nil, ErrClosed
	case c.over(): // while it waited
		if e != nil {
			m.rest(e)
		}
		m.leave(p, c)
		m.forget(p)
		turn.end()
		return nil, ErrFenced
	case e != nil:
		e.entered = time.Now()
		turn.end()
	default:
		if p.account.environments >= m.config.MaxConcurrency {
			m.evict(p.account)
		}
		e = m.add(newEnvironment(m, f), p)
		e.turn = turn
	}
	e.counts(c)
	return e, nil
}

// free waits for an environment of p until it is the turn to start one, and then a little longer if one can be expected. It may return
// nil. m.mu is held, and given up meanwhile.
func (m *Manager) free(p *pool, turn *turn) (e *environment) {
	for e == nil && !m.closing && !turn.given() {
		e = m.wait(p, newWaiter(), turn, forever)
	}
	if long := m.patience(p, false); long > 0 && e == nil && !m.closing {
		e = m.wait(p, newWaiter(), nil, long)
	}
	return e
}

// started notes how long a start took, which is followed by its first invocation.
func (m *Manager) started(e *environment, took time.Duration) {
	e.turn.shorten(m.firstShare)
	m.mu.Lock()
	defer m.mu.Unlock()
	e.pool.queue.start = took
	e.entered = time.Now()
}
