package sqs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/licet/licet/internal/services/sqs/movetask"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

// note lets Run look for work.
func (s *Service) note() {
	select {
	case s.noted <- struct{}{}:
	default:
	}
}

const (
	// sweep is how often messages past their retention are looked for. Nobody gets them before that either.
	sweep = time.Minute
	// trouble is how long the work rests after a failure of the store.
	trouble = 10 * time.Second
)

// Run moves the messages of message move tasks, and deletes messages past their retention, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	defer store.WatchPrefix(s.db, movetask.Root, s.note)()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var swept time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-s.noted:
		}
		next, err := s.moveAll(ctx)
		if err == nil && s.now().Sub(swept) >= sweep {
			swept = s.now()
			err = s.expire(ctx)
		}
		wait := sweep
		switch {
		case err != nil && ctx.Err() == nil:
			s.logger.ErrorContext(ctx, "The work of queues could not be done, and will be tried again.", slog.Any("err", err))
			wait = trouble
		case !next.IsZero():
			wait = min(wait, max(0, next.Sub(s.now())))
		}
		timer.Reset(wait)
	}
}

// moveAll does what is due of all tasks, and tells when something will be again; the zero time for never.
func (s *Service) moveAll(ctx context.Context) (next time.Time, err error) {
	var items []store.Item
	if err := s.db.View(ctx, func(r store.Reader) (err error) {
		items, err = r.Scan(movetask.Root, "", 0)
		return err
	}); err != nil {
		return next, err
	}
	for _, item := range items {
		t, err := store.DecodeJSON[movetask.Task](item)
		if err != nil {
			return next, err
		}
		if t.Status != movetask.Running {
			continue
		}
		due := time.UnixMilli(t.Due)
		if !due.After(s.now()) {
			update := func(fn func(store.Tx) error) error { return s.db.Update(ctx, fn) }
			if due, err = movetask.Step(update, item.Key, s.now(), newID); err != nil {
				return next, err
			}
		}
		if !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next, nil
}

// expire deletes the messages of all queues that are past their retention, and what is remembered for too long.
func (s *Service) expire(ctx context.Context) error {
	if err := s.forgetDeleted(ctx); err != nil {
		return err
	}
	for after := ""; ; {
		var items []store.Item
		if err := s.db.View(ctx, func(r store.Reader) (err error) {
			items, err = r.Scan(queue.Prefix, after, 100)
			return err
		}); err != nil {
			return err
		}
		for _, item := range items {
			q, err := queue.Decode(item)
			if err != nil {
				return err
			}
			if err := s.expireQueue(ctx, q); err != nil {
				return fmt.Errorf("expire messages of %s: %w", q.ARN, err)
			}
			after = item.Key
		}
		if len(items) < 100 {
			return nil
		}
	}
}

// forgetDeleted lets the names of queues be used again that were deleted long enough ago.
func (s *Service) forgetDeleted(ctx context.Context) error {
	any := false
	if err := s.db.View(ctx, func(r store.Reader) (err error) {
		any, err = queue.HasDeleted(r)
		return err
	}); err != nil || !any {
		return err
	}
	before := s.now().Add(-graveTime)
	for after := ""; ; {
		last := ""
		if err := s.db.Update(ctx, func(tx store.Tx) (err error) {
			last, err = queue.ForgetDeleted(tx, before, after, 1000)
			return err
		}); err != nil || last == "" {
			return err
		}
		after = last
	}
}

func (s *Service) expireQueue(ctx context.Context, q *queue.Queue) error {
	for more := true; more; {
		expired := false
		if err := s.db.View(ctx, func(r store.Reader) (err error) {
			expired, err = queue.HasExpired(r, q, s.now())
			return err
		}); err != nil || !expired {
			return ignoreGone(err)
		}
		if err := s.db.Update(ctx, func(tx store.Tx) (err error) {
			more, err = queue.Expire(tx, q, s.now(), 100)
			return err
		}); err != nil {
			return ignoreGone(err)
		}
	}
	return nil
}

// ignoreGone passes over a queue that was deleted meanwhile, with its messages.
func ignoreGone(err error) error {
	if errors.Is(err, queue.ErrGone) {
		return nil
	}
	return err
}

// sourcesOf are the ARNs of the queues whose dead letters a queue takes.
func (s *Service) sourcesOf(ctx context.Context, r ref) ([]string, error) {
	arn := r.arn(s.partition)
	found, _, err := s.scan(ctx, queue.Scope(r.account, r.region), "", maxList, func(q *queue.Queue) bool { return q.DeadLetter == arn })
	var arns []string
	for _, q := range found {
		arns = append(arns, q.ARN)
	}
	return arns, err
}

// reach names the queue of an ARN that was read before.
func reach(arn string) ref {
	parts := strings.Split(arn, ":")
	return ref{parts[4], parts[3], parts[5]}
}
