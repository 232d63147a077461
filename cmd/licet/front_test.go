package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/licet/licet/internal/connection"
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
	return frontOf(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
}

func frontOf(t *testing.T, h http.HandlerFunc) net.Conn {
	client, server := net.Pipe()
	l := &oneConn{make(chan net.Conn, 1), make(chan struct{})}
	l.conns <- server
	s := frontServer(h, slog.New(slog.DiscardHandler))
	s.Protocols = &http.Protocols{}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
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
		"no body":         {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", unreadTimeout},
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

// The front door bounds its connections.
func TestListen(t *testing.T) {
	s := &server{metrics: prometheus.NewRegistry()}
	l, err := s.listen(config{Listen: "127.0.0.1:0", MaxConnectionsPerAddress: 7})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	got := l.(*connection.Listener).Limits()
	if got.PerSource != 7 || got.All < 1 || got.All > maxConnections || uint64(got.All) > files.Cur/2 {
		t.Errorf("got %+v with %d files", got, files.Cur)
	}
}

// deaf is a connection of a client that reads no more when it is told to.
type deaf struct {
	net.Conn
	now chan struct{}
}

func (d deaf) Read(b []byte) (int, error) {
	select {
	case <-d.now:
		time.Sleep(24 * time.Hour)
	default:
	}
	return d.Conn.Read(b)
}

// A function may take a quarter of an hour. What is asked of clients before that ends with the request's body.
func TestLongAnswers(t *testing.T) {
	for name, version2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		for _, body := range []string{"", "event"} {
			t.Run(name+" "+body, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client := frontOf(t, func(w http.ResponseWriter, r *http.Request) {
						_, _ = io.Copy(io.Discard, r.Body)
						select {
						case <-time.After(20 * time.Minute):
						case <-r.Context().Done():
							w.WriteHeader(http.StatusTeapot)
						}
					})
					protocols := &http.Protocols{}
					protocols.SetHTTP1(!version2)
					protocols.SetUnencryptedHTTP2(version2)
					transport := &http.Transport{Protocols: protocols, DialContext: func(context.Context, string, string) (net.Conn, error) {
						return client, nil
					}}
					answer, err := (&http.Client{Transport: transport}).Post("http://licet.example", "text/plain", strings.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
						t.Errorf("got %s, %v", answer.Status, err)
					}
					transport.CloseIdleConnections()
				})
			})
		}
	}
}

// A connection of HTTP/2 whose client reads nothing is cut off, whatever its requests are allowed.
func TestDeafClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answering, ended := make(chan struct{}), make(chan time.Duration, 1)
		client := frontOf(t, func(w http.ResponseWriter, r *http.Request) {
			close(answering)
			began := time.Now()
			for r.Context().Err() == nil {
				_, _ = w.Write(make([]byte, 1<<10)) // until the connection has ended
			}
			ended <- time.Since(began)
		})
		protocols := &http.Protocols{}
		protocols.SetUnencryptedHTTP2(true)
		transport := &http.Transport{Protocols: protocols, DialContext: func(context.Context, string, string) (net.Conn, error) {
			return deaf{client, answering}, nil
		}}
		go func() {
			if answer, err := (&http.Client{Transport: transport}).Get("http://licet.example"); err == nil { // as far as it got
				_ = answer.Body.Close()
			}
		}()
		if took := <-ended; took > unreadTimeout {
			t.Errorf("cut off after %v, want %v at most", took, unreadTimeout)
		}
		_ = client.Close()
		time.Sleep(48 * time.Hour) // the client hears again
	})
}

// The head of a request has a number of fields.
func TestFewFields(t *testing.T) {
	for n, want := range map[int]int{maxFields: http.StatusNoContent, maxFields + 1: http.StatusRequestHeaderFieldsTooLarge} {
		for name, line := range map[string]string{"of one name": "A: a\r\n", "of many": "A%d: a\r\n"} {
			synctest.Test(t, func(t *testing.T) {
				client := front(t)
				go func() {
					head := "GET / HTTP/1.1\r\nHost: x\r\n"
					for i := range n {
						head += strings.ReplaceAll(line, "%d", strconv.Itoa(i))
					}
					_, _ = io.WriteString(client, head+"\r\n")
				}()
				answer, err := http.ReadResponse(bufio.NewReader(client), nil)
				if err != nil {
					t.Fatal(err)
				}
				if answer.StatusCode != want {
					t.Errorf("%d fields %s: got %s, want %d", n, name, answer.Status, want)
				}
			})
		}
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
