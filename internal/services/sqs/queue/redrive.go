package queue

import (
	"errors"
	"time"

	"github.com/licet/licet/internal/store"
)

// Move moves up to limit messages that can be received to other queues: target gives that of a message, and may change it. It tells how many
// were moved, and that no more can be.
func Move(
	tx store.Tx, from *Queue, now time.Time, limit int, target func(*Message) (*Queue, error),
) (moved int, done bool, err error) {
	c, err := from.count(tx)
	if err != nil {
		return 0, false, err
	}
	o := from.order(tx)
	for moved < limit {
		due, _, err := o.next(now, min(limit-moved, most))
		if err != nil {
			return 0, false, err
		}
		if done = len(due) == 0; done {
			break
		}
		for _, m := range due {
			if err := from.move(tx, o, m, now, target); err != nil {
				return 0, false, err
			}
			moved++
			c.Messages--
		}
	}
	return moved, done, errors.Join(o.settle(now), from.putCount(tx, c))
}

func (q *Queue) move(tx store.Tx, o order, m *found, now time.Time, target func(*Message) (*Queue, error)) error {
	gone := *m.Message
	if err := q.read(tx, m.Message, m.content); err != nil {
		return err
	}
	to, err := target(m.Message)
	if err != nil {
		return err
	}
	if err := q.remove(tx, o, &gone); err != nil {
		return err
	}
	return Transfer(tx, to, m.Message, now)
}

// Expire deletes messages past the queue's retention, of the first limit that it has. It tells whether there may be more.
func Expire(tx store.Tx, q *Queue, now time.Time, limit int) (more bool, err error) {
	c, err := q.count(tx)
	if err != nil {
		return false, err
	}
	items, err := tx.Scan(q.messagePrefix(), "", limit)
	if err != nil {
		return false, err
	}
	o, before := q.order(tx), c
	for _, item := range items {
		n, err := q.numberOf(item.Key)
		if err != nil {
			return false, err
		}
		m, _, err := q.find(tx, n)
		if err != nil {
			return false, err
		}
		if !q.past(m, now) {
			break
		}
		c.Messages--
		if err := q.remove(tx, o, m); err != nil {
			return false, err
		}
	}
	if c == before {
		return false, nil
	}
	return before.Messages-c.Messages == int64(limit), errors.Join(o.settle(now), q.putCount(tx, c))
}

// HasExpired tells whether the first message of a queue is past its retention.
func HasExpired(r store.Reader, q *Queue, now time.Time) (bool, error) {
	items, err := r.Scan(q.messagePrefix(), "", 1)
	if err != nil || len(items) == 0 {
		return false, err
	}
	n, err := q.numberOf(items[0].Key)
	if err != nil {
		return false, err
	}
	m, _, err := q.find(r, n)
	return err == nil && q.past(m, now), err
}
