package sqs

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

// task is a message move task as it is kept. Times are in milliseconds.
type task struct {
	ID     string `json:"id"`
	Source string `json:"source"` // ARN
	// Destination is the ARN of the queue that gets the messages; "" for those whose dead letters they are.
	Destination string `json:"destination,omitempty"`
	// Rate is how many messages may be moved in a second; 0 for as many as can be.
	Rate    int32  `json:"rate,omitempty"`
	Started int64  `json:"started"`
	Status  status `json:"status"`
	Moved   int64  `json:"moved,omitempty"`
	ToMove  int64  `json:"to_move,omitempty"`
	Failure string `json:"failure,omitempty"`
	// Due is when the next messages may be moved.
	Due int64 `json:"due,omitempty"`
}

// status is that of a task (API_ListMessageMoveTasks).
type status string

const (
	running   status = "RUNNING"
	completed status = "COMPLETED"
	cancelled status = "CANCELLED"
	failing   status = "FAILED"
)

const taskRoot = "sqs/move/"

// taskPrefix begins the keys of a queue's tasks, the latest of which is last.
func taskPrefix(q *queue.Queue) string { return taskRoot + q.ID + "/" }

func (t *task) key(q *queue.Queue) string {
	return taskPrefix(q) + fmt.Sprintf("%013d", t.Started) + "-" + t.ID
}

// handle is the task as clients name it.
type handle struct {
	TaskID    string `json:"taskId"`
	SourceARN string `json:"sourceArn"`
}

func (t *task) handle() string {
	b, err := json.Marshal(handle{t.ID, t.Source})
	if err != nil {
		panic(err) // two texts always have a JSON form
	}
	return base64.StdEncoding.EncodeToString(b)
}

func parseTaskHandle(text string) (handle, error) {
	var h handle
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	if err != nil || h.TaskID == "" || h.SourceARN == "" || uuid.Validate(h.TaskID) != nil {
		return h, invalidValue("Value for parameter TaskHandle is invalid.")
	}
	return h, nil
}

// note lets Run look for work.
func (s *Service) note() {
	select {
	case s.noted <- struct{}{}:
	default:
	}
}

const (
	// moveBatch is how many messages one transaction moves.
	moveBatch = 50
	// sweep is how often messages past their retention are looked for. Nobody gets them before that either.
	sweep = time.Minute
	// trouble is how long the work rests after a failure of the store.
	trouble = 10 * time.Second
)

// Run moves the messages of message move tasks, and deletes messages past their retention, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
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
		items, err = r.Scan(taskRoot, "", 0)
		return err
	}); err != nil {
		return next, err
	}
	for _, item := range items {
		t, err := store.DecodeJSON[task](item)
		if err != nil {
			return next, err
		}
		if t.Status != running {
			continue
		}
		due := time.UnixMilli(t.Due)
		if !due.After(s.now()) {
			if due, err = s.moveSome(ctx, item.Key); err != nil {
				return next, err
			}
		}
		if !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next, nil
}

// failure ends a task, by what its FailureReason says.
type failure string

func (f failure) Error() string { return string(f) }

// moveSome moves some messages of a task, and tells when it is due again: the zero time when it has ended.
func (s *Service) moveSome(ctx context.Context, key string) (due time.Time, err error) {
	now := s.now()
	step := func(tx store.Tx) error {
		due = time.Time{}
		t, err := store.GetJSON[task](tx, key)
		if errors.Is(err, store.ErrNotFound) || err == nil && t.Status != running { // deleted with its queue, or cancelled
			return nil
		}
		if err == nil {
			err = s.step(tx, &t, now)
		}
		if err != nil {
			return err
		}
		if t.Status == running {
			due = time.UnixMilli(t.Due)
		}
		return store.PutJSON(tx, key, t)
	}
	err = s.db.Update(ctx, step)
	reason, failed := errors.AsType[failure](err)
	if !failed {
		return due, err
	}
	return time.Time{}, s.db.Update(ctx, func(tx store.Tx) error { // what it moved in the failed step is where it was
		t, err := store.GetJSON[task](tx, key)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		t.Status, t.Failure = failing, string(reason)
		return errors.Join(err, store.PutJSON(tx, key, t))
	})
}

// step moves some messages. Moved messages are new ones, with a new id and time
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html).
func (s *Service) step(tx store.Tx, t *task, now time.Time) error {
	source, err := queue.ByARN(tx, t.Source)
	if err != nil {
		return err
	}
	limit := moveBatch
	if t.Rate > 0 {
		limit = min(limit, int(t.Rate))
	}
	moved, done, err := queue.Move(tx, source, now, limit, func(m *queue.Message) (*queue.Queue, error) {
		to := t.Destination
		if to == "" {
			to = m.Source
		}
		if to == "" {
			return nil, failure("CouldNotDetermineMessageSource")
		}
		m.ID, m.Sent, m.Source = newID(), now.UnixMilli(), ""
		q, err := queue.ByARN(tx, to)
		if errors.Is(err, store.ErrNotFound) {
			return nil, failure("AWS.SimpleQueueService.NonExistentQueue")
		}
		if err == nil && (q.FIFO != source.FIFO || q.ID == source.ID) {
			return nil, failure("AWS.SimpleQueueService.UnsupportedOperation")
		}
		return q, err
	})
	if err != nil {
		return err
	}
	t.Moved += int64(moved)
	t.Due = now.UnixMilli()
	if t.Rate > 0 {
		t.Due += int64(moved) * 1000 / int64(t.Rate)
	}
	if done {
		t.Status = completed
	}
	return nil
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
