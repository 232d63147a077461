package store

import (
	"maps"
	"slices"
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

// Notify calls the watchers in the order in which they came.
func (w *Watchers) Notify(changed []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(w.all)) {
		w.all[id](changed)
	}
}
