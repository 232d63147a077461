// Package tail hands log events to Live Tail sessions as they come.
//
// It keeps events in memory only, and of a session no more than one update has: 500 events and 1 MiB. It knows nothing of stores and
// protocols, and decides nothing. A Hub is safe for concurrent use; Publish never waits for a session. After Close all sessions end and
// none begins.
//
// Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html, and for the limits
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html.
package tail

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Life is how long a session lasts.
	Life = 3 * time.Hour
	// interval is the time between updates.
	interval = time.Second
	// maxEvents and maxBytes bound an update; of more events it is a sample. That bytes count is ours.
	maxEvents = 500
	maxBytes  = 1 << 20
	// maxSessions bounds the sessions of an account.
	maxSessions = 15
)

var (
	// ErrTimeout ends a session of which the life is over.
	ErrTimeout = errors.New("tail: the session's time is over")
	// ErrClosed ends sessions when the server stops.
	ErrClosed = errors.New("tail: the server stops")
	// ErrTooMany says that an account has as many sessions as it may.
	ErrTooMany = errors.New("tail: too many sessions")
)

// Event is a log event.
type Event struct {
	Group     string // as the client named it
	Stream    string
	Message   string
	Timestamp int64 // milliseconds
	Ingested  int64 // milliseconds
}

// Update is what came since the one before.
type Update struct {
	Events  []Event // in order of time
	Sampled bool    // there were more
}

// Selection says which events a session wants.
type Selection struct {
	Account string
	// Groups are the ids of log groups, with how the client named them.
	Groups map[string]string
	// Streams are names, Prefixes the starts of names; both empty for all.
	Streams, Prefixes []string
	// Means tells whether a message is meant.
	Means func(message string) bool
}

func (s *Selection) wants(stream string) bool {
	if len(s.Streams)+len(s.Prefixes) == 0 || slices.Contains(s.Streams, stream) {
		return true
	}
	return slices.ContainsFunc(s.Prefixes, func(prefix string) bool { return strings.HasPrefix(stream, prefix) })
}

// Hub knows the sessions. The zero value is ready.
type Hub struct {
	open atomic.Int32 // sessions, to be read without mu

	mu       sync.RWMutex
	sessions map[*Session]struct{}
	closed   bool
}

// Session is one client's.
type Session struct {
	hub       *Hub
	selection Selection
	end       chan struct{} // closed by Hub.Close

	mu     sync.Mutex
	events []Event
	bytes  int
	seen   int // events since the last update
}

// Open begins a session, which ends with Run, or with ctx. The error is ErrTooMany or ErrClosed.
func (h *Hub) Open(ctx context.Context, selection Selection) (*Session, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	of := 0
	for s := range h.sessions {
		if s.selection.Account == selection.Account {
			of++
		}
	}
	if of >= maxSessions {
		return nil, ErrTooMany
	}
	if h.sessions == nil {
		h.sessions = make(map[*Session]struct{})
	}
	s := &Session{hub: h, selection: selection, end: make(chan struct{})}
	h.sessions[s] = struct{}{}
	h.open.Add(1)
	context.AfterFunc(ctx, s.leave)
	return s, nil
}

// Close ends all sessions.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	for s := range h.sessions {
		close(s.end)
	}
}

// Watched tells whether there are sessions at all: without, Publish has nothing to do.
func (h *Hub) Watched() bool { return h.open.Load() > 0 }

// Wants tells whether a session follows a group: without, what comes to it need not be published.
func (h *Hub) Wants(group string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for s := range h.sessions {
		if _, ok := s.selection.Groups[group]; ok {
			return true
		}
	}
	return false
}

// Publish tells sessions of events that came to a stream of a group. Their groups are filled in.
func (h *Hub) Publish(group, stream string, events []Event) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for s := range h.sessions {
		if name, ok := s.selection.Groups[group]; ok && s.selection.wants(stream) {
			for _, e := range events {
				if s.selection.Means(e.Message) {
					e.Group = name
					s.take(e)
				}
			}
		}
	}
}

// take keeps an event, or lets chance decide: each event since the last update has the same chance to be in the next.
func (s *Session) take(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen++
	if len(s.events) < maxEvents && s.bytes+len(e.Message) <= maxBytes {
		s.events = append(s.events, e)
		s.bytes += len(e.Message)
		return
	}
	i := rand.IntN(s.seen)
	if i < len(s.events) && s.bytes-len(s.events[i].Message)+len(e.Message) <= maxBytes {
		s.bytes += len(e.Message) - len(s.events[i].Message)
		s.events[i] = e
	}
}

// update takes out what came.
func (s *Session) update() Update {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := Update{Events: s.events, Sampled: s.seen > len(s.events)}
	s.events, s.bytes, s.seen = nil, 0, 0
	slices.SortStableFunc(u.Events, func(a, b Event) int { return int(a.Timestamp - b.Timestamp) })
	return u
}

// Run sends an update every second, also one without events, until ctx ends or send fails, whose error it returns, ErrTimeout or ErrClosed.
func (s *Session) Run(ctx context.Context, send func(Update) error) error {
	defer s.leave()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	over := time.NewTimer(Life)
	defer over.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.end:
			return ErrClosed
		case <-over.C:
			return ErrTimeout
		case <-tick.C:
			if err := send(s.update()); err != nil {
				return err
			}
		}
	}
}

func (s *Session) leave() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if _, there := s.hub.sessions[s]; there {
		delete(s.hub.sessions, s)
		s.hub.open.Add(-1)
	}
}
