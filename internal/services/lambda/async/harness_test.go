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

	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

const (
	account = "111122223333"
	region  = "eu-central-1"
)

// errStore is that of a store that fails.
var errStore = errors.New("the disk is broken")

// harness is a queue whose clock tests turn, with functions that do as they are told.
type harness struct {
	t     *testing.T
	db    *faultyDB
	queue *Queue
	node  *node
	began time.Time

	mu  sync.Mutex
	now time.Time
	// functions by their names as requested, "f" or "f:live".
	functions  map[string]Function
	deliveries int
	// ran says when which function ran with which event: "60s f one".
	ran []string
	// run is what functions do; nil: they answer with the event.
	run  func(execution.Invocation) (execution.Result, error)
	acts []string
	deny error
}

func newHarness(t *testing.T, workers int) *harness {
	t.Helper()
	began := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	h := &harness{t: t, db: &faultyDB{DB: storetest.New(t)}, node: &node{id: "a"}, began: began, now: began,
		functions: map[string]Function{"f": {Version: "$LATEST"}, "g": {Version: "$LATEST"}}}
	h.restart(workers)
	return h
}

// node is a server; alive are the others that live, nil for one that is alone.
type node struct {
	id    string
	alive map[string]bool
}

func (n *node) ID() string                                    { return n.id }
func (n *node) Alone() bool                                   { return n.alive == nil }
func (n *node) Alive(_ store.Reader, id string) (bool, error) { return id == n.id || n.alive[id], nil }

// restart is the start of a server on the same store: what was in memory is lost.
func (h *harness) restart(workers int) {
	h.t.Helper()
	h.queue = New(Config{
		DB: h.db, Functions: h, Roles: h, Nodes: h.node, Now: h.clock, Workers: workers, Logger: slog.New(slog.DiscardHandler),
	})
	if err := h.queue.Open(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *harness) Function(_ context.Context, e *Event) (Function, error) {
	r := e.Function
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deliveries++
	name := strings.TrimSuffix(r.Name+":"+r.Qualifier, ":")
	f, ok := h.functions[name]
	if !ok {
		return Function{}, fmt.Errorf("function %s: %w", name, store.ErrNotFound)
	}
	if f.MaxAge == 0 {
		f.RetryLimit, f.MaxAge = 2, 6*time.Hour
	}
	f.TraceID = e.TraceID + ";run"
	f.Role = "arn:aws:iam::111122223333:role/app"
	f.Run = func(_ context.Context, i execution.Invocation) (execution.Result, error) {
		h.mu.Lock()
		h.ran = append(h.ran, fmt.Sprintf("%gs %s %s", h.now.Sub(h.began).Seconds(), name, i.RequestID))
		run := h.run
		h.mu.Unlock()
		if run == nil {
			return execution.Result{Payload: i.Payload}, nil
		}
		return run(i)
	}
	return f, nil
}

func (h *harness) Act(_ context.Context, as Role, service, operation string, in any) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acts = append(h.acts, fmt.Sprintf("%s for %s: %s:%s %s", as.ARN, as.Function, service, operation, describe(in)))
	return h.deny
}

// accept takes an event of a function, "f" or "f:live", in.
func (h *harness) accept(function, id string) {
	h.t.Helper()
	name, qualifier, _ := strings.Cut(function, ":")
	e := Event{
		Function:  request.Function{Partition: "aws", Region: region, Account: account, Name: name, Qualifier: qualifier},
		RequestID: id, TraceID: "Root=1-x", Accepted: h.clock(),
	}
	if err := h.queue.Accept(h.t.Context(), e, []byte(`{"n":"`+id+`"}`), func(store.Reader) error { return nil }); err != nil {
		h.t.Fatal(err)
	}
}

// done counts deliveries, and what was to be written.
func (h *harness) done() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.db.mu.Lock()
	defer h.db.mu.Unlock()
	return h.deliveries + h.db.updates
}

// pass lets time pass, and everything happen when it is due.
func (h *harness) pass(d time.Duration) {
	h.t.Helper()
	end := h.clock().Add(d)
	for {
		before := h.done()
		next, err := h.queue.start(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		h.queue.runs.Wait()
		if h.done() > before {
			continue
		}
		h.mu.Lock()
		if next.IsZero() || next.After(end) {
			h.now = end
			h.mu.Unlock()
			return
		}
		h.now = next
		h.mu.Unlock()
	}
}

// left counts the keys in the store.
func (h *harness) left() (n int) {
	h.t.Helper()
	if err := h.db.View(h.t.Context(), func(r store.Reader) error {
		items, err := r.Scan("lambda/", "", 0)
		n = len(items)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// faultyDB fails when it is told to.
type faultyDB struct {
	store.DB
	mu      sync.Mutex
	fail    error
	updates int
}

func (d *faultyDB) broken(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = err
}

func (d *faultyDB) Update(ctx context.Context, fn func(store.Tx) error) error {
	d.mu.Lock()
	err := d.fail
	d.updates++
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return d.DB.Update(ctx, fn)
}
