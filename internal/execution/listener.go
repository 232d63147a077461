package execution

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// What a sandbox may have of each listener at a time, lest code inside uses up the server's files and memory: so many connections,
// more wait; headers of that size, with room for a session token; and one upload that is large or of unknown size, more wait.
const (
	maxConnections = 128
	maxHeader      = 64 << 10
	largeUpload    = 1 << 20
)

// oneLargeUpload lets h read one large body at a time. Nobody waits for ever: when the server closes, the reader fails.
func oneLargeUpload(h http.Handler) http.Handler {
	slot := make(chan struct{}, 1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength < 0 || r.ContentLength > largeUpload {
			slot <- struct{}{}
			done := sync.OnceFunc(func() { <-slot })
			defer done()
			// A copy: by the body of its own, net/http knows that a client waits for being told to send it, and answers at once who is refused.
			r = r.WithContext(r.Context())
			r.Body = upload{r.Body, done}
		}
		h.ServeHTTP(w, r)
	})
}

// upload calls done at its end.
type upload struct {
	io.ReadCloser
	done func()
}

func (u upload) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err != nil {
		u.done()
	}
	return n, err
}

// limitedListener accepts only so many connections at a time.
type limitedListener struct {
	net.Listener
	slots  chan struct{}
	full   func() // called now and then while there is no slot; nil: nothing is
	closed chan struct{}
	close  func() error
}

func newLimitedListener(l net.Listener, limit int) *limitedListener {
	limited := &limitedListener{Listener: l, slots: make(chan struct{}, limit), closed: make(chan struct{})}
	limited.close = sync.OnceValue(func() error {
		close(limited.closed)
		if err := l.Close(); !errors.Is(err, net.ErrClosed) { // a sandbox closes its listeners, too
			return err
		}
		return nil
	})
	return limited
}

// Accept waits for a free slot and a connection.
func (l *limitedListener) Accept() (net.Conn, error) {
	if !l.slot() {
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	for passes(err) {
		if !l.pause() {
			err = net.ErrClosed
			break
		}
		c, err = l.Listener.Accept()
	}
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: c, release: sync.OnceFunc(func() { <-l.slots })}, nil
}

// passes tells whether a listener that gave an error is good nevertheless: the server, or the machine, has no room for a connection now
// (accept(2)). The client waits.
func passes(err error) bool {
	for _, short := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, short) {
			return true
		}
	}
	return false
}

// acceptPause is how long nothing is accepted when there is no room.
const acceptPause = 50 * time.Millisecond

// pause waits; false after Close.
func (l *limitedListener) pause() bool {
	select {
	case <-time.After(acceptPause):
		return true
	case <-l.closed:
		return false
	}
}

// fullPeriod is how often full is called.
const fullPeriod = time.Second

// slot waits for one; false after Close.
func (l *limitedListener) slot() bool {
	select {
	case l.slots <- struct{}{}:
		return true
	default:
	}
	tick := time.NewTicker(fullPeriod)
	defer tick.Stop()
	for {
		if l.full != nil {
			l.full()
		}
		select {
		case l.slots <- struct{}{}:
			return true
		case <-l.closed:
			return false
		case <-tick.C:
		}
	}
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
