package memo

import "sync"

// Of keeps what was made from a text that never changes its meaning, or does so with Forget. When it is full it starts anew. Safe for
// concurrent use.
type Of[V any] struct {
	size int

	mu     sync.RWMutex
	values map[string]V
	forgot int // how often
}

// New makes a memo of so many values.
func New[V any](size int) *Of[V] { return &Of[V]{size: size, values: make(map[string]V)} }

// Get returns the one value of a key, made by make on first use. Errors are not kept.
func (m *Of[V]) Get(key string, make func(string) (V, error)) (V, error) {
	m.mu.RLock()
	v, ok := m.values[key]
	forgot := m.forgot
	m.mu.RUnlock()
	if ok {
		return v, nil
	}
	made, err := make(key)
	if err != nil {
		return made, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.values[key]; ok {
		return v, nil
	}
	if m.forgot != forgot {
		return made, nil // it may mean something else by now
	}
	if len(m.values) >= m.size {
		clear(m.values)
	}
	m.values[key] = made
	return made, nil
}

// Forget forgets everything: texts may mean something else from now on.
func (m *Of[V]) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.values)
	m.forgot++
}
