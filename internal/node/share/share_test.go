package share

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// link is the way of one server to the store; it can be cut.
type link struct {
	store.DB
	cut atomic.Bool
}

var errCut = errors.New("the store is out of reach")

func (l *link) Update(ctx context.Context, fn func(store.Tx) error) error {
	if l.cut.Load() {
		return errCut
	}
	return l.DB.Update(ctx, fn)
}

func (l *link) View(ctx context.Context, fn func(store.Reader) error) error {
	if l.cut.Load() {
		return errCut
	}
	return l.DB.View(ctx, fn)
}

// world counts what runs on all servers under one limit.
type world struct {
	*testing.T
	db    store.DB
	limit atomic.Int64

	mu            sync.Mutex
	running, most int
	ran           map[string]int // by server
}

func newWorld(t *testing.T, limit int64) *world {
	w := &world{T: t, db: storetest.New(t), ran: map[string]int{}}
	w.limit.Store(limit)
	return w
}

// add counts; it is an error to run more than the limit.
func (w *world) add(id string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running += n
	w.most = max(w.most, w.running)
	if n > 0 {
		w.ran[id]++
	}
	if n > 0 && w.running > int(w.limit.Load()) {
		w.Errorf("%d run, the limit is %d", w.running, w.limit.Load())
	}
}

// server is a User with its node, as a Manager is.
type server struct {
	*world
	id     string
	node   *node.Node
	link   *link
	keeper *Keeper
	asked  atomic.Int64
	stop   []func() error

	mu       sync.Mutex
	known    int // the limit that granted is a part of
	granted  int
	running  int
	promised int
	wanted   bool
	fenced   chan struct{}
}

const name = "function/f"

func (w *world) start(id string) *server {
	w.Helper()
	return w.startOver(id, func(l *link) store.DB { return l })
}

// startOver is start with a way to the store of the keeper's own.
func (w *world) startOver(id string, way func(*link) store.DB) *server {
	w.Helper()
	s := &server{world: w, id: id, link: &link{DB: w.db}, fenced: make(chan struct{})}
	quiet := slog.New(slog.DiscardHandler)
	s.node = node.New(node.Config{DB: s.link, ID: id, Shared: true, Logger: quiet})
	s.keeper = New(way(s.link), s.node, quiet)
	if err := errors.Join(s.node.Join(w.Context()), s.keeper.Open(w.Context(), s)); err != nil {
		w.Fatal(err)
	}
	for _, run := range []func(context.Context) error{s.node.Run, s.keeper.Run} {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- run(ctx) }()
		s.stop = append(s.stop, func() error { cancel(); return <-done })
	}
	return s
}

// end stops the server in an orderly way.
func (s *server) end() {
	s.Helper()
	if err := errors.Join(s.stop[1](), s.keeper.Release(context.Background()), s.stop[0]()); err != nil && !s.link.cut.Load() {
		s.Error(err)
	}
}

func (s *server) Granted(_ string, limit, n int) (promised bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known, s.granted = limit, n
	if promised = n > s.running+s.promised; promised {
		s.promised++
	}
	return promised
}

func (s *server) Wanted(_ string, wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = wanted
}

func (s *server) Lower(_ string, keep func(granted, running int) int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.granted = max(s.running, min(s.granted, max(s.running+s.promised, keep(s.granted, s.running))))
	return s.granted
}

func (s *server) Fence() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.granted = 0
	close(s.fenced)
	s.fenced = make(chan struct{})
}

// invoke runs something for a while, if it may.
func (s *server) invoke(lasting time.Duration) bool {
	limit := int(s.limit.Load())
	lacks := func() bool { return s.known != limit || s.running >= s.granted }
	s.mu.Lock()
	if lacks() && s.running < limit {
		s.mu.Unlock()
		s.asked.Add(1)
		granted := s.keeper.Ask(context.Background(), name, limit)
		s.mu.Lock()
		if granted {
			s.promised--
		}
	}
	if lacks() {
		s.mu.Unlock()
		return false
	}
	s.running++
	s.add(s.id, 1)
	fenced := s.fenced
	s.mu.Unlock()
	timer := time.NewTimer(lasting)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-fenced:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(s.id, -1)
	s.running--
	if s.wanted {
		s.keeper.Freed(name)
	}
	return true
}

// A caller who goes from server to server is not refused, though there is one place for all.
func TestOnePlaceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		servers := []*server{w.start("a"), w.start("b"), w.start("c")}
		for i := range 30 {
			if !servers[i%3].invoke(time.Millisecond) {
				t.Errorf("call %d is refused", i)
			}
			synctest.Wait()
		}
		var wg sync.WaitGroup
		refused := false
		wg.Go(func() { servers[0].invoke(10 * time.Second) })
		time.Sleep(time.Second)
		began := time.Now()
		for range 5 {
			refused = refused || !servers[1].invoke(0)
		}
		if took := time.Since(began); !refused || took > 2*patience {
			t.Errorf("refused: %v, after %v", refused, took)
		}
		wg.Wait()
		if !servers[1].invoke(0) {
			t.Error("refused when there is a place again")
		}
		for _, s := range servers {
			s.end()
		}
	})
}

// Who runs what it holds does not ask.
func TestNobodyAsksTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 100)
		a, b := w.start("a"), w.start("b")
		for range 50 {
			var wg sync.WaitGroup
			for range 20 {
				for _, s := range []*server{a, b} {
					wg.Go(func() {
						if !s.invoke(time.Second) {
							t.Error("refused")
						}
					})
				}
			}
			wg.Wait()
		}
		// Those that come at once may all ask before the first has an answer.
		if a.asked.Load() > 40 || b.asked.Load() > 40 {
			t.Errorf("asked %d and %d times", a.asked.Load(), b.asked.Load())
		}
		a.end()
		b.end()
	})
}

// All places can be used, wherever they are wanted.
func TestAllPlacesMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 30)
		servers := []*server{w.start("a"), w.start("b"), w.start("c")}
		for round := range 6 {
			var wg sync.WaitGroup
			for range 30 {
				wg.Go(func() {
					for !servers[round%3].invoke(20 * time.Second) {
						time.Sleep(100 * time.Millisecond)
					}
				})
			}
			wg.Wait()
			w.mu.Lock()
			if w.most != 30 {
				t.Errorf("round %d: at most %d ran at once", round, w.most)
			}
			w.most = 0
			w.mu.Unlock()
		}
		for _, s := range servers {
			s.end()
		}
	})
}

// Whatever happens to the servers' ways to the store, and to the limit, there is never too much. A server that is killed is one that ends what
// it runs.
func TestNeverMoreThanTheLimit(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 1))
				w := newWorld(t, int64(1+random.IntN(4)))
				servers := map[string]*server{}
				var calls sync.WaitGroup
				over := make(chan struct{})
				for id := range 3 {
					id := string(rune('a' + id))
					s := w.start(id)
					servers[id] = s
					for n := range 3 {
						r := rand.New(rand.NewPCG(seed, uint64(id[0])*10+uint64(n)))
						calls.Go(func() {
							for {
								select {
								case <-over:
									return
								default:
								}
								s.invoke(time.Duration(r.IntN(40_000)) * time.Millisecond)
								time.Sleep(time.Duration(r.IntN(3_000)) * time.Millisecond)
							}
						})
					}
				}
				for range 60 {
					s := servers[string(rune('a'+random.IntN(3)))]
					s.link.cut.Store(random.IntN(3) == 0)
					time.Sleep(time.Duration(random.IntN(20_000)) * time.Millisecond)
				}
				close(over)
				calls.Wait()
				for _, s := range servers {
					s.link.cut.Store(false)
				}
				time.Sleep(2 * node.Hold)
				for id, s := range servers {
					if !s.invoke(time.Millisecond) {
						t.Errorf("%s is refused in the end", id)
					}
					if w.ran[id] == 0 {
						t.Errorf("%s never ran anything", id)
					}
					synctest.Wait()
				}
				for _, s := range servers {
					s.end()
				}
				if err := w.db.View(t.Context(), func(r store.Reader) error {
					items, err := r.Scan("node/", "", 0)
					if len(items) > 0 {
						t.Errorf("left: %v", items)
					}
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A limit that is lowered is kept by all once they know it, and one that is raised can be used.
func TestLimitChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		servers := []*server{w.start("a"), w.start("b")}
		for _, limit := range []int64{10, 2, 7, 1, 30} {
			w.limit.Store(limit)
			w.mu.Lock()
			w.most = 0
			w.mu.Unlock()
			var wg sync.WaitGroup
			for i := range 60 {
				wg.Go(func() {
					for !servers[i%2].invoke(time.Second) {
						time.Sleep(300 * time.Millisecond)
					}
				})
			}
			wg.Wait()
			if w.most != int(limit) {
				t.Errorf("limit %d: at most %d ran", limit, w.most)
			}
		}
		for _, s := range servers {
			s.end()
		}
	})
}

// slow is a way to the store on which reads hang for a while before they fail, as those of a network that is cut do.
type slow struct {
	*link
	hang time.Duration
}

func (s *slow) View(ctx context.Context, fn func(store.Reader) error) error {
	if s.cut.Load() {
		time.Sleep(s.hang)
	}
	return s.link.View(ctx, fn)
}

// What a server runs it ends in time also when it waits for the store meanwhile.
func TestFenceDoesNotWaitForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		a, b := w.startOver("a", func(l *link) store.DB { return &slow{l, 20 * time.Second} }), w.start("b")
		var long sync.WaitGroup
		long.Go(func() { a.invoke(time.Hour) })
		time.Sleep(time.Second)
		if b.invoke(0) { // b wants it, and is told no
			t.Error("not refused while another runs")
		}
		a.link.cut.Store(true)
		time.Sleep(node.Fence - 2*node.Beat)
		a.keeper.Freed(name) // it looks, and waits for the store
		time.Sleep(node.Hold - node.Fence + 5*node.Beat)
		if !b.invoke(time.Second) {
			t.Error("what a server held that is gone is not free")
		}
		long.Wait()
		a.link.cut.Store(false)
		time.Sleep(node.Hold)
		a.end()
		b.end()
	})
}

// A server takes nothing that it would not be told in time to end.
func TestNothingIsTakenAfterTheFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		own := &link{DB: w.db} // the keeper's way to the store, which is not cut
		a, b := w.startOver("a", func(*link) store.DB { return own }), w.start("b")
		a.link.cut.Store(true)
		time.Sleep(node.Fence + node.Beat)
		var calls sync.WaitGroup
		calls.Go(func() { a.invoke(time.Hour) })
		time.Sleep(2 * node.Hold)
		if !b.invoke(time.Second) {
			t.Error("refused, although the other server is gone")
		}
		a.link.cut.Store(false)
		time.Sleep(2 * node.Beat)
		if !a.invoke(0) {
			t.Error("refused, although it lives again")
		}
		calls.Wait()
		a.end()
		b.end()
	})
}
