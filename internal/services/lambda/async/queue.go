package async

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/store"
)

// Function is what the function of an event is when the event is delivered.
type Function struct {
	// Version that runs.
	Version string
	// Role is the ARN of the execution role.
	Role string
	// Blocked tells that the function has reserved a concurrency of zero.
	Blocked bool
	// TraceID of a run; Looping tells that it would be one of too many in a chain of calls.
	TraceID string
	Looping bool
	// RetryLimit is how often it runs again after an error, MaxAge how old an event may get.
	RetryLimit int
	MaxAge     time.Duration
	// OnSuccess, OnFailure and DeadLetter are ARNs; "" for none.
	OnSuccess, OnFailure, DeadLetter string
	// Run runs it once. An error says that it did not run.
	Run func(context.Context, execution.Invocation) (execution.Result, error)
}

// Functions knows functions.
type Functions interface {
	// Function finds the function of an event. The error wraps store.ErrNotFound where it, or its qualifier, is not there.
	Function(ctx context.Context, e *Event) (Function, error)
}

// Role is the session of an execution role.
type Role struct {
	ARN string
	// Function is the unqualified ARN of the function that it is the role of, and Name its name.
	Function, Name  string
	Account, Region string
	// TraceID of what the call is part of; "" for none.
	TraceID string
}

// Roles acts as execution roles.
type Roles interface {
	// Act makes a call of another service, or of this one, with the session of a role: it is judged and recorded as any.
	Act(ctx context.Context, as Role, service, operation string, in any) error
}

// Nodes are the servers that share the store.
type Nodes interface {
	// ID is that of this one.
	ID() string
	// Alone tells whether there can be no other.
	Alone() bool
	// Alive tells whether a server lives.
	Alive(r store.Reader, id string) (bool, error)
}

// Config is what a Queue needs. Every field without an "unset" is required.
type Config struct {
	DB        store.DB
	Functions Functions
	Roles     Roles
	Nodes     Nodes
	// Now is a clock that does not jump, and that those share who share the store.
	Now func() time.Time
	// Workers is how many events run at once. Unset: 256, whose payloads take up to 256 MB.
	Workers int
	Logger  *slog.Logger
}

// Queue is the events of all functions.
type Queue struct {
	config  Config
	metrics *metrics
	// wake asks Run to look for work.
	wake chan struct{}
	// unwatch ends what Open began.
	unwatch func()
	// runs are the goroutines that deliver events.
	runs sync.WaitGroup

	mu      sync.Mutex
	lines   map[string]*line
	running int
	closed  bool // nothing is started any more
}

// New makes a queue. Open and Run make it work.
func New(c Config) *Queue {
	if c.Workers == 0 {
		c.Workers = 256
	}
	return &Queue{config: c, metrics: newMetrics(), wake: make(chan struct{}, 1), unwatch: func() {}, lines: map[string]*line{}}
}

// page is how many events are read in one View.
const page = 1000

// Open finds what was left from before. It must return before the first Accept.
func (q *Queue) Open(ctx context.Context) error {
	q.unwatch = q.config.DB.Watch(q.watch)
	if err := q.count(ctx); err != nil {
		return err
	}
	return q.adopt(ctx)
}

// count finds the events of this server.
func (q *Queue) count(ctx context.Context) error {
	for after := ""; ; {
		var items []store.Item
		err := q.config.DB.View(ctx, func(r store.Reader) (err error) {
			items, err = r.Scan(q.mine(), after, page)
			return err
		})
		if err != nil {
			return fmt.Errorf("read the events that wait: %w", err)
		}
		for _, item := range items {
			e, err := store.DecodeJSON[Event](item)
			if err != nil {
				return err
			}
			q.added(&e)
			after = item.Key
		}
		if len(items) < page {
			return nil
		}
	}
}

// Run delivers events until ctx ends, and returns when those that run have ended. It is called once. Whoever ends ctx ends the runner, too.
func (q *Queue) Run(ctx context.Context) error {
	defer q.unwatch()
	if !q.config.Nodes.Alone() {
		q.runs.Go(func() { q.keepAdopting(ctx) })
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			q.close()
			q.runs.Wait()
			return nil
		case <-q.wake:
		case <-timer.C:
		}
		next, err := q.start(ctx)
		if err != nil {
			if ctx.Err() == nil {
				q.config.Logger.ErrorContext(ctx, "Events of functions could not be read.", slog.Any("err", err))
			}
			next = q.config.Now().Add(trouble)
		}
		timer.Stop()
		if !next.IsZero() {
			timer.Reset(max(0, next.Sub(q.config.Now())))
		}
	}
}

// close sees to it that nothing is started any more.
func (q *Queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

// watch looks again at lines whose events were deleted, with their function, here or by another server.
func (q *Queue) watch(changed []string) {
	for _, key := range changed {
		prefix, several := strings.CutSuffix(key, "*")
		if !several || !strings.HasPrefix(prefix, q.mine()) && !strings.HasPrefix(q.mine(), prefix) {
			continue
		}
		q.mu.Lock()
		for name, l := range q.lines {
			if line := q.mine() + name; strings.HasPrefix(line, prefix) {
				l.next = time.Time{}
			}
		}
		q.mu.Unlock()
		q.look()
	}
}

// added counts an event that is new.
func (q *Queue) added(e *Event) {
	q.metrics.depth.Inc()
	q.mu.Lock()
	l := q.lineOf(e)
	l.depth++
	l.moves++
	q.mu.Unlock()
	q.expect(e)
}

// removed counts an event that has ended.
func (q *Queue) removed(e *Event) {
	q.metrics.depth.Dec()
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lineOf(e)
	l.depth--
	l.moves++
}

// missing looks again at the line of an event that is not there any more, but was not removed by this server.
func (q *Queue) missing(e *Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lineOf(e).next = time.Time{}
}

// expect tells that an event is due.
func (q *Queue) expect(e *Event) {
	q.mu.Lock()
	l := q.lineOf(e)
	l.changed = true
	if e.Due.Before(l.next) {
		l.next = e.Due
	}
	q.mu.Unlock()
	q.look()
}

// look wakes Run.
func (q *Queue) look() {
	select {
	case q.wake <- struct{}{}:
	default: // it will look anyhow
	}
}

// lineOf finds or makes the line of an event. q.mu is held.
func (q *Queue) lineOf(e *Event) *line {
	name := lineOf(e.Function)
	l := q.lines[name]
	if l == nil {
		l = newLine(name, q.config.Workers)
		q.lines[name] = l
	}
	return l
}

// tidy forgets a line without events. Its depth alone does not tell: an event that was removed before the line was read, and counted after it,
// is missing twice, until it is read whole again. q.mu is held.
func (q *Queue) tidy(l *line) {
	if l.depth <= 0 && len(l.running) == 0 && l.next.Equal(never) && q.lines[l.name] == l {
		delete(q.lines, l.name)
	}
}

// errClosed says that an event did not run, or not to its end, because the server stops. It stays where it is.
var errClosed = errors.New("the server stops")
