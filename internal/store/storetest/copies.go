package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/store"
)

// Fill puts several thousand items of every kind into a store: for copies.
func Fill(db store.DB) error {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 30 {
		err := db.Update(context.Background(), func(tx store.Tx) error {
			for n := range 100 {
				value := make([]byte, random.IntN(300))
				for j := range value {
					value[j] = byte(random.Uint32())
				}
				if err := tx.Put(fmt.Sprintf("part%d/\xff%d/%d", n%3, i, n), value); err != nil {
					return err
				}
			}
			return errors.Join(tx.Put("alone", nil), tx.Delete(fmt.Sprintf("part0/\xff%d/0", i)))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// all are the items of a store with their revisions, and the last one.
func (s *suite) all(db store.DB) (items []store.Item, last int64) {
	s.Helper()
	s.check(db.View(s.Context(), func(r store.Reader) (err error) {
		snapshot, ok := r.(store.Snapshot)
		if !ok {
			s.Fatalf("the engine's reader, a %T, is no store.Snapshot", r)
		}
		if last, err = snapshot.Last(); err != nil {
			return err
		}
		items, err = r.Scan("", "", 0)
		for i := range items {
			if len(items[i].Value) == 0 {
				items[i].Value = nil
			}
		}
		return err
	}))
	return items, last
}

func testCopy(s *suite) {
	s.check(Fill(s.db))
	s.update(s.db, func(tx store.Tx) { s.check(tx.Delete("alone")) }) // the last revision has no item
	to := s.open(s.T, s.place+"-copy")
	s.Cleanup(func() { s.check(to.Close()) })
	f := s.watch(to)
	progress := 0
	sums, err := store.Copy(s.Context(), s.db, to, func(done store.Sum) { progress = done.Items })
	s.check(err)
	want, last := s.all(s.db)
	got, copied := s.all(to)
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("copy (-want +got):\n%s", diff)
	}
	if progress != len(want) || sums.Total().Items != len(want) || len(sums) != 3 {
		s.Errorf("told of %d and %d items in %d parts, want %d in 3", progress, sums.Total().Items, len(sums), len(want))
	}
	if copied < last {
		s.Errorf("the copy is at revision %d, the original at %d", copied, last)
	}
	s.eventually("the copy's watchers are told", func() bool { return covers(f.take(), "part1/x") })
	if next := s.put(to, "next", ""); next <= last {
		s.Errorf("the copy goes on with revision %d, after %d", next, last)
	}
	if _, err := store.Copy(s.Context(), s.db, to, func(store.Sum) {}); !errors.Is(err, store.ErrNotEmpty) {
		s.Errorf("a copy into a store with keys = %v, want ErrNotEmpty", err)
	}
}

// testLoadFails checks that a load that breaks off leaves nothing.
func testLoadFails(s *suite) {
	n := 0
	err := s.db.(store.Loader).Load(s.Context(), 100, func() ([]store.Item, error) {
		if n++; n > 3 {
			return nil, errRefused
		}
		return []store.Item{{Key: fmt.Sprint("k/", n), Revision: int64(n)}}, nil
	})
	if !errors.Is(err, errRefused) {
		s.Errorf("got %v, want the error of next", err)
	}
	s.wantContents(s.db)
	s.put(s.db, "a", "1")
	s.wantContents(s.db, "a", "1")
}
