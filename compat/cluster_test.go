//go:build linux

package compat

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/licet/licet/internal/history"
	"github.com/licet/licet/internal/store/postgres/postgrestest"
)

// clusterNodes is how many servers share the database.
const clusterNodes = 3

// clusterDisk is the size of the database's disk, in MiB. Its log is bounded far below.
const clusterDisk = 400

// cluster is several servers over one database, each on a network of its own, with all that clients have seen of them.
type cluster struct {
	t        *testing.T
	network  *network
	database *postgrestest.Cluster
	disk     string
	// binary is what the nodes run, and jumping that their times of day can jump.
	binary  string
	jumping bool
	nodes   []*clusterNode
	witness *witness
	// began is when the history begins, by CLOCK_MONOTONIC.
	began time.Duration

	// slow are the times when the database's disk was slow.
	slow []span

	values atomic.Int64
	seen   record
}

// clusterNode is one of the servers.
type clusterNode struct {
	*licet
	name  string
	proxy *postgrestest.Proxy
	clock *jumper
	// way is the server to clients: nothing changes in it when the process is started again.
	way *licet
	// logs are what its processes have logged that have ended.
	logs bytes.Buffer
}

// record is what clients have seen.
type record struct {
	mu         sync.Mutex
	operations []history.Operation
	changes    []history.Change
	decisions  []history.Decision
	events     []history.Event
	// denied are calls of the root that were denied, as none may be.
	denied []string
}

// monotonic is CLOCK_MONOTONIC, by which all processes of this machine agree.
func monotonic() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(err) // Linux has it
	}
	return time.Duration(now.Nano())
}

func (c *cluster) now() time.Duration { return monotonic() - c.began }

// newCluster starts a database and nodes. It builds a server whose time of day can jump, if that is wanted.
func newCluster(t *testing.T, jumping bool) *cluster {
	t.Helper()
	if !isolated() {
		t.Skip("functions of the process sandbox outlive a server that is killed")
	}
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("disks are made slow by strace: ", err)
	}
	c := &cluster{t: t, network: newNetwork(t, clusterNodes), binary: server.binary, jumping: jumping, began: monotonic()}
	if jumping {
		c.binary = buildJumping(t)
	}
	c.disk = t.TempDir()
	must(0, unix.Mount("tmpfs", c.disk, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=755", clusterDisk)))(t)
	t.Cleanup(func() {
		if err := unix.Unmount(c.disk, 0); err != nil {
			t.Error(err)
		}
	})
	// The database's user must find its way to the disk.
	for dir := c.disk; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		must(0, os.Chmod(dir, 0o755))(t)
	}
	c.database = must(postgrestest.NewIn(c.disk))(t)
	t.Cleanup(func() {
		if err := errors.Join(c.database.Resume(), c.database.Close()); err != nil {
			t.Error(err)
		}
	})
	must(0, c.database.Configure("max_wal_size", "64MB"))(t)
	c.witness = newWitness(t, c)
	shared := t.TempDir()
	for i := range clusterNodes {
		c.addNode(i, shared)
	}
	return c
}

// addNode starts a node, which has the key of the first, and code and objects where all have them.
func (c *cluster) addNode(i int, shared string) {
	c.t.Helper()
	n := &clusterNode{
		name:  fmt.Sprintf("node%d", i),
		clock: &jumper{},
		proxy: must(postgrestest.NewProxy(c.database, c.network.database(i).String()+":0"))(c.t),
		licet: &licet{
			binary: c.binary, data: filepath.Join(c.t.TempDir(), "data"), within: c.network.within(i), listen: c.network.node(i).String() + ":4566",
		},
	}
	if c.jumping {
		n.clock = newJumper(c.t)
		n.variables = []string{jumpVariable + "=" + n.clock.file}
	}
	n.way = &licet{url: "http://" + n.listen}
	c.nodes = append(c.nodes, n)
	must(0, os.Mkdir(n.data, 0o700))(c.t)
	if i > 0 {
		must(0, os.WriteFile(filepath.Join(n.data, "key"), must(os.ReadFile(filepath.Join(c.nodes[0].data, "key")))(c.t), 0o600))(c.t)
	}
	must(0, n.launch("--store", n.proxy.URL(), "--blobs", shared, "--function-network", "host"))(c.t)
	c.t.Cleanup(func() {
		select {
		case <-n.ended:
		default:
			if err := n.cmd.Process.Kill(); err != nil {
				c.t.Error(err)
			}
			<-n.ended
		}
		if err := n.proxy.Close(); err != nil {
			c.t.Error(err)
		}
		if c.t.Failed() {
			n.logs.Write(n.log.Bytes())
			c.t.Logf("end of the log of %s\n%s", n.name, lastLines(n.logs.String(), 60))
		}
	})
}

func lastLines(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// kill ends a node's process as the loss of its machine would.
func (n *clusterNode) kill() error {
	if err := n.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-n.ended
	_, err := n.logs.Write(n.log.Bytes())
	return err
}

// wantAlive fails the test if the process has ended by itself.
func (n *clusterNode) wantAlive(t *testing.T) {
	t.Helper()
	select {
	case <-n.ended:
		t.Errorf("%s has ended by itself: %v\n%s", n.name, n.exit, lastLines(n.log.String(), 20))
	default:
	}
}

// witness hears what functions tell (compat/witness).
type witness struct {
	address string
	cluster *cluster

	// close waits until it has heard of all, when the functions have ended.
	close func()

	mu   sync.Mutex
	runs []history.Run
}

func newWitness(t *testing.T, c *cluster) *witness {
	t.Helper()
	l := must(net.Listen("tcp", c.network.host().String()+":0"))(t)
	w := &witness{address: l.Addr().String(), cluster: c}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { w.hear(conn) })
		}
	})
	w.close = sync.OnceFunc(func() {
		_ = l.Close()
		running.Wait()
	})
	t.Cleanup(w.close) // the nodes have ended, and with them all connections
	return w
}

// hear follows one environment.
func (w *witness) hear(conn net.Conn) {
	defer conn.Close()
	from := "nowhere"
	for i := range clusterNodes {
		if address, ok := conn.RemoteAddr().(*net.TCPAddr); ok && address.AddrPort().Addr() == w.cluster.network.node(i) {
			from = fmt.Sprintf("node%d", i)
		}
	}
	running := -1
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		var what, name string
		var stamp int64
		if _, err := fmt.Sscan(lines.Text(), &what, &stamp, &name); err != nil {
			w.cluster.t.Errorf("the witness on %s says %q", from, lines.Text())
			return
		}
		at := time.Duration(stamp) - w.cluster.began
		w.mu.Lock()
		switch {
		case what == "begin" && running < 0:
			running = len(w.runs)
			w.runs = append(w.runs, history.Run{Name: name, Node: from, Begin: at, End: 1 << 62, Broken: true})
		case what == "end" && running >= 0 && w.runs[running].Name == name:
			w.runs[running].End, w.runs[running].Broken = at, false
			running = -1
		default:
			w.cluster.t.Errorf("the witness on %s says %q at the wrong time", from, lines.Text())
		}
		w.mu.Unlock()
	}
	// The process is gone.
	w.mu.Lock()
	defer w.mu.Unlock()
	if running >= 0 {
		w.runs[running].End = w.cluster.now()
	}
}

// ran are the names of events that ran to their end.
func (w *witness) ran() map[string]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := make(map[string]bool, len(w.runs))
	for _, r := range w.runs {
		if !r.Broken {
			names[r.Name] = true
		}
	}
	return names
}

// TestCluster lets clients use three nodes over one database while faults happen to them, and judges what they have seen: objects are
// linearizable, policies and functions are too, but for reads that may be a second old; permissions follow the last change within a second;
// what was acknowledged runs; and limits hold.
//
// LICET_CLUSTER is how long faults go on ("10m"); unset: each happens once. LICET_CLUSTER_SEED chooses their order; unset: the day's.
func TestCluster(t *testing.T) {
	lasts := length(t, "LICET_CLUSTER")
	c := newCluster(t, lasts > 0) // the standard library compiled once more takes its time
	seed := uint64(number(t, "LICET_CLUSTER_SEED", int(time.Now().Unix()/86400)))
	t.Logf("LICET_CLUSTER_SEED=%d", seed)
	w := c.prepare(seed)
	stop := w.begin(lasts > 0)
	told := c.befall(rand.New(rand.NewPCG(seed, 0)), lasts)
	stop()
	w.drain()
	for _, n := range c.nodes {
		if n.wantAlive(t); t.Failed() {
			break
		}
		n.end(t)
	}
	t.Logf("faults:\n%s", strings.Join(told, "\n"))
	if !t.Failed() { // else there is no history of the whole
		c.witness.close()
		c.judge()
	}
}

// befall lets all faults happen in some order, and again as long as it lasts, then sometimes two at a time. It tells when they did.
func (c *cluster) befall(random *rand.Rand, lasts time.Duration) (told []string) {
	faults, deadline := c.faults(lasts > 0), time.Now().Add(lasts)
	for round := 0; round == 0 || time.Now().Before(deadline); round++ {
		random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		for rest := faults; len(rest) > 0; {
			n := 1
			if round > 0 && len(rest) > 1 && !(rest[0].database && rest[1].database) && random.IntN(3) == 0 {
				n = 2
			}
			time.Sleep(time.Duration(500+random.IntN(1000)) * time.Millisecond) // nothing is waited for: the clients work
			nodes, lines := random.Perm(len(c.nodes)), make([]string, n)
			var happening sync.WaitGroup
			for i, f := range rest[:n] {
				victim, d := c.nodes[nodes[i]], time.Duration(float64(f.least)*(1+random.Float64()))
				happening.Go(func() {
					from := c.now()
					if err := f.happen(victim, d); err != nil {
						c.t.Errorf("%s: %v", f.name, err)
					}
					lines[i] = fmt.Sprintf("%7.3f–%.3f %s", from.Seconds(), c.now().Seconds(), f.name)
					if !f.database {
						lines[i] += " (" + victim.name + ")"
					}
				})
			}
			happening.Wait()
			told, rest = append(told, lines...), rest[n:]
			for _, n := range c.nodes {
				n.wantAlive(c.t)
			}
			if c.t.Failed() {
				return told
			}
		}
	}
	return told
}

// length is a length of time from the environment.
func length(t *testing.T, name string) time.Duration {
	text, ok := os.LookupEnv(name)
	if !ok {
		return 0
	}
	return must(time.ParseDuration(text))(t)
}

// bound is how long a change may not be known to other nodes than the one that made it.
const bound = time.Second

// judging is how long it may take to judge a register.
const judging = 30 * time.Second

// shownViolations is how many of a kind are told.
const shownViolations = 5

// judge fails the test for each violation.
func (c *cluster) judge() {
	c.t.Helper()
	s, runs := &c.seen, c.witness.runs
	limited := slices.DeleteFunc(slices.Clone(runs), func(r history.Run) bool { return !strings.HasPrefix(r.Name, limitedEvents) })
	// What is asked of the store itself has no age; what nodes know by heart may be a second old.
	object := func(o history.Operation) bool { return strings.HasPrefix(o.Key, "object-") }
	known := slices.DeleteFunc(slices.Clone(s.operations), object)
	objects := slices.DeleteFunc(slices.Clone(s.operations), func(o history.Operation) bool { return !object(o) })
	for name, violations := range map[string][]string{
		"the root was denied":  s.denied,
		"objects":              history.CheckRegisters(objects, 0, judging),
		"policies, functions":  history.CheckRegisters(known, bound, judging),
		"access":               history.CheckAccess(s.changes, s.decisions, bound),
		"events":               history.CheckEvents(s.events, runs),
		"calls":                c.hang(),
		"a slow disk":          c.goesOn(),
		"reserved concurrency": history.CheckLimit(limited, reserved),
	} {
		if len(violations) > 0 {
			c.t.Errorf("%s: %d violations\n%s", name, len(violations), strings.Join(violations[:min(shownViolations, len(violations))], "\n"))
		}
	}
	c.suffices()
}

// suffices wants the history to be one that would show violations: each kind of call succeeded on each node.
func (c *cluster) suffices() {
	c.t.Helper()
	counts := map[string]int{}
	for _, o := range c.seen.operations {
		kind, _, _ := strings.Cut(o.Key, "-")
		counts[fmt.Sprintf("%s %v on %s: %v", kind, [...]string{"read", "write", "swap"}[o.Kind], o.Node, o.Outcome)]++
	}
	for _, d := range c.seen.decisions {
		counts[fmt.Sprintf("allowed %t on %s", d.Allowed, d.Node)]++
	}
	for _, o := range c.seen.changes {
		counts[fmt.Sprintf("change on %s: %v", o.Node, o.Outcome)]++
	}
	for _, e := range c.seen.events {
		kind, _, _ := strings.Cut(e.Name, "-")
		counts[fmt.Sprintf("event %s on %s: %v", kind, e.Node, e.Outcome)]++
	}
	again := map[string]int{}
	for _, r := range c.witness.runs {
		again[r.Name]++
		counts["runs on "+r.Node]++
		if again[r.Name] > 1 {
			counts["runs beyond the first"]++
		}
	}
	var text strings.Builder
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&text, "%6d %s\n", counts[what], what)
	}
	c.t.Logf("seen:\n%s", &text)
	for _, want := range []string{
		"policy read", "policy write", "object read", "object write", "object swap", "description read", "description write", "change",
		"event limited.invoked", "event limited.called", "event sent", "event put",
	} {
		done := 0
		for _, n := range c.nodes {
			done += counts[fmt.Sprintf("%s on %s: done", want, n.name)]
		}
		if done == 0 {
			c.t.Errorf("the history shows nothing: no %s was done", want)
		}
	}
	for _, n := range c.nodes {
		for _, what := range []string{"allowed true on " + n.name, "allowed false on " + n.name, "runs on " + n.name} {
			if counts[what] == 0 {
				c.t.Errorf("the history shows nothing: %s was never seen", what)
			}
		}
	}
}
