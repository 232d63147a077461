package async

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// beside is another server over the store of h.
func (h *harness) beside(id string) *harness {
	h.t.Helper()
	h.node.alive[id] = true
	other := &harness{
		t: h.t, db: &faultyDB{DB: h.db.DB}, node: &node{id, map[string]bool{h.node.id: true}}, began: h.began, now: h.clock(), functions: h.functions,
	}
	other.restart(0)
	return other
}

func (h *harness) depth() string {
	return fmt.Sprint(testutil.ToFloat64(h.queue.metrics.depth), " in ", len(h.queue.lines))
}

// Each server runs the events that it took in, and those of one that is gone.
func TestServersShareAStore(t *testing.T) {
	h := newHarness(t, 0)
	h.node.alive = map[string]bool{}
	other := h.beside("b")
	h.accept("f", "mine")
	other.accept("f", "its")
	for i := range adoptBatch {
		other.accept("g", fmt.Sprint("more", i))
	}
	h.pass(0)
	if diff := cmp.Diff([]string{"0s f mine"}, h.ran); diff != "" {
		t.Errorf("ran (-want +got):\n%s", diff)
	}
	if err := h.queue.adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.pass(0)
	if len(h.ran) != 1 {
		t.Errorf("ran another's events while it lives: %q", h.ran)
	}
	// The other is gone while it runs some of its events, and comes back.
	var once sync.Once
	other.run = func(i execution.Invocation) (execution.Result, error) {
		once.Do(func() {
			h.node.alive["b"] = false
			if err := h.queue.adopt(t.Context()); err != nil {
				t.Error(err)
			}
		})
		return failing(i)
	}
	if _, err := other.queue.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	other.queue.runs.Wait()
	h.pass(time.Hour)
	h.node.alive["b"] = true
	other.run = nil
	other.pass(time.Hour)
	ran := map[string]int{}
	for _, line := range append(h.ran, other.ran...) {
		ran[line[strings.LastIndexByte(line, ' '):]]++
	}
	for id, n := range ran {
		if n > 2 {
			t.Errorf("event %s ran %d times", id, n)
		}
	}
	if len(ran) != adoptBatch+2 || len(h.ran) < adoptBatch {
		t.Errorf("%d events ran, %d of them where they were taken over; want %d", len(ran), len(h.ran), adoptBatch+2)
	}
	if h.left() != 0 || h.depth() != "0 in 0" || other.depth() != "0 in 0" {
		t.Errorf("left: %d keys, depths %s and %s", h.left(), h.depth(), other.depth())
	}
}

func TestDeletedByAnotherServer(t *testing.T) {
	h := newHarness(t, 0)
	h.node.alive = map[string]bool{}
	other := h.beside("b")
	h.accept("f", "mine")
	other.accept("f", "its")
	other.accept("g", "stays")
	f := request.Function{Partition: "aws", Region: region, Account: account, Name: "f"}
	if err := h.db.Update(t.Context(), func(tx store.Tx) error { return DeleteLine(tx, f) }); err != nil {
		t.Fatal(err)
	}
	h.pass(0)
	other.pass(0)
	if diff := cmp.Diff([]string{"0s g stays"}, append(h.ran, other.ran...)); diff != "" {
		t.Errorf("ran (-want +got):\n%s", diff)
	}
	if h.left() != 0 || h.depth() != "0 in 0" || other.depth() != "0 in 0" {
		t.Errorf("left: %d keys, depths %s and %s", h.left(), h.depth(), other.depth())
	}
}

// Events of a release that knew of one server only are found, and so are those of a data directory that was another server's.
func TestEventsFromBefore(t *testing.T) {
	h := newHarness(t, 0)
	h.accept("f", "one")
	h.accept("f", "two")
	if err := h.db.Update(t.Context(), func(tx store.Tx) error {
		items, err := tx.Scan(eventPrefix, "", 0)
		if err != nil {
			return err
		}
		for i, to := range []string{"", "elsewhere/"} {
			rest := items[i].Key[len(eventPrefix+"a/"):]
			if err := tx.Put(eventPrefix+to+rest, items[i].Value); err != nil {
				return err
			}
			if err := tx.Delete(items[i].Key); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	h.queue = New(Config{DB: h.db, Functions: h, Roles: h, Nodes: h.node, Now: h.clock, Logger: slog.New(slog.DiscardHandler)})
	if err := h.queue.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.pass(0)
	if len(h.ran) != 2 || h.left() != 0 {
		t.Errorf("ran %q, left: %d keys", h.ran, h.left())
	}
}

// vanishing is a store whose events another server ends when they have been looked for.
type vanishing struct {
	store.DB
	t    *testing.T
	once sync.Once
}

func (v *vanishing) View(ctx context.Context, fn func(store.Reader) error) error {
	err := v.DB.View(ctx, fn)
	v.once.Do(func() {
		if err := v.Update(ctx, func(tx store.Tx) error {
			items, err := tx.Scan("lambda/", "", 0)
			for _, item := range items {
				err = errors.Join(err, tx.Delete(item.Key))
			}
			return err
		}); err != nil {
			v.t.Error(err)
		}
	})
	return err
}

// An event that has just been taken over and ended elsewhere is not counted any more.
func TestEndedByAnotherServer(t *testing.T) {
	h := newHarness(t, 0)
	h.accept("f", "one")
	h.queue.config.DB = &vanishing{DB: h.db, t: t}
	h.pass(0)
	h.pass(time.Second)
	if len(h.ran) != 0 || h.depth() != "0 in 0" {
		t.Errorf("ran %q, depth %s", h.ran, h.depth())
	}
}
