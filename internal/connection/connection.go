// Package connection bounds how many connections a server has, together and of each source, so that no client keeps others out.
//
// It never reads or writes. A Listener and its connections are safe for concurrent use. What is too much is closed without an answer, and never
// waited for: Accept goes on. A connection counts from Accept until it is closed, whatever is done with it, asks or is idle.
//
// A source is an address, or of IPv6 the network that one client usually has (RFC 6177, /64). One that has as many connections as it may have gets
// no further one. When all together are too many, the source that has most of them loses its newest: who has few is let in, however many another
// holds. This machine is one source, which has no bound of its own: who is on it can do worse, and a proxy on it has many clients.
package connection

import (
	"container/list"
	"net"
	"net/netip"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Limits are numbers of connections, each at least 1.
type Limits struct {
	All       int
	PerSource int
}

// Listener is one whose connections are bounded.
type Listener struct {
	*net.TCPListener
	limits Limits
	source func(net.Addr) netip.Prefix
	open   prometheus.Gauge
	closed prometheus.Counter

	// mu guards what follows.
	mu      sync.Mutex
	all     int
	sources map[netip.Prefix]*list.List // of *conn, the newest last; never empty
}

// Listen bounds the connections of l, which the Listener closes from now on.
func Listen(l *net.TCPListener, limits Limits) *Listener {
	return &Listener{
		TCPListener: l, limits: limits, source: sourceOf, sources: map[netip.Prefix]*list.List{},
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "licet_connection_open", Help: "Connections of the front door.",
		}),
		closed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "licet_connection_refused_total", Help: "Connections closed because there were too many, of one source or together.",
		}),
	}
}

// Limits are those that hold.
func (l *Listener) Limits() Limits { return l.limits }

// Metrics returns the collectors of this package.
func (l *Listener) Metrics() []prometheus.Collector { return []prometheus.Collector{l.open, l.closed} }

// conn is a connection that counts. It has all methods of the one in it: net/http half-closes, and sends files.
type conn struct {
	*net.TCPConn
	of     *Listener
	source netip.Prefix
	place  *list.Element // nil when it counts no more; guarded by of.mu
}

// Accept waits for the next connection that may be.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		tcp, err := l.AcceptTCP()
		if err != nil {
			return nil, err
		}
		c := &conn{TCPConn: tcp, of: l, source: l.source(tcp.RemoteAddr())}
		refused := l.admit(c)
		if refused != nil {
			l.closed.Inc()
			_ = refused.TCPConn.Close() // nobody is there to be told
		}
		if refused != c {
			return c, nil
		}
	}
}

// Close ends the connection, which counts no more.
func (c *conn) Close() error {
	c.of.mu.Lock()
	c.of.remove(c)
	c.of.mu.Unlock()
	return c.TCPConn.Close()
}

// admit counts a connection, and gives one that must go for it: itself, or one of a source that has more; nil for none.
func (l *Listener) admit(c *conn) (refused *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.sources[c.source]
	if of == nil {
		of = list.New()
		l.sources[c.source] = of
	}
	c.place = of.PushBack(c)
	l.all++
	l.open.Inc()
	switch {
	case of.Len() > l.limits.PerSource && c.source != thisMachine:
		refused = c
	case l.all > l.limits.All:
		for _, other := range l.sources {
			if other.Len() > of.Len() {
				of = other
			}
		}
		refused = of.Back().Value.(*conn)
	default:
		return nil
	}
	l.remove(refused)
	return refused
}

// remove ends the counting of a connection, if that has not been done. l.mu is held.
func (l *Listener) remove(c *conn) {
	if c.place == nil {
		return
	}
	of := l.sources[c.source]
	of.Remove(c.place)
	if of.Len() == 0 {
		delete(l.sources, c.source)
	}
	c.place = nil
	l.all--
	l.open.Dec()
}

// thisMachine is the source of connections from this machine.
var thisMachine netip.Prefix

func sourceOf(a net.Addr) netip.Prefix {
	if tcp, ok := a.(*net.TCPAddr); ok {
		if source, elsewhere := Source(tcp.AddrPort().Addr()); elsewhere {
			return source
		}
	}
	return thisMachine
}

// Source is what a client is counted by: its address, or the network of an IPv6 address. elsewhere is false for this machine.
func Source(ip netip.Addr) (source netip.Prefix, elsewhere bool) {
	ip = ip.Unmap().WithZone("")
	if ip.IsLoopback() {
		return netip.Prefix{}, false
	}
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	source, err := ip.Prefix(bits)
	return source, err == nil && ip.IsValid()
}
