package connection

import (
	"bufio"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestSource(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "2001:db8::1": "2001:db8::/64", "2001:db8:0:0:9::1": "2001:db8::/64", "::ffff:192.0.2.7": "192.0.2.7/32",
		"fe80::1%eth0": "fe80::/64", "127.0.0.1": "", "127.9.9.9": "", "::1": "", "::ffff:127.0.0.1": "",
	} {
		got, ok := Source(netip.MustParseAddr(address))
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%s: %v, %v; want %q", address, got, ok, want)
		}
	}
	if got, ok := Source(netip.Addr{}); ok {
		t.Errorf("no address: got %v", got)
	}
}

// listen makes a Listener for which every loopback address but 127.0.0.1 is a source elsewhere.
func listen(t *testing.T, limits Limits) *Listener {
	t.Helper()
	tcp, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	l := Listen(tcp, limits)
	l.source = func(a net.Addr) netip.Prefix {
		if ip := a.(*net.TCPAddr).AddrPort().Addr(); ip != netip.MustParseAddr("127.0.0.1") {
			return netip.PrefixFrom(ip, 32)
		}
		return sourceOf(a)
	}
	t.Cleanup(func() { _ = l.Close() }) // it may be closed
	return l
}

// client is a connection from 127.0.0.n.
type client struct {
	t *testing.T
	net.Conn
}

func dial(t *testing.T, l *Listener, n byte) *client {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, n)}}
	c, err := d.DialContext(t.Context(), "tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // it may be closed
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return &client{t, c}
}

// open tells whether what is sent comes back.
func (c *client) open() bool {
	c.t.Helper()
	_, err := c.Write([]byte{1})
	if err == nil {
		_, err = io.ReadFull(c, make([]byte, 1))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal("the connection is neither served nor closed")
	}
	return err == nil
}

// echo sends back what connections send until the Listener is closed.
func echo(t *testing.T, l *Listener) {
	t.Helper()
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { _, _ = io.Copy(c, c); _ = c.Close() })
		}
	})
	t.Cleanup(all.Wait)
	t.Cleanup(func() { _ = l.Close() })
}

func wantOpen(t *testing.T, want bool, clients ...*client) {
	t.Helper()
	for i, c := range clients {
		if got := c.open(); got != want {
			t.Errorf("connection %d of %v: open %v, want %v", i, c.LocalAddr(), got, want)
		}
	}
}

// dialOpen makes connections that are served.
func dialOpen(t *testing.T, l *Listener, n byte, count int) (all []*client) {
	t.Helper()
	for range count {
		c := dial(t, l, n)
		wantOpen(t, true, c)
		all = append(all, c)
	}
	return all
}

// until polls.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came: %s", what)
		}
	}
}

// A source that has all that it may have gets no more, until one of them ends; others do not notice.
func TestPerSource(t *testing.T) {
	l := listen(t, Limits{All: 100, PerSource: 3})
	echo(t, l)
	greedy := dialOpen(t, l, 2, 3)
	for range 50 {
		wantOpen(t, false, dial(t, l, 2))
	}
	wantOpen(t, true, greedy...)
	dialOpen(t, l, 3, 3)
	if err := greedy[1].Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "room for another", func() bool { return dial(t, l, 2).open() })
	if got := testutil.ToFloat64(l.closed); got < 50 {
		t.Errorf("%v refusals are counted", got)
	}
}

// When there are too many in all, the source that has most loses its newest, and who comes is let in.
func TestAll(t *testing.T) {
	l := listen(t, Limits{All: 6, PerSource: 5})
	echo(t, l)
	greedy, other := dialOpen(t, l, 2, 4), dialOpen(t, l, 3, 2)
	third := dialOpen(t, l, 4, 1)
	wantOpen(t, false, greedy[3])
	wantOpen(t, true, greedy[:3]...)
	wantOpen(t, false, dial(t, l, 2)) // it is its own newest
	fourth := dialOpen(t, l, 5, 1)
	wantOpen(t, false, greedy[2])
	wantOpen(t, true, append(append(greedy[:2], other...), append(third, fourth...)...)...)
}

// This machine has no bound of its own, and is one source among others when there are too many in all.
func TestThisMachine(t *testing.T) {
	l := listen(t, Limits{All: 4, PerSource: 1})
	echo(t, l)
	here := dialOpen(t, l, 1, 4)
	wantOpen(t, false, dial(t, l, 1))
	dialOpen(t, l, 2, 1)
	wantOpen(t, false, here[3])
	wantOpen(t, true, here[:3]...)
}

// Connections of HTTP count while they are idle, while an answer is on its way, and when a handler has taken them over; and no longer.
func TestHTTP(t *testing.T) {
	l := listen(t, Limits{All: 100, PerSource: 1})
	held := make(chan struct{})
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/streaming":
			_ = http.NewResponseController(w).Flush()
			<-held
		case "/taken":
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			if _, ok := c.(interface{ CloseWrite() error }); !ok { // net/http needs it to refuse a body that it does not read
				t.Errorf("a %T cannot be half-closed", c)
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			go func() { <-held; _ = c.Close() }()
		}
	})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	for i, path := range []string{"/idle", "/streaming", "/taken"} {
		n := byte(2 + i)
		first := dial(t, l, n)
		if _, err := io.WriteString(first, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(first).ReadString('\n'); line != "HTTP/1.1 200 OK\r\n" {
			t.Fatalf("%s: got %q, %v", path, line, err)
		}
		second := dial(t, l, n)
		if b, err := io.ReadAll(second); len(b) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: a second connection gets %q, %v", path, b, err)
		}
	}
	close(held)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != http.ErrServerClosed {
		t.Error(err)
	}
	until(t, "nothing is open", func() bool { return testutil.ToFloat64(l.open) == 0 })
}

// However they come and go, none is counted that is not there.
func TestCounting(t *testing.T) {
	l := listen(t, Limits{All: 20, PerSource: 8})
	echo(t, l)
	for range 600 {
		c := dial(t, l, 2+byte(rand.IntN(6)))
		if rand.IntN(2) == 0 {
			_, _ = c.Write([]byte{1}) // it may be closed
		}
		if rand.IntN(3) > 0 {
			_ = c.Close() // so may it
		}
	}
	l.mu.Lock()
	counted := 0
	for source, of := range l.sources {
		if counted += of.Len(); of.Len() == 0 || of.Len() > 8 {
			t.Errorf("%v has %d", source, of.Len())
		}
	}
	if counted != l.all || l.all > 20 {
		t.Errorf("%d are counted of %d", counted, l.all)
	}
	l.mu.Unlock()
}
