package queue

import (
	"errors"
	"time"

	"github.com/licet/licet/internal/store"
)

// Move moves up to limit messages that can be received to other queues: target gives that of a message, and may change it. Those past their
// retention are deleted, as they are when they are received. It tells how many were moved, and that no more can be.
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
			if from.past(m.Message, now) {
				c.Messages--
				if err := from.remove(tx, o, m.Message); err != nil {
					return 0, false, err
				}
				continue
			}
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
