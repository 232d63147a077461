package async

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"time"

	"github.com/licet/licet/internal/store"
)

const (
	// trouble is how long a line, or all of them, rest after a failure of the store.
	trouble = 10 * time.Second
	// pause is how long a line rests that cannot run a single event.
	pause = time.Second
	// batch is how many events of one line are started before others have their turn.
	batch = 32
	// growth is how many runs of a whole room must succeed before it grows by one.
	growth = 8
)

// never is after everything that is due.
var never = time.Unix(1<<40, 0)

// line is the events of one function. All is guarded by Queue.mu; only start adds to running.
type line struct {
	name string
	// depth is how many events it has, also those that run, and moves how often that was changed.
	depth, moves int
	// next: no event that does not run is due before. It may be early. changed tells that it was set since the line was read.
	next    time.Time
	changed bool
	// rest is until when nothing is started.
	rest time.Time
	// running are the keys of events that run.
	running map[string]struct{}
	// unwritten has, by their keys, what is still to be written of events that were dealt with while the store failed.
	unwritten map[string]func(context.Context) error
	// room is how many may run, and successes how many have since it changed.
	room, successes int
}

func newLine(name string, room int) *line {
	return &line{name: name, next: never, running: map[string]struct{}{}, unwritten: map[string]func(context.Context) error{}, room: room}
}

// start starts what is due as far as there is room, and tells when something will be due next: zero when only an event that ends, or a new
// one, can change what there is to do. It is called by one goroutine.
func (q *Queue) start(ctx context.Context) (next time.Time, err error) {
	for _, l := range q.waiting(&next) {
		due, err := q.startLine(ctx, l)
		if err != nil {
			return time.Time{}, err
		}
		if !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next, nil
}

// waiting are the lines that have something to do, in no order: all have the same chance when there is little room. next is when the
// first of the others is due.
func (q *Queue) waiting(next *time.Time) (ready []*line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.config.Now()
	for _, l := range q.lines {
		switch due := l.due(); {
		case !due.After(now):
			ready = append(ready, l)
		case due != never && (next.IsZero() || due.Before(*next)):
			*next = due
		}
	}
	return ready
}

// due is when the line may have something to do.
func (l *line) due() time.Time {
	if l.rest.After(l.next) {
		return l.rest
	}
	return l.next
}

// allowed is how many more events of a line may run now: it may have as many workers as it leaves free, one if any is free.
// q.mu is held.
func (q *Queue) allowed(l *line) int {
	free := q.config.Workers - q.running
	if q.closed || free <= 0 {
		return 0
	}
	n := (free - len(l.running)) / 2
	if len(l.running) == 0 {
		n = max(1, n)
	}
	return max(0, min(n, batch, l.room-len(l.running)))
}

// startLine starts what is due of a line. It gives the time of the next look that the line needs by itself.
func (q *Queue) startLine(ctx context.Context, l *line) (next time.Time, err error) {
	q.mu.Lock()
	// What runs is taken down before the line is read: an event that ends meanwhile may still be in what was read.
	running, allowed, moves := maps.Clone(l.running), q.allowed(l), l.moves
	l.changed = false
	q.mu.Unlock()
	if allowed == 0 {
		return time.Time{}, nil
	}
	limit := len(running) + allowed + 1
	var items []store.Item
	if err := q.config.DB.View(ctx, func(r store.Reader) (err error) {
		items, err = r.Scan(q.mine()+l.name, "", limit)
		return err
	}); err != nil {
		return time.Time{}, fmt.Errorf("read the events of %s: %w", l.name, err)
	}
	if len(items) < limit {
		q.recount(l, len(items), moves)
	}
	var first []*Event // of those that do not run
	for _, item := range items {
		if _, runs := running[item.Key]; runs {
			continue
		}
		e, err := store.DecodeJSON[Event](item)
		if err != nil {
			return time.Time{}, err
		}
		first = append(first, &e)
	}
	return q.startFirst(ctx, l, first, allowed), nil
}

// recount corrects the depth of a line that was read whole, if it has not changed since then: events may have gone without this server, with
// their function, or to another.
func (q *Queue) recount(l *line, depth, moves int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l.moves == moves && q.lines[l.name] == l {
		q.metrics.depth.Add(float64(depth - l.depth))
		l.depth = depth
	}
}

// startFirst starts those of the first events of a line that are due. They are one more than allowed, if the line has so many.
func (q *Queue) startFirst(ctx context.Context, l *line, first []*Event, allowed int) (next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lines[l.name] != l { // its function was deleted meanwhile
		return time.Time{}
	}
	now := q.config.Now()
	for len(first) > 0 && allowed > 0 && !q.closed && !first[0].Due.After(now) {
		e := first[0]
		l.running[q.key(e)] = struct{}{}
		q.running++
		q.metrics.running.Inc()
		q.runs.Go(func() { q.run(context.WithoutCancel(ctx), l, e) })
		first, allowed = first[1:], allowed-1
	}
	switch {
	case l.changed: // by what was not read yet
	case len(first) == 0:
		l.next = never
		q.tidy(l)
	default:
		l.next = first[0].Due
	}
	switch due := l.due(); {
	case due == never:
		return time.Time{}
	case !due.After(now) && q.allowed(l) == 0:
		return time.Time{} // until an event ends
	default:
		return due
	}
}

// run delivers an event and frees its worker.
func (q *Queue) run(ctx context.Context, l *line, e *Event) {
	end, err := q.safely(ctx, e)
	q.mu.Lock()
	now := q.config.Now()
	delete(l.running, q.key(e))
	q.running--
	switch {
	case err != nil: // the event is where it was
		l.rest, l.next = now.Add(trouble), now
	case end == throttled:
		l.shrink(now)
	case end == ran:
		l.grow(q.config.Workers)
	}
	q.tidy(l)
	q.mu.Unlock()
	q.metrics.running.Dec()
	switch {
	case errors.Is(err, errClosed):
		q.close()
	case err != nil:
		q.metrics.troubles.Inc()
		q.config.Logger.ErrorContext(ctx, "An event of a function could not be delivered, and will be again.",
			slog.String("function", e.Function.ARN()), slog.String("request_id", e.RequestID), slog.Any("err", err))
	}
	q.look()
}

// safely is deliver for a goroutine that knows no other end: a panic must not end the server, which would meet the event again at its start.
func (q *Queue) safely(ctx context.Context, e *Event) (end ending, err error) {
	defer func() {
		if p := recover(); p != nil {
			end, err = other, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return q.deliver(ctx, e)
}

// shrink takes room from a line that was throttled: what still runs is what the function can take.
func (l *line) shrink(now time.Time) {
	l.room, l.successes = max(1, min(l.room-1, len(l.running))), 0
	if len(l.running) == 0 {
		l.rest = now.Add(pause)
	}
}

// grow gives room to a line that was not.
func (l *line) grow(most int) {
	if l.successes++; l.successes >= growth*l.room {
		l.room, l.successes = min(l.room+1, most), 0
	}
}
