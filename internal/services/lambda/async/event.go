package async

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// Event is the record of one asynchronous invocation.
type Event struct {
	// Function as the caller named it: its version, or the one of its alias, is found when the event is delivered.
	Function request.Function `json:"function"`
	// RequestID is that of the call, and of each run.
	RequestID string    `json:"request_id"`
	TraceID   string    `json:"trace_id,omitempty"`
	Tenant    string    `json:"tenant,omitempty"`
	Accepted  time.Time `json:"accepted"`
	// Due is when it is delivered next.
	Due time.Time `json:"due"`
	// Runs is how often the function has run with it, and Delays how often since then it could not.
	Runs   int `json:"runs,omitempty"`
	Delays int `json:"delays,omitempty"`
}

const (
	eventPrefix   = "lambda/event/"
	payloadPrefix = "lambda/payload/"
	// keyTime is RFC 3339 with a fixed width, so that keys of UTC times sort by time.
	keyTime = "2006-01-02T15:04:05.000000000Z"
)

// lineOf names the line of a function.
func lineOf(r request.Function) string { return r.Account + "/" + r.Region + "/" + r.Name + "/" }

// mine begins the keys of the events of this server.
func (q *Queue) mine() string { return eventPrefix + q.config.Nodes.ID() + "/" }

func (q *Queue) key(e *Event) string {
	return q.mine() + lineOf(e.Function) + e.Due.UTC().Format(keyTime) + "-" + e.RequestID
}

func (e *Event) payloadKey() string { return payloadPrefix + lineOf(e.Function) + e.RequestID }

// Accept takes an event in, as of now: when it returns, the event is durable. check sees the transaction and may refuse it. The payload is
// copied.
func (q *Queue) Accept(ctx context.Context, e Event, payload []byte, check func(store.Reader) error) error {
	e.Accepted = q.config.Now()
	e.Due = e.Accepted
	err := q.config.DB.Update(ctx, func(tx store.Tx) error {
		if err := check(tx); err != nil {
			return err
		}
		return errors.Join(store.PutJSON(tx, q.key(&e), &e), tx.Put(e.payloadKey(), payload))
	})
	if err != nil && !errors.Is(err, store.ErrUncertain) { // an event that may be there must be found
		return err
	}
	q.added(&e)
	return err
}

// DeleteLine deletes, in the transaction that deletes a function, the events that wait for it, on whatever server.
func DeleteLine(tx store.Tx, r request.Function) error {
	all, err := owners(tx)
	if err != nil {
		return err
	}
	for _, owner := range all {
		if err := tx.DeletePrefix(eventPrefix + owner + "/" + lineOf(r)); err != nil {
			return err
		}
	}
	return tx.DeletePrefix(payloadPrefix + lineOf(r))
}

// putBack makes an event wait until it is due again. One that is gone with its function stays gone, and one that another server has taken
// over is that one's.
func (q *Queue) putBack(ctx context.Context, e *Event, change func(*Event)) error {
	later := *e
	change(&later)
	there := false
	err := q.config.DB.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Get(q.key(e))
		if there = err == nil; errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		return errors.Join(tx.Delete(q.key(e)), store.PutJSON(tx, q.key(&later), &later))
	})
	if err != nil {
		return fmt.Errorf("put event %s back: %w", e.RequestID, err)
	}
	if there {
		q.expect(&later)
	} else {
		q.missing(e)
	}
	return nil
}

// remove ends an event.
func (q *Queue) remove(ctx context.Context, e *Event) error {
	there := false
	err := q.config.DB.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Get(q.key(e))
		if there = err == nil; errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		return errors.Join(tx.Delete(q.key(e)), tx.Delete(e.payloadKey()))
	})
	if err != nil {
		return fmt.Errorf("remove event %s: %w", e.RequestID, err)
	}
	if there {
		q.removed(e)
	} else {
		q.missing(e)
	}
	return nil
}

// payload reads what an event carries; store.ErrNotFound when the event is gone.
func (q *Queue) payload(ctx context.Context, e *Event) (payload []byte, err error) {
	err = q.config.DB.View(ctx, func(r store.Reader) error {
		item, err := r.Get(e.payloadKey())
		payload = item.Value
		return err
	})
	return payload, err
}
