package node

import (
	"context"
)

// lease is a name that this node wants to lead. It is guarded by Node.mu.
type lease struct {
	// works is how many calls of Lead there are, running how many of them work.
	works, running int
	// row tells that the store names this node; held, that its work may run.
	row, held bool
	// changed is closed when held changes.
	changed chan struct{}
}

// Lead runs work while this node is the one that leads what is called name, until ctx ends or work returns by itself, whose error it gives.
// The context of work ends when the node does not lead any more; work then must return, and is run again when the node leads once more.
// Several calls for one name share what the node leads.
func (n *Node) Lead(ctx context.Context, name string, work func(context.Context) error) error {
	if n.Alone() {
		return work(ctx)
	}
	l := n.want(name)
	defer n.unwant(name, l)
	for ctx.Err() == nil {
		lost, ok := n.begin(ctx, l)
		if !ok {
			return nil
		}
		c, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			select {
			case <-lost:
				cancel()
			case <-c.Done():
			}
		}()
		err := work(c)
		over := c.Err() == nil
		cancel()
		<-ended
		n.end(l)
		if over || err != nil {
			return err
		}
	}
	return nil
}

// want counts a call of Lead.
func (n *Node) want(name string) *lease {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.names[name]
	if l == nil {
		l = &lease{changed: make(chan struct{})}
		n.names[name] = l
	}
	l.works++
	if !l.held {
		n.hasten()
	}
	return l
}

func (n *Node) unwant(name string, l *lease) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.works--; l.works == 0 {
		delete(n.names, name)
		if l.row {
			n.hasten()
		}
	}
}

// begin waits until work may run. lost is closed when it may not any more. It is false when ctx ends before.
func (n *Node) begin(ctx context.Context, l *lease) (lost <-chan struct{}, ok bool) {
	for {
		n.mu.Lock()
		changed, held := l.changed, l.held
		if held {
			l.running++
		}
		n.mu.Unlock()
		if held {
			return changed, true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, false
		}
	}
}

// end counts a work that has returned.
func (n *Node) end(l *lease) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.running--; l.running == 0 && !l.held {
		n.hasten() // it can be given up
	}
}

// grant lets the work of a lease run, or ends it. n.mu is held.
func (n *Node) grant(l *lease, held bool) {
	if l.held != held {
		l.held = held
		close(l.changed)
		l.changed = make(chan struct{})
	}
}

// wanted are the names that the node should lead if nobody does. Busy are those whose lease is still needed: also what was taken away, as
// long as the work has not returned.
func (n *Node) wanted() (wanted, busy map[string]bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	wanted, busy = map[string]bool{}, map[string]bool{}
	for name, l := range n.names {
		wanted[name] = true
		if l.held || l.running > 0 {
			busy[name] = true
		}
	}
	return wanted, busy
}
