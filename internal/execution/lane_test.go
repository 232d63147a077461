package execution

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/execution/extension"
)

const laneBenchSlots = 4

// laneBench is a lane with net/http behind it, and what a runtime would do on its connections.
type laneBench struct {
	t       *testing.T
	session *session
	address string
	lane    *lane
	slow    func() int // requests that net/http has served
	log     lines
}

// lines are what was written, each by one Write.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func newLaneBench(t *testing.T) *laneBench {
	t.Helper()
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var api runtimeAPI
	b := &laneBench{t: t, session: newSession(extension.New(extension.Function{}), nil), address: inner.Addr().String()}
	api.session.Store(b.session)
	var goroutines sync.WaitGroup
	b.log = make(lines, 10)
	l := newLane(&api, newLimitedListener(inner, laneBenchSlots), &goroutines, slog.New(slog.NewTextHandler(b.log, nil)))
	b.lane = l
	var mu sync.Mutex
	slow := 0
	b.slow = func() int {
		mu.Lock()
		defer mu.Unlock()
		return slow
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		slow++
		mu.Unlock()
		api.ServeHTTP(w, r)
	})}
	goroutines.Go(func() { _ = l.Serve() })              // ends below
	goroutines.Go(func() { _ = server.Serve(l.others) }) // ends below
	t.Cleanup(func() {
		close(b.session.ended)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		goroutines.Wait()
		if len(l.waiting) > 0 {
			t.Errorf("%d connections are left", len(l.waiting))
		}
	})
	return b
}

// wire is a connection to a lane.
type wire struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func (b *laneBench) dial() *wire {
	b.t.Helper()
	c, err := net.Dial("tcp4", b.address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return &wire{c, b.t, bufio.NewReader(c)}
}

func (w *wire) send(text string) {
	w.t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		w.t.Fatal(err)
	}
}

// receive reads an answer.
func (w *wire) receive() (status int, body string) {
	w.t.Helper()
	resp, err := http.ReadResponse(w.r, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (w *wire) want(status int, body string) {
	w.t.Helper()
	if gotStatus, got := w.receive(); gotStatus != status || strings.TrimSpace(got) != body {
		w.t.Errorf("got %d %s, want %d %s", gotStatus, got, status, body)
	}
}

const (
	accepted = `{"status":"OK"}`
	poll     = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"
)

func reply(id, body string, headers ...string) string {
	return fmt.Sprintf("POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: x\r\n%s\r\n%s", id, strings.Join(append(headers, ""), "\r\n"), body)
}

func length(n int) string { return fmt.Sprintf("Content-Length: %d", n) }

// deliver gives the runtime an event once it is ready.
func (b *laneBench) deliver(payload string) {
	b.t.Helper()
	if s := <-b.session.steps; s.kind != ready {
		b.t.Fatalf("got step %s, want Ready", s.kind)
	}
	b.session.events <- &event{Invocation: Invocation{RequestID: id, Payload: []byte(payload)}, invocationID: "i"}
}

// answered is what the caller gets.
func (b *laneBench) answered() string {
	b.t.Helper()
	s := <-b.session.steps
	if s.kind != responseSent {
		b.t.Fatalf("got step %s, want an answer", s.kind)
	}
	return string(s.payload)
}

// TestLane: what runtimes do all the time comes nowhere near net/http, however it is cut into packets; the rest does, and on the same
// connection.
func TestLane(t *testing.T) {
	b := newLaneBench(t)
	w := b.dial()
	for _, large := range []int{2, largeUpload + 10} {
		w.send(poll)
		b.deliver(strings.Repeat("e", large))
		w.want(200, strings.Repeat("e", large))
		w.send(reply(id, strings.Repeat("r", large), length(large), invocationIDHeader+": i", "connection: Keep-Alive"))
		w.want(202, accepted)
		if got := b.answered(); got != strings.Repeat("r", large) {
			t.Errorf("got %d bytes", len(got))
		}
	}
	for _, c := range poll {
		w.send(string(c))
	}
	b.deliver("2")
	w.want(200, "2")
	w.send(reply("other", "ignored", length(7)))
	w.want(400, `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`)
	w.send(reply(id, "two", length(3)) + poll) // the second before the first is answered
	w.want(202, accepted)
	if got := b.answered(); got != "two" || b.slow() != 0 {
		t.Errorf("got %q; net/http had %d requests", got, b.slow())
	}
	b.deliver("3")
	w.want(200, "3")
	w.send(reply(id, "5\r\nthree\r\n0\r\n\r\n", "Transfer-Encoding: chunked"))
	w.want(202, accepted)
	if got := b.answered(); got != "three" || b.slow() != 1 {
		t.Errorf("got %q; net/http had %d requests", got, b.slow())
	}
	w.send("GET /else HTTP/1.1\r\nHost: x\r\n\r\n")
	w.want(404, "404 page not found")
}

// TestLaneLongHead: a head may be as long as net/http takes it.
func TestLaneLongHead(t *testing.T) {
	b := newLaneBench(t)
	w := b.dial()
	w.send(strings.Replace(poll, "Host", "X-Long: "+strings.Repeat("l", 2*maxLaneHead)+"\r\nHost", 1))
	b.deliver("1")
	w.want(200, "1")
	if b.slow() != 1 {
		t.Errorf("net/http had %d requests, want 1", b.slow())
	}
}

// TestLaneTruncated: an answer of which the end is missing is none.
func TestLaneTruncated(t *testing.T) {
	b := newLaneBench(t)
	w := b.dial()
	w.send(poll)
	b.deliver("1")
	w.want(200, "1")
	w.send(reply(id, "half", length(8)))
	if err := w.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	w.want(400, `{"errorMessage":"HTTP request detected as truncated","errorType":"TruncatedHTTPRequest"}`)
	again := b.dial()
	again.send(reply(id, "whole", length(5)))
	again.want(202, accepted)
	if got := b.answered(); got != "whole" {
		t.Errorf("got %q", got)
	}
}

// TestLaneGivesUp: an event goes to somebody who is there, and who gives up waiting keeps no connection.
func TestLaneGivesUp(t *testing.T) {
	b := newLaneBench(t)
	for range 3 {
		var gone []*wire
		for range laneBenchSlots {
			w := b.dial()
			w.send(poll)
			gone = append(gone, w)
		}
		for b.polling() < laneBenchSlots { // so that no other is let in
			runtime.Gosched()
		}
		for _, w := range gone {
			w.Close()
		}
	}
	w := b.dial()
	w.send(poll)
	b.deliver("1")
	w.want(200, "1")
}

// polling counts the connections on which an event is waited for.
func (b *laneBench) polling() (n int) {
	b.lane.mu.Lock()
	defer b.lane.mu.Unlock()
	for c := range b.lane.waiting {
		if c.polls.Load() && c.alive() {
			n++
		}
	}
	return n
}

// FuzzLane: a head that the lane takes as one of its own is to net/http what it is to the lane.
func FuzzLane(f *testing.F) {
	f.Add([]byte(poll))
	f.Add([]byte(reply(id, "", length(8))))
	f.Add([]byte(reply(id, "", length(8), length(8))))
	f.Add([]byte(reply(id, "", "content-length:08", "Connection: close")))
	f.Add([]byte(reply(id, "", length(0), "Transfer-Encoding: chunked", invocationIDHeader+": a b")))
	f.Add([]byte(strings.Replace(poll, "Host: x", "Host: x\r\n folded: y\r\nContent-Length: 1", 1)))
	f.Fuzz(func(t *testing.T, head []byte) {
		ask, ok := parseLane(head)
		if !ok {
			return
		}
		if i := bytes.Index(head, headEnd); i != len(head)-len(headEnd) {
			return // peek cuts at the first end
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		want := "GET /2018-06-01/runtime/invocation/next"
		if ask.response {
			want = "POST /2018-06-01/runtime/invocation/" + string(ask.requestID) + "/response"
		}
		got := r.Method + " " + r.URL.EscapedPath()
		if diff := cmp.Diff(got, want); diff != "" || r.URL.RawQuery != "" || r.ContentLength != ask.length || r.Close ||
			len(r.TransferEncoding) > 0 || r.Header.Get(invocationIDHeader) != string(ask.invocationID) {
			t.Errorf("got %s, %d bytes, close %t, %v; the lane %s, %d bytes", got, r.ContentLength, r.Close, r.Header, want, ask.length)
		}
	})
}

// A mistake of ours that a request finds costs its connection and no more.
func TestLanePanics(t *testing.T) {
	b := newLaneBench(t)
	good := b.lane.api
	b.lane.api = nil // the mistake
	w := b.dial()
	w.send(poll)
	if _, err := w.r.ReadByte(); err != io.EOF {
		t.Errorf("got %v, want the end of the connection", err)
	}
	if line := <-b.log; !strings.Contains(line, "made the server panic") || !strings.Contains(line, "lane.go") {
		t.Errorf("got the line %q in the log", line)
	}
	b.lane.api = good
	w = b.dial()
	w.send(poll)
	b.deliver("1")
	w.want(http.StatusOK, "1")
}
