package queue

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
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
	if _, err := q.forget(tx, now, few); err != nil {
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

// few is how much is forgotten with each message that is remembered: more than one, so that what is past its time does not grow.
const few = 3

// forget forgets up to limit notes of what is past its time, and tells how many there were. What was renewed is forgotten by its later note.
func (q *Queue) forget(tx store.Tx, now time.Time, limit int) (forgotten int, err error) {
	items, err := tx.Scan(q.forgetPrefix(), "", limit)
	if err != nil {
		return 0, err
	}
	for _, item := range items {
		until, what, err := q.forgetNote(item.Key)
		if err != nil || until > now.UnixMilli() {
			return forgotten, err
		}
		key := q.knownKey(what)
		known, err := store.GetJSON[struct {
			Until int64 `json:"u"`
		}](tx, key)
		if err == nil && known.Until <= now.UnixMilli() {
			err = tx.Delete(key)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return forgotten, err
		}
		if err := tx.Delete(item.Key); err != nil {
			return forgotten, err
		}
		forgotten++
	}
	return forgotten, nil
}

// forgetNote reads the key of a note.
func (q *Queue) forgetNote(key string) (until int64, what string, err error) {
	at, what, _ := strings.Cut(key[len(q.forgetPrefix()):], "-")
	if until, err = strconv.ParseInt(at, 10, 64); err != nil {
		return 0, "", fmt.Errorf("read %s: %w", key, err)
	}
	return until, what, nil
}
