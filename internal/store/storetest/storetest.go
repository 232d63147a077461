// Package storetest is the conformance suite of store.DB, and makes stores for the tests of other packages.
//
// An engine calls Run from its own test. The suite checks the contract in package store and nothing else: what it does not test,
// users of a store must not rely on.
package storetest

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/sqlite"
)

// New opens an empty store that lives as long as the test. It runs each function that Update is given once more than is needed, in a
// transaction that is undone, so that a test fails which meets one with effects outside: a database that is far does so, too.
func New(tb testing.TB) store.DB { return rehearsing{Once(tb)} }

// rehearsing is a store whose changes are rehearsed.
type rehearsing struct{ store.DB }

// errRehearsed undoes a rehearsal.
var errRehearsed = errors.New("this was a rehearsal")

// Update runs fn twice, unless it fails.
func (r rehearsing) Update(ctx context.Context, fn func(store.Tx) error) error {
	err := r.DB.Update(ctx, func(tx store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return errRehearsed
	})
	if !errors.Is(err, errRehearsed) {
		return err
	}
	return r.DB.Update(ctx, fn)
}

// Once is New without rehearsals, for tests whose own functions count what they do.
func Once(tb testing.TB) store.DB {
	tb.Helper()
	db, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "store.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// Run checks an engine. open opens the store that lives at place, a string unique to the test; opening a place that is open stands
// for a second process, opening one that was closed for a restart. The suite closes what it opens.
func Run(t *testing.T, open func(tb testing.TB, place string) store.DB) {
	for name, test := range map[string]func(*suite){
		"ReadYourWrites":      testReadYourWrites,
		"Values":              testValues,
		"BadKeys":             testBadKeys,
		"Scan":                testScan,
		"DeletePrefix":        testDeletePrefix,
		"Rollback":            testRollback,
		"Panic":               testPanic,
		"Revisions":           testRevisions,
		"Snapshot":            testSnapshot,
		"Serializable":        testSerializable,
		"SerializableAcross":  testSerializableAcross,
		"FailuresAmongOthers": testFailuresAmongOthers,
		"Watch":               testWatch,
		"WatchOther":          testWatchOther,
		"Told":                testTold,
		"ToldMeanwhile":       testToldMeanwhile,
		"Reopen":              testReopen,
		"Context":             testContext,
		"Closed":              testClosed,
		"Model":               testModel,
		"Phantom":             testPhantom,
		"Skew":                testSkew,
		"RevisionOrder":       testRevisionOrder,
		"WatchAll":            testWatchAll,
		"CacheAcross":         testCacheAcross,
		"Claims":              testClaims,
		"LongKeys":            testLongKeys,
		"ManyChanges":         testManyChanges,
		"Canceled":            testCanceled,
		"Copy":                testCopy,
		"LoadFails":           testLoadFails,
	} {
		t.Run(name, func(t *testing.T) {
			s := &suite{T: t, open: open, place: filepath.Join(t.TempDir(), "store")}
			s.db = s.openAgain()
			test(s)
		})
	}
}

// suite is one test with its store.
type suite struct {
	*testing.T
	open  func(testing.TB, string) store.DB
	place string
	db    store.DB
}

// openAgain opens the place of the test once more.
func (s *suite) openAgain() store.DB {
	s.Helper()
	db := s.open(s.T, s.place)
	s.Cleanup(func() { s.check(db.Close()) })
	return db
}

func (s *suite) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// update runs fn on db and returns the revision it had.
func (s *suite) update(db store.DB, fn func(store.Tx)) (revision int64) {
	s.Helper()
	s.check(db.Update(s.Context(), func(tx store.Tx) error {
		revision = tx.Revision()
		fn(tx)
		return nil
	}))
	return revision
}

// put puts pairs of key and value in one transaction.
func (s *suite) put(db store.DB, pairs ...string) int64 {
	s.Helper()
	return s.update(db, func(tx store.Tx) {
		for p := range slices.Chunk(pairs, 2) {
			s.check(tx.Put(p[0], []byte(p[1])))
		}
	})
}

// contents are all keys with their values.
func (s *suite) contents(db store.DB) map[string]string {
	s.Helper()
	got := map[string]string{}
	s.check(db.View(s.Context(), func(r store.Reader) error {
		items, err := r.Scan("", "", 0)
		for _, i := range items {
			got[i.Key] = string(i.Value)
		}
		return err
	}))
	return got
}

// wantContents compares all keys with pairs of key and value.
func (s *suite) wantContents(db store.DB, pairs ...string) {
	s.Helper()
	want := map[string]string{}
	for p := range slices.Chunk(pairs, 2) {
		want[p[0]] = p[1]
	}
	if diff := cmp.Diff(want, s.contents(db)); diff != "" {
		s.Errorf("contents (-want +got):\n%s", diff)
	}
}

// wantNotFound checks that there is nothing at key.
func (s *suite) wantNotFound(r store.Reader, key string) {
	s.Helper()
	if item, err := r.Get(key); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("Get(%q) = %v, %v, want ErrNotFound", key, item, err)
	}
}

// feed collects what a watcher is told.
type feed struct {
	mu      sync.Mutex
	changed []string
	signal  chan struct{}
}

// watch collects the changes of db until the test ends.
func (s *suite) watch(db store.DB) *feed {
	f := &feed{signal: make(chan struct{}, 1)}
	s.Cleanup(db.Watch(func(changed []string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.changed = append(f.changed, changed...)
		select {
		case f.signal <- struct{}{}:
		default:
		}
	}))
	return f
}

// take returns what was told since the last call.
func (f *feed) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.changed
	f.changed = nil
	return c
}
