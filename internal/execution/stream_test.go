package execution

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
)

// parts is a Stream that hands parts on.
type parts struct {
	begun chan struct{}
	parts chan string
	fail  error // of Write

	contentType string // known with the first part
}

func newParts() *parts { return &parts{begun: make(chan struct{}), parts: make(chan string)} }

func (p *parts) Begin() { close(p.begun) }

func (p *parts) Type(contentType string) { p.contentType = contentType }

func (p *parts) Write(part []byte) error {
	p.parts <- string(part)
	return p.fail
}

// streamed sends a response in two chunks, the second when more is closed, and trailers.
func streamed(p *fakeProcess, more <-chan struct{}, trailers ...string) int {
	r, w := io.Pipe()
	go func() {
		io.WriteString(w, "one")
		select {
		case <-more:
			io.WriteString(w, "two")
			w.Close()
		case <-p.ctx.Done(): // the client waits for its body
			w.CloseWithError(p.ctx.Err())
		}
	}()
	return respondOnce(p, "/response", r, trailers...)
}

// respondOnce takes an event and answers it with body and trailers. It gives the status, 0 for no answer.
func respondOnce(p *fakeProcess, path string, body io.Reader, trailers ...string) int {
	id, _, ok := p.next()
	if !ok {
		return 0
	}
	req, err := http.NewRequestWithContext(p.ctx, http.MethodPost, "http://"+p.env("AWS_LAMBDA_RUNTIME_API")+api+"/invocation/"+id+path, body)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Lambda-Runtime-Function-Response-Mode", "streaming")
	req.Header.Set("Content-Type", "text/plain")
	req.Trailer = http.Header{}
	for i := 0; i < len(trailers); i += 2 {
		req.Trailer.Set(trailers[i], trailers[i+1])
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestStream: the first part is with the caller while the function still writes.
func TestStream(t *testing.T) {
	more, status := make(chan struct{}), make(chan int, 1)
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		status <- streamed(p, more)
		p.next()
		return sandbox.Exit{}
	})
	to := newParts()
	done := make(chan Result, 1)
	go func() { done <- b.invoke(testFunction(), Invocation{RequestID: id, Stream: to}) }()
	<-to.begun
	if got := <-to.parts; got != "one" || to.contentType != "text/plain" {
		t.Errorf("first part: got %q of type %q", got, to.contentType)
	}
	close(more)
	if got := <-to.parts; got != "two" {
		t.Errorf("second part: got %q", got)
	}
	if diff := cmp.Diff(Result{}, <-done); diff != "" || <-status != http.StatusAccepted {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

// TestStreamEnds: how a response ends, and what caller and runtime are told of it.
func TestStreamEnds(t *testing.T) {
	whole, never := make(chan struct{}), make(chan struct{})
	close(whole)
	cut := Result{FunctionError: "Unhandled", ErrorType: "Runtime.TruncatedResponse"}
	for name, c := range map[string]struct {
		program func(p *fakeProcess, taken <-chan struct{}) (status int) // taken is closed when the caller has the first part
		fail    error                                                    // of the caller
		want    Result
		text    string // of all parts
		status  int
	}{
		"whole": {
			program: func(p *fakeProcess, _ <-chan struct{}) int { return streamed(p, whole) },
			text:    "onetwo", status: http.StatusAccepted,
		},
		"not streamed": {
			program: func(p *fakeProcess, _ <-chan struct{}) int {
				return respondOnce(p, "/response", strings.NewReader("body"))
			},
			text: "body", status: http.StatusAccepted,
		},
		"error in trailers": {
			program: func(p *fakeProcess, _ <-chan struct{}) int {
				return streamed(p, whole, "Lambda-Runtime-Function-Error-Type", "Oops", "Lambda-Runtime-Function-Error-Body", "eyJhIjoxfQ==")
			},
			want: Result{Payload: []byte(`{"a":1}`), FunctionError: "Unhandled", ErrorType: "Oops"},
			text: "onetwo", status: http.StatusAccepted,
		},
		"error before it": {
			program: func(p *fakeProcess, _ <-chan struct{}) int {
				return respondOnce(p, "/error", strings.NewReader(`{"errorType":"Oops"}`))
			},
			want:   Result{Payload: []byte(`{"errorType":"Oops"}`), FunctionError: "Unhandled"},
			status: http.StatusAccepted,
		},
		"exit in the middle": {
			program: func(p *fakeProcess, _ <-chan struct{}) int { return streamed(p, never) },
			want:    cut, text: "one",
		},
		"caller is gone": {
			program: func(p *fakeProcess, taken <-chan struct{}) int { return streamed(p, taken) },
			fail:    io.ErrClosedPipe,
			text:    "one", status: http.StatusAccepted,
		},
	} {
		t.Run(name, func(t *testing.T) {
			status := make(chan int, 1)
			first := make(chan struct{})
			b := newBench(t, func(p *fakeProcess) sandbox.Exit {
				if c.status == 0 {
					dead, die := context.WithCancel(p.ctx)
					go func() { <-first; die() }()
					p.ctx = dead
				}
				status <- c.program(p, first)
				p.next()
				return sandbox.Exit{}
			})
			to := newParts()
			to.fail = c.fail
			var text strings.Builder
			done := make(chan Result, 1)
			go func() {
				done <- b.invoke(testFunction(), Invocation{RequestID: id, Stream: to})
				close(to.parts)
			}()
			for part := range to.parts {
				if text.Len() == 0 {
					close(first)
				}
				text.WriteString(part)
			}
			if diff := cmp.Diff(c.want, <-done); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if got := <-status; got != c.status || text.String() != c.text {
				t.Errorf("got status %d, response %q; want %d, %q", got, text.String(), c.status, c.text)
			}
		})
	}
}

// TestStreamTimesOut: a part of the response is with the caller when the time is over.
func TestStreamTimesOut(t *testing.T) {
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		streamed(p, p.ctx.Done())
		return sandbox.Exit{}
	})
	to := newParts()
	f := testFunction()
	f.Timeout = 3 * time.Second // in which the first part comes
	done := make(chan Result, 1)
	go func() { done <- b.invoke(f, Invocation{RequestID: id, Stream: to}) }()
	<-to.parts
	if diff := cmp.Diff(Result{FunctionError: "Unhandled", ErrorType: "Sandbox.Timedout"}, <-done); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

// dropped is a Stream that keeps the type and the size of a response.
type dropped struct {
	contentType string
	size        int
}

func (*dropped) Begin() {}

func (d *dropped) Type(contentType string) { d.contentType = contentType }

func (d *dropped) Write(part []byte) error {
	d.size += len(part)
	return nil
}

// TestStreamTooLarge: the caller gets as much as is allowed.
func TestStreamTooLarge(t *testing.T) {
	for name, more := range map[string]int64{"largest": 0, "too large": 1} {
		t.Run(name, func(t *testing.T) {
			status := make(chan int, 1)
			b := newBench(t, func(p *fakeProcess) sandbox.Exit {
				status <- respondOnce(p, "/response", io.LimitReader(zeros{}, maxStreamed+more))
				p.next()
				return sandbox.Exit{}
			})
			var to dropped
			want, wantStatus := Result{}, http.StatusAccepted
			if more > 0 {
				want, wantStatus = Result{FunctionError: "Unhandled", ErrorType: "Function.ResponseSizeTooLarge"}, http.StatusRequestEntityTooLarge
			}
			got := b.invoke(testFunction(), Invocation{RequestID: id, Stream: &to})
			if diff := cmp.Diff(want, got); diff != "" || to.size != maxStreamed {
				t.Errorf("got %d bytes, result (-want +got):\n%s", to.size, diff)
			}
			if got := <-status; got != wantStatus {
				t.Errorf("got status %d, want %d", got, wantStatus)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
