package sqs

import (
	"context"
	"sync"
	"time"
)

// The limits of batches under way: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html.
const (
	leastBatches = 5
	defaultMost  = 1250
	// growth is the time in which the limit grows by one: 300 in a minute.
	growth = time.Minute / 300
)

// slots are the places of batches.
type slots struct {
	now  func() time.Time
	most int
	// freed tells take that there may be a place. Capacity 1.
	freed chan struct{}

	mu           sync.Mutex
	taken, limit int
	grown        time.Time
}

func newSlots(most int, now func() time.Time) *slots {
	return &slots{now: now, most: most, limit: min(leastBatches, most), freed: make(chan struct{}, 1)}
}

// take waits for a place. One goroutine calls it. It is false when ctx ends first.
func (s *slots) take(ctx context.Context) bool {
	for ctx.Err() == nil {
		s.mu.Lock()
		if s.taken < s.limit {
			s.taken++
			s.mu.Unlock()
			return true
		}
		s.mu.Unlock()
		select {
		case <-s.freed:
		case <-ctx.Done():
		}
	}
	return false
}

func (s *slots) giveBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	s.wake()
}

func (s *slots) wake() {
	select {
	case s.freed <- struct{}{}:
	default:
	}
}

// grow notes a full batch: there is more to do than the places have time for, if all are taken.
func (s *slots) grow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); s.taken >= s.limit && s.limit < s.most && now.Sub(s.grown) >= growth {
		s.limit, s.grown = s.limit+1, now
		s.wake()
	}
}

// shrink notes a failure of the function.
func (s *slots) shrink() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = max(1, s.limit/2)
}
