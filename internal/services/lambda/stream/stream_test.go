package stream

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/execution"
)

// TestPartsArriveOneByOne: a part is with the caller before the function can write the next.
func TestPartsArriveOneByOne(t *testing.T) {
	p := New(t.Context())
	var order []string
	go func() {
		p.Begin()
		for _, part := range []string{"a", "b"} {
			if err := p.Write([]byte(part)); err != nil {
				t.Error(err)
			}
			order = append(order, "wrote "+part)
		}
		p.End(execution.Result{FunctionError: "Unhandled"}, nil)
	}()
	if err := p.Begun(); err != nil {
		t.Fatal(err)
	}
	result, err := p.Copy(func(part []byte) error {
		order = append(order, "sent "+string(part))
		return nil
	})
	if err != nil || result.FunctionError != "Unhandled" {
		t.Errorf("got %+v, %v", result, err)
	}
	if diff := cmp.Diff([]string{"sent a", "wrote a", "sent b", "wrote b"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestNotBegun(t *testing.T) {
	p, throttled := New(t.Context()), execution.ErrThrottled{Reason: "x"}
	p.End(execution.Result{}, throttled)
	if err := p.Begun(); !errors.Is(err, throttled) {
		t.Errorf("got %v, want the error of the invocation", err)
	}
	p = New(t.Context())
	p.Begin()
	p.End(execution.Result{}, errors.New("broken"))
	if err := p.Begun(); err != nil {
		t.Errorf("got %v, want that it has begun", err)
	}
	if _, err := p.Copy(nil); err == nil {
		t.Error("the error is lost")
	}
}

// TestNobodyTakes: the function is not held up by a caller who is gone, and no part is taken after the end.
func TestNobodyTakes(t *testing.T) {
	wrote := make(chan error)
	write := func(p *Pipe) {
		for range 2 {
			wrote <- p.Write([]byte("x"))
		}
	}
	p := New(t.Context())
	go write(p)
	gone := errors.New("gone")
	if _, err := p.Copy(func([]byte) error { return gone }); !errors.Is(err, gone) {
		t.Errorf("got %v, want the receiver's error", err)
	}
	if first, second := <-wrote, <-wrote; first != nil || !errors.Is(second, errOver) {
		t.Errorf("got %v, %v, want the second part to be refused", first, second)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p = New(ctx) // which nobody copies
	go write(p)
	cancel()
	if first, second := <-wrote, <-wrote; !errors.Is(first, errOver) || !errors.Is(second, errOver) {
		t.Errorf("got %v, %v, want both parts to be refused", first, second)
	}
	if _, err := p.Copy(nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	p = New(t.Context())
	p.End(execution.Result{}, nil)
	if err := p.Write([]byte("x")); !errors.Is(err, errOver) {
		t.Errorf("got %v, want that it has ended", err)
	}
}

// TestEndWhilePartIsTaken: the end of the invocation, such as a timeout, is that of its writer, whose part the caller may still be taking.
func TestEndWhilePartIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(t.Context())
		wrote := make(chan error, 1)
		go func() {
			part := []byte("part")
			wrote <- p.Write(part)
			copy(part, "gone")
		}()
		var got string
		result, err := p.Copy(func(part []byte) error {
			p.End(execution.Result{FunctionError: "Unhandled"}, nil)
			synctest.Wait()
			select {
			case err := <-wrote:
				if !errors.Is(err, errOver) {
					t.Errorf("Write: got %v, want that it has ended", err)
				}
			default:
				t.Error("the writer waits for the caller")
			}
			got = string(part)
			return nil
		})
		if err != nil || got != "part" || result.FunctionError != "Unhandled" {
			t.Errorf("got %q, %+v, %v", got, result, err)
		}
	})
}

// TestRate: the first 6 MB go out at once, the rest at 2 MB per second.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total = 200 << 20
		p := New(t.Context())
		part := make([]byte, 1<<20)
		go func() {
			for range total / len(part) {
				if err := p.Write(part); err != nil {
					t.Error(err)
				}
			}
			p.End(execution.Result{}, nil)
		}()
		start, received := time.Now(), 0
		var afterBurst time.Duration
		if _, err := p.Copy(func(part []byte) error {
			if received += len(part); received == burst {
				afterBurst = time.Since(start)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if received != total || afterBurst != 0 {
			t.Errorf("got %d bytes, the first 6 MB after %v; want 200 MB, and these at once", received, afterBurst)
		}
		if took, want := time.Since(start), 97*time.Second; took != want { // 194 MB at 2 MB per second
			t.Errorf("it took %v, want %v", took, want)
		}
	})
}
