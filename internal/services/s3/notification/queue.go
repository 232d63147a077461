package notification

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/licet/licet/internal/store"
)

// Delivery is an event for one target.
type Delivery struct {
	Kind    Kind            `json:"kind"`
	Target  string          `json:"target"` // ARN
	Bucket  string          `json:"bucket"`
	Source  string          `json:"source"` // the bucket's ARN
	Account string          `json:"account"`
	Region  string          `json:"region"`
	Payload json.RawMessage `json:"payload"`
	Made    time.Time       `json:"made"`
}

// ErrRefused is wrapped by the errors of a target that will not take a delivery however often it is tried: nobody may call it, or it is gone.
var ErrRefused = errors.New("notification: the target refuses")

// Targets are called as S3.
type Targets interface {
	// Deliver hands over a payload. That the target has taken it is durable.
	Deliver(ctx context.Context, d Delivery) error
	// Check tells whether the target would be called: it is there, and lets S3 in. It wraps ErrRefused when not.
	Check(ctx context.Context, d Delivery) error
}

const eventPrefix = "s3/event/"

// How deliveries go: how many at once, how many notes are read at once, how long a failure waits for its next trial, and for how long it is
// tried at all. AWS tells no numbers; asynchronous invocations wait for so long at most.
const (
	workers = 32
	page    = 256
	rest    = time.Second
	patient = 6 * time.Hour
)

// Queue are the events that wait.
type Queue struct {
	db      store.DB
	targets Targets
	now     func() time.Time
	logger  *slog.Logger
	noted   chan struct{} // capacity 1

	mu sync.Mutex
	// resting are notes that failed, with the time of their next trial; running are those that are being delivered.
	resting map[string]time.Time
	running map[string]bool
}

// New makes a queue; Run makes it work.
func New(db store.DB, targets Targets, now func() time.Time, logger *slog.Logger) *Queue {
	return &Queue{
		db: db, targets: targets, now: now, logger: logger, noted: make(chan struct{}, 1),
		resting: map[string]time.Time{}, running: map[string]bool{},
	}
}

// Note keeps an event for every target that it is for, in the transaction that makes it. order is unique in the store. owner is the canonical
// id of the bucket's owner.
func Note(tx store.Tx, c *Configuration, e *Event, order, owner, partition string) error {
	if c == nil {
		return nil
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		if !r.matches(e.Name, e.Key) {
			continue
		}
		payload, err := e.payload(r.ID, owner, partition)
		if err != nil {
			return fmt.Errorf("encode event: %w", err)
		}
		d := Delivery{
			Kind: r.Kind, Target: r.Target, Bucket: e.Bucket, Source: "arn:" + partition + ":s3:::" + e.Bucket,
			Account: e.Account, Region: e.Region, Payload: payload, Made: e.Made,
		}
		if err := store.PutJSON(tx, fmt.Sprintf("%s%s-%03d", eventPrefix, order, i), d); err != nil {
			return err
		}
	}
	return nil
}

// wake lets Run look for work.
func (q *Queue) wake() {
	select {
	case q.noted <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends, and returns when what was begun has ended.
func (q *Queue) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	defer store.WatchPrefix(q.db, eventPrefix, q.wake)()
	slots := make(chan struct{}, workers)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-q.noted:
		case <-timer.C:
		}
		if err := q.start(ctx, &running, slots); err != nil && ctx.Err() == nil {
			q.logger.ErrorContext(ctx, "Events of buckets could not be read.", slog.Any("err", err))
		}
		timer.Reset(rest)
	}
}

// start begins all that is due.
func (q *Queue) start(ctx context.Context, running *sync.WaitGroup, slots chan struct{}) error {
	for after := ""; ; {
		var notes []store.Item
		err := q.db.View(ctx, func(r store.Reader) (err error) {
			notes, err = r.Scan(eventPrefix, after, page)
			return err
		})
		if err != nil {
			return err
		}
		for _, note := range notes {
			after = note.Key
			if !q.take(note.Key) {
				continue
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				q.leave(note.Key, time.Time{})
				return nil
			}
			running.Go(func() {
				defer func() { <-slots }()
				q.deliver(ctx, note)
			})
		}
		if len(notes) < page {
			return nil
		}
	}
}

// take tells whether a note is due, and marks it as running.
func (q *Queue) take(key string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running[key] || q.resting[key].After(q.now()) {
		return false
	}
	q.running[key] = true
	return true
}

// leave ends a trial; a note that stays rests until a time.
func (q *Queue) leave(key string, until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.running, key)
	if until.IsZero() {
		delete(q.resting, key)
	} else {
		q.resting[key] = until
	}
}

// deliver tries a note once.
func (q *Queue) deliver(ctx context.Context, note store.Item) {
	err := q.try(ctx, note)
	if err == nil {
		q.leave(note.Key, time.Time{})
		return
	}
	q.leave(note.Key, q.now().Add(rest))
	if ctx.Err() == nil {
		q.logger.ErrorContext(ctx, "An event of a bucket could not be delivered, and will be again.", slog.Any("err", err))
	}
}

// try ends a note whose target took it or will never. A panic is a failure: the server would meet the note again at its start.
func (q *Queue) try(ctx context.Context, note store.Item) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	// It may have been delivered since it was read.
	err = q.db.View(ctx, func(r store.Reader) error { _, err := r.Get(note.Key); return err })
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	d, err := store.DecodeJSON[Delivery](note)
	if err != nil {
		return err
	}
	err = q.targets.Deliver(ctx, d)
	switch {
	case err == nil:
	case errors.Is(err, ErrRefused), q.now().Sub(d.Made) > patient:
		q.logger.WarnContext(ctx, "An event of a bucket is dropped: its target does not take it.",
			slog.String("bucket", d.Bucket), slog.String("target", d.Target), slog.Any("err", err))
	default:
		return err
	}
	return q.db.Update(ctx, func(tx store.Tx) error { return tx.Delete(note.Key) })
}
