package execution

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStartsTakeTurns: a function that needs many environments does not keep others waiting.
func TestStartsTakeTurns(t *testing.T) {
	idle := 0
	s := newStarts(2, func() { idle++ })
	var lines []<-chan struct{}
	for _, function := range []string{"a", "a", "a", "a", "b", "a", "c", "b"} {
		lines = append(lines, s.line(function))
	}
	if lines[0] != nil || lines[1] != nil {
		t.Fatal("the first two have to wait")
	}
	var order []int
	begun := map[int]bool{0: true, 1: true}
	for range lines {
		s.end()
		for i, line := range lines {
			if begun[i] {
				continue
			}
			select {
			case <-line:
				begun[i], order = true, append(order, i)
			default:
			}
		}
	}
	if diff := cmp.Diff(order, []int{2, 4, 6, 3, 7, 5}); diff != "" {
		t.Errorf("order (-got +want):\n%s", diff)
	}
	if idle != 1 || s.busy() {
		t.Errorf("told %d times that nothing starts, want once; busy %t", idle, s.busy())
	}
}

func TestStartsEnd(t *testing.T) {
	s := newStarts(1, func() {})
	end, err := s.begin(context.Background(), "a")
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.begin(ended, "b"); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	end()
	end()
	if s.running != 1 { // the turn is b's, which is gone with the manager
		t.Errorf("%d start, want 1", s.running)
	}
}
