package execution

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestStartsTakeTurns: a function that needs many environments does not keep others waiting.
func TestStartsTakeTurns(t *testing.T) {
	idle := 0
	s := newStarts(2, func() { idle++ })
	var turns []*turn
	for _, function := range []string{"a", "a", "a", "a", "b", "a", "c", "b"} {
		turns = append(turns, s.line(function))
	}
	var order []int
	begun := map[int]bool{}
	begin := func() (i int) {
		for i, turn := range turns {
			if turn.given() && !begun[i] {
				begun[i], order = true, append(order, i)
				return i
			}
		}
		t.Fatal("nobody has a turn")
		return 0
	}
	running := []int{begin(), begin()}
	for range turns[2:] {
		turns[running[0]].end()
		turns[running[0]].end() // once counts
		running = append(running[1:], begin())
	}
	if diff := cmp.Diff(order, []int{0, 1, 2, 4, 6, 3, 7, 5}); diff != "" {
		t.Errorf("order (-got +want):\n%s", diff)
	}
	if turns[running[0]].end(); idle != 0 || !s.busy() {
		t.Errorf("told %d times that nothing starts; busy %t", idle, s.busy())
	}
	if turns[running[1]].end(); idle != 1 || s.busy() {
		t.Errorf("told %d times that nothing starts, want once; busy %t", idle, s.busy())
	}
}

// TestStartsLeave: who leaves the line has no turn, and keeps nobody from his.
func TestStartsLeave(t *testing.T) {
	s := newStarts(1, func() {})
	first, second, third := s.line("a"), s.line("b"), s.line("b")
	second.end()
	if third.given() {
		t.Error("the third has a turn beside the first")
	}
	first.end()
	if second.given() || !third.given() {
		t.Errorf("the second has a turn: %t, the third: %t", second.given(), third.given())
	}
	third.end()
	if s.busy() || len(s.waiting) != 0 || len(s.functions) != 0 {
		t.Errorf("left: %d start, %v wait", s.running, s.functions)
	}
}

// TestStartsShare: a turn ends by itself.
func TestStartsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStarts(1, func() {})
		begun := time.Now()
		first, second := s.line("a"), s.line("b")
		<-second.ready()
		if took := time.Since(begun); took != startShare {
			t.Errorf("the second had its turn after %v", took)
		}
		first.shorten(time.Hour) // it is over
		begun = time.Now()
		third := s.line("c")
		second.shorten(firstShare)
		<-third.ready()
		if took := time.Since(begun); took != firstShare {
			t.Errorf("the third had its turn after %v", took)
		}
		third.end()
	})
}

// Code stays for those who wait to start with it, also when its function has been changed meanwhile.
func TestCodeOfThoseWhoWait(t *testing.T) {
	b := newBench(t, serve(echo))
	b.starts.limit = 1
	other := b.starts.line("other")
	other.share.Stop() // it takes as long as the test
	f := testFunction()
	f.LayerDir = "/layers"
	var call sync.WaitGroup
	call.Go(func() { b.invoke(f, Invocation{}) })
	for waits := false; !waits; runtime.Gosched() {
		b.starts.mu.Lock()
		waits = len(b.starts.functions) > 0
		b.starts.mu.Unlock()
	}
	if diff := cmp.Diff(b.Directories(), map[string]bool{"/code": true, "/layers": true}); diff != "" {
		t.Errorf("in use (-got +want):\n%s", diff)
	}
	other.end()
	call.Wait()
}
