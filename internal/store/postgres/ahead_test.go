package postgres_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/postgres"
	"github.com/licet/licet/internal/store/storetest"
)

// openFar opens the store of a place as if the database were far.
func openFar(tb testing.TB, place string) store.DB {
	tb.Helper()
	db := openURL(tb, cluster.URL(schema(place)))
	postgres.ReadAhead(db)
	return db
}

func TestConformanceReadingAhead(t *testing.T) { storetest.Run(t, openFar) }

// Who waits for the lock reads ahead, and yet is given what the one before has written.
func TestReadAhead(t *testing.T) {
	db := openFar(t, t.Name()).(*postgres.DB)
	defer closeDB(t, db)
	put := func(tx store.Tx, n int) error {
		return errors.Join(tx.Put("a", []byte(strconv.Itoa(n))), tx.Put("list/"+strconv.Itoa(n), nil))
	}
	if err := db.Update(t.Context(), func(tx store.Tx) error { return put(tx, 1) }); err != nil {
		t.Fatal(err)
	}
	var first sync.WaitGroup
	begun, rehearsed := make(chan struct{}), make(chan struct{})
	first.Go(func() {
		if err := db.Update(t.Context(), func(tx store.Tx) error {
			close(begun)
			<-rehearsed
			return put(tx, 2)
		}); err != nil {
			t.Error(err)
		}
	})
	<-begun
	ran := false
	if err := db.Update(t.Context(), func(tx store.Tx) error {
		rehearsal := postgres.Ahead(tx) < 0
		want := 2
		if rehearsal {
			want = 1
		} else if ran = true; postgres.Ahead(tx) != 4 {
			t.Errorf("%d answers are there before they are asked for, want 4", postgres.Ahead(tx))
		}
		item, err := tx.Get("a")
		if err != nil || string(item.Value) != strconv.Itoa(want) {
			t.Errorf("a is %q, error %v; want %d; rehearsal: %t", item.Value, err, want, rehearsal)
		}
		if _, err := tx.Get("b"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("error %v for what is not there", err)
		}
		up, err := tx.Scan("list/", "", 0)
		if err != nil || len(up) != want {
			t.Errorf("%d keys, error %v; want %d; rehearsal: %t", len(up), err, want, rehearsal)
		}
		down, err := tx.ScanReverse("list/", "", 1)
		if err != nil || len(down) != 1 || down[0].Key != "list/"+strconv.Itoa(want) {
			t.Errorf("%v, error %v; want list/%d; rehearsal: %t", down, err, want, rehearsal)
		}
		if rehearsal {
			defer close(rehearsed)
		}
		if err := put(tx, 3); err != nil {
			return err
		}
		item, err = tx.Get("a")
		if !rehearsal && (err != nil || string(item.Value) != "3") {
			t.Errorf("a is %q, error %v, after it was written", item.Value, err)
		}
		if rehearsal && err == nil {
			t.Error("a rehearsal goes on after its first write")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if first.Wait(); !ran {
		t.Error("the transaction has not run")
	}
}

// What the database's clock shows goes on with the time of this process.
func TestTime(t *testing.T) {
	db := openURL(t, cluster.URL(schema(t.Name())))
	defer closeDB(t, db)
	shown, at := db.Time()
	if off := shown.Sub(at.Round(0)).Abs(); off > time.Minute { // it is the same machine
		t.Errorf("the clocks of one machine differ by %v", off)
	}
	defer db.Watch(func([]string) {})()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, later := db.Time(); later.After(at) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody looks at the database's clock")
		}
	}
}
