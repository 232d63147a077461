package store_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// counting is a store that counts its views and can hold one up after it has read.
type counting struct {
	store.DB
	mu    sync.Mutex
	views int
	after func()
	told  atomic.Pointer[time.Time]
}

// Told is now, however busy the machine is, unless told says otherwise.
func (c *counting) Told() time.Time {
	if at := c.told.Load(); at != nil {
		return *at
	}
	return time.Now()
}

func (c *counting) View(ctx context.Context, fn func(store.Reader) error) error {
	c.mu.Lock()
	c.views++
	after := c.after
	c.mu.Unlock()
	err := c.DB.View(ctx, fn)
	if after != nil {
		after()
	}
	return err
}

func newCache(t *testing.T, size int) (*counting, *store.Cache[int]) {
	db := &counting{DB: storetest.New(t)}
	c := store.NewCache(db, size, store.DecodeJSON[int])
	t.Cleanup(c.Close)
	return db, c
}

func put(t *testing.T, db store.DB, key string, v any) {
	t.Helper()
	if err := db.Update(t.Context(), func(tx store.Tx) error { return store.PutJSON(tx, key, v) }); err != nil {
		t.Fatal(err)
	}
}

// get gives the cached number as text, or "none".
func get(t *testing.T, c *store.Cache[int], key string) string {
	t.Helper()
	v, err := c.Get(t.Context(), key)
	if errors.Is(err, store.ErrNotFound) {
		return "none"
	}
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(v)
}

func TestCacheFollowsChanges(t *testing.T) {
	db, c := newCache(t, 100)
	keys := []string{"a/1", "a/2", "b"}
	for _, step := range []struct {
		name   string
		change func(store.Tx) error
		want   []string
		views  int
	}{
		{"nothing", func(store.Tx) error { return nil }, []string{"none", "none", "none"}, 3},
		{"put", func(tx store.Tx) error { return store.PutJSON(tx, "a/1", 1) }, []string{"1", "none", "none"}, 1},
		{"others", func(tx store.Tx) error {
			return errors.Join(store.PutJSON(tx, "b", 2), tx.Delete("c"))
		}, []string{"1", "none", "2"}, 1},
		{"delete", func(tx store.Tx) error { return tx.Delete("b") }, []string{"1", "none", "none"}, 1},
		{"prefix", func(tx store.Tx) error { return tx.DeletePrefix("a/") }, []string{"none", "none", "none"}, 2},
	} {
		if err := db.Update(t.Context(), step.change); err != nil {
			t.Fatal(err)
		}
		before := db.views
		for range 3 {
			var got []string
			for _, k := range keys {
				got = append(got, get(t, c, k))
			}
			if diff := cmp.Diff(step.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step.name, diff)
			}
		}
		if got := db.views - before; got != step.views {
			t.Errorf("%s: %d views, want %d", step.name, got, step.views)
		}
	}
}

// A value that was read before a change must not be kept after it.
func TestCacheChangeDuringLoad(t *testing.T) {
	for name, change := range map[string]func(store.Tx) error{
		"put":    func(tx store.Tx) error { return store.PutJSON(tx, "a/1", 2) },
		"prefix": func(tx store.Tx) error { return errors.Join(tx.DeletePrefix("a/"), store.PutJSON(tx, "a/1", 2)) },
	} {
		t.Run(name, func(t *testing.T) {
			db, c := newCache(t, 100)
			put(t, db, "a/1", 1)
			db.after = func() {
				db.after = nil
				if err := db.Update(t.Context(), change); err != nil {
					t.Error(err)
				}
			}
			if got := get(t, c, "a/1"); got != "1" {
				t.Errorf("Get during the change = %s, want 1", got)
			}
			if got := get(t, c, "a/1"); got != "2" {
				t.Errorf("Get after the change = %s, want 2", got)
			}
		})
	}
}

// Long keys are looked up each time: what callers name would otherwise fill the memory.
func TestCacheKeepsNoLongKeys(t *testing.T) {
	db, c := newCache(t, 4)
	for range 3 {
		if _, err := c.Get(t.Context(), strings.Repeat("k", 2000)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	}
	if db.views != 3 {
		t.Errorf("%d views, want 3", db.views)
	}
}

func TestCacheBound(t *testing.T) {
	db, c := newCache(t, 4)
	for i := range 8 {
		put(t, db, fmt.Sprint(i), i)
	}
	for range 2 {
		for i := range 8 {
			if got := get(t, c, fmt.Sprint(i)); got != strconv.Itoa(i) {
				t.Errorf("Get(%d) = %s", i, got)
			}
		}
	}
	if db.views < 12 {
		t.Errorf("%d views for twice 8 keys with room for 4, want at least 12", db.views)
	}
}

func TestCacheErrorsAreNotKept(t *testing.T) {
	db, c := newCache(t, 4)
	put(t, db, "a", "not a number")
	for range 2 {
		if _, err := c.Get(t.Context(), "a"); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get = %v, want a decoding error", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Get(ctx, "b"); !errors.Is(err, context.Canceled) {
		t.Errorf("Get with an ended context = %v, want context.Canceled", err)
	}
	if db.views != 3 {
		t.Errorf("%d views, want 3", db.views)
	}
}

// Readers never see a number older than the one whose Update returned.
func TestCacheNeverStale(t *testing.T) {
	db, c := newCache(t, 4)
	const last = 200
	put(t, db, "n", 0)
	var acknowledged atomic.Int64 // by Update
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				// While an Update runs, some may see its change already and others not yet.
				least := acknowledged.Load()
				if n, err := c.Get(t.Context(), "n"); err != nil || int64(n) < least {
					t.Errorf("got %d, %v after the Update of %d", n, err, least)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range last {
		put(t, db, "n", i)
		acknowledged.Store(int64(i))
	}
	close(done)
	wg.Wait()
}

func TestCacheHitDoesNotAllocate(t *testing.T) {
	db, c := newCache(t, 4)
	put(t, db, "a", 1)
	get(t, c, "a")
	get(t, c, "b")
	ctx := t.Context()
	if n := testing.AllocsPerRun(10_000, func() { // what the store does meanwhile does not count among so many
		_, _ = c.Get(ctx, "a")
		_, _ = c.Get(ctx, "b")
	}); n != 0 {
		t.Errorf("%v allocations on a hit, want 0", n)
	}
}

func TestJSON(t *testing.T) {
	type thing struct{ Name string }
	db := storetest.New(t)
	put(t, db, "a", thing{"x"})
	put(t, db, "bad", "text")
	if err := db.View(t.Context(), func(r store.Reader) error {
		got, err := store.GetJSON[thing](r, "a")
		if err != nil || got.Name != "x" {
			t.Errorf("GetJSON = %v, %v", got, err)
		}
		if _, err := store.GetJSON[thing](r, "none"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("GetJSON of nothing = %v, want ErrNotFound", err)
		}
		if _, err := store.GetJSON[thing](r, "bad"); err == nil {
			t.Error("GetJSON of another shape: no error")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(tx store.Tx) error { return store.PutJSON(tx, "f", func() {}) }); err == nil {
		t.Error("PutJSON of a function: no error")
	}
}

// What is remembered is not used while the engine cannot vouch for it; then the store is asked, and what cannot be asked is an error.
func TestCurrent(t *testing.T) {
	db, c := newCache(t, 4)
	pages := store.NewPages(db, 4, store.DecodeJSON[int])
	t.Cleanup(pages.Close)
	put(t, db, "n", 1)
	now := time.Now()
	for _, step := range []struct {
		name string
		told time.Time
		want int // views
	}{
		{"first", now.Add(time.Hour), 2},
		{"told", now.Add(time.Hour), 0},
		{"late", now.Add(-store.MaxAge), 2},
		{"never", time.Time{}, 2},
		{"told again", now.Add(time.Hour), 0},
	} {
		db.told.Store(&step.told)
		before := db.views
		if got := get(t, c, "n"); got != "1" {
			t.Errorf("%s: got %s, want 1", step.name, got)
		}
		if page, err := pages.Scan(t.Context(), "n", "", 0); len(page) != 1 || err != nil {
			t.Errorf("%s: page %v, %v", step.name, page, err)
		}
		if got := db.views - before; got != step.want {
			t.Errorf("%s: %d views, want %d", step.name, got, step.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	db.told.Store(&time.Time{})
	if n, err := c.Get(ctx, "n"); err == nil {
		t.Errorf("without the store the cache gives %d", n)
	}
	if page, err := pages.Scan(ctx, "n", "", 0); err == nil {
		t.Errorf("without the store there is a page %v", page)
	}
}
