package sqs

import (
	"slices"
	"strings"
	"sync"

	"github.com/licet/licet/internal/services/sqs/queue"
)

// waiters are the receives that wait for messages, by queue. One is woken when the queue's index changes, and passes it on when it leaves:
// so that a message wakes one of a thousand, and none is forgotten.
type waiters struct {
	mu    sync.Mutex
	lines map[string][]*waiter // by the id of the queue, the longest waiting first
	// ended is closed when nobody may wait any more.
	ended chan struct{}
	over  bool
}

// waiter is one receive.
type waiter struct {
	queue string
	// woken is ready when it should look. Capacity 1.
	woken chan struct{}
}

func newWaiters() *waiters {
	return &waiters{lines: map[string][]*waiter{}, ended: make(chan struct{})}
}

// end sends all away.
func (w *waiters) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.over = true
		close(w.ended)
	}
}

// join begins to wait. It must be called before the queue is looked at, so that no change passes between.
func (w *waiters) join(queueID string) *waiter {
	one := &waiter{queue: queueID, woken: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines[queueID] = append(w.lines[queueID], one)
	return one
}

// leave ends to wait. Another looks in its place: what it was woken for may still be there, and what it alone knew of, when the next message
// is due, must be known to one that stays.
func (w *waiters) leave(one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := w.lines[one.queue]
	if i := slices.Index(line, one); i >= 0 {
		line = slices.Delete(line, i, i+1)
	}
	if len(line) == 0 {
		delete(w.lines, one.queue)
		return
	}
	w.lines[one.queue] = line
	w.wake(line)
}

// wake wakes the first that is not awake. w.mu is held.
func (w *waiters) wake(line []*waiter) {
	for _, one := range line {
		select {
		case one.woken <- struct{}{}:
			return
		default: // it will look anyhow; the next can look for what else there is
		}
	}
}

// changed follows the store's changes (store.DB.Watch).
func (w *waiters) changed(keys []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.lines) == 0 {
		return
	}
	for _, key := range keys {
		rest, ok := strings.CutPrefix(key, queue.DuePrefix)
		if !ok {
			if prefix, several := strings.CutSuffix(key, "*"); several && strings.HasPrefix(queue.DuePrefix, prefix) {
				for _, line := range w.lines {
					w.wake(line)
				}
			}
			continue
		}
		id, _, _ := strings.Cut(rest, "/")
		w.wake(w.lines[id])
	}
}
