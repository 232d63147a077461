package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/store"
)

// eventually calls fn until it is true.
func (s *suite) eventually(what string, fn func() bool) {
	s.Helper()
	for deadline := time.Now().Add(30 * time.Second); !fn(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("still not so: %s", what)
		}
	}
}

// testPhantom lets transactions of two processes look at a range and add to it only while it has room: what is not there yet must be
// guarded, too.
func testPhantom(s *suite) {
	const room, writers = 10, 8
	dbs := []store.DB{s.db, s.openAgain()}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range room {
				err := dbs[w%len(dbs)].Update(s.Context(), func(tx store.Tx) error {
					items, err := tx.Scan("seat/", "", 0)
					if err != nil || len(items) >= room {
						return err
					}
					return tx.Put(fmt.Sprintf("seat/%d/%d", w, i), nil)
				})
				if err != nil {
					s.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, db := range dbs {
		if got := len(s.contents(db)); got != room {
			s.Errorf("%d seats are taken, want %d", got, room)
		}
	}
}

// testSkew lets two processes read what the other one writes: at least one key must stay.
func testSkew(s *suite) {
	dbs := []store.DB{s.db, s.openAgain()}
	for range 20 {
		s.put(s.db, "a", "1", "b", "1")
		var wg sync.WaitGroup
		for i, mine := range []string{"a", "b"} {
			other := []string{"b", "a"}[i]
			wg.Go(func() {
				err := dbs[i].Update(s.Context(), func(tx store.Tx) error {
					if _, err := tx.Get(other); err != nil {
						return err
					}
					return tx.Delete(mine)
				})
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					s.Error(err)
				}
			})
		}
		wg.Wait()
		if got := s.contents(s.db); len(got) != 1 {
			s.Fatalf("%d keys are left, want 1: %v", len(got), got)
		}
	}
}

// testRevisionOrder checks that what becomes visible later has the larger revision, whichever process wrote it: who has read up to a
// revision has missed nothing.
func testRevisionOrder(s *suite) {
	dbs := []store.DB{s.db, s.openAgain()}
	const writers, rounds = 4, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				if err := dbs[w%len(dbs)].Update(s.Context(), func(tx store.Tx) error {
					return tx.Put(fmt.Sprintf("%d/%d", w, i), []byte(strconv.FormatInt(tx.Revision(), 10)))
				}); err != nil {
					s.Error(err)
					return
				}
			}
		})
	}
	seen := map[string]bool{}
	var last int64
	look := func() {
		s.check(s.db.View(s.Context(), func(r store.Reader) error {
			items, err := r.Scan("", "", 0)
			newest := last
			for _, i := range items {
				if !seen[i.Key] && i.Revision <= last {
					s.Errorf("%s appeared with revision %d after %d was read", i.Key, i.Revision, last)
				}
				if string(i.Value) != strconv.FormatInt(i.Revision, 10) {
					s.Errorf("%s was written as revision %s and is %d", i.Key, i.Value, i.Revision)
				}
				seen[i.Key] = true
				newest = max(newest, i.Revision)
			}
			last = newest
			return err
		}))
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		look()
	}
	if len(seen) != writers*rounds {
		s.Errorf("%d keys were seen, want %d", len(seen), writers*rounds)
	}
}

// covers tells whether a watcher that was told of told knows that key has changed.
func covers(told []string, key string) bool {
	for _, t := range told {
		p, isPrefix := strings.CutSuffix(t, "*")
		if t == key || isPrefix && strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}

// testWatchAll lets two processes write at once, and wants each to be told of all that the other did.
func testWatchAll(s *suite) {
	dbs := []store.DB{s.db, s.openAgain()}
	const rounds = 50
	var mu sync.Mutex
	told := make([][]string, len(dbs))
	for i, db := range dbs {
		s.Cleanup(db.Watch(func(changed []string) {
			mu.Lock()
			defer mu.Unlock()
			told[i] = append(told[i], changed...)
		}))
	}
	var wg sync.WaitGroup
	for w := range 2 * len(dbs) {
		wg.Go(func() {
			for i := range rounds {
				if err := dbs[w%len(dbs)].Update(s.Context(), func(tx store.Tx) error {
					if i%10 == 9 { // much at once
						if err := tx.DeletePrefix(fmt.Sprintf("%d/0/", w)); err != nil {
							return err
						}
					}
					return tx.Put(fmt.Sprintf("%d/%d", w, i), nil)
				}); err != nil {
					s.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for i := range dbs {
		for w := range 2 * len(dbs) {
			for n := range rounds {
				key := fmt.Sprintf("%d/%d", w, n)
				s.eventually(fmt.Sprintf("process %d is told of %s", i, key), func() bool {
					mu.Lock()
					defer mu.Unlock()
					return covers(told[i], key)
				})
			}
		}
	}
}

// testCacheAcross wants a cache over one process's store to follow the writes of another, to the last.
func testCacheAcross(s *suite) {
	other := s.openAgain()
	c := store.NewCache(s.db, 10, store.DecodeJSON[int])
	s.Cleanup(c.Close)
	for n := range 20 {
		s.check(other.Update(s.Context(), func(tx store.Tx) error { return store.PutJSON(tx, "n", n) }))
		if n%5 == 0 {
			_ = s.put(s.db, "mine", "x") // own writes among those of the other
		}
		if n%3 == 0 {
			s.eventually(fmt.Sprintf("the cache has %d", n), func() bool {
				got, err := c.Get(s.Context(), "n")
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					s.Fatal(err)
				}
				return err == nil && got == n
			})
		}
	}
}

// testClaims lets workers of two processes take tasks off one queue: each is done once, and none is forgotten.
func testClaims(s *suite) {
	dbs := []store.DB{s.db, s.openAgain()}
	const tasks, workers = 40, 6
	s.update(s.db, func(tx store.Tx) {
		for i := range tasks {
			s.check(tx.Put(fmt.Sprintf("task/%02d", i), nil))
		}
	})
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for more := true; more; {
				err := dbs[w%len(dbs)].Update(s.Context(), func(tx store.Tx) error {
					items, err := tx.Scan("task/", "", 1)
					if more = len(items) > 0; err != nil || !more {
						return err
					}
					done := "done/" + strings.TrimPrefix(items[0].Key, "task/")
					if _, err := tx.Get(done); !errors.Is(err, store.ErrNotFound) {
						return fmt.Errorf("%s is there already: %w", done, err)
					}
					return errors.Join(tx.Delete(items[0].Key), tx.Put(done, []byte{byte(w)}))
				})
				if err != nil {
					s.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	var want []string
	for i := range tasks {
		want = append(want, fmt.Sprintf("done/%02d", i))
	}
	s.check(s.db.View(s.Context(), func(r store.Reader) error {
		items, err := r.Scan("", "", 0)
		if diff := cmp.Diff(want, keys(items)); diff != "" {
			s.Errorf("tasks (-want +got):\n%s", diff)
		}
		return err
	}))
}

// testLongKeys puts keys of every length around the longest that is allowed.
func testLongKeys(s *suite) {
	var long [store.MaxKey + 1]byte
	x := uint32(1)
	for i := range long { // bytes that cannot be compressed
		x = x*1664525 + 1013904223
		long[i] = byte(x>>24) | 1
	}
	key := string(long[:store.MaxKey])
	s.put(s.db, key, "1", key[:len(key)-1], "2")
	s.wantContents(s.db, key, "1", key[:len(key)-1], "2")
	if err := s.db.Update(s.Context(), func(tx store.Tx) error { return tx.Put(string(long[:]), nil) }); err == nil {
		s.Error("a key longer than MaxKey: no error")
	}
	s.check(s.db.View(s.Context(), func(r store.Reader) error {
		s.wantNotFound(r, string(long[:])+string(long[:]))
		return nil
	}))
}

// testManyChanges puts more in one transaction than an engine may want to hold back, and wants all of it, or nothing.
func testManyChanges(s *suite) {
	const n = 1500
	other := s.openAgain()
	f := s.watch(other)
	fill := func(tx store.Tx) error {
		for i := range n {
			if err := tx.Put(fmt.Sprintf("many/%04d", i), bytes.Repeat([]byte{byte(i)}, 100)); err != nil {
				return err
			}
		}
		return nil
	}
	err := s.db.Update(s.Context(), func(tx store.Tx) error { return errors.Join(fill(tx), errRefused) })
	if !errors.Is(err, errRefused) {
		s.Errorf("got %v, want the error of fn", err)
	}
	s.wantContents(s.db)
	s.check(s.db.Update(s.Context(), fill))
	if got := len(s.contents(other)); got != n {
		s.Errorf("%d keys, want %d", got, n)
	}
	var told []string
	last := fmt.Sprintf("many/%04d", n-1)
	s.eventually("the other process is told of the last key", func() bool {
		told = append(told, f.take()...)
		return covers(told, last)
	})
	s.update(s.db, func(tx store.Tx) { s.check(tx.DeletePrefix("many/")) })
	s.wantContents(other)
}

// testCanceled ends the context of an Update while it runs: whatever is answered is true.
func testCanceled(s *suite) {
	for i := range 10 {
		key := fmt.Sprintf("k/%d", i)
		ctx, cancel := context.WithCancel(s.Context())
		err := s.db.Update(ctx, func(tx store.Tx) error {
			if err := tx.Put(key, nil); err != nil {
				return err
			}
			cancel()
			return ctx.Err()
		})
		if err == nil {
			s.Errorf("%s: an Update whose fn failed was acknowledged", key)
		}
	}
	s.wantContents(s.db)
	s.put(s.db, "after", "1")
	s.wantContents(s.db, "after", "1")
}
