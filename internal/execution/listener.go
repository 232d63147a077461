package execution

import (
	"net"
	"sync"
)

// maxConnections is how many connections a sandbox may have to one of its listeners. More wait: code inside must not be able to
// use up the server's files.
const maxConnections = 128

// limitedListener accepts only so many connections at a time.
type limitedListener struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	close  func() error
}

func newLimitedListener(l net.Listener, limit int) *limitedListener {
	limited := &limitedListener{Listener: l, slots: make(chan struct{}, limit), closed: make(chan struct{})}
	limited.close = sync.OnceValue(func() error {
		close(limited.closed)
		return l.Close()
	})
	return limited
}

// Accept waits for a free slot and a connection.
func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: c, release: sync.OnceFunc(func() { <-l.slots })}, nil
}

// Close may be called again.
func (l *limitedListener) Close() error { return l.close() }

type limitedConn struct {
	net.Conn
	release func()
}

// Close frees the slot.
func (c *limitedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
