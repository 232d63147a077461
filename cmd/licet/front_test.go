package main

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// oneConn is a listener for one connection.
type oneConn struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error   { close(l.done); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// front serves one connection in the test's time, and gives the client's end of it.
func front(t *testing.T) net.Conn {
	client, server := net.Pipe()
	l := &oneConn{make(chan net.Conn, 1), make(chan struct{})}
	l.conns <- server
	s := frontServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = client.Close() // it may be closed
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
		time.Sleep(time.Minute) // what still runs for a moment ends
	})
	return client
}

// A client that takes its time with the head of a request, or has nothing to ask, is cut off.
func TestSlowClients(t *testing.T) {
	for name, c := range map[string]struct {
		sends string
		after time.Duration
	}{
		"a head in drops": {"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", headerTimeout},
		"nothing at all":  {"", headerTimeout},
		"nothing more":    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", idleTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := front(t)
				began := time.Now()
				go func() {
					_, _ = io.WriteString(client, c.sends)
					for strings.HasSuffix(c.sends, ": ") { // until it is cut off
						time.Sleep(time.Second)
						if _, err := io.WriteString(client, "a"); err != nil {
							return
						}
					}
				}()
				if _, err := io.Copy(io.Discard, client); err != nil {
					t.Error(err)
				}
				if took := time.Since(began).Round(time.Second); took != c.after {
					t.Errorf("cut off after %v, want %v", took, c.after)
				}
			})
		})
	}
}

// The head of a request has a size.
func TestLargeHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := front(t)
		go func() {
			_, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\nX-A: "+strings.Repeat("a", 2*maxHeader)+"\r\n\r\n")
		}()
		answer, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("got %s", answer.Status)
		}
	})
}
