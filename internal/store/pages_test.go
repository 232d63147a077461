package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

func newPages(t *testing.T, size int) (*counting, *store.Pages[string]) {
	db := &counting{DB: storetest.New(t)}
	p := store.NewPages(db, size, func(item store.Item) (string, error) {
		n, err := store.DecodeJSON[int](item)
		return fmt.Sprint(item.Key, "=", n), err
	})
	t.Cleanup(p.Close)
	return db, p
}

// page gives a page as text.
func page(t *testing.T, p *store.Pages[string], prefix, after string, limit int) string {
	t.Helper()
	list, err := p.Scan(t.Context(), prefix, after, limit)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, " ")
}

func TestPagesFollowChanges(t *testing.T) {
	db, p := newPages(t, 100)
	for _, step := range []struct {
		name   string
		change func(store.Tx) error
		want   string
		views  int
	}{
		{"nothing", func(store.Tx) error { return nil }, "", 3},
		{"put", func(tx store.Tx) error {
			return errors.Join(store.PutJSON(tx, "a/1", 1), store.PutJSON(tx, "a/2", 2), store.PutJSON(tx, "a/3", 3))
		}, "a/1=1 a/2=2|a/3=3", 2},
		{"others", func(tx store.Tx) error { return errors.Join(store.PutJSON(tx, "b/1", 4), tx.Delete("c")) }, "a/1=1 a/2=2|a/3=3|b/1=4", 1},
		{"change", func(tx store.Tx) error { return store.PutJSON(tx, "a/3", 5) }, "a/1=1 a/2=2|a/3=5|b/1=4", 2},
		{"delete", func(tx store.Tx) error { return tx.Delete("a/2") }, "a/1=1 a/3=5|a/3=5|b/1=4", 2},
		{"prefix above", func(tx store.Tx) error { return tx.DeletePrefix("a") }, "||b/1=4", 2},
		{"prefix below", func(tx store.Tx) error { return tx.DeletePrefix("b/1") }, "", 1},
	} {
		if err := db.Update(t.Context(), step.change); err != nil {
			t.Fatal(err)
		}
		before := db.views
		for range 3 {
			got := page(t, p, "a/", "", 2) + "|" + page(t, p, "a/", "a/2", 2) + "|" + page(t, p, "b/", "", 2)
			if strings.TrimRight(got, "|") != strings.TrimRight(step.want, "|") {
				t.Errorf("%s: got %q, want %q", step.name, got, step.want)
			}
		}
		if got := db.views - before; got != step.views {
			t.Errorf("%s: %d views, want %d", step.name, got, step.views)
		}
	}
}

// What was read before a change must not be kept after it.
func TestPagesChangeDuringLoad(t *testing.T) {
	db, p := newPages(t, 100)
	put(t, db, "a/1", 1)
	db.after = func() {
		db.after = nil
		put(t, db, "a/1", 2)
	}
	if got := page(t, p, "a/", "", 0); got != "a/1=1" {
		t.Errorf("Scan during the change = %s", got)
	}
	if got := page(t, p, "a/", "", 0); got != "a/1=2" {
		t.Errorf("Scan after the change = %s", got)
	}
}

func TestPagesBound(t *testing.T) {
	db, p := newPages(t, 6)
	for i := range 9 {
		put(t, db, fmt.Sprintf("a/%d", i), i)
	}
	for _, test := range []struct{ limit, views int }{
		{4, 4}, // 5 each: there is room for one
		{9, 3}, // the first is too long to be kept
		{1, 2},
	} {
		before := db.views
		for range 2 {
			page(t, p, "a/", "", test.limit)
			page(t, p, "a/", "a/4", test.limit)
		}
		if got := db.views - before; got != test.views {
			t.Errorf("limit %d: %d views, want %d", test.limit, got, test.views)
		}
	}
}

func TestPagesErrorsAreNotKept(t *testing.T) {
	db, p := newPages(t, 100)
	put(t, db, "a/1", "not a number")
	for range 2 {
		if _, err := p.Scan(t.Context(), "a/", "", 0); err == nil {
			t.Error("Scan: no error of decode")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Scan(ctx, "b/", "", 0); !errors.Is(err, context.Canceled) {
		t.Errorf("Scan with an ended context = %v, want context.Canceled", err)
	}
	if db.views != 3 {
		t.Errorf("%d views, want 3", db.views)
	}
}

// A caller may ask for what comes after a key of any length. Such pages are not kept: they would take the memory of their keys.
func TestPagesAfterLongKeys(t *testing.T) {
	db, p := newPages(t, 100)
	for range 3 {
		if got := page(t, p, "a/", "a/"+strings.Repeat("x", 2000), 2); got != "" {
			t.Errorf("got %s", got)
		}
	}
	if db.views != 3 {
		t.Errorf("%d views for three pages after a long key, want 3", db.views)
	}
}
