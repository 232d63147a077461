package subscription

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/licet/licet/internal/execution/platform"
)

// How often delivery is tried: after 50 ms, then twice as long each time, about six seconds in all.
const (
	tries      = 8
	firstPause = 50 * time.Millisecond
)

// fallenBehind is the reason for records that were dropped, as in telemetry-schema-reference.html.
const fallenBehind = "Consumer seems to have fallen behind as it has not acknowledged receipt of logs."

// buffering is how a subscriber gets its records: in batches of so many, so large, or that old.
type buffering struct {
	items, bytes int
	timeout      time.Duration
}

// subscriber is one extension's subscription.
type subscriber struct {
	name        string
	schema      platform.Schema
	kinds       []string
	buffering   buffering
	destination destination
	wake        chan struct{} // capacity 1: there may be a batch, or its time has changed

	mu      sync.Mutex
	queue   [][]byte
	bytes   int
	since   time.Time // of the first in queue
	hurried bool      // nothing waits for more
	dropped platform.LogsDropped
}

// tell puts t into the buffer.
func (s *subscriber) tell(t telling, jsonLogs bool) {
	if !slices.Contains(s.kinds, t.kind) {
		return
	}
	record, ok := t.render(s.schema, jsonLogs)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// One record is always taken: it may be larger than the buffer.
	if len(s.queue) > 0 && (len(s.queue) >= 2*s.buffering.items || s.bytes+len(record) > 2*s.buffering.bytes) {
		s.lose(len(record))
		return
	}
	if len(s.queue) == 0 {
		s.since = time.Now()
	}
	s.queue = append(s.queue, record)
	s.bytes += len(record)
	if len(s.queue) == 1 || s.full() {
		s.signal()
	}
}

// full is under mu.
func (s *subscriber) full() bool {
	return len(s.queue) >= s.buffering.items || s.bytes >= s.buffering.bytes
}

// lose is under mu.
func (s *subscriber) lose(bytes int) {
	s.dropped.Records++
	s.dropped.Bytes += bytes
}

func (s *subscriber) hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hurried = true
	s.signal()
}

func (s *subscriber) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// deliver runs until ctx ends.
func (s *subscriber) deliver(ctx context.Context) {
	defer s.destination.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		if batch, wait := s.take(time.Now()); wait > 0 {
			timer.Reset(wait)
			select {
			case <-s.wake:
			case <-timer.C:
			case <-ctx.Done():
			}
		} else if err := s.send(ctx, batch.all(time.Now())); err != nil {
			s.giveUp(batch)
		}
	}
}

// batch is what is delivered at a time, with the news of what was dropped before.
type batch struct {
	records [][]byte
	dropped platform.LogsDropped
}

func (b *batch) all(now time.Time) [][]byte {
	if b.dropped.Records == 0 {
		return b.records
	}
	return append(b.records, platform.Render(now, b.dropped.Type(), &b.dropped))
}

// take removes a batch that is due, or tells how long to wait for it.
func (s *subscriber) take(now time.Time) (b batch, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return batch{}, time.Hour // wake comes before
	}
	if wait = s.since.Add(s.buffering.timeout).Sub(now); wait > 0 && !s.full() && !s.hurried {
		return batch{}, wait
	}
	b = batch{s.queue, s.dropped}
	b.dropped.Reason = fallenBehind
	s.queue, s.bytes, s.dropped = nil, 0, platform.LogsDropped{}
	return b, 0
}

// giveUp counts a batch that could not be delivered as dropped.
func (s *subscriber) giveUp(b batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped.Records += b.dropped.Records
	s.dropped.Bytes += b.dropped.Bytes
	for _, record := range b.records {
		s.lose(len(record))
	}
}

// send delivers records, if need be by several tries.
func (s *subscriber) send(ctx context.Context, records [][]byte) error {
	pause := firstPause
	for try := 1; ; try++ {
		err := s.destination.send(ctx, records)
		if err == nil || try == tries {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause *= 2
	}
}
