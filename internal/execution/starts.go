package execution

import (
	"context"
	"sync"
	"time"
)

// startShare is how long a start may keep others waiting: one that takes longer waits for something else than this machine.
const startShare = time.Second

// starts bounds how many environments start at once, so that each of a rush of them gets on. Functions take turns, however many
// environments one of them needs.
type starts struct {
	limit int
	idle  func() // called when nothing starts any more

	mu      sync.Mutex
	running int
	turns   []string                   // the functions that wait, the next one first
	waiting map[string][]chan struct{} // by function, not empty
}

func newStarts(limit int, idle func()) *starts {
	return &starts{limit: limit, idle: idle, waiting: map[string][]chan struct{}{}}
}

// begin waits for the turn of a function. end, which may be called more than once, gives it up. The error is ErrClosed: ctx is that
// of the manager, after whose end nothing starts.
func (s *starts) begin(ctx context.Context, function string) (end func(), err error) {
	if turn := s.line(function); turn != nil {
		select {
		case <-turn:
		case <-ctx.Done():
			return nil, ErrClosed
		}
	}
	once := sync.OnceFunc(s.end)
	share := time.AfterFunc(startShare, once)
	return func() {
		share.Stop()
		once()
	}, nil
}

// line is nil when a start may begin at once; otherwise it is closed when it may.
func (s *starts) line(function string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running < s.limit { // and so nobody waits
		s.running++
		return nil
	}
	turn := make(chan struct{})
	if len(s.waiting[function]) == 0 {
		s.turns = append(s.turns, function)
	}
	s.waiting[function] = append(s.waiting[function], turn)
	return turn
}

// end passes a turn on.
func (s *starts) end() {
	if s.next() {
		s.idle()
	}
}

// next gives the turn to the next function, and tells whether there is none and nothing starts.
func (s *starts) next() (idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.turns) == 0 {
		s.running--
		return s.running == 0
	}
	function := s.turns[0]
	s.turns = s.turns[1:]
	line := s.waiting[function]
	close(line[0])
	if len(line) == 1 {
		delete(s.waiting, function)
		return false
	}
	s.waiting[function] = line[1:]
	s.turns = append(s.turns, function)
	return false
}

// busy tells whether an environment starts.
func (s *starts) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running > 0
}
