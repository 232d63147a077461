//go:build linux

package compat

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// network is what the nodes of a cluster have instead of the machine's: a namespace for each, on a bridge with the others and with the
// clients, and a link of its own to the database. Links can be cut one by one. Packets are then lost, and nobody is told.
type network struct {
	id string
	// subnet has the bridge in its lower half, with the host as its first address, and the links to the database in the upper one.
	subnet netip.Prefix
	nodes  int
}

// benchNet is what addresses are taken from: networks for tests of devices (RFC 2544).
var benchNet = netip.MustParsePrefix("198.18.0.0/15")

// newNetwork makes a network, which ends with the test, or skips the test with the reason why there can be none.
func newNetwork(t *testing.T, nodes int) *network {
	t.Helper()
	for _, program := range []string{"ip", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("nodes need network namespaces: ", err)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("nodes need network namespaces, which only root makes")
	}
	n := &network{id: strconv.Itoa(os.Getpid()), nodes: nodes}
	sweepNetworks()
	if err := ip("link", "add", n.bridge(), "type", "bridge"); err != nil {
		t.Skip("nodes need network namespaces and bridges, and this machine makes none: ", err)
	}
	t.Cleanup(func() { n.remove(t) })
	n.subnet = freeSubnet(t)
	must(0, ip("addr", "add", n.host().String()+"/25", "dev", n.bridge()))(t)
	must(0, ip("link", "set", n.bridge(), "up"))(t)
	for i := range nodes {
		n.addNode(t, i)
	}
	return n
}

// ip runs the program of iproute2.
func ip(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// sweepNetworks removes what tests that were killed have left.
func sweepNetworks() {
	left, _ := filepath.Glob("/run/netns/licet-*")
	for _, path := range left {
		id, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), "licet-"), "-")
		if _, err := os.Stat("/proc/" + id); os.IsNotExist(err) {
			_ = ip("netns", "del", filepath.Base(path))
			_ = ip("link", "del", (&network{id: id}).bridge()) // it may be gone
		}
	}
}

// freeSubnet finds one that no other network of this machine has.
func freeSubnet(t *testing.T) netip.Prefix {
	t.Helper()
	used := string(must(exec.Command("ip", "-4", "-o", "addr").Output())(t))
	first := benchNet.Addr().As4()
	for i := range 512 {
		n := (os.Getpid() + i) % 512
		a := netip.AddrFrom4([4]byte{first[0], first[1] + byte(n/256), byte(n % 256), 0})
		if prefix := strings.TrimSuffix(a.String(), "0"); !strings.Contains(used, " "+prefix) {
			return netip.PrefixFrom(a, 24)
		}
	}
	t.Fatal("no network is free")
	return netip.Prefix{}
}

func (n *network) bridge() string { return "licet" + n.id }

func (n *network) namespace(i int) string { return fmt.Sprintf("licet-%s-%d", n.id, i) }

func (n *network) link(kind string, i int) string { return fmt.Sprintf("l%s%s%d", n.id, kind, i) }

func (n *network) addr(last int) netip.Addr {
	a := n.subnet.Addr().As4()
	a[3] = byte(last)
	return netip.AddrFrom4(a)
}

// host is this machine's address to nodes, node that of a node to clients, database that of the database to a node.
func (n *network) host() netip.Addr          { return n.addr(1) }
func (n *network) node(i int) netip.Addr     { return n.addr(2 + i) }
func (n *network) database(i int) netip.Addr { return n.addr(128 + 4*i + 1) }

func (n *network) addNode(t *testing.T, i int) {
	t.Helper()
	space, clients, database := n.namespace(i), n.link("c", i), n.link("d", i)
	for _, command := range []string{
		"netns add " + space,
		"link add " + clients + " type veth peer name clients netns " + space,
		"link set " + clients + " master " + n.bridge() + " up",
		"link add " + database + " type veth peer name database netns " + space,
		"addr add " + n.database(i).String() + "/30 dev " + database,
		"link set " + database + " up",
		"-n " + space + " addr add " + n.node(i).String() + "/25 dev clients",
		"-n " + space + " addr add " + n.addr(128+4*i+2).String() + "/30 dev database",
		"-n " + space + " link set lo up",
		"-n " + space + " link set clients up",
		"-n " + space + " link set database up",
	} {
		must(0, ip(strings.Fields(command)...))(t)
	}
}

// within are the words before the command line of a program that runs in a node's network, and otherwise as any other. (ip netns exec would
// hide the control groups from it.)
func (n *network) within(i int) []string {
	return []string{"nsenter", "--net=/run/netns/" + n.namespace(i)}
}

// cut loses what a node and the database send to each other, or does so no longer.
func (n *network) cut(i int, cut bool) error {
	state := "up"
	if cut {
		state = "down"
	}
	return ip("link", "set", n.link("d", i), state)
}

func (n *network) remove(t *testing.T) {
	for i := range n.nodes {
		if _, err := os.Stat("/run/netns/" + n.namespace(i)); err == nil {
			if err := ip("netns", "del", n.namespace(i)); err != nil {
				t.Error(err)
			}
		}
	}
	if err := ip("link", "del", n.bridge()); err != nil {
		t.Error(err)
	}
}
