package queue

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// A queue whose limit of messages in flight is reached gives no more; only a standard queue says why.
func TestMaxInFlight(t *testing.T) {
	db, now := storetest.New(t), time.UnixMilli(1_700_000_000_000)
	q := &Queue{Account: "1", Region: "r", Name: "q", Attributes: map[string]string{"MessageRetentionPeriod": "345600"}}
	update := func(fn func(store.Tx) error) error { return db.Update(context.Background(), fn) }
	fill := func(tx store.Tx, from, n int) error { // as if so many were received
		for i := range n {
			if err := tx.Put(q.dueKey(now.Add(time.Minute).UnixMilli(), fmt.Sprintf("%016x", from+i)), inFlight); err != nil {
				return err
			}
		}
		return q.putCount(tx, count{Messages: int64(from + n), Last: uint64(from + n)})
	}
	receive := func() (n int, err error) {
		err = update(func(tx store.Tx) error {
			got, err := Receive(tx, q, Receipt{Now: now, Limit: 10, Visibility: time.Minute})
			n = len(got)
			return err
		})
		return n, err
	}
	if err := update(func(tx store.Tx) error { return errors.Join(Create(tx, q), fill(tx, 1000, MaxInFlight-1-1000)) }); err != nil {
		t.Fatal(err)
	}
	if err := update(func(tx store.Tx) error {
		return Send(tx, q, now, &Message{ID: "a", Sent: now.UnixMilli(), Due: now.UnixMilli()})
	}); err != nil {
		t.Fatal(err)
	}
	if n, err := receive(); n != 1 || err != nil {
		t.Errorf("below the limit: got %d, %v", n, err)
	}
	if err := update(func(tx store.Tx) error { return fill(tx, MaxInFlight+1000, 1000) }); err != nil {
		t.Fatal(err)
	}
	if n, err := receive(); n != 0 || !errors.Is(err, ErrOverLimit) {
		t.Errorf("at the limit: got %d, %v", n, err)
	}
	if err := overLimit(&Queue{Settings: Settings{FIFO: true}}); err != nil {
		t.Errorf("FIFO: got %v", err)
	}
}
