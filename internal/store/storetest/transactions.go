package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/store"
)

var errRefused = errors.New("refused")

func testRollback(s *suite) {
	s.put(s.db, "a", "1")
	f := s.watch(s.db)
	err := s.db.Update(s.Context(), func(tx store.Tx) error {
		s.check(tx.Put("a", []byte("2")))
		s.check(tx.Put("b", []byte("2")))
		s.check(tx.DeletePrefix("a"))
		return fmt.Errorf("no: %w", errRefused)
	})
	if !errors.Is(err, errRefused) {
		s.Errorf("Update = %v, want the error of fn", err)
	}
	s.wantContents(s.db, "a", "1")
	if got := f.take(); got != nil {
		s.Errorf("watcher was told %q, want nothing", got)
	}
	s.put(s.db, "c", "3")
	s.wantContents(s.db, "a", "1", "c", "3")
}

func testPanic(s *suite) {
	func() {
		defer func() {
			if got := recover(); got != "bug" {
				s.Errorf("recovered %v, want the panic of fn", got)
			}
		}()
		_ = s.db.Update(s.Context(), func(tx store.Tx) error {
			s.check(tx.Put("a", []byte("1")))
			panic("bug")
		})
	}()
	func() {
		defer func() { _ = recover() }()
		_ = s.db.View(s.Context(), func(store.Reader) error { panic("bug") })
	}()
	s.put(s.db, "b", "2")
	s.wantContents(s.db, "b", "2")
}

func testRevisions(s *suite) {
	one := s.put(s.db, "a", "1", "b", "1")
	two := s.put(s.db, "b", "2")
	s.update(s.db, func(tx store.Tx) { s.check(tx.Delete("b")) })
	three := s.put(s.db, "c", "3")
	if !(0 < one && one < two && two < three) {
		s.Errorf("revisions %d, %d, %d do not rise", one, two, three)
	}
	got := map[string]int64{}
	s.check(s.db.View(s.Context(), func(r store.Reader) error {
		items, err := r.Scan("", "", 0)
		for _, i := range items {
			got[i.Key] = i.Revision
		}
		item, err2 := r.Get("c")
		got["Get c"] = item.Revision
		return errors.Join(err, err2)
	}))
	if diff := cmp.Diff(map[string]int64{"a": one, "c": three, "Get c": three}, got); diff != "" {
		s.Errorf("revisions (-want +got):\n%s", diff)
	}
}

func testSnapshot(s *suite) {
	s.put(s.db, "a", "old", "b", "old")
	s.check(s.db.View(s.Context(), func(r store.Reader) error {
		first, err := r.Get("a")
		s.check(err)
		done := make(chan error)
		go func() {
			done <- s.db.Update(s.Context(), func(tx store.Tx) error {
				return errors.Join(tx.Put("a", []byte("new")), tx.Put("b", []byte("new")))
			})
		}()
		s.check(<-done) // readers do not hold up writers
		a, err := r.Get("a")
		s.check(err)
		b, err := r.Get("b")
		s.check(err)
		if got := string(first.Value) + string(a.Value) + string(b.Value); got != "oldoldold" {
			s.Errorf("read %s in one snapshot, want old values only", got)
		}
		return nil
	}))
	s.wantContents(s.db, "a", "new", "b", "new")
}

// increment adds one to the number at key.
func increment(ctx context.Context, db store.DB, key string) error {
	return db.Update(ctx, func(tx store.Tx) error {
		item, err := tx.Get(key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		n := 0
		if err == nil {
			if n, err = strconv.Atoi(string(item.Value)); err != nil {
				return err
			}
		}
		return tx.Put(key, []byte(strconv.Itoa(n+1)))
	})
}

func testSerializable(s *suite) { s.race(s.db, s.db) }

func testSerializableAcross(s *suite) { s.race(s.db, s.openAgain()) }

// race increments one number by many writers at once: none may be lost.
func (s *suite) race(dbs ...store.DB) {
	const writers, rounds = 8, 20
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range rounds {
				if err := increment(s.Context(), dbs[w%len(dbs)], "n"); err != nil {
					s.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, db := range dbs {
		s.wantContents(db, "n", strconv.Itoa(writers*rounds))
	}
}

// testFailuresAmongOthers runs transactions that fail among others that do not: each keeps its own outcome.
func testFailuresAmongOthers(s *suite) {
	const n = 200
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			errs[i] = s.db.Update(s.Context(), func(tx store.Tx) error {
				if err := tx.Put(fmt.Sprintf("k/%03d", i), []byte(strconv.FormatInt(tx.Revision(), 10))); err != nil {
					return err
				}
				if i%3 == 0 {
					return errRefused
				}
				return nil
			})
		})
	}
	wg.Wait()
	seen := map[string]string{}
	got := s.contents(s.db)
	for i := range n {
		key := fmt.Sprintf("k/%03d", i)
		revision, ok := got[key]
		if refused := i%3 == 0; errors.Is(errs[i], errRefused) != refused || ok == refused {
			s.Errorf("%s: error %v, kept %t", key, errs[i], ok)
		}
		if ok && seen[revision] != "" {
			s.Errorf("%s and %s have the same revision %s", key, seen[revision], revision)
		}
		seen[revision] = key
	}
}

func testContext(s *suite) {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	if err := s.db.View(ctx, func(store.Reader) error { return nil }); !errors.Is(err, context.Canceled) {
		s.Errorf("View with an ended context = %v, want context.Canceled", err)
	}
	err := s.db.Update(ctx, func(tx store.Tx) error { return tx.Put("a", nil) })
	if !errors.Is(err, context.Canceled) {
		s.Errorf("Update with an ended context = %v, want context.Canceled", err)
	}
	s.wantContents(s.db)
}

func testClosed(s *suite) {
	s.put(s.db, "a", "1")
	s.check(s.db.Close())
	if err := s.db.View(s.Context(), func(store.Reader) error { return nil }); err == nil {
		s.Error("View after Close succeeded")
	}
	if err := s.db.Update(s.Context(), func(store.Tx) error { return nil }); err == nil {
		s.Error("Update after Close succeeded")
	}
	s.check(s.db.Close())
}

func testReopen(s *suite) {
	one := s.put(s.db, "a", "1", "b", "1")
	last := s.update(s.db, func(tx store.Tx) { s.check(tx.Delete("b")) })
	s.check(s.db.Close())
	db := s.openAgain()
	s.wantContents(db, "a", "1")
	if next := s.put(db, "c", "3"); next <= last || last <= one {
		s.Errorf("revisions %d, %d and %d after a restart do not rise", one, last, next)
	}
}

func testWatch(s *suite) {
	f := s.watch(s.db)
	stopped := false
	stop := s.db.Watch(func([]string) {
		if stopped {
			s.Error("a watcher was called after stop")
		}
	})
	s.put(s.db, "a", "1", "b", "1")
	if diff := cmp.Diff([]string{"a", "b"}, f.take()); diff != "" {
		s.Errorf("told of Put before Update returned (-want +got):\n%s", diff)
	}
	stop()
	stopped = true
	s.update(s.db, func(tx store.Tx) {
		s.check(tx.Delete("a"))
		s.check(tx.DeletePrefix("b"))
	})
	if diff := cmp.Diff([]string{"a", "b*"}, f.take()); diff != "" {
		s.Errorf("told of Delete and DeletePrefix (-want +got):\n%s", diff)
	}
	s.update(s.db, func(store.Tx) {})
	if got := f.take(); got != nil {
		s.Errorf("a transaction without changes told %q", got)
	}
}

// testWatchOther checks that commits of another process are told, by key or by a prefix of it, and without a write of one's own.
func testWatchOther(s *suite) {
	other := s.openAgain()
	f := s.watch(s.db)
	s.put(other, "x/1", "1")
	for told := false; !told; {
		select {
		case <-f.signal:
		case <-s.Context().Done():
			s.Fatal("never told of a commit of another process")
		}
		for _, c := range f.take() {
			p, isPrefix := strings.CutSuffix(c, "*")
			told = told || c == "x/1" || isPrefix && strings.HasPrefix("x/1", p)
		}
	}
	s.wantContents(s.db, "x/1", "1")
}

// testTold wants an engine that vouches for a moment to have told of all that another process had committed before it.
func testTold(s *suite) {
	other := s.openAgain()
	if told := s.db.Told(); store.Current(told) {
		s.Errorf("an engine without watchers has told of all before %v", told)
	}
	f := s.watch(s.db)
	for i := range 5 {
		key := fmt.Sprint("told/", i)
		s.put(other, key, "1")
		acknowledged := time.Now()
		s.eventually("the engine vouches for a later moment", func() bool { return s.db.Told().After(acknowledged) })
		if told := f.take(); !covers(told, key) {
			s.Errorf("the engine has told of %q, without %s", told, key)
		}
	}
	if n := testing.AllocsPerRun(10_000, func() { store.Current(s.db.Told()) }); n != 0 { // the feed's own do not count among so many
		s.Errorf("Told allocates %v times", n)
	}
}

// testToldMeanwhile wants an engine to go on learning of commits while views and an Update of its own take long.
func testToldMeanwhile(s *suite) {
	s.watch(s.db)
	begun, end := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(end)
	wait := func(r store.Reader) error {
		if _, err := r.Get("a"); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		begun <- struct{}{}
		<-end
		return nil
	}
	const views = 4
	for range views {
		wg.Go(func() {
			if err := s.db.View(s.Context(), wait); err != nil {
				s.Error(err)
			}
		})
	}
	wg.Go(func() {
		if err := s.db.Update(s.Context(), func(tx store.Tx) error { return wait(tx) }); err != nil {
			s.Error(err)
		}
	})
	for range views + 1 {
		<-begun
	}
	since := time.Now()
	s.eventually("the engine vouches for a later moment", func() bool { return s.db.Told().After(since) })
}
