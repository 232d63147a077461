package queue

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/licet/licet/internal/store"
)

// Receipt is one request for messages.
type Receipt struct {
	Now        time.Time
	Limit      int
	Visibility time.Duration
	// Attempt, of a FIFO queue, gives again what the same attempt was given before, as long as none of it was deleted or changed; "" for
	// none.
	Attempt string
}

// Ready tells whether Receive may find something, and when it may at the latest know: 0 for not before something is sent. It costs one read.
func Ready(r store.Reader, q *Queue, now time.Time) (ready bool, next int64, err error) {
	if _, err := q.count(r); err != nil {
		return false, 0, err
	}
	items, err := r.Scan(q.duePrefix(), "", 1)
	if err != nil || len(items) == 0 {
		return false, 0, err
	}
	due, _, err := q.place(items[0].Key)
	return due <= now.UnixMilli(), due, err
}

// MaxInFlight is how many messages of a queue can be in flight
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html).
const MaxInFlight = 120_000

// ErrOverLimit says that there are so many.
var ErrOverLimit = errors.New("queue: too many messages are in flight")

// overLimit is the answer of a queue to a receive when there are: a FIFO queue gives none, without an error.
func overLimit(q *Queue) error {
	if q.FIFO {
		return nil
	}
	return ErrOverLimit
}

// Receive takes messages off the queue until their visibility timeouts end. Those that were received too often go to the dead-letter queue,
// if it is there, and those past their retention are deleted.
func Receive(tx store.Tx, q *Queue, r Receipt) ([]*Message, error) {
	c, err := q.count(tx)
	if err != nil {
		return nil, err
	}
	if c.Messages >= MaxInFlight { // else there cannot be so many
		if n, err := Count(tx, q, r.Now); err != nil || n.InFlight >= MaxInFlight {
			return nil, errors.Join(err, overLimit(q))
		}
	}
	t := &taking{q: q, tx: tx, order: q.order(tx), Receipt: r, count: c}
	if r.Attempt != "" {
		if again, err := t.repeat(); err != nil || again {
			return t.taken, err
		}
	}
	if err := t.take(); err != nil {
		return nil, err
	}
	if t.count != c {
		err = q.putCount(tx, t.count)
	}
	if r.Attempt != "" && len(t.taken) > 0 {
		err = errors.Join(err, t.note())
	}
	return t.taken, errors.Join(err, t.order.settle(r.Now))
}

// taking is a Receive.
type taking struct {
	Receipt
	q     *Queue
	tx    store.Tx
	order order
	count count
	taken []*Message
	// deadLetters is the dead-letter queue; nil when it was not looked for, or is not there.
	deadLetters *Queue
	looked      bool
}

func (t *taking) take() error {
	for len(t.taken) < t.Limit {
		due, _, err := t.order.next(t.Now, t.Limit-len(t.taken))
		if err != nil || len(due) == 0 {
			return err
		}
		for _, m := range due {
			if err := t.one(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// one gives a message to the receiver, or sees to what else becomes of it.
func (t *taking) one(m *found) error {
	if t.q.past(m.Message, t.Now) {
		t.count.Messages--
		return t.q.remove(t.tx, t.order, m.Message)
	}
	if t.q.DeadLetter != "" && m.Receives >= t.q.MaxReceives {
		if moved, err := t.bury(m); err != nil || moved {
			return err
		}
	}
	return t.lease(m)
}

// lease gives a message to the receiver.
func (t *taking) lease(m *found) error {
	before, now := m.Due, t.Now.UnixMilli()
	if m.First == 0 {
		m.First = now
	}
	m.Last, m.Due, m.Token = now, now+t.Visibility.Milliseconds(), rand.Text()
	m.Receives++
	err := errors.Join(t.q.put(t.tx, m.Message, m.content), t.order.shift(m.Message, before), t.q.read(t.tx, m.Message, m.content))
	t.taken = append(t.taken, m.Message)
	return err
}

// bury moves a message to the dead-letter queue. It keeps its id and, in a standard queue, the time when it was sent: that of a FIFO queue
// begins anew (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html).
func (t *taking) bury(m *found) (bool, error) {
	if !t.looked {
		t.looked = true
		to, err := ByARN(t.tx, t.q.DeadLetter)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
		t.deadLetters = to
	}
	if t.deadLetters == nil || t.deadLetters.FIFO != t.q.FIFO || t.deadLetters.ID == t.q.ID {
		return false, nil
	}
	dead := *m.Message
	if err := t.q.read(t.tx, &dead, m.content); err != nil {
		return false, err
	}
	if err := t.q.remove(t.tx, t.order, m.Message); err != nil {
		return false, err
	}
	t.count.Messages--
	dead.Source = t.q.ARN // where a task moves it back to, also when that is a dead-letter queue itself
	if t.deadLetters.FIFO {
		dead.Sent = t.Now.UnixMilli()
	}
	return true, Transfer(t.tx, t.deadLetters, &dead, t.Now)
}

// Transfer keeps a message of another queue as one that was never received. It is not compared with what was sent before.
func Transfer(tx store.Tx, to *Queue, m *Message, now time.Time) error {
	c, err := to.count(tx)
	if err != nil {
		return err
	}
	c.Last++
	c.Messages++
	m.Number, m.Due, m.Receives, m.First, m.Last, m.Token = c.Last, now.UnixMilli(), 0, 0, 0, ""
	o := to.order(tx)
	return errors.Join(to.add(tx, m), o.enter(m), o.settle(now), to.putCount(tx, c))
}

// attempt is what a FIFO queue remembers of a receive.
type attempt struct {
	Handles []Handle `json:"h"`
	Until   int64    `json:"u"`
}

func (t *taking) attemptName() string { return "r/" + groupName(t.Attempt) }

// note remembers what this attempt was given.
func (t *taking) note() error {
	a := attempt{Until: t.Now.Add(window).UnixMilli()}
	for _, m := range t.taken {
		a.Handles = append(a.Handles, t.q.Handle(m))
	}
	_, err := t.q.forget(t.tx, t.Now, few)
	return errors.Join(err, t.q.know(t.tx, t.attemptName(), a.Until, a))
}

// repeat gives what the attempt was given before, with their visibility timeouts begun anew.
func (t *taking) repeat() (bool, error) {
	a, err := store.GetJSON[attempt](t.tx, t.q.knownKey(t.attemptName()))
	if errors.Is(err, store.ErrNotFound) || err == nil && a.Until <= t.Now.UnixMilli() {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var all []*found
	for _, h := range a.Handles {
		m, content, err := t.q.find(t.tx, h.Number)
		if errors.Is(err, store.ErrNotFound) || err == nil && (m.Token != h.Token || !m.InFlight(t.Now)) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		all = append(all, &found{m, content})
	}
	for _, m := range all {
		before := m.Due
		m.Due = t.Now.Add(t.Visibility).UnixMilli()
		if err := errors.Join(
			t.q.put(t.tx, m.Message, m.content), t.order.shift(m.Message, before), t.q.read(t.tx, m.Message, m.content),
		); err != nil {
			return false, err
		}
		t.taken = append(t.taken, m.Message)
	}
	if err := t.order.settle(t.Now); err != nil {
		return false, fmt.Errorf("receive again: %w", err)
	}
	return true, nil
}
