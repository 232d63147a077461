package postgrestest

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy passes connections on to a cluster: a network between it and its clients, which can be slow, and lose its way back. It counts. It is
// safe for concurrent use.
type Proxy struct {
	listener net.Listener
	socket   string
	running  sync.WaitGroup
	trips    atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]bool // nil when it is closed
	delay time.Duration
	// hold is closed when answers are passed on again; nil while they are.
	hold chan struct{}
}

// NewProxy listens at an address of TCP and passes connections on to a cluster.
func NewProxy(c *Cluster, address string) (*Proxy, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, socket: c.Socket(), conns: map[net.Conn]bool{}}
	p.running.Go(p.accept)
	return p, nil
}

// URL of the database by way of the proxy, as the cluster's superuser.
func (p *Proxy) URL() string {
	return "postgres://postgres@" + p.listener.Addr().String() + "/postgres?sslmode=disable"
}

// Delay lets everything be late by d, each way.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Hold keeps answers back, or passes them on again. Requests go on.
func (p *Proxy) Hold(answers bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case answers && p.hold == nil:
		p.hold = make(chan struct{})
	case !answers && p.hold != nil:
		close(p.hold)
		p.hold = nil
	}
}

// RoundTrips is how often clients have sent something after an answer, or at first.
func (p *Proxy) RoundTrips() int64 { return p.trips.Load() }

// Close ends all connections.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.Hold(false)
	p.mu.Lock()
	for c := range p.conns {
		err = errors.Join(err, c.Close())
	}
	p.conns = nil
	p.mu.Unlock()
	p.running.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

// keep has Close close a connection, unless it was called before.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		_ = c.Close() // nobody has used it
		return false
	}
	p.conns[c] = true
	return true
}

// drop closes a connection, whose other end sees why.
func (p *Proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns[c] {
		delete(p.conns, c)
		_ = c.Close()
	}
}

func (p *Proxy) serve(client net.Conn) {
	if !p.keep(client) {
		return
	}
	defer p.drop(client)
	server, err := net.Dial("unix", p.socket)
	if err != nil || !p.keep(server) {
		return
	}
	defer p.drop(server)
	var asked atomic.Bool // since the last answer
	var answers sync.WaitGroup
	answers.Go(func() {
		defer p.drop(client)
		p.pass(server, client, func() chan struct{} {
			asked.Store(false)
			return p.hold
		})
	})
	p.pass(client, server, func() chan struct{} {
		if !asked.Swap(true) {
			p.trips.Add(1)
		}
		return nil
	})
	p.drop(server)
	answers.Wait()
}

// pass copies what comes from one connection to another. before is called for each piece, with p.mu held, and gives what it has to wait for.
func (p *Proxy) pass(from, to net.Conn, before func() chan struct{}) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		delay, hold := p.delay, before()
		p.mu.Unlock()
		time.Sleep(delay)
		if hold != nil {
			<-hold
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
