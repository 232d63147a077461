package store

import (
	"context"
	"errors"
	"strings"
	"sync"
)

// Cache keeps decoded values by key, so that the warm path reads no store. What it gives is never older than the last Update of
// this process that returned (while one runs, two calls may see after and before), nor than MaxAge before the last of another process:
// while the engine cannot vouch for that, each call reads the store. It also remembers which keys are not there. Safe for concurrent use;
// values are shared and must not be changed. It must not be used inside a View or an Update.
type Cache[T any] struct {
	db     DB
	decode func(Item) (T, error)
	size   int
	stop   func()

	mu      sync.RWMutex
	entries map[string]entry[T]
	// loads are the reads that run now. A change of their key marks them, so that an old value is not kept after it.
	loads map[*load]struct{}
}

type entry[T any] struct {
	value T
	found bool
}

type load struct {
	key   string
	stale bool
}

// NewCache makes a cache of up to size keys of db, whose values decode makes. Close ends it.
func NewCache[T any](db DB, size int, decode func(Item) (T, error)) *Cache[T] {
	c := &Cache[T]{
		db: db, decode: decode, size: max(size, 1),
		entries: make(map[string]entry[T]), loads: make(map[*load]struct{}),
	}
	c.stop = db.Watch(c.invalidate)
	return c
}

// Get returns the value at key, or ErrNotFound. Errors of the store and of decode are not kept.
func (c *Cache[T]) Get(ctx context.Context, key string) (T, error) {
	told := c.db.Told()
	c.mu.RLock()
	e, ok := c.entries[key]
	c.mu.RUnlock()
	if !ok || !Current(told) {
		return c.load(ctx, key)
	}
	if !e.found {
		return e.value, ErrNotFound
	}
	return e.value, nil
}

// load reads key from the store.
func (c *Cache[T]) load(ctx context.Context, key string) (T, error) {
	l := &load{key: key}
	c.mu.Lock()
	c.loads[l] = struct{}{}
	c.mu.Unlock()

	var e entry[T]
	err := c.db.View(ctx, func(r Reader) error {
		item, err := r.Get(key)
		if err != nil {
			return err
		}
		e.found = true
		e.value, err = c.decode(item)
		return err
	})

	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.loads, l)
	if !l.stale && (err == nil || errors.Is(err, ErrNotFound) && !e.found) {
		c.keep(key, e)
	}
	return e.value, err
}

// maxKey is the longest key that caches keep. Callers may name anything, and what is long is not there.
const maxKey = 1024

// keep stores e in the place of any other entry if the cache is full. c.mu is held.
func (c *Cache[T]) keep(key string, e entry[T]) {
	if len(key) > maxKey {
		return
	}
	if _, replaces := c.entries[key]; !replaces && len(c.entries) >= c.size {
		for other := range c.entries {
			delete(c.entries, other)
			break
		}
	}
	c.entries[strings.Clone(key)] = e
}

// invalidate forgets changed keys, and prefixes marked by a trailing "*".
func (c *Cache[T]) invalidate(changed []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range changed {
		delete(c.entries, key) // also a key that really ends in "*"
		prefix, isPrefix := strings.CutSuffix(key, "*")
		if isPrefix {
			for k := range c.entries {
				if strings.HasPrefix(k, prefix) {
					delete(c.entries, k)
				}
			}
		}
		for l := range c.loads {
			if l.key == key || isPrefix && strings.HasPrefix(l.key, prefix) {
				l.stale = true
			}
		}
	}
}

// Close ends the cache, which must not be used afterwards.
func (c *Cache[T]) Close() { c.stop() }
