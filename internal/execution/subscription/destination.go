package subscription

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// sendLimit is how long one try to deliver a batch may take.
const sendLimit = 5 * time.Second

// maxAnswer is how much is read of a subscriber's answer to a batch, of its headers and of its body. The subscriber is a stranger.
const maxAnswer = 64 << 10

// destination is where a subscriber gets its records. It is used by one goroutine.
type destination interface {
	send(ctx context.Context, records [][]byte) error
	close()
}

// httpDestination gets each batch as a JSON array, in a request of its own.
type httpDestination struct {
	method, url string
	client      *http.Client
}

func newHTTPDestination(method, url string, dial func(context.Context) (net.Conn, error)) *httpDestination {
	return &httpDestination{method, url, &http.Client{
		Timeout:       sendLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
			MaxConnsPerHost:        1,
			MaxResponseHeaderBytes: maxAnswer,
			DisableCompression:     true,
		},
	}}
}

func (d *httpDestination) send(ctx context.Context, records [][]byte) error {
	body := append([]byte{'['}, bytes.Join(records, []byte{','})...)
	r, err := http.NewRequestWithContext(ctx, d.method, d.url, bytes.NewReader(append(body, ']')))
	if err != nil {
		return fmt.Errorf("make request: %v", err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := d.client.Do(r)
	if err != nil {
		return fmt.Errorf("send records: %v", err)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // so that the connection can be used again
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("read answer: %v", err)
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("subscriber answered %s", resp.Status)
	}
	return nil
}

func (d *httpDestination) close() { d.client.CloseIdleConnections() }

// tcpDestination gets its records over one connection, a line each.
type tcpDestination struct {
	dial       func(context.Context) (net.Conn, error)
	connection net.Conn // nil when there is none
}

func (d *tcpDestination) send(ctx context.Context, records [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	if d.connection == nil {
		c, err := d.dial(ctx)
		if err != nil {
			return fmt.Errorf("connect: %v", err)
		}
		d.connection = c
	}
	c := d.connection
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) // ends the write below; it may still run after that
	defer stop()
	lines := append(bytes.Join(records, []byte{'\n'}), '\n')
	if _, err := c.Write(lines); err != nil {
		d.close()
		return fmt.Errorf("send records: %v", err)
	}
	return nil
}

func (d *tcpDestination) close() {
	if d.connection != nil {
		_ = d.connection.Close() // what was written is the subscriber's
		d.connection = nil
	}
}
