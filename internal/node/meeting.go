package node

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/internal/store"
)

const (
	memberPrefix = "node/member/"
	gonePrefix   = "node/gone/"
	leasePrefix  = "node/lease/"
)

// member is the record of a node that lives.
type member struct {
	Run  string `json:"run"`
	Beat int64  `json:"beat"`
	Description
}

// leader is the record of who leads a work.
type leader struct {
	Node string `json:"node"`
	Run  string `json:"run"`
}

// meeting is one sign of life: a transaction in which the node reads what others have written, and writes what follows from it.
type meeting struct {
	node *Node
	tx   store.Tx
	now  time.Time

	// others and gone are the revisions of the records of other nodes; runs, the runs of all that live, this one too.
	others, gone map[string]int64
	runs         map[string]string
	// right tells that the time of day of another is right.
	right bool
	// mine are the names that this node leads afterwards; surplus, those of them that others should; spurned, those that nobody leads, and
	// this node does not either because it has its share.
	mine, surplus, spurned map[string]bool
}

func (m *meeting) hold() error {
	for _, item := range []func() error{m.attend, m.bury, m.share} {
		if err := item(); err != nil {
			return err
		}
	}
	return nil
}

// attend writes the node's own record, and ends those of others who have not been heard of for too long.
func (m *meeting) attend() error {
	n := m.node
	n.mu.Lock()
	joined, beats, seen, self := n.joined, n.beats, n.others, n.self
	if n.blind(m.now) {
		seen = nil
	}
	n.mu.Unlock()
	items, err := m.tx.Scan(memberPrefix, "", 0)
	if err != nil {
		return err
	}
	m.others, m.runs = map[string]int64{}, map[string]string{}
	for _, item := range items {
		id := strings.TrimPrefix(item.Key, memberPrefix)
		record, err := store.DecodeJSON[member](item)
		switch {
		case err != nil:
			return err
		case id == n.config.ID:
			if joined && record.Run != n.run {
				return ErrTaken
			}
			continue
		case expired(seen, id, item.Revision, m.now, Patience):
			if err := errors.Join(m.tx.Delete(item.Key), store.PutJSON(m.tx, gonePrefix+id, leader{id, record.Run})); err != nil {
				return err
			}
			continue
		}
		m.others[id], m.runs[id] = item.Revision, record.Run
		m.right = m.right || record.Off.Abs() <= MaxOff
	}
	m.runs[n.config.ID] = n.run
	self.Off = n.config.Off().Round(time.Second)
	return store.PutJSON(m.tx, memberPrefix+n.config.ID, member{n.run, beats + 1, self})
}

// bury forgets nodes that have been gone for so long that nothing is kept for them any more, and takes it back that this one was.
func (m *meeting) bury() error {
	n := m.node
	n.mu.Lock()
	seen := n.gone
	if n.blind(m.now) {
		seen = nil
	}
	n.mu.Unlock()
	items, err := m.tx.Scan(gonePrefix, "", 0)
	if err != nil {
		return err
	}
	m.gone = map[string]int64{}
	for _, item := range items {
		id := strings.TrimPrefix(item.Key, gonePrefix)
		if id == n.config.ID || m.runs[id] != "" || expired(seen, id, item.Revision, m.now, Hold-Patience) {
			if err := m.tx.Delete(item.Key); err != nil {
				return err
			}
			continue
		}
		m.gone[id] = item.Revision
	}
	return nil
}

// expired tells whether a record has been seen as it is for so long.
func expired(seen map[string]sight, id string, revision int64, now time.Time, patience time.Duration) bool {
	s, ok := seen[id]
	return ok && s.revision == revision && now.Sub(s.at) >= patience
}

// share gives up what the node does not lead any more, and takes what nobody leads, up to its fair share; and beyond it what nobody else wants.
func (m *meeting) share() error {
	items, err := m.tx.Scan(leasePrefix, "", 0)
	if err != nil {
		return err
	}
	led := make(map[string]bool, len(items)) // by a node that lives
	m.mine, m.surplus, m.spurned = map[string]bool{}, map[string]bool{}, map[string]bool{}
	wanted, busy := m.node.wanted()
	for _, item := range items {
		name := strings.TrimPrefix(item.Key, leasePrefix)
		l, err := store.DecodeJSON[leader](item)
		switch {
		case err != nil:
			return err
		case l.Node == m.node.config.ID && l.Run == m.node.run && busy[name]:
			led[name], m.mine[name] = true, true
		case l.Node != m.node.config.ID && m.runs[l.Node] == l.Run:
			led[name] = true
		default: // of a node, or a run, that is gone, or not needed any more
			if err := m.tx.Delete(item.Key); err != nil {
				return err
			}
		}
	}
	fair := (len(wanted) + len(m.runs) - 1) / len(m.runs)
	spurned, own := m.node.lonely(m.now)
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		switch {
		case led[name]:
		case len(m.mine) >= fair && !spurned[name]:
			m.spurned[name] = true
		default:
			m.mine[name] = true
			if err := store.PutJSON(m.tx, leasePrefix+name, leader{m.node.config.ID, m.node.run}); err != nil {
				return err
			}
		}
	}
	mine := slices.Sorted(maps.Keys(m.mine))
	mine = slices.DeleteFunc(mine, func(name string) bool { return spurned[name] || own[name] })
	for _, name := range mine[min(fair, len(mine)):] {
		m.surplus[name] = true
	}
	return nil
}

// Alive tells whether a node lives as far as a transaction, or a view, can see.
func (n *Node) Alive(r store.Reader, id string) (bool, error) {
	if n.Alone() || id == n.config.ID {
		return id == n.config.ID, nil
	}
	return there(r, memberPrefix+id)
}

// Holds tells whether a node may still use what it holds of limits. This one may not when others have taken it for gone, before it has told
// them better.
func (n *Node) Holds(r store.Reader, id string) (bool, error) {
	if n.Alone() {
		return id == n.config.ID, nil
	}
	for _, key := range []string{memberPrefix + id, gonePrefix + id} {
		if ok, err := there(r, key); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func there(r store.Reader, key string) (bool, error) {
	_, err := r.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
