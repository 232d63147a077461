package postgres_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// proxy stands between a DB and the server, and breaks connections.
type proxy struct {
	dir    string
	socket string

	mu    sync.Mutex
	conns map[net.Conn]bool
	// onCommit is asked at each COMMIT that goes to the server.
	onCommit func() fault
	down     bool
	// hangs are the connections that are open and carry nothing any more, as behind a router that has forgotten them.
	hangs hang
	stuck chan struct{} // is told when a writer begins to hang
}

// hang says which connections carry nothing.
type hang int

const (
	nobody hang = iota
	// writers: those that ask for the lock.
	writers
	everybody
)

// lock is in the message that prepares a writer's first statement.
var lock = []byte("FOR UPDATE")

// fault is what becomes of a COMMIT.
type fault int

const (
	none fault = iota
	// before: it never reaches the server.
	before
	// after: its answer never reaches the DB.
	after
)

// commit is the message of a COMMIT: a simple query
// (https://www.postgresql.org/docs/current/protocol-message-formats.html).
var commit = []byte("COMMIT\x00")

func newProxy(t *testing.T, socket string) *proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "licet-proxy-") // the test's own is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{dir: dir, socket: socket, conns: make(map[net.Conn]bool), stuck: make(chan struct{}, 1), onCommit: func() fault { return none }}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
		wg.Wait()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return p
}

// add keeps a connection to be cut; false: none may be made.
func (p *proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
	return !p.down
}

// set takes the database away, or gives it back.
func (p *proxy) set(down bool) {
	p.mu.Lock()
	p.down = down
	p.mu.Unlock()
	if down {
		p.cut()
	}
}

// hang lets connections hang from now on.
func (p *proxy) hang(who hang) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hangs = who
}

// hung tells whether what comes from the client, or from the server if it is nil, gets lost.
func (p *proxy) hung(message []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hangs == everybody || p.hangs == writers && bytes.Contains(message, lock)
}

// await waits until a writer hangs.
func (p *proxy) await(t *testing.T) {
	t.Helper()
	select {
	case <-p.stuck:
	case <-time.After(20 * time.Second):
		t.Fatal("no writer hangs")
	}
}

// cut breaks all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", p.socket)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.add(client, server) {
		return
	}
	var mute bool
	var mu sync.Mutex
	var wg sync.WaitGroup
	wg.Go(func() {
		defer client.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			mu.Lock()
			quiet := mute
			mu.Unlock()
			if err != nil || quiet {
				return
			}
			if p.hung(nil) {
				continue
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	})
	buffer := make([]byte, 64<<10)
	stuck := false
	for {
		n, err := client.Read(buffer)
		if err != nil {
			break
		}
		if !stuck && p.hung(buffer[:n]) {
			stuck = true
			select {
			case p.stuck <- struct{}{}:
			default:
			}
		}
		if stuck {
			continue
		}
		f := none
		if bytes.Contains(buffer[:n], commit) {
			p.mu.Lock()
			f = p.onCommit()
			p.mu.Unlock()
		}
		if f == before {
			break
		}
		if f == after {
			mu.Lock()
			mute = true
			mu.Unlock()
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			break
		}
	}
	if c, ok := server.(*net.UnixConn); ok {
		_ = c.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, client)
	_ = server.Close()
	wg.Wait()
}
