package store

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Watchers are the functions that an engine tells of commits (DB.Watch). The zero value has none; it is safe for concurrent use.
type Watchers struct {
	// mu guards the fields below and makes the calls serial.
	mu   sync.Mutex
	all  map[int]func([]string)
	next int

	told atomic.Pointer[time.Time]
}

// Add takes a watcher in. When stop has returned it is not called any more.
func (w *Watchers) Add(fn func(changed []string)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = make(map[int]func([]string))
	}
	id := w.next
	w.next++
	w.all[id] = fn
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, id)
	}
}

// WatchPrefix calls fn after each commit that may have changed a key under prefix (DB.Watch).
func WatchPrefix(db DB, prefix string, fn func()) (stop func()) {
	return db.Watch(func(changed []string) {
		for _, key := range changed {
			all, several := strings.CutSuffix(key, "*")
			if strings.HasPrefix(key, prefix) || several && strings.HasPrefix(prefix, all) {
				fn()
				return
			}
		}
	})
}

// Notify calls the watchers in the order in which they came.
func (w *Watchers) Notify(changed []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(w.all)) {
		w.all[id](changed)
	}
}

// Vouch says that the watchers have been told of every commit that was acknowledged before at. It is measured before the question to the
// database whose answer was told.
func (w *Watchers) Vouch(at time.Time) {
	for {
		old := w.told.Load()
		if old != nil && !at.After(*old) || w.told.CompareAndSwap(old, &at) {
			return
		}
	}
}

// Told is DB.Told: the last moment that was vouched for.
func (w *Watchers) Told() time.Time {
	if at := w.told.Load(); at != nil {
		return *at
	}
	return time.Time{}
}
