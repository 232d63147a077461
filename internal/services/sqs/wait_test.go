package sqs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// pond is a service with one queue whose time is that of a synctest bubble.
type pond struct {
	*testing.T
	db  store.DB
	sqs *Service
	q   *queue.Queue
}

func newPond(t *testing.T) *pond {
	p := &pond{T: t, db: storetest.New(t)}
	p.sqs = New(Config{DB: p.db, Now: time.Now, Partition: "aws"})
	p.q = &queue.Queue{ARN: arnOf("q"), Account: account, Region: "us-east-1", Name: "q", Attributes: presets(false)}
	p.update(func(tx store.Tx) error { return queue.Create(tx, p.q) })
	return p
}

func (p *pond) update(fn func(store.Tx) error) {
	p.Helper()
	if err := p.db.Update(context.Background(), fn); err != nil {
		p.Error(err)
	}
}

// send sends a message that is due after a time.
func (p *pond) send(body string, after time.Duration) {
	p.Helper()
	now := time.Now()
	p.update(func(tx store.Tx) error {
		return queue.Send(tx, p.q, now, &queue.Message{
			ID: body, Sent: now.UnixMilli(), Due: now.Add(after).UnixMilli(), Content: queue.Content{Body: body},
		})
	})
}

// wait receives one message, and gives it with how long that took.
func (p *pond) wait(ctx context.Context, wait time.Duration) string {
	begun := time.Now()
	got, err := p.sqs.await(ctx, p.q, receive{Receipt: queue.Receipt{Limit: 1, Visibility: time.Minute}, wait: wait})
	text := fmt.Sprint("after ", time.Since(begun).Round(10*time.Millisecond))
	for _, m := range got {
		text = m.Body + " " + text
	}
	if err != nil {
		text += " " + err.Error()
	}
	return text
}

func (p *pond) expect(got <-chan string, want string) {
	p.Helper()
	if text := <-got; text != want {
		p.Errorf("got %q, want %q", text, want)
	}
}

func (p *pond) waiting(ctx context.Context, wait time.Duration) <-chan string {
	got := make(chan string, 1)
	go func() { got <- p.wait(ctx, wait) }()
	synctest.Wait()
	return got
}

func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPond(t)
		defer p.sqs.Close()
		p.expect(p.waiting(t.Context(), 0), "after 0s")
		p.expect(p.waiting(t.Context(), 3*time.Second), "after 3s")
		p.send("there", 0)
		p.expect(p.waiting(t.Context(), 3*time.Second), "there after 0s")

		got := p.waiting(t.Context(), 20*time.Second)
		time.Sleep(2 * time.Second)
		p.send("sent", 0)
		p.expect(got, "sent after 2s")

		p.send("delayed", 5*time.Second)
		p.expect(p.waiting(t.Context(), 20*time.Second), "delayed after 5s")

		got = p.waiting(t.Context(), 20*time.Second)
		time.Sleep(time.Second)
		p.send("late", 10*time.Second)
		time.Sleep(time.Second)
		p.send("early", 2*time.Second)
		p.expect(got, "early after 4s")
		p.expect(p.waiting(t.Context(), 20*time.Second), "late after 7s")

		ctx, cancel := context.WithCancel(t.Context())
		got = p.waiting(ctx, 20*time.Second)
		cancel()
		p.expect(got, "after 0s context canceled")
		p.send("kept", 0)
		p.expect(p.waiting(t.Context(), time.Second), "kept after 0s")

		got = p.waiting(t.Context(), 20*time.Second)
		p.sqs.EndPolls()
		p.sqs.EndPolls()
		p.expect(got, "after 0s")
		p.expect(p.waiting(t.Context(), 20*time.Second), "after 0s")
		if len(p.sqs.waiters.lines) != 0 {
			t.Errorf("waiters are left: %v", p.sqs.waiters.lines)
		}
	})
}

// Each of many messages wakes one of many receives at once, and none is forgotten when others leave.
func TestManyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPond(t)
		defer p.sqs.Close()
		const each = 20
		leaving, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var mu sync.Mutex
		seen := map[string]int{}
		for i := range 2 * each {
			ctx := t.Context()
			if i%2 == 0 {
				ctx = leaving
			}
			wg.Go(func() {
				got, err := p.sqs.await(ctx, p.q, receive{Receipt: queue.Receipt{Limit: 1, Visibility: time.Minute}, wait: 20 * time.Second})
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, m := range got {
					seen[m.Body]++
				}
			})
		}
		synctest.Wait()
		begun := time.Now()
		for i := range each / 2 {
			p.send(fmt.Sprint(i), time.Second)
		}
		cancel()
		for i := range each / 2 {
			p.send(fmt.Sprint("now", i), 0)
		}
		wg.Wait()
		if took := time.Since(begun); took > 1100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if len(seen) != each {
			t.Errorf("received %d messages, want %d: %v", len(seen), each, seen)
		}
		for body, n := range seen {
			if n != 1 {
				t.Errorf("%s was received %d times", body, n)
			}
		}
	})
}

// Run sees to tasks and retention by itself.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPond(t)
		defer p.sqs.Close()
		p.q.Attributes["MessageRetentionPeriod"] = "60"
		p.update(func(tx store.Tx) error { return queue.Put(tx, p.q) })
		p.send("old", 0)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.sqs.Run(ctx) }()
		time.Sleep(3 * time.Minute)
		if n, err := p.sqs.count(t.Context(), p.q); err != nil || *n != (queue.Counts{}) {
			t.Errorf("after the retention: got %v, %v", n, err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
