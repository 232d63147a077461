package share

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/internal/store"
)

const prefix = "node/share/"

const (
	// patience is how long Ask waits for other servers to give something up.
	patience = 500 * time.Millisecond
	// pause is how long it does not ask again when they had nothing.
	pause = 200 * time.Millisecond
	// again is when the store is told once more what it could not be told.
	again = time.Second
)

// User is who runs the invocations of this server. Methods are safe for concurrent use and quick; they must not call the Keeper.
type User interface {
	// Granted says that n invocations may run here from now on under the limit of that name, while it is so high. If these are more than do and
	// are promised, one is promised to the caller of Ask, and it is true.
	Granted(name string, limit, n int) (promised bool)
	// Lower lowers how many may run here to what keep makes of how many may and how many do, but not below those that do and those promised,
	// and says how many that are.
	Lower(name string, keep func(granted, running int) int) (granted int)
	// Wanted says whether others want more of a limit: then Keeper.Freed is to be called when an invocation ends.
	Wanted(name string, wanted bool)
	// Fence ends what runs under limits that others may soon use up, and uses nothing of any limit without asking again.
	Fence()
}

// Nodes are the servers that share the store. *node.Node is one.
type Nodes interface {
	ID() string
	// Others is how many live beside this one.
	Others() int
	// Lives tells whether this one is sure to be told by Fenced when it holds nothing any more, and not soon.
	Lives() bool
	// Holds tells whether a server may still use what it holds.
	Holds(r store.Reader, id string) (bool, error)
	// Fenced gets a value when this one may not any more.
	Fenced() <-chan struct{}
}

// holders is the record of a limit.
type holders struct {
	Max    int             `json:"max"`
	Held   map[string]int  `json:"held,omitempty"`   // by server
	Wanted map[string]bool `json:"wanted,omitempty"` // by server
}

// Keeper is this server's part of all limits.
type Keeper struct {
	db     store.DB
	nodes  Nodes
	logger *slog.Logger
	// wake asks Run to look at what changed. Capacity 1.
	wake chan struct{}

	mu      sync.Mutex
	user    User
	limits  map[string]*limit
	changed map[string]bool // names to look at
	all     bool            // look at every name
}

// limit is what the Keeper knows of one.
type limit struct {
	// asking has room for the one call of Ask that asks.
	asking chan struct{}
	// busy is held while the store and the User are told about the limit. It comes before Keeper.mu.
	busy sync.Mutex
	// moved is closed when the record changes, and vain is until when nobody asks unless it does; both are guarded by Keeper.mu.
	moved chan struct{}
	vain  time.Time
}

// New makes a keeper. Open and Run make it work.
func New(db store.DB, nodes Nodes, logger *slog.Logger) *Keeper {
	return &Keeper{
		db: db, nodes: nodes, logger: logger, wake: make(chan struct{}, 1), limits: map[string]*limit{}, changed: map[string]bool{},
	}
}

// Open gives up what this server held before it was started. user runs what is to be run.
func (k *Keeper) Open(ctx context.Context, user User) error {
	k.mu.Lock()
	k.user = user
	k.mu.Unlock()
	return k.Release(ctx)
}

// Release gives up all that this server holds. Nothing may run any more.
func (k *Keeper) Release(ctx context.Context) error {
	err := k.db.Update(ctx, func(tx store.Tx) error {
		items, err := tx.Scan(prefix, "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			h, err := store.DecodeJSON[holders](item)
			if err != nil {
				return err
			}
			if h.Held[k.nodes.ID()] > 0 || h.Wanted[k.nodes.ID()] {
				delete(h.Held, k.nodes.ID())
				delete(h.Wanted, k.nodes.ID())
				if err := h.put(tx, item.Key); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("give up what this server holds of concurrency: %w", err)
	}
	return nil
}

// Run gives up what others want until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	var fences sync.WaitGroup
	defer fences.Wait()
	fences.Go(func() { k.heedFences(ctx) }) // what is below waits for the store, which a server lacks that is fenced
	stop := k.db.Watch(k.watch)
	defer stop()
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-k.wake:
		case <-retry:
		}
		retry = nil
		if err := k.look(ctx); err != nil && ctx.Err() == nil {
			k.logger.WarnContext(ctx, "Concurrency that other servers want could not be given up, and will be.", slog.Any("err", err))
			retry = time.After(again)
		}
	}
}

// heedFences ends what this server may not run any more, until ctx ends.
func (k *Keeper) heedFences(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.nodes.Fenced():
			k.logger.WarnContext(ctx, "This server has not reached the store for so long that others may use its concurrency: functions with reserved concurrency are ended.")
			k.user.Fence()
		}
	}
}

// watch follows the records.
func (k *Keeper) watch(changed []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	told := false
	for _, key := range changed {
		all, several := strings.CutSuffix(key, "*")
		name, ours := strings.CutPrefix(key, prefix)
		switch {
		case several && strings.HasPrefix(prefix, all):
			k.all, told = true, true
			for _, l := range k.limits {
				l.move()
			}
		case ours:
			if l := k.limits[name]; l != nil {
				k.changed[name], told = true, true
				l.move()
			}
		}
	}
	if told {
		k.hasten()
	}
}

// move tells those who wait that the record has changed. Keeper.mu is held.
func (l *limit) move() {
	close(l.moved)
	l.moved, l.vain = make(chan struct{}), time.Time{}
}

func (k *Keeper) hasten() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Freed tells that an invocation has ended that others may have waited for. It is quick.
func (k *Keeper) Freed(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changed[name] = true
	k.hasten()
}

// of finds or makes what is known of a limit.
func (k *Keeper) of(name string) *limit {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.limits[name]
	if l == nil {
		l = &limit{asking: make(chan struct{}, 1), moved: make(chan struct{})}
		k.limits[name] = l
	}
	return l
}

// look gives up what is wanted of the limits that have changed.
func (k *Keeper) look(ctx context.Context) error {
	k.mu.Lock()
	names := k.changed
	k.changed = map[string]bool{}
	if k.all {
		for name := range k.limits {
			names[name] = true
		}
	}
	k.all = false
	k.mu.Unlock()
	var failed []error
	for name := range names {
		if err := k.yield(ctx, name); err != nil {
			failed = append(failed, err)
			k.mu.Lock()
			k.changed[name] = true
			k.mu.Unlock()
		}
	}
	return errors.Join(failed...)
}

// yield gives up what is wanted of a limit, and tells the store what is held where it says otherwise.
func (k *Keeper) yield(ctx context.Context, name string) error {
	l := k.of(name)
	l.busy.Lock()
	defer l.busy.Unlock()
	h, err := k.read(ctx, name)
	if err != nil {
		return err
	}
	me := k.nodes.ID()
	sum := 0
	for _, n := range h.Held {
		sum += n
	}
	wanted := h.wantedBeside(me)
	k.user.Wanted(name, wanted)
	fair := h.Max / (1 + k.nodes.Others())
	granted := k.user.Lower(name, func(granted, running int) int {
		switch {
		case sum > h.Max:
			return running
		case !wanted:
			return granted
		}
		return granted - max(1, granted-fair)
	})
	if granted >= h.Held[me] {
		return nil
	}
	return k.db.Update(ctx, func(tx store.Tx) error {
		h, err := k.current(tx, name)
		if err != nil {
			return err
		}
		if granted < h.Held[me] {
			h.Held[me] = granted
		}
		return h.put(tx, prefix+name)
	})
}

// Ask tries to get so much of a limit, which is so high for all servers together, that one more may run here than does. It waits for a short
// time for what other servers give up. When it is true, the User was told, and has a promise to keep.
func (k *Keeper) Ask(ctx context.Context, name string, limit int) bool {
	l := k.of(name)
	l.asking <- struct{}{}
	defer func() { <-l.asking }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		k.mu.Lock()
		moved, vain := l.moved, time.Now().Before(l.vain)
		k.mu.Unlock()
		if vain {
			return false
		}
		enough, err := k.take(ctx, l, name, limit)
		if err != nil {
			k.logger.WarnContext(ctx, "Concurrency could not be asked for.", slog.Any("err", err))
			break
		}
		if enough {
			return true
		}
		select {
		case <-moved:
			continue
		case <-timer.C:
		case <-ctx.Done():
		}
		break
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	l.vain = time.Now().Add(pause)
	return false
}

// errGone is temporary: a sign of life is due.
var errGone = errors.New("other servers take this one for gone")

// take takes one or more of what is free of a limit, or notes that it is wanted.
func (k *Keeper) take(ctx context.Context, l *limit, name string, most int) (enough bool, err error) {
	l.busy.Lock()
	defer l.busy.Unlock()
	me, nodes := k.nodes.ID(), 1+k.nodes.Others()
	// What is used stays. Nothing more may begin until it is known how much.
	used := k.user.Lower(name, func(_, running int) int { return running })
	granted, wanted := used, false
	err = k.db.Update(ctx, func(tx store.Tx) error {
		if holds, err := k.nodes.Holds(tx, me); err != nil || !holds { // what it would hold would be others'
			return errors.Join(err, errGone)
		}
		h, err := k.current(tx, name)
		if err != nil {
			return err
		}
		free := most
		for id, held := range h.Held {
			if id != me {
				free -= held
			}
		}
		switch {
		case free <= used:
			granted = used
		case nodes == 1:
			granted = free
		case len(h.Wanted) == 0:
			granted = min(free, used+max(1, most/(2*nodes)))
		default:
			granted = used + 1
		}
		same := h.Max == most && h.Held[me] == granted && h.Wanted[me] == (granted == used)
		h.Max, h.Held[me] = most, granted
		if granted > used {
			clear(h.Wanted) // who still wants it says so again
		} else {
			h.Wanted[me] = true
		}
		wanted = h.wantedBeside(me)
		if same {
			return nil
		}
		return h.put(tx, prefix+name)
	})
	if err != nil {
		return false, err
	}
	if !k.nodes.Lives() { // it may have been fenced already, and would not be told again
		return false, errGone
	}
	k.user.Wanted(name, wanted)
	return k.user.Granted(name, most, granted), nil
}

func (k *Keeper) read(ctx context.Context, name string) (h *holders, err error) {
	err = k.db.View(ctx, func(r store.Reader) error {
		h, err = k.current(r, name)
		return err
	})
	return h, err
}

// current is the record without servers whose time is over.
func (k *Keeper) current(r store.Reader, name string) (*holders, error) {
	h, err := store.GetJSON[holders](r, prefix+name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if h.Held == nil {
		h.Held = map[string]int{}
	}
	if h.Wanted == nil {
		h.Wanted = map[string]bool{}
	}
	for id := range h.Held {
		if id == k.nodes.ID() {
			continue
		}
		holds, err := k.nodes.Holds(r, id)
		if err != nil {
			return nil, err
		}
		if !holds {
			delete(h.Held, id)
			delete(h.Wanted, id)
		}
	}
	return &h, nil
}

// wantedBeside tells whether another server wants more.
func (h *holders) wantedBeside(me string) bool {
	return len(h.Wanted) > 1 || len(h.Wanted) == 1 && !h.Wanted[me]
}

// put writes the record, or removes it when nobody holds anything.
func (h *holders) put(tx store.Tx, key string) error {
	for id, n := range h.Held {
		if n == 0 {
			delete(h.Held, id)
		}
	}
	if len(h.Held) == 0 && len(h.Wanted) == 0 {
		return tx.Delete(key)
	}
	return store.PutJSON(tx, key, h)
}
