package execution

import (
	"slices"
	"sync"
	"time"
)

const (
	// startShare is how long a start may keep others waiting: one that takes longer waits for something else than this machine
	// (starts.share).
	startShare = time.Second
	// firstShare is the same of the first invocation after the start: of a fast function the next in line takes this environment in the
	// place of one more (Manager.firstShare).
	firstShare = 2 * time.Millisecond
)

// starts bounds how many environments start at once, so that each of a rush of them gets on. Functions take turns, however many
// environments one of them needs.
type starts struct {
	limit int
	share time.Duration
	idle  func() // called when nothing starts any more

	mu        sync.Mutex
	running   int
	functions []string           // those that wait, the next one first
	waiting   map[string][]*turn // by function, not empty
}

func newStarts(limit int, idle func()) *starts {
	return &starts{limit: limit, share: startShare, idle: idle, waiting: map[string][]*turn{}}
}

// turn is the right to start an environment, for somebody who waits for it or has it. Nil is never there.
type turn struct {
	starts   *starts
	function string
	there    chan struct{} // closed when it is there
	share    *time.Timer   // ends it; nil before it is there; guarded by starts.mu, as is the rest
	over     bool
}

// line asks for a turn of a function, which may be there at once. It must be ended.
func (s *starts) line(function string) *turn {
	t := &turn{starts: s, function: function, there: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running < s.limit { // and so nobody waits
		s.running++
		t.give()
		return t
	}
	if len(s.waiting[function]) == 0 {
		s.functions = append(s.functions, function)
	}
	s.waiting[function] = append(s.waiting[function], t)
	return t
}

// give makes the turn be there. starts.mu is held.
func (t *turn) give() {
	t.share = time.AfterFunc(t.starts.share, t.end)
	close(t.there)
}

// ready is closed when the turn is there.
func (t *turn) ready() <-chan struct{} {
	if t == nil {
		return nil
	}
	return t.there
}

// given tells whether the turn is there.
func (t *turn) given() bool {
	select {
	case <-t.ready():
		return true
	default:
		return false
	}
}

// shorten leaves the turn no more than its share of the first invocation. Nil has none.
func (t *turn) shorten(share time.Duration) {
	if t == nil {
		return
	}
	t.starts.mu.Lock()
	defer t.starts.mu.Unlock()
	if !t.over {
		t.share.Reset(share)
	}
}

// end gives the turn to the next in line, or leaves the line. It may be called more than once.
func (t *turn) end() {
	if t.leave() {
		t.starts.idle()
	}
}

// leave is end, and tells whether nothing starts any more because of it.
func (t *turn) leave() (idle bool) {
	s := t.starts
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.over {
		return false
	}
	t.over = true
	if t.share == nil {
		s.drop(t)
		return false
	}
	t.share.Stop()
	return s.next()
}

// next gives a turn to the next function, and tells whether there is none and nothing starts. mu is held.
func (s *starts) next() (idle bool) {
	if len(s.functions) == 0 {
		s.running--
		return s.running == 0
	}
	function := s.functions[0]
	first := s.waiting[function][0]
	s.drop(first)
	if len(s.waiting[function]) > 0 { // again, after the others
		s.functions = append(slices.DeleteFunc(s.functions, func(f string) bool { return f == function }), function)
	}
	first.give()
	return false
}

// drop takes a turn out of the line. mu is held.
func (s *starts) drop(t *turn) {
	line := s.waiting[t.function]
	line = slices.DeleteFunc(line, func(other *turn) bool { return other == t })
	if len(line) > 0 {
		s.waiting[t.function] = line
		return
	}
	delete(s.waiting, t.function)
	s.functions = slices.DeleteFunc(s.functions, func(f string) bool { return f == t.function })
}

// busy tells whether an environment starts.
func (s *starts) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running > 0
}
