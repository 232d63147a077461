package execution

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// lane serves the connections of a Runtime API. What a runtime does again and again, asking for an event and answering it with a body of
// known length, it reads and writes by itself: net/http would take most of the processor time of a short invocation. A connection on
// which anything else comes, in content or in form, is given to net/http with all that was read of it, and stays there.
type lane struct {
	api        *runtimeAPI
	goroutines *sync.WaitGroup // of connections
	others     *handedOver     // connections for net/http
	logger     *slog.Logger

	mu      sync.Mutex
	closed  bool
	waiting map[*laneConn]struct{} // all that the lane has
}

// maxLaneHead is the longest head that the lane reads, in bytes.
const maxLaneHead = 4 << 10

func newLane(api *runtimeAPI, listener *limitedListener, goroutines *sync.WaitGroup, logger *slog.Logger) *lane {
	l := &lane{
		api: api, goroutines: goroutines, logger: logger, waiting: map[*laneConn]struct{}{},
		others: &handedOver{Listener: listener, conns: make(chan net.Conn), closed: make(chan struct{})},
	}
	listener.full = l.sweep
	return l
}

// Serve accepts connections until the listener is closed.
func (l *lane) Serve() error {
	for {
		c, err := l.others.Listener.Accept()
		if err != nil {
			return err
		}
		l.sweep()
		conn := &laneConn{Conn: c, lane: l, r: bufio.NewReaderSize(c, maxLaneHead), gone: make(chan struct{})}
		if !l.add(conn) {
			return c.Close()
		}
		l.goroutines.Go(conn.serve)
	}
}

// Close closes the listener and the lane's connections.
func (l *lane) Close() error {
	l.mu.Lock()
	l.closed = true
	for c := range l.waiting {
		c.leave()
		_ = c.Close() // it is over, whatever becomes of it
	}
	l.mu.Unlock()
	return l.others.Close()
}

func (l *lane) add(c *laneConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.waiting[c] = struct{}{}
	}
	return !l.closed
}

func (l *lane) remove(c *laneConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.waiting, c)
}

// sweep ends the wait for an event on connections that the runtime has closed. It is called when another connection comes, or cannot
// because there are too many: before that, nothing is lost.
func (l *lane) sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.waiting {
		if c.polls.Load() && !c.alive() {
			c.leave()
		}
	}
}

// laneConn is one connection. Everything but what is atomic belongs to its goroutine.
type laneConn struct {
	net.Conn
	lane    *lane
	r       *bufio.Reader
	polls   atomic.Bool   // it waits for an event
	gone    chan struct{} // closed by leave
	once    sync.Once
	request http.Request // of answers
	answer  laneWriter
	out     []byte
}

func (c *laneConn) leave() { c.once.Do(func() { close(c.gone) }) }

// serve is the loop of a connection. Should a stranger's bytes find a mistake of ours, it costs the connection, and not the server, as with
// net/http.
func (c *laneConn) serve() {
	defer c.lane.remove(c)
	defer func() {
		if p := recover(); p != nil {
			c.lane.logger.Error("A runtime's request made the server panic.", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			_ = c.Close() // nobody is served on it any more
		}
	}()
	for {
		head, ok := c.peek()
		if !ok {
			_ = c.Close() // nobody is there
			return
		}
		ask, plain := parseLane(head)
		s := c.lane.api.session.Load()
		if !plain || s == nil || ask.response && s.streams() {
			if !c.lane.others.take(&readConn{c.Conn, c.r}) {
				_ = c.Close()
			}
			return
		}
		if ask.response {
			ok = c.respond(s, ask, len(head))
		} else {
			ok = c.next(s, len(head))
		}
		if !ok {
			_ = c.Close()
			return
		}
	}
}

// peek reads until a head is whole, or too long for the lane. It is false for a connection without a further request.
func (c *laneConn) peek() (head []byte, ok bool) {
	for size := 1; ; {
		if _, err := c.r.Peek(size); err != nil {
			return nil, err == bufio.ErrBufferFull
		}
		buffered, _ := c.r.Peek(c.r.Buffered()) // it has them
		if i := bytes.Index(buffered, headEnd); i >= 0 {
			return buffered[:i+len(headEnd)], true
		}
		if size = len(buffered) + 1; size > maxLaneHead {
			return nil, true
		}
	}
}

var headEnd = []byte("\r\n\r\n")

// next answers with an event, when there is one. It is false when the connection is over.
func (c *laneConn) next(s *session, head int) bool {
	_, _ = c.r.Discard(head) // it is there
	ev, over, refused := s.asks()
	if refused != nil {
		c.answer.reset()
		refuse(&c.answer, refused)
		return c.flush()
	}
	if over != nil {
		if ev = over.end(); ev != nil {
			s.takes(ev)
		}
	}
	if ev == nil {
		if ev = c.await(s); ev == nil {
			return false
		}
		s.takes(ev)
	}
	b := append(c.out[:0], "HTTP/1.1 200 OK\r\n"...)
	for name, value := range ev.headers {
		b = appendHeader(b, name, value)
	}
	b = append(b, "\r\n"...)
	c.out = b
	if len(ev.Payload) > largeUpload {
		_, err := (&net.Buffers{b, ev.Payload}).WriteTo(c.Conn)
		return err == nil
	}
	c.out = append(b, ev.Payload...)
	_, err := c.Write(c.out)
	return err == nil // a connection that broke shows as a process that ends or does not answer
}

// await waits for an event that is given to somebody who is there.
func (c *laneConn) await(s *session) *event {
	c.polls.Store(true)
	defer c.polls.Store(false)
	select {
	case ev := <-s.events:
		if c.r.Buffered() > 0 || c.alive() {
			return ev
		}
		s.events <- ev // has room: it was the only one
		return nil
	case <-s.ended:
	case <-c.gone:
	}
	return nil
}

// alive tells whether the other side has not closed the connection. It reads nothing.
func (c *laneConn) alive() bool {
	raw, ok := rawConn(c.Conn)
	if !ok {
		return true
	}
	there := true
	err := raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		there = n > 0 || err == syscall.EAGAIN
	})
	return err == nil && there
}

func rawConn(c net.Conn) (syscall.RawConn, bool) {
	if limited, ok := c.(*limitedConn); ok {
		c = limited.Conn
	}
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil, false
	}
	raw, err := s.SyscallConn()
	return raw, err == nil
}

// respond takes an answer. It is false when the connection is over.
func (c *laneConn) respond(s *session, ask laneAsk, head int) bool {
	id := string(ask.requestID) // the buffer's bytes are about to go
	if c.request.Header == nil {
		c.request.Header = http.Header{}
	}
	delete(c.request.Header, invocationIDHeader)
	if len(ask.invocationID) > 0 {
		c.request.Header[invocationIDHeader] = []string{string(ask.invocationID)}
	}
	_, _ = c.r.Discard(head) // it is there
	body := io.LimitedReader{R: c.r, N: ask.length}
	c.request.Body, c.request.ContentLength = io.NopCloser(&body), ask.length
	c.answer.reset()
	respond(&c.answer, &c.request, s, id)
	return c.flush() && c.drain(&body)
}

// drain reads what nobody has read of a body.
func (c *laneConn) drain(body *io.LimitedReader) bool {
	if body.N == 0 {
		return true
	}
	_, err := io.Copy(io.Discard, body)
	return err == nil && body.N == 0
}

// flush writes the answer.
func (c *laneConn) flush() bool {
	a := &c.answer
	b := append(c.out[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(a.status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(a.status)...)
	b = append(b, "\r\n"...)
	for name, values := range a.header {
		b = appendHeader(b, name, values[0])
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(a.body)), 10)
	b = append(b, headEnd...)
	c.out = append(b, a.body...)
	_, err := c.Write(c.out)
	return err == nil
}

func appendHeader(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

// laneWriter keeps an answer until it is written.
type laneWriter struct {
	header http.Header
	status int
	body   []byte
}

func (w *laneWriter) reset() {
	if w.header == nil {
		w.header = http.Header{}
	}
	clear(w.header)
	w.status, w.body = http.StatusOK, w.body[:0]
}

func (w *laneWriter) Header() http.Header    { return w.header }
func (w *laneWriter) WriteHeader(status int) { w.status = status }

func (w *laneWriter) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}

// laneAsk is a request of the lane's: for the next event, or an answer. It is part of the head that it was read from.
type laneAsk struct {
	response                bool
	requestID, invocationID []byte
	length                  int64 // of the body
}

const (
	laneNext           = "GET " + apiVersion + "invocation/next HTTP/1.1"
	laneAnswer         = "POST " + apiVersion + "invocation/"
	laneAnswerEnd      = "/response HTTP/1.1"
	invocationIDHeader = "Lambda-Runtime-Invocation-Id"
)

// parseLane reads a head. It is false for every one that the lane does not serve, or that may be wrong: net/http then judges it.
func parseLane(head []byte) (ask laneAsk, ok bool) {
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	if id, isAnswer := bytes.CutPrefix(line, []byte(laneAnswer)); isAnswer {
		if ask.requestID, ok = bytes.CutSuffix(id, []byte(laneAnswerEnd)); !ok || !isToken(ask.requestID) {
			return laneAsk{}, false
		}
		ask.response, ask.length = true, -1
	} else if string(line) != laneNext {
		return laneAsk{}, false
	}
	hosts := 0
	for len(rest) > len("\r\n") {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, found := bytes.Cut(line, []byte(":"))
		value = bytes.Trim(value, " \t")
		if !found || !isToken(name) || !isText(value) || !ask.header(name, value) {
			return laneAsk{}, false
		}
		if equalFold(name, "Host") {
			hosts++
		}
	}
	return ask, len(rest) == len("\r\n") && hosts == 1 && ask.length >= 0
}

// header notes a header, and says whether a request that has it is the lane's.
func (a *laneAsk) header(name, value []byte) bool {
	switch {
	case equalFold(name, "Content-Length"):
		n, err := strconv.ParseUint(string(value), 10, 32)
		if err != nil || a.length > 0 || !a.response && n > 0 || n > maxResponse {
			return false
		}
		if a.response && a.length == 0 { // a second one
			return false
		}
		a.length = int64(n)
	case equalFold(name, invocationIDHeader):
		if a.invocationID != nil || len(value) == 0 {
			return false
		}
		a.invocationID = value
	case equalFold(name, "Connection"):
		return equalFold(value, "keep-alive")
	case equalFold(name, "Transfer-Encoding"), equalFold(name, "Trailer"), equalFold(name, "Expect"), equalFold(name, "Upgrade"),
		equalFold(name, "Lambda-Runtime-Function-Response-Mode"):
		return false
	}
	return true
}

func equalFold(a []byte, b string) bool { return len(a) == len(b) && strings.EqualFold(string(a), b) }

// isToken tells whether all bytes are such as stand in names and ids, so that they need no decoding.
func isToken(b []byte) bool {
	for _, c := range b {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return len(b) > 0
}

// isText tells whether a value is printable ASCII.
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// handedOver is the listener of net/http's server: it gives the connections that the lane does not serve.
type handedOver struct {
	net.Listener
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (h *handedOver) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// take is false after Close.
func (h *handedOver) take(c net.Conn) bool {
	select {
	case h.conns <- c:
		return true
	case <-h.closed:
		return false
	}
}

// Close may be called again.
func (h *handedOver) Close() error {
	h.once.Do(func() { close(h.closed) })
	return h.Listener.Close()
}

// readConn is a connection of which something was read already.
type readConn struct {
	net.Conn
	r *bufio.Reader
}

func (c *readConn) Read(b []byte) (int, error) {
	if c.r != nil {
		if c.r.Buffered() > 0 {
			return c.r.Read(b)
		}
		c.r = nil
	}
	return c.Conn.Read(b)
}

// streams tells whether the event that the runtime has is for a caller who asked for a stream.
func (s *session) streams() bool {
	ev := s.current()
	return ev != nil && ev.Stream != nil
}
