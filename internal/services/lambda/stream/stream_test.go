package stream

import (
	"bytes"
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
	p := New()
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
	result, err := p.Copy(t.Context(), func(part []byte) error {
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
	p, throttled := New(), execution.ErrThrottled{Reason: "x"}
	p.End(execution.Result{}, throttled)
	if err := p.Begun(); !errors.Is(err, throttled) {
		t.Errorf("got %v, want the error of the invocation", err)
	}
	p = New()
	p.Begin()
	p.End(execution.Result{}, errors.New("broken"))
	if err := p.Begun(); err != nil {
		t.Errorf("got %v, want that it has begun", err)
	}
	if _, err := p.Copy(t.Context(), nil); err == nil {
		t.Error("the error is lost")
	}
}

// TestCallerLeaves: the function goes on, and what it writes is dropped.
func TestCallerLeaves(t *testing.T) {
	p := New()
	wrote := make(chan error)
	go func() {
		for range 3 {
			wrote <- p.Write([]byte("x"))
		}
	}()
	gone := errors.New("gone")
	if _, err := p.Copy(t.Context(), func([]byte) error { return gone }); !errors.Is(err, gone) {
		t.Errorf("got %v, want the receiver's error", err)
	}
	for range 3 {
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New().Copy(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestEndedInvocation: what a function writes after its time is an error for it, also while nobody reads.
func TestEndedInvocation(t *testing.T) {
	p := New()
	p.End(execution.Result{}, nil)
	if err := p.Write([]byte("x")); err == nil {
		t.Error("a part was taken after the end")
	}
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New()
		part := make([]byte, 1<<20)
		done := make(chan error)
		go func() {
			for range 200 {
				if err := p.Write(part); err != nil {
					t.Error(err)
				}
			}
			done <- p.Write(part[:1])
			p.End(execution.Result{}, nil)
		}()
		go func() { <-done }()
		start, received := time.Now(), 0
		var afterBurst time.Duration
		if _, err := p.Copy(t.Context(), func(part []byte) error {
			if received += len(part); received == burst {
				afterBurst = time.Since(start)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if received != maxResponse || afterBurst != 0 {
			t.Errorf("got %d bytes, the first 6 MB after %v; want 200 MB, and these at once", received, afterBurst)
		}
		if took, want := time.Since(start), 97*time.Second; took != want { // 194 MB at 2 MB per second
			t.Errorf("it took %v, want %v", took, want)
		}
	})
}

func TestTooLarge(t *testing.T) {
	p := New()
	p.total = maxResponse
	if err := p.Write([]byte("x")); !errors.Is(err, errTooLarge) || !bytes.Contains([]byte(err.Error()), []byte("209715200")) {
		t.Errorf("got %v, want the limit", err)
	}
}
