//go:build linux

package compat

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// fault is something that happens to a node, or to the database, for a while; afterwards all is well again.
type fault struct {
	name string
	// least is how long it lasts at least, and half of at most.
	least  time.Duration
	happen func(n *clusterNode, d time.Duration) error
	// database: it happens to the database, and no other such at the same time.
	database bool
}

// faults are all there are.
func (c *cluster) faults(long bool) []fault {
	all := []fault{
		{"server killed, and started again", 3 * time.Second, c.killed, false},
		{"cut off from the database", 2 * time.Second, c.cut, false},
		{"server stopped, and continued", 2 * time.Second, func(n *clusterNode, d time.Duration) error {
			return during(d, func() error { return n.cmd.Process.Signal(syscall.SIGSTOP) }, func() error { return n.cmd.Process.Signal(syscall.SIGCONT) })
		}, false},
		{"database crashed", 500 * time.Millisecond, func(_ *clusterNode, d time.Duration) error {
			return during(d, c.database.Kill, c.database.Start)
		}, true},
		{"database suspended", time.Second, func(_ *clusterNode, d time.Duration) error {
			return during(d, c.database.Suspend, c.database.Resume)
		}, true},
		{"slow network to the database", 1500 * time.Millisecond, func(n *clusterNode, d time.Duration) error {
			n.proxy.Delay(50 * time.Millisecond)
			time.Sleep(d)
			n.proxy.Delay(0)
			return nil
		}, false},
		{"answers of the database held back", 1500 * time.Millisecond, func(n *clusterNode, d time.Duration) error {
			n.proxy.Hold(true)
			time.Sleep(d)
			n.proxy.Hold(false)
			return nil
		}, false},
		{"disk of the database full", time.Second, c.full, true},
		{"slow disk of the database", 2 * time.Second, c.slowDatabase, true},
		{"slow disk of a server", 1500 * time.Millisecond, func(n *clusterNode, d time.Duration) error { return slowly(d, n.cmd.Process.Pid) }, false},
	}
	if long {
		// Others use what the node had of a limit after 30 seconds (node.Hold). What it ran must have ended by then.
		all = append(all, fault{"cut off from the database for long", 31 * time.Second, c.cut, false})
	}
	if c.jumping {
		all = append(all, c.jumps()...)
	}
	return all
}

func (c *cluster) cut(n *clusterNode, d time.Duration) error {
	i := c.index(n)
	return during(d, func() error { return c.network.cut(i, true) }, func() error { return c.network.cut(i, false) })
}

func (c *cluster) index(n *clusterNode) int {
	for i := range c.nodes {
		if c.nodes[i] == n {
			return i
		}
	}
	panic("a node of another cluster")
}

// during does something, and undoes it after a while.
func during(d time.Duration, do, undo func() error) error {
	if err := do(); err != nil {
		return err
	}
	time.Sleep(d)
	return undo()
}

// killed kills a node and starts it again, as often as it takes: the database may not be there.
func (c *cluster) killed(n *clusterNode, d time.Duration) error {
	return during(d, n.kill, func() (err error) {
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
			if err = n.launch("--function-network", "host"); err == nil {
				return nil
			}
			_ = n.cmd.Process.Kill() // it may have ended
			<-n.ended
		}
		return err
	})
}

// full writes a file that takes all the room. The database ends itself when it cannot write its log, and is then started again.
func (c *cluster) full(_ *clusterNode, d time.Duration) (err error) {
	path := filepath.Join(c.disk, "filler")
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	chunk := make([]byte, 1<<20)
	for err == nil {
		_, err = f.Write(chunk)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("fill the disk: %w", err)
	}
	time.Sleep(d)
	if err := os.Remove(path); err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	return c.database.Recover()
}
