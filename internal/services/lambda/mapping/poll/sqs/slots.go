package sqs

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// The limits of batches under way: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html.
const (
	firstBatches = 5
	defaultMost  = 1250
	// growth is the time in which the limit grows by one: 300 in a minute; provisionedGrowth is that of the provisioned mode, 1,000 in a minute.
	growth            = time.Minute / 300
	provisionedGrowth = time.Minute / 1000

	// The defaults of the provisioned mode, and how many batches one of its pollers has under way at the most.
	defaultLeastPollers, defaultMostPollers = 2, 200
	batchesOfPoller                         = 10
)

// scale says how many batches may be under way: first at the start, least after failures of the function, most when there is work for them, and
// one more each growth.
type scale struct {
	first, least, most int
	growth             time.Duration
}

func scaleOf(c *types.EventSourceMappingConfiguration) scale {
	if p := c.ProvisionedPollerConfig; p != nil {
		least, most := defaultLeastPollers, defaultMostPollers
		if p.MinimumPollers != nil {
			least = int(*p.MinimumPollers)
		}
		if p.MaximumPollers != nil {
			most = int(*p.MaximumPollers)
		}
		least *= batchesOfPoller
		return scale{least, least, most * batchesOfPoller, provisionedGrowth}
	}
	most := defaultMost
	if s := c.ScalingConfig; s != nil && s.MaximumConcurrency != nil {
		most = int(*s.MaximumConcurrency)
	}
	return scale{min(firstBatches, most), 1, most, growth}
}

// slots are the places of batches.
type slots struct {
	scale
	now func() time.Time
	// freed tells take that there may be a place. Capacity 1.
	freed chan struct{}

	mu           sync.Mutex
	taken, limit int
	grown        time.Time
}

func newSlots(s scale, now func() time.Time) *slots {
	return &slots{scale: s, now: now, limit: s.first, freed: make(chan struct{}, 1)}
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
	if now := s.now(); s.taken >= s.limit && s.limit < s.most && now.Sub(s.grown) >= s.growth {
		s.limit, s.grown = s.limit+1, now
		s.wake()
	}
}

// shrink notes a failure of the function.
func (s *slots) shrink() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = max(s.least, s.limit/2)
}
