package queue

import (
	"errors"
	"time"

	"github.com/licet/licet/internal/store"
)

// Expire deletes messages past the queue's retention, of the first limit that it has, and as many notes of what was sent before. It tells
// whether there may be more.
func Expire(tx store.Tx, q *Queue, now time.Time, limit int) (more bool, err error) {
	c, err := q.count(tx)
	if err != nil {
		return false, err
	}
	forgotten, err := q.forget(tx, now, limit)
	if err != nil {
		return false, err
	}
	items, err := tx.Scan(q.messagePrefix(), "", limit)
	if err != nil {
		return false, err
	}
	o, expired := q.order(tx), 0
	for _, item := range items {
		m, err := q.at(tx, item.Key)
		if err != nil {
			return false, err
		}
		if !q.past(m, now) {
			break
		}
		expired++
		c.Messages--
		if err := q.remove(tx, o, m); err != nil {
			return false, err
		}
	}
	if expired > 0 {
		err = errors.Join(o.settle(now), q.putCount(tx, c))
	}
	return expired == limit || forgotten == limit, err
}

// at reads the message at a key.
func (q *Queue) at(r store.Reader, key string) (*Message, error) {
	n, err := q.numberOf(key)
	if err != nil {
		return nil, err
	}
	m, _, err := q.find(r, n)
	return m, err
}

// HasExpired tells whether Expire has something to do. It looks at the first message and the first note.
func HasExpired(r store.Reader, q *Queue, now time.Time) (bool, error) {
	notes, err := r.Scan(q.forgetPrefix(), "", 1)
	if err != nil {
		return false, err
	}
	for _, item := range notes {
		if until, _, err := q.forgetNote(item.Key); err != nil || until <= now.UnixMilli() {
			return err == nil, err
		}
	}
	items, err := r.Scan(q.messagePrefix(), "", 1)
	if err != nil || len(items) == 0 {
		return false, err
	}
	m, err := q.at(r, items[0].Key)
	return err == nil && q.past(m, now), err
}

// ForgetDeleted forgets up to limit queues that were deleted before a time, beginning after a key, and gives the key at which it ended; "" for
// the end.
func ForgetDeleted(tx store.Tx, before time.Time, after string, limit int) (last string, err error) {
	items, err := tx.Scan(deletedPrefix, after, limit)
	if err != nil {
		return "", err
	}
	for _, item := range items {
		at, err := store.DecodeJSON[int64](item)
		if err == nil && at <= before.UnixMilli() {
			err = tx.Delete(item.Key)
		}
		if err != nil {
			return "", err
		}
		last = item.Key
	}
	if len(items) < limit {
		last = ""
	}
	return last, nil
}

// HasDeleted tells whether ForgetDeleted may have something to do.
func HasDeleted(r store.Reader) (bool, error) {
	items, err := r.Scan(deletedPrefix, "", 1)
	return len(items) > 0, err
}
