package edge

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/licet/licet/internal/dispatch"
)

// pipes is a listener whose connections are pipes, whose time is that of a test.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error { close(p.done); return nil }

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// inTestTime serves what handler makes while fn runs, in time that passes when all wait, over each version of HTTP.
func inTestTime(t *testing.T, handler func() http.Handler, fn func(t *testing.T, client *http.Client)) {
	t.Helper()
	for _, version := range []string{"HTTP/1.1", "HTTP/2"} {
		t.Run(version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				protocols := &http.Protocols{}
				protocols.SetHTTP1(version == "HTTP/1.1")
				protocols.SetUnencryptedHTTP2(version == "HTTP/2")
				p := pipes{make(chan net.Conn), make(chan struct{})}
				s := &http.Server{Handler: handler(), Protocols: protocols}
				served := make(chan error, 1)
				go func() { served <- s.Serve(p) }()
				transport := &http.Transport{Protocols: protocols, DialContext: func(context.Context, string, string) (net.Conn, error) {
					client, server := net.Pipe()
					p.conns <- server
					return client, nil
				}}
				fn(t, &http.Client{Transport: transport})
				transport.CloseIdleConnections()
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if err := <-served; err != http.ErrServerClosed {
					t.Error(err)
				}
				time.Sleep(time.Hour) // what still runs for a moment ends
			})
		})
	}
}

// drops is a body that comes in parts with pauses before them.
type drops struct {
	parts int
	size  int
	pause time.Duration
	left  int // of the part
}

func (d *drops) Read(b []byte) (int, error) {
	if d.left == 0 {
		if d.parts == 0 {
			return 0, io.EOF
		}
		time.Sleep(d.pause)
		d.parts, d.left = d.parts-1, d.size
	}
	n := min(d.left, len(b))
	d.left -= n
	return n, nil
}

func (d *drops) post(t *testing.T, length int64) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://licet.example/2015-03-31/functions", io.NopCloser(d))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = length
	return r
}

// another is the server once more, for a test's time of its own.
func (w *world) another() http.Handler {
	s, err := New(w.config)
	if err != nil {
		w.t.Error(err)
	}
	return s
}

// The body of a request must be there within five minutes, whatever its length and whether or not that is announced.
func TestSlowBodies(t *testing.T) {
	w := newWorld(t, dispatch.Enforce)
	for name, c := range map[string]struct {
		body   drops
		length int64
		want   string
		after  time.Duration
	}{
		"in time":              {drops{10, 1, 20 * time.Second, 0}, 10, "MissingAuthenticationTokenException", 200 * time.Second},
		"too slow":             {drops{10, 1, time.Minute, 0}, 10, "IncompleteBody", bodyTimeout},
		"too slow, unlimited":  {drops{1 << 30, 1, time.Second, 0}, -1, "IncompleteBody", bodyTimeout},
		"nothing":              {drops{1, 1, time.Hour, 0}, 1, "IncompleteBody", bodyTimeout},
		"in time, unannounced": {drops{10, 1, 20 * time.Second, 0}, -1, "MissingAuthenticationTokenException", 200 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inTestTime(t, w.another, func(t *testing.T, client *http.Client) {
				began, body := time.Now(), c.body
				answer, err := client.Do(body.post(t, c.length))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, answer.Body); err != nil {
					t.Error(err)
				}
				if got := answer.Header.Get("X-Amzn-Errortype"); got != c.want {
					t.Errorf("got %s %s, want %s", answer.Status, got, c.want)
				}
				if took := time.Since(began).Round(time.Second); took != c.after {
					t.Errorf("answered after %v, want %v", took, c.after)
				}
			})
		})
	}
}

// A body that is a stream may take as long as it likes, if each megabyte is there in five minutes. What is only read to be thrown away may not.
func TestSlowStreams(t *testing.T) {
	type outcome struct {
		n   int64
		err error
		at  time.Duration
	}
	for name, c := range map[string]struct {
		body   drops
		unread bool
		want   outcome
	}{
		"in time":       {drops{3, patience, 4 * time.Minute, 0}, false, outcome{3 * patience, nil, 12 * time.Minute}},
		"too slow":      {drops{6, patience / 2, 4 * time.Minute, 0}, false, outcome{patience / 2, context.DeadlineExceeded, bodyTimeout}},
		"unread":        {drops{3, patience, 4 * time.Minute, 0}, true, outcome{-1, nil, bodyTimeout}},
		"unread, small": {drops{3, 5, time.Minute, 0}, true, outcome{-1, nil, 3 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			var outcomes chan outcome // of the test's time
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				began, n, err := time.Now(), int64(-1), error(nil)
				body := &patientBody{x: &exchange{ResponseWriter: w}, r: r.Body}
				if c.unread {
					body.drain(r)
				} else {
					n, err = io.Copy(io.Discard, body)
				}
				if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
					err = context.DeadlineExceeded
				}
				outcomes <- outcome{n, err, time.Since(began).Round(time.Second)}
			})
			inTestTime(t, func() http.Handler { outcomes = make(chan outcome, 1); return h }, func(t *testing.T, client *http.Client) {
				body := c.body
				if answer, err := client.Do(body.post(t, int64(body.parts*body.size))); err == nil { // or the connection is cut while it sends
					_ = answer.Body.Close()
				}
				if got := <-outcomes; got != c.want {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
			})
		})
	}
}

// An answer may take as long as it likes, if each megabyte of it is taken in five minutes.
func TestSlowReaders(t *testing.T) {
	const size = 16 << 20 // more than clients take before they are asked
	w := newWorld(t, dispatch.Enforce)
	var ended chan time.Duration // of the test's time
	large := func() http.Handler {
		s := w.another().(*Server)
		ended = make(chan time.Duration, 1)
		s.pages.HandleFunc("GET "+pagePrefix+"large", func(rw http.ResponseWriter, _ *http.Request) {
			began := time.Now()
			_, _ = io.Copy(rw, io.LimitReader(zeros{}, size)) // of which the time is wanted
			ended <- time.Since(began)
		})
		return s
	}
	for name, c := range map[string]struct {
		pause time.Duration // before each part of half a megabyte
		whole bool
	}{"in time": {2 * time.Minute, true}, "not at all": {24 * time.Hour, false}} {
		t.Run(name, func(t *testing.T) {
			inTestTime(t, large, func(t *testing.T, client *http.Client) {
				answer, err := client.Get("http://licet.example" + pagePrefix + "large")
				if err != nil {
					t.Fatal(err)
				}
				var n int64
				for err == nil {
					time.Sleep(c.pause)
					var part int64
					part, err = io.CopyN(io.Discard, answer.Body, patience/2)
					n += part
				}
				if whole := err == io.EOF && n == size; whole != c.whole {
					t.Errorf("got %d bytes, %v", n, err)
				}
				_ = answer.Body.Close()
				if took := <-ended; !c.whole && took.Round(time.Second) != answerTimeout {
					t.Errorf("cut off after %v, want %v", took, answerTimeout)
				}
			})
		})
	}
}
