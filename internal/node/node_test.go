package node

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

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// link is the way of one node to the store; it can be cut.
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

// cluster is nodes over one store, and a watch over what they lead.
type cluster struct {
	*testing.T
	db store.DB

	mu      sync.Mutex
	leading map[string]string // by name of the work
	begun   map[string]int
	off     map[string]time.Duration // times of day, by node
}

func newCluster(t *testing.T) *cluster {
	return &cluster{T: t, db: storetest.New(t), leading: map[string]string{}, begun: map[string]int{}, off: map[string]time.Duration{}}
}

// running is a node that runs.
type running struct {
	*Node
	*cluster
	link  *link
	works sync.WaitGroup
	ctx   context.Context
	stop  context.CancelFunc
	leave context.CancelFunc
	ended chan error
}

func (c *cluster) start(id string) *running {
	c.Helper()
	r := &running{cluster: c, link: &link{DB: c.db}, ended: make(chan error, 1)}
	r.Node = New(Config{
		DB: r.link, ID: id, Shared: true, Logger: slog.New(slog.DiscardHandler), Off: func() time.Duration {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.off[id]
		},
	})
	if err := r.Join(c.Context()); err != nil {
		c.Fatal(err)
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	life, leave := context.WithCancel(context.Background())
	r.leave = leave
	go func() { r.ended <- r.Run(life) }()
	return r
}

// lead leads works until the node ends. A work takes some time to end.
func (r *running) lead(lasting time.Duration, names ...string) *running {
	for _, name := range names {
		r.works.Go(func() {
			if err := r.Lead(r.ctx, name, func(ctx context.Context) error {
				r.cluster.mu.Lock()
				if other := r.leading[name]; other != "" {
					r.Errorf("%s is led by %s and %s", name, other, r.ID())
				}
				r.leading[name] = r.ID()
				r.begun[name]++
				r.cluster.mu.Unlock()
				<-ctx.Done()
				time.Sleep(lasting)
				r.cluster.mu.Lock()
				r.leading[name] = ""
				r.cluster.mu.Unlock()
				return nil
			}); err != nil {
				r.Error(err)
			}
		})
	}
	return r
}

// end stops the node in an orderly way.
func (r *running) end() {
	r.Helper()
	r.stop()
	r.works.Wait()
	r.leave()
	if err := <-r.ended; err != nil && !r.link.cut.Load() {
		r.Error(err)
	}
}

// led counts what each node leads.
func (c *cluster) led() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := map[string]int{}
	for _, id := range c.leading {
		if id != "" {
			n[id]++
		}
	}
	return n
}

func (c *cluster) want(when string, want map[string]int) {
	c.Helper()
	synctest.Wait()
	if got := c.led(); fmt.Sprint(got) != fmt.Sprint(want) {
		c.Errorf("%s: %v, want %v", when, got, want)
	}
}

var works = []string{"a", "b", "c", "d", "e", "f"}

// Nodes know whether another has the right time of day, and tell of their own.
func TestTimesOfDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		a := c.start("a")
		time.Sleep(2 * Beat)
		if a.OthersRight() {
			t.Error("a is alone, and another's time is right")
		}
		b := c.start("b")
		for _, tt := range []struct{ off, listed time.Duration }{{0, 0}, {time.Hour, time.Hour}, {-time.Hour, -time.Hour}, {time.Millisecond, 0}} {
			c.mu.Lock()
			c.off["b"] = tt.off
			c.mu.Unlock()
			time.Sleep(3 * Beat)
			if right := tt.listed == 0; a.OthersRight() != right || !b.OthersRight() {
				t.Errorf("b is off by %v: a finds another right: %t, b: %t", tt.off, a.OthersRight(), b.OthersRight())
			}
			if err := c.db.View(t.Context(), func(r store.Reader) error {
				all, err := List(r)
				if err == nil && (len(all) != 2 || all[0].Off != 0 || all[1].Off != tt.listed) {
					t.Errorf("b is off by %v, and listed are %+v", tt.off, all)
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		}
		a.end()
		b.end()
	})
}

func TestWorkIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		a := c.start("a").lead(0, works...)
		time.Sleep(hurry)
		c.want("alone", map[string]int{"a": 6})
		b := c.start("b").lead(0, works...)
		time.Sleep(3 * Beat)
		c.want("two", map[string]int{"a": 3, "b": 3})
		z := c.start("z").lead(0, works...)
		time.Sleep(3 * Beat)
		c.want("three", map[string]int{"a": 2, "b": 2, "z": 2})
		z.end()
		time.Sleep(3 * hurry)
		c.want("one left", map[string]int{"a": 3, "b": 3})
		if n := a.Others(); n != 1 {
			t.Errorf("%d others, want 1", n)
		}
		b.link.cut.Store(true)
		time.Sleep(Patience + 2*Beat)
		c.want("one was cut off", map[string]int{"a": 6})
		if b.Lives() || !a.Lives() {
			t.Errorf("b lives: %v, a lives: %v", b.Lives(), a.Lives())
		}
		b.link.cut.Store(false)
		time.Sleep(3 * Beat)
		c.want("it is back", map[string]int{"a": 3, "b": 3})
		a.end()
		b.end()
		if err := c.db.View(t.Context(), func(r store.Reader) error {
			items, err := r.Scan("node/", "", 0)
			if len(items) > 0 {
				t.Errorf("left: %v", items)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
}

// When nobody reached the store, nobody is gone: each has its work again.
func TestStoreWasAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		a, b := c.start("a").lead(0, works...), c.start("b").lead(0, works...)
		time.Sleep(4 * Beat)
		c.want("before", map[string]int{"a": 3, "b": 3})
		a.link.cut.Store(true)
		b.link.cut.Store(true)
		time.Sleep(20 * Beat)
		c.want("away", map[string]int{})
		a.link.cut.Store(false)
		time.Sleep(2 * Beat)
		c.want("a is back", map[string]int{"a": 3})
		b.link.cut.Store(false)
		time.Sleep(2 * Beat)
		c.want("both are back", map[string]int{"a": 3, "b": 3})
		if n := len(a.Fenced()) + len(b.Fenced()); n != 0 {
			t.Errorf("%d were fenced after 20 s", n)
		}
		a.end()
		b.end()
	})
}

// What a node holds is kept for it longer than its work, and it gives it up by itself before.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		a, b := c.start("a"), c.start("b")
		defer a.end()
		time.Sleep(2 * Beat)
		states := func() (s string) {
			if err := c.db.View(t.Context(), func(r store.Reader) error {
				alive, err := a.Alive(r, "b")
				holds, err2 := a.Holds(r, "b")
				s = fmt.Sprint(alive, holds, len(b.Fenced()))
				return errors.Join(err, err2)
			}); err != nil {
				t.Fatal(err)
			}
			return s
		}
		for _, step := range []struct {
			cut  bool
			wait time.Duration
			want string
		}{
			{false, 100 * Beat, "true true 0"},
			{true, 3 * Beat, "true true 0"},
			{true, 5 * Beat, "false true 0"},
			{true, 14 * Beat, "false true 0"},
			{true, 4 * Beat, "false true 1"},
			{true, 8 * Beat, "false false 1"},
			{false, 4 * Beat, "true true 1"},
		} {
			b.link.cut.Store(step.cut)
			time.Sleep(step.wait)
			synctest.Wait()
			if got := states(); got != step.want {
				t.Errorf("cut %v for %v: %s, want %s", step.cut, step.wait, got, step.want)
			}
		}
		b.end()
	})
}

func TestSameID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		first := c.start("a").lead(0, "x")
		time.Sleep(2 * Beat)
		// The first was killed, or is another with the same id.
		second := c.start("a").lead(0)
		time.Sleep(2 * Beat)
		if err := <-first.ended; !errors.Is(err, ErrTaken) {
			t.Errorf("got %v, want ErrTaken", err)
		}
		first.stop()
		first.works.Wait()
		c.want("taken over", map[string]int{})
		second.lead(0, "x")
		time.Sleep(2 * hurry)
		c.want("led again", map[string]int{"a": 1})
		second.end()
	})
}

func TestAlone(t *testing.T) {
	n := New(Config{DB: storetest.New(t), ID: "a", Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- n.Run(ctx) }()
	want := errors.New("over")
	if err := errors.Join(n.Join(ctx), n.Lead(ctx, "x", func(context.Context) error { return want })); !errors.Is(err, want) || !n.Lives() {
		t.Errorf("got %v, lives: %v", err, n.Lives())
	}
	for id, want := range map[string]bool{"a": true, "b": false} {
		if got, err := n.Alive(nil, id); got != want || err != nil {
			t.Errorf("%s is alive: %v, %v; want %v", id, got, err, want)
		}
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

// Whatever happens to the nodes' ways to the store, no work that ends in time is done twice at once, and in the end all is done.
func TestNeverTwice(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 0))
				c := newCluster(t)
				nodes := map[string]*running{}
				for range 120 {
					id := string(rune('a' + random.IntN(4)))
					r := nodes[id]
					switch random.IntN(4) {
					case 0:
						if r == nil {
							nodes[id] = c.start(id).lead(time.Duration(random.IntN(900))*time.Millisecond, works...)
						}
					case 1:
						if r != nil && !r.link.cut.Load() {
							r.end()
							delete(nodes, id)
						}
					case 2:
						if r != nil {
							r.link.cut.Store(!r.link.cut.Load())
						}
					}
					time.Sleep(time.Duration(random.IntN(4000)) * time.Millisecond)
				}
				if len(nodes) == 0 {
					nodes["a"] = c.start("a").lead(0, works...)
				}
				for _, r := range nodes {
					r.link.cut.Store(false)
				}
				time.Sleep(Patience + 5*Beat)
				synctest.Wait()
				total := 0
				for _, n := range c.led() {
					total += n
				}
				if total != len(works) {
					t.Errorf("%d of %d works are done: %v", total, len(works), c.led())
				}
				for _, r := range nodes {
					r.end()
				}
			})
		})
	}
}

// A work that only one node has is done, whatever its fair share: others may be of a release that does not know it, or have ended it by an error.
func TestWorkOfOneNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		a := c.start("a").lead(0, append([]string{"z"}, works...)...)
		z := c.start("z").lead(0, works...)
		time.Sleep(2 * Patience)
		synctest.Wait()
		c.mu.Lock()
		if c.leading["z"] != "a" || c.begun["z"] > 2 {
			t.Errorf("z is led by %q, begun %d times", c.leading["z"], c.begun["z"])
		}
		begun := c.begun["z"]
		c.mu.Unlock()
		time.Sleep(10 * Patience)
		if c.begun["z"] != begun {
			t.Errorf("z was begun %d times more", c.begun["z"]-begun)
		}
		// One that comes and has it, too, changes nothing for the worse.
		y := c.start("y").lead(0, append([]string{"z"}, works...)...)
		time.Sleep(2 * Patience)
		c.want("three", map[string]int{"a": 3, "y": 2, "z": 2})
		a.end()
		y.end()
		z.end()
	})
}
