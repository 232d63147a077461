package execution

import (
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
	fail  error
}

func newParts() *parts { return &parts{begun: make(chan struct{}), parts: make(chan string)} }

func (p *parts) Begin() { close(p.begun) }

func (p *parts) Write(part []byte) error {
	p.parts <- string(part)
	return p.fail
}

// streamed sends a response in chunks, the next when more is closed, and trailers.
func streamed(p *fakeProcess, more <-chan struct{}, trailers ...string) int {
	id, _, ok := p.next()
	if !ok {
		return 0
	}
	r, w := io.Pipe()
	req, err := http.NewRequestWithContext(p.ctx, http.MethodPost, "http://"+p.env("AWS_LAMBDA_RUNTIME_API")+api+"/invocation/"+id+"/response", r)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Lambda-Runtime-Function-Response-Mode", "streaming")
	req.Trailer = http.Header{}
	for i := 0; i < len(trailers); i += 2 {
		req.Trailer.Set(trailers[i], trailers[i+1])
	}
	go func() {
		io.WriteString(w, "one")
		<-more
		io.WriteString(w, "two")
		w.Close()
	}()
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
	if got := <-to.parts; got != "one" {
		t.Errorf("first part: got %q", got)
	}
	close(more)
	if got := <-to.parts; got != "two" {
		t.Errorf("second part: got %q", got)
	}
	if diff := cmp.Diff(Result{}, <-done); diff != "" || <-status != http.StatusAccepted {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

// TestStreamFails: an error in the trailers, a response that is refused, and a time-out in the middle.
func TestStreamFails(t *testing.T) {
	closed := make(chan struct{})
	close(closed)
	open := func(p *parts) {
		for range p.parts {
		}
	}
	t.Run("trailers", func(t *testing.T) {
		b := newBench(t, func(p *fakeProcess) sandbox.Exit {
			streamed(p, closed, "Lambda-Runtime-Function-Error-Type", "Function.Oops", "Lambda-Runtime-Function-Error-Body",
				"eyJlcnJvclR5cGUiOiJPb3BzIn0=")
			p.next()
			return sandbox.Exit{}
		})
		to := newParts()
		go open(to)
		got := b.invoke(testFunction(), Invocation{RequestID: id, Stream: to})
		want := Result{Payload: []byte(`{"errorType":"Oops"}`), FunctionError: "Unhandled", ErrorType: "Oops"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
	})
	t.Run("refused", func(t *testing.T) {
		status := make(chan int, 1)
		b := newBench(t, func(p *fakeProcess) sandbox.Exit {
			status <- streamed(p, closed)
			p.next()
			return sandbox.Exit{}
		})
		to := newParts()
		to.fail = io.ErrShortWrite
		go open(to)
		got := b.invoke(testFunction(), Invocation{RequestID: id, Stream: to})
		if got.ErrorType != "Function.ResponseSizeTooLarge" || <-status != http.StatusRequestEntityTooLarge {
			t.Errorf("got %+v, want a response that was too large", got)
		}
	})
	t.Run("time-out", func(t *testing.T) {
		b := newBench(t, func(p *fakeProcess) sandbox.Exit {
			streamed(p, p.ctx.Done())
			return sandbox.Exit{}
		})
		to := newParts()
		go open(to)
		f := testFunction()
		f.Timeout = 100 * time.Millisecond
		got := b.invoke(f, Invocation{RequestID: id, Stream: to})
		if got.ErrorType != "Sandbox.Timedout" || !strings.Contains(string(got.Payload), "timed out") {
			t.Errorf("got %+v, want a time-out", got)
		}
	})
	t.Run("not streamed", func(t *testing.T) {
		b := newBench(t, serve(echo))
		to := newParts()
		got := make(chan string, 1)
		go func() { got <- <-to.parts }()
		if result := b.invoke(testFunction(), Invocation{RequestID: id, Payload: []byte(`"x"`), Stream: to}); result.Payload != nil {
			t.Errorf("got %+v, want the response in the stream alone", result)
		}
		if part := <-got; part != `"x"` {
			t.Errorf("got %q", part)
		}
	})
}
