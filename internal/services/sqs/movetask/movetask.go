// Package movetask keeps the tasks that move messages from a dead-letter queue to others, and does a step of one.
//
// It works inside the caller's transactions, reads no clock and never authorizes: who starts a task was judged for all that it does. A step
// moves its messages and notes its progress in one transaction, so that a crash neither loses nor doubles any. Functions are safe for
// concurrent use as far as their transactions are.
//
// Keys in the store: sqs/move/<id of the queue>/<time of the start>-<id of the task>.
//
// Behaviour: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html and the
// pages of the three operations.
package movetask

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

// Task is a message move task as it is kept. Times are in milliseconds.
type Task struct {
	ID     string `json:"id"`
	Source string `json:"source"` // ARN
	// Destination is the ARN of the queue that gets the messages; "" for those whose dead letters they are.
	Destination string `json:"destination,omitempty"`
	// Origins are the ARNs of those, as who started the task was judged for: to no other is anything moved back.
	Origins []string `json:"origins,omitempty"`
	// Rate is how many messages may be moved in a second; 0 for as many as can be.
	Rate    int32  `json:"rate,omitempty"`
	Started int64  `json:"started"`
	Status  Status `json:"status"`
	Moved   int64  `json:"moved,omitempty"`
	ToMove  int64  `json:"to_move,omitempty"`
	Failure string `json:"failure,omitempty"`
	// Due is when the next messages may be moved.
	Due int64 `json:"due,omitempty"`
}

// Status is that of a task (API_ListMessageMoveTasks).
type Status string

// The statuses of tasks.
const (
	Running   Status = "RUNNING"
	Completed Status = "COMPLETED"
	Cancelled Status = "CANCELLED"
	Failed    Status = "FAILED"
)

// Root begins the keys of all tasks.
const Root = "sqs/move/"

// Prefix begins the keys of a queue's tasks, the latest of which is last.
func Prefix(q *queue.Queue) string { return Root + q.ID + "/" }

// Key is where a task of a queue is kept.
func (t *Task) Key(q *queue.Queue) string {
	return Prefix(q) + fmt.Sprintf("%013d", t.Started) + "-" + t.ID
}

// Handle is a task as clients name it.
type Handle struct {
	TaskID    string `json:"taskId"`
	SourceARN string `json:"sourceArn"`
}

// String is the handle as clients get it.
func (h Handle) String() string {
	b, err := json.Marshal(h)
	if err != nil {
		panic(err) // two texts always have a JSON form
	}
	return base64.StdEncoding.EncodeToString(b)
}

// Handle gives the task's.
func (t *Task) Handle() string { return Handle{t.ID, t.Source}.String() }

// ErrHandle says that a text is no handle.
var ErrHandle = errors.New("movetask: not a task handle")

// ParseHandle reads a handle. Its ARN may be any text.
func ParseHandle(text string) (Handle, error) {
	var h Handle
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	if err != nil || h.SourceARN == "" || uuid.Validate(h.TaskID) != nil {
		return h, ErrHandle
	}
	return h, nil
}

// ErrRunning says that a queue has a task that runs.
var ErrRunning = errors.New("movetask: a task is running")

// Kept is how many tasks of a queue are kept (API_ListMessageMoveTasks: "up to 10 most recent").
const Kept = 10

// Start keeps a new task of a queue, in the place of the oldest if there are as many as are kept. The error is ErrRunning while another runs.
func Start(tx store.Tx, q *queue.Queue, t *Task) error {
	items, err := tx.ScanReverse(Prefix(q), "", 0)
	if err != nil {
		return err
	}
	for i, item := range items {
		other, err := store.DecodeJSON[Task](item)
		if err != nil {
			return err
		}
		if other.Status == Running {
			return ErrRunning
		}
		if i >= Kept-1 {
			if err := tx.Delete(item.Key); err != nil {
				return err
			}
		}
	}
	return store.PutJSON(tx, t.Key(q), t)
}

// Find gives the latest tasks of a queue, at most limit.
func Find(r store.Reader, q *queue.Queue, limit int) ([]*Task, error) {
	items, err := r.ScanReverse(Prefix(q), "", limit)
	if err != nil {
		return nil, err
	}
	var tasks []*Task
	for _, item := range items {
		t, err := store.DecodeJSON[*Task](item)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, t)
	}
	return tasks, nil
}

// failure ends a task, by what its FailureReason says.
type failure string

func (f failure) Error() string { return string(f) }

// batch is how many messages one transaction moves.
const batch = 50

// Step moves some messages of the task at a key, and tells when it is due again: the zero time when it has ended. update runs a transaction.
// newID makes ids: moved messages are new ones, with a new id and time.
func Step(update func(func(store.Tx) error) error, key string, now time.Time, newID func() string) (due time.Time, err error) {
	err = update(func(tx store.Tx) error {
		due = time.Time{}
		t, err := store.GetJSON[*Task](tx, key)
		if errors.Is(err, store.ErrNotFound) || err == nil && t.Status != Running { // deleted with its queue, or cancelled
			return nil
		}
		if err == nil {
			err = t.step(tx, now, newID)
		}
		if err != nil {
			return err
		}
		if t.Status == Running {
			due = time.UnixMilli(t.Due)
		}
		return store.PutJSON(tx, key, t)
	})
	reason, failed := errors.AsType[failure](err)
	if !failed {
		return due, err
	}
	return time.Time{}, update(func(tx store.Tx) error { // what it moved in the failed step is where it was
		t, err := store.GetJSON[*Task](tx, key)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		t.Status, t.Failure = Failed, string(reason)
		return store.PutJSON(tx, key, t)
	})
}

func (t *Task) step(tx store.Tx, now time.Time, newID func() string) error {
	source, err := queue.ByARN(tx, t.Source)
	if err != nil {
		return err
	}
	limit := batch
	if t.Rate > 0 {
		limit = min(limit, int(t.Rate))
	}
	moved, done, err := queue.Move(tx, source, now, limit, func(m *queue.Message) (*queue.Queue, error) {
		to, err := t.destination(tx, source, m)
		m.ID, m.Sent, m.Source = newID(), now.UnixMilli(), ""
		return to, err
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
		t.Status = Completed
	}
	return nil
}

// destination is the queue that a message goes to. A message whose queue has another dead-letter queue by now does not go back there, since
// nobody was asked whether who started the task may send to it. The first two reasons were recorded (localstack/localstack, test_sqs_move_task.snapshot.json,
// and the page above); the last is ours.
func (t *Task) destination(r store.Reader, source *queue.Queue, m *queue.Message) (*queue.Queue, error) {
	to := t.Destination
	if to == "" {
		to = m.Source
	}
	if to == "" || t.Destination == "" && !slices.Contains(t.Origins, to) {
		return nil, failure("CouldNotDetermineMessageSource")
	}
	q, err := queue.ByARN(r, to)
	if errors.Is(err, store.ErrNotFound) {
		return nil, failure("AWS.SimpleQueueService.NonExistentQueue")
	}
	if err == nil && (q.FIFO != source.FIFO || q.ID == source.ID) {
		return nil, failure("AWS.SimpleQueueService.UnsupportedOperation")
	}
	return q, err
}
