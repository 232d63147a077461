package execution

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
)

// lingering answers at once, and asks for its next event when it may.
func lingering(next <-chan struct{}) func(*fakeProcess) sandbox.Exit {
	return func(p *fakeProcess) sandbox.Exit {
		for {
			id, payload, ok := p.next()
			if !ok {
				return sandbox.Exit{}
			}
			p.respond(id, payload)
			select {
			case <-next:
			case <-p.ctx.Done():
			}
		}
	}
}

// TestAnswersBeforeItSettles: the caller does not wait for the runtime's next question.
func TestAnswersBeforeItSettles(t *testing.T) {
	next := make(chan struct{})
	b := newBench(t, lingering(next))
	b.invoke(testFunction(), Invocation{Payload: []byte("1")}) // returns although nothing was sent on next
	b.invoke(testFunction(), Invocation{Payload: []byte("2")}) // in vain it waits for the first environment
	if created, _ := b.driver.counts(); created != 2 {
		t.Errorf("got %d environments, want one more for a function that works on after its answer", created)
	}
	close(next)
}

// TestWaitsForWhatSettles: an invocation takes the environment that has just answered, also where no other may be made.
func TestWaitsForWhatSettles(t *testing.T) {
	for name, f := range map[string]Function{"unreserved": testFunction(), "reserved": reserving(testFunction(), 1)} {
		t.Run(name, func(t *testing.T) {
			next := make(chan struct{})
			b := newBench(t, lingering(next))
			b.longestWait, b.limitWait = time.Minute, time.Minute // whatever the machine does
			for range 20 {
				b.invoke(f, Invocation{Payload: []byte("1"), Event: true}) // of which there is no limit in a second
				go func() { next <- struct{}{} }()
			}
			b.running.Wait()
			if created, _ := b.driver.counts(); created != 1 {
				t.Errorf("got %d environments, want 1", created)
			}
		})
	}
}

// TestBegunByTheQuestion: what waits is begun by whoever serves the runtime's question, after the end of the one before.
func TestBegunByTheQuestion(t *testing.T) {
	for name, f := range map[string]Function{"unreserved": testFunction(), "reserved": reserving(testFunction(), 1)} {
		t.Run(name, func(t *testing.T) {
			next := make(chan struct{})
			b := newBench(t, lingering(next))
			b.longestWait, b.limitWait = time.Minute, time.Minute // whatever the machine does
			b.invoke(f, Invocation{RequestID: "0", Payload: []byte("0"), Event: true})
			next <- struct{}{}
			b.running.Wait() // a start has an end of its own
			b.invoke(f, Invocation{RequestID: "1", Payload: []byte("1"), Event: true})
			second := make(chan Result)
			go func() {
				second <- b.invoke(f, Invocation{RequestID: "2", Payload: []byte("2"), Event: true, LogTail: true})
			}()
			waiter := b.onlyWaiter()
			next <- struct{}{}
			next <- struct{}{}
			got := <-second
			if !waiter.begun || string(got.Payload) != "2" || !strings.HasPrefix(string(got.LogTail), "START RequestId: 2 ") {
				t.Errorf("begun: %v, payload %s, tail\n%s", waiter.begun, got.Payload, got.LogTail)
			}
			b.stop()
			var order []string
			for _, stream := range b.logs.events {
				for _, e := range stream {
					if kind, rest, ok := strings.Cut(e.Message, " RequestId: "); ok {
						order = append(order, kind+" "+rest[:1])
					}
				}
			}
			if diff := cmp.Diff([]string{"START 0", "END 0", "REPORT 0", "START 1", "END 1", "REPORT 1", "START 2", "END 2", "REPORT 2"}, order); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// onlyWaiter waits until one invocation waits for an environment.
func (b *bench) onlyWaiter() *waiter {
	for {
		b.mu.Lock()
		for _, p := range b.pools {
			if len(p.queue.waiting) == 1 {
				defer b.mu.Unlock()
				return p.queue.waiting[0]
			}
		}
		b.mu.Unlock()
		runtime.Gosched()
	}
}

// TestQueue: invocations of a fast function share environments, those of a slow one do not.
func TestQueue(t *testing.T) {
	q := queue{}
	if q.promising(4, false) {
		t.Error("nothing is known of a new function")
	}
	for range 100 {
		q.took(100 * time.Microsecond)
	}
	if !q.promising(1, true) || q.promising(0, true) {
		t.Error("100 µs in one environment: want to wait, and not where there is none")
	}
	q.waiting = make([]*waiter, 10)
	if q.promising(1, false) || !q.promising(2, false) {
		t.Error("the eleventh: want to wait for two environments, not for one")
	}
	q.start = 3 * time.Millisecond
	if !q.promising(1, false) || q.promising(1, true) {
		t.Error("the eleventh, where a start takes 3 ms: want to wait for one environment, and not in the place of being throttled")
	}
	for range 100 {
		q.took(time.Second)
	}
	if q.promising(2, false) {
		t.Error("a slow function: want no wait")
	}
}

// TestCrowd: where enough environments of a fast function work, an idle one is left alone, until somebody has waited in vain for those.
func TestCrowd(t *testing.T) {
	hold := make(chan struct{})
	b := newBench(t, serve(func(_ *fakeProcess, payload string) string {
		if payload == "slow" {
			<-hold
		}
		return payload
	}))
	b.crowd = 1
	f := testFunction()
	invoke := func(payload string) { b.invoke(f, Invocation{Payload: []byte(payload)}) }
	var slow sync.WaitGroup
	for range 2 {
		slow.Go(func() { invoke("slow") })
	}
	for made, _ := b.driver.counts(); made < 2; made, _ = b.driver.counts() {
		runtime.Gosched()
	}
	close(hold)
	slow.Wait()
	invoke("fast") // two environments, and it is known that the function is fast
	b.running.Wait()

	pool := func() *pool {
		for _, p := range b.pools {
			return p
		}
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := pool()
	p.queue.quick = time.Millisecond
	if b.crowded(p) {
		t.Error("nobody works")
	}
	busy := b.takeIdle(p, &p.idle)
	if !b.crowded(p) || b.patience(p, false) != crowdWait {
		t.Error("one works, and another is idle: want to wait for the first")
	}
	p.queue.disappointed()
	if b.crowded(p) {
		t.Error("somebody has waited in vain: want the idle one to be taken")
	}
	b.rest(busy)
}

// TestManyAtOnce: whatever waits and starts, each event is answered once, and all is given back.
func TestManyAtOnce(t *testing.T) {
	b := newBench(t, serve(echo))
	f := testFunction()
	b.invoke(f, Invocation{Payload: []byte("0")})
	var calls sync.WaitGroup
	for range 16 {
		calls.Go(func() {
			for range 50 {
				if got := b.invoke(f, Invocation{Payload: []byte("1")}); string(got.Payload) != "1" {
					t.Errorf("got %q", got.Payload)
				}
			}
		})
	}
	calls.Wait()
	b.running.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.pools {
		if p.account.running != 0 || len(p.queue.waiting) != 0 || p.queue.settling.Load() != 0 || len(p.idle) != p.size {
			t.Errorf("left: %d running, %d waiting, %d settling, %d of %d idle", p.account.running, len(p.queue.waiting),
				p.queue.settling.Load(), len(p.idle), p.size)
		}
	}
}

// TestRush: an invocation that waits for its turn to start takes the environment of one that has started before.
func TestRush(t *testing.T) {
	waits := make(chan struct{})
	b := newBench(t, func(p *fakeProcess) sandbox.Exit {
		<-waits
		return serve(echo)(p)
	})
	b.firstShare, b.starts.share = time.Minute, time.Minute // whatever the machine does
	b.starts.limit = 1
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() {
			if got := b.invoke(testFunction(), Invocation{Payload: []byte("1")}); string(got.Payload) != "1" {
				t.Errorf("got %q", got.Payload)
			}
		})
	}
	waiting := func() (n int) {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range b.pools {
			n += len(p.queue.waiting)
		}
		return n
	}
	for waiting() == 0 {
		runtime.Gosched()
	}
	close(waits)
	calls.Wait()
	if created, _ := b.driver.counts(); created != 1 {
		t.Errorf("got %d environments, want one", created)
	}
}

// TestRushCounts: what waits for its turn to start counts as running.
func TestRushCounts(t *testing.T) {
	hold := make(chan struct{})
	b := newBench(t, serve(func(_ *fakeProcess, payload string) string {
		<-hold
		return payload
	}))
	b.starts.limit = 1
	f := reserving(testFunction(), 5)
	results := make(chan error, 20)
	for range 20 {
		go func() {
			_, err := b.Invoke(t.Context(), f, Invocation{Payload: []byte("1")})
			results <- err
		}()
	}
	for range 15 {
		if _, ok := errors.AsType[ErrThrottled](<-results); !ok {
			t.Error("one more than are reserved was not throttled")
		}
	}
	close(hold)
	for range 5 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
