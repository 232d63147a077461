package store

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Watchers are the functions that an engine tells of commits (DB.Watch). The zero value has none; it is safe for concurrent use.
type Watchers struct {
	// mu guards the fields below and makes the calls serial.
	mu   sync.Mutex
	all  map[int]func([]string)
	next int
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
