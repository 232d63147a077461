package queue

import (
	"strings"
	"time"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/store"
)

// ByARN finds a queue; store.ErrNotFound if it is not there or the ARN is none of a queue.
func ByARN(r store.Reader, text string) (*Queue, error) {
	a, err := arn.Parse(text)
	if err != nil || a.Service != "sqs" || strings.Contains(a.Resource, "/") {
		return nil, store.ErrNotFound
	}
	return Get(r, Key(a.AccountID, a.Region, a.Resource))
}

// Counts are how many messages can be received, are in flight, and are delayed.
type Counts struct{ Visible, InFlight, Delayed int64 }

// Count counts the messages. It reads the index of what is not due, which is as long as there are messages in flight or delayed.
func Count(r store.Reader, q *Queue, now time.Time) (Counts, error) {
	c, err := q.count(r)
	if err != nil {
		return Counts{}, err
	}
	n := Counts{Visible: c.Messages}
	items, err := r.Scan(q.duePrefix(), q.duePrefix()+dueTime(now.UnixMilli())+"~", 0) // a tilde is after all that follows the time
	if err != nil {
		return Counts{}, err
	}
	for _, item := range items {
		switch {
		case q.FIFO:
			if err := q.countGroup(r, item.Key, now, &n); err != nil {
				return Counts{}, err
			}
		case string(item.Value) == string(inFlight):
			n.InFlight++
		default:
			n.Delayed++
		}
	}
	n.Visible -= n.InFlight + n.Delayed
	return n, nil
}

// countGroup counts a group that is not due: some of its first messages are in flight, or it is delayed as far as it was sent with its first.
// The rest is visible, though it cannot be received.
func (q *Queue) countGroup(r store.Reader, key string, now time.Time, n *Counts) error {
	_, name, err := q.place(key)
	if err != nil {
		return err
	}
	lines := groups{q: q, r: r}
	seen := 0
	for after := ""; ; {
		all, err := lines.messages(name, after, 100)
		if err != nil {
			return err
		}
		for _, m := range all {
			switch seen++; {
			case m.InFlight(now):
				n.InFlight++
			case m.Due > now.UnixMilli():
				n.Delayed++
			case seen >= most:
				return nil
			}
			after = lines.lineKey(m.Message)
		}
		if len(all) < 100 {
			return nil
		}
	}
}
