package queue

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/licet/licet/internal/store"
)

// window is how long a FIFO queue remembers what was sent, or received by an attempt.
const window = 5 * time.Minute

// sent is what a FIFO queue remembers of a message.
type sent struct {
	ID     string `json:"i"`
	Number uint64 `json:"n"`
	Until  int64  `json:"u"`
}

// Send keeps messages, in their order. The caller has set all but their numbers. A FIFO queue keeps none that it remembers; such a message
// gets the id and number of the one before. The error is ErrGone when the queue was deleted.
func Send(tx store.Tx, q *Queue, now time.Time, messages ...*Message) error {
	c, err := q.count(tx)
	if err != nil {
		return err
	}
	o := q.order(tx)
	for _, m := range messages {
		if q.FIFO {
			known, err := q.remember(tx, m, c.Last+1, now)
			if err != nil {
				return err
			}
			if known {
				continue
			}
		}
		c.Last++
		c.Messages++
		m.Number = c.Last
		if err := errors.Join(q.add(tx, m), o.enter(m)); err != nil {
			return err
		}
	}
	return errors.Join(o.settle(now), q.putCount(tx, c))
}

// remember tells whether a message was sent before; if not it is remembered with the number n.
func (q *Queue) remember(tx store.Tx, m *Message, n uint64, now time.Time) (known bool, err error) {
	if err := q.forget(tx, now); err != nil {
		return false, err
	}
	what := "s/" + groupName(m.Deduplication)
	if q.ByGroup {
		what += "/" + groupName(m.Group)
	}
	before, err := store.GetJSON[sent](tx, q.knownKey(what))
	if err == nil && before.Until > now.UnixMilli() {
		m.ID, m.Number = before.ID, before.Number
		return true, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	s := sent{ID: m.ID, Number: n, Until: now.Add(window).UnixMilli()}
	return false, q.know(tx, what, s.Until, s)
}

func (q *Queue) knownKey(what string) string { return "sqs/known/" + q.ID + "/" + what }

func (q *Queue) forgetPrefix() string { return "sqs/forget/" + q.ID + "/" }

// know remembers something for some time.
func (q *Queue) know(tx store.Tx, what string, until int64, v any) error {
	return errors.Join(store.PutJSON(tx, q.knownKey(what), v), tx.Put(q.forgetPrefix()+dueTime(until)+"-"+what, nil))
}

// forget forgets some of what is past its time: more than is remembered meanwhile. What was renewed is forgotten by its later note.
func (q *Queue) forget(tx store.Tx, now time.Time) error {
	items, err := tx.Scan(q.forgetPrefix(), "", 3)
	if err != nil {
		return err
	}
	for _, item := range items {
		note := item.Key[len(q.forgetPrefix()):]
		const width = 13
		until, err := strconv.ParseInt(note[:width], 10, 64)
		if err != nil {
			return fmt.Errorf("read %s: %w", item.Key, err)
		}
		if until > now.UnixMilli() {
			return nil
		}
		key := q.knownKey(note[width+1:])
		known, err := store.GetJSON[struct {
			Until int64 `json:"u"`
		}](tx, key)
		if err == nil && known.Until <= now.UnixMilli() {
			err = tx.Delete(key)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := tx.Delete(item.Key); err != nil {
			return err
		}
	}
	return nil
}
