package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/licet/licet/internal/store"
)

// How long things take, in the time between two signs of life. See the package comment.
const (
	Beat     = time.Second
	Trust    = 4 * Beat
	Patience = 5 * Beat
	Fence    = 24 * Beat
	Hold     = 30 * Beat
)

// MaxOff is how far a time of day may be from the store's and is still right.
const MaxOff = time.Minute

const (
	// late is how long a sign of life may take. Then it is tried again.
	late = 2 * Beat
	// hurry is the least time between two signs of life.
	hurry = 20 * time.Millisecond
)

// ErrTaken says that another server has the id of this one: two have the same, or a copied, data directory.
var ErrTaken = errors.New("node: another server has taken over the id of this one")

// Config is what a Node needs. Every field without an "unset" is required.
type Config struct {
	DB store.DB
	// ID is the server's, and stays: letters, digits and hyphens, of which the first is a letter.
	ID string
	// Shared tells whether other servers may use the store. Unset: this one is alone.
	Shared bool
	// Self describes the server for people. Unset: it is not described.
	Self Description
	// Off is how far the machine's time of day is ahead of the store's. Unset: it is right.
	Off    func() time.Duration
	Logger *slog.Logger
}

// Description is what people want to know of a server.
type Description struct {
	Listen  string    `json:"listen,omitempty"`
	Host    string    `json:"host,omitempty"`
	Version string    `json:"version,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	// Keys are the ids of the sealing keys that it has.
	Keys []string `json:"keys,omitempty"`
	// Off is how far the server's time of day is ahead of the store's, in whole seconds.
	Off time.Duration `json:"off,omitempty"`
}

// Node is this server.
type Node struct {
	config Config
	// run tells this process from those before that had the same id.
	run string
	// wake asks Run for a sign of life before it is due. Capacity 1.
	wake chan struct{}
	// changes gets a value when another node has come or gone. Capacity 1.
	changes chan struct{}
	// cutOff gets a value when the node has lost the store for so long that others may soon use what it holds of limits. Capacity 1.
	cutOff chan struct{}
	// lapse and fence end trust in this node; they are set by every sign of life.
	lapse, fence *time.Timer

	mu   sync.Mutex
	self Description
	// right tells that the time of day of another is right, as of the last sign of life.
	right  bool
	joined bool // the store has, or had, the record of this run
	lives  bool // its leases may be relied on, until trusted
	beats  int64
	// trusted is when Trust ends, looked when the last sign of life was given.
	trusted, looked time.Time
	// others and gone are what was seen of other nodes, by id.
	others, gone map[string]sight
	names        map[string]*lease
	// spurned are names since when nobody leads them although this node left them to others; own are those that it leads therefore, until
	// others come or go.
	spurned map[string]time.Time
	own     map[string]bool
}

// sight is when a record was first seen as it is.
type sight struct {
	revision int64
	at       time.Time
}

// New makes a node; Run makes it live.
func New(c Config) *Node {
	if c.Off == nil {
		c.Off = func() time.Duration { return 0 }
	}
	n := &Node{
		config: c, self: c.Self, run: uuid.NewString(), wake: make(chan struct{}, 1), cutOff: make(chan struct{}, 1), changes: make(chan struct{}, 1),
		others: map[string]sight{}, gone: map[string]sight{}, names: map[string]*lease{},
		spurned: map[string]time.Time{}, own: map[string]bool{},
	}
	return n
}

// ID is the node's.
func (n *Node) ID() string { return n.config.ID }

// SetKeys changes what the description says of keys.
func (n *Node) SetKeys(ids []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.self.Keys = ids
	n.hasten()
}

// Alone tells whether there can be no other.
func (n *Node) Alone() bool { return !n.config.Shared }

// Rank is the node's place, from 0, among so many that live, as of the last sign of life: what can be divided each takes its part of.
func (n *Node) Rank() (place, of int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id := range n.others {
		if id < n.config.ID {
			place++
		}
	}
	return place, 1 + len(n.others)
}

// Changes gets a value when Rank may have changed. There is one channel for all.
func (n *Node) Changes() <-chan struct{} { return n.changes }

// Others is how many nodes live beside this one, as of the last sign of life.
func (n *Node) Others() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.others)
}

// OthersRight tells whether there is another node whose time of day is right, to within a bound, as of the last sign of life.
func (n *Node) OthersRight() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.right
}

// Lives tells whether others take this node for living, which is no news of more than Trust.
func (n *Node) Lives() bool {
	if n.Alone() {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lives && time.Now().Before(n.trusted)
}

// Join gives the first sign of life, so that the node is known before it does anything. Run follows.
func (n *Node) Join(ctx context.Context) error {
	if n.Alone() {
		return nil
	}
	n.lapse, n.fence = time.AfterFunc(Trust, n.lapsed), time.AfterFunc(Fence, n.fenced)
	n.lapse.Stop()
	n.fence.Stop()
	if err := n.beat(ctx); err != nil {
		return fmt.Errorf("join the servers of the store: %w", err)
	}
	return nil
}

// Run gives signs of life until ctx ends, and then takes leave. The work that the node leads must have ended by then. The error is ErrTaken
// when the server must stop.
func (n *Node) Run(ctx context.Context) error {
	if n.Alone() {
		<-ctx.Done()
		return nil
	}
	stop := n.config.DB.Watch(n.watch)
	defer stop()
	defer n.lapse.Stop()
	defer n.fence.Stop()
	timer := time.NewTimer(Beat)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return n.leave(context.WithoutCancel(ctx))
		case <-timer.C:
		case <-n.wake:
			time.Sleep(hurry) // more may come at once
		}
		err := n.beat(ctx)
		if errors.Is(err, ErrTaken) {
			n.lapsed()
			return err
		}
		if err != nil && ctx.Err() == nil {
			n.config.Logger.WarnContext(ctx, "Other servers could not be told that this one lives.", slog.Any("err", err))
		}
		timer.Reset(Beat)
	}
}

// watch looks out for leases that are given up.
func (n *Node) watch(changed []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, key := range changed {
		if name, ok := strings.CutPrefix(key, leasePrefix); ok {
			if l := n.names[name]; l != nil && l.works > 0 && !l.held {
				n.hasten()
			}
		}
	}
}

// hasten asks for a sign of life.
func (n *Node) hasten() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// beat gives a sign of life and learns from those of others.
func (n *Node) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, late)
	defer cancel()
	began := time.Now()
	var m meeting
	err := n.config.DB.Update(ctx, func(tx store.Tx) error {
		m = meeting{node: n, tx: tx, now: time.Now()}
		return m.hold()
	})
	if err != nil {
		return err
	}
	n.learn(&m, began)
	return nil
}

// learn takes over what a meeting came to. Trust counts from before it, what was seen of others from after it.
func (n *Node) learn(m *meeting, began time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	n.lapse.Reset(began.Add(Trust).Sub(now))
	n.fence.Reset(began.Add(Fence).Sub(now))
	blind := n.blind(now)
	n.joined, n.lives, n.trusted, n.looked = true, now.Before(began.Add(Trust)), began.Add(Trust), now
	n.right = m.right
	n.beats++
	n.noteSpurned(m, now)
	if !maps.EqualFunc(n.others, m.others, func(sight, int64) bool { return true }) {
		clear(n.own)
		clear(n.spurned)
		select {
		case n.changes <- struct{}{}:
		default:
		}
	}
	n.others = watched(n.others, m.others, now, blind)
	n.gone = watched(n.gone, m.gone, now, blind)
	for name, l := range n.names {
		l.row = m.mine[name]
		n.grant(l, n.lives && l.row && !m.surplus[name])
	}
}

// noteSpurned keeps what nobody wants to lead but this node. n.mu is held.
func (n *Node) noteSpurned(m *meeting, now time.Time) {
	for name, since := range n.spurned {
		if !m.spurned[name] {
			delete(n.spurned, name)
			if m.mine[name] && now.Sub(since) >= Patience {
				n.own[name] = true
			}
		}
	}
	for name := range m.spurned {
		if _, known := n.spurned[name]; !known {
			n.spurned[name] = now
		}
	}
	maps.DeleteFunc(n.own, func(name string, _ bool) bool { return !m.mine[name] })
}

// lonely are the names that others have left to this node for long enough, and those that it leads therefore.
func (n *Node) lonely(now time.Time) (spurned, own map[string]bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	spurned = map[string]bool{}
	for name, since := range n.spurned {
		spurned[name] = now.Sub(since) >= Patience
	}
	return spurned, maps.Clone(n.own)
}

// blind tells whether the node has not looked at the others for a while, in which it cannot say that they were gone. n.mu is held.
func (n *Node) blind(now time.Time) bool {
	return n.looked.IsZero() || now.Sub(n.looked) > 2*Beat+late
}

// watched is what has been seen of records: before, and now with these revisions. When nobody looked for a while, everything is new.
func watched(before map[string]sight, revisions map[string]int64, now time.Time, blind bool) map[string]sight {
	after := make(map[string]sight, len(revisions))
	for id, revision := range revisions {
		s, ok := before[id]
		if blind || !ok || s.revision != revision {
			s = sight{revision, now}
		}
		after[id] = s
	}
	return after
}

// lapsed ends the work that the node leads: others may take it for gone.
func (n *Node) lapsed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lives {
		n.config.Logger.Warn("This server has not reached the store for some seconds: others may take over its work.")
	}
	n.lives = false
	for _, l := range n.names {
		n.grant(l, false)
	}
}

// fenced is the end of what the node holds.
func (n *Node) fenced() {
	select {
	case n.cutOff <- struct{}{}:
	default:
	}
}

// Fenced gets a value when the node has lost the store for so long that others may soon use what it holds of limits.
func (n *Node) Fenced() <-chan struct{} { return n.cutOff }

// leave takes the node's records away.
func (n *Node) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, late)
	defer cancel()
	err := n.config.DB.Update(ctx, func(tx store.Tx) error {
		m, err := store.GetJSON[member](tx, memberPrefix+n.config.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && m.Run != n.run {
			return nil
		} else if err != nil {
			return err
		}
		leases, err := tx.Scan(leasePrefix, "", 0)
		if err != nil {
			return err
		}
		for _, item := range leases {
			l, err := store.DecodeJSON[leader](item)
			if err != nil {
				return err
			}
			if l.Node == n.config.ID {
				if err := tx.Delete(item.Key); err != nil {
					return err
				}
			}
		}
		return tx.Delete(memberPrefix + n.config.ID)
	})
	if err != nil {
		return fmt.Errorf("take leave of the other servers: %w", err)
	}
	return nil
}
