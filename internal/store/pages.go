package store

import (
	"context"
	"strings"
	"sync"
)

// Pages keeps decoded pages of scans, so that lists on the warm path read no store. What it gives follows changes as Cache does. Safe for
// concurrent use; pages are shared and must not be changed. It must not be used inside a View or an Update.
type Pages[T any] struct {
	db     DB
	decode func(Item) (T, error)
	size   int
	stop   func()

	mu    sync.RWMutex
	pages map[scan][]T
	items int // in all pages
	// loads are the reads that run now, as those of Cache.
	loads map[*pageLoad]struct{}
}

// maxPages bounds the pages: each change looks at all of them, and whoever may list can ask for any number of empty ones.
const maxPages = 1024

// scan is what a page was read by.
type scan struct {
	prefix, after string
	limit         int
}

type pageLoad struct {
	prefix string
	stale  bool
}

// NewPages makes a cache of pages of up to size items of db in all, which decode makes. Close ends it.
func NewPages[T any](db DB, size int, decode func(Item) (T, error)) *Pages[T] {
	p := &Pages[T]{db: db, decode: decode, size: size, pages: make(map[scan][]T), loads: make(map[*pageLoad]struct{})}
	p.stop = db.Watch(p.invalidate)
	return p
}

// Scan gives what Reader.Scan does, decoded. Errors of the store and of decode are not kept.
func (p *Pages[T]) Scan(ctx context.Context, prefix, after string, limit int) ([]T, error) {
	key := scan{prefix, after, limit}
	told := p.db.Told()
	p.mu.RLock()
	page, ok := p.pages[key]
	p.mu.RUnlock()
	if ok && Current(told) {
		return page, nil
	}
	return p.load(ctx, key)
}

// load reads a page from the store.
func (p *Pages[T]) load(ctx context.Context, key scan) ([]T, error) {
	l := &pageLoad{prefix: key.prefix}
	p.mu.Lock()
	p.loads[l] = struct{}{}
	p.mu.Unlock()

	var page []T
	err := p.db.View(ctx, func(r Reader) error {
		items, err := r.Scan(key.prefix, key.after, key.limit)
		if err != nil {
			return err
		}
		page = make([]T, len(items))
		for i := range items {
			if page[i], err = p.decode(items[i]); err != nil {
				return err
			}
		}
		return nil
	})

	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.loads, l)
	if err != nil {
		return nil, err
	}
	if !l.stale {
		p.keep(key, page)
	}
	return page, nil
}

// keep stores a page in the place of as many others as it needs room for. An empty one counts, too; one after a long key, which no other
// page has told, is not kept. p.mu is held.
func (p *Pages[T]) keep(key scan, page []T) {
	size := len(page) + 1
	if size > p.size || len(key.prefix) > maxKey || len(key.after) > maxKey {
		return
	}
	key.prefix, key.after = strings.Clone(key.prefix), strings.Clone(key.after) // they may be parts of a whole request
	p.remove(key)
	for other := range p.pages {
		if p.items+size <= p.size && len(p.pages) < maxPages {
			break
		}
		p.remove(other)
	}
	p.pages[key] = page
	p.items += size
}

// remove forgets a page, if it is there. p.mu is held.
func (p *Pages[T]) remove(key scan) {
	if page, ok := p.pages[key]; ok {
		delete(p.pages, key)
		p.items -= len(page) + 1
	}
}

// invalidate forgets the pages that changed keys, or prefixes marked by a trailing "*", may be in.
func (p *Pages[T]) invalidate(changed []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range changed {
		for page := range p.pages {
			if touches(key, page.prefix) {
				p.remove(page)
			}
		}
		for l := range p.loads {
			l.stale = l.stale || touches(key, l.prefix)
		}
	}
}

// touches tells whether a changed key, or prefix marked by a trailing "*", may be of what starts with prefix.
func touches(changed, prefix string) bool {
	start, isPrefix := strings.CutSuffix(changed, "*")
	return strings.HasPrefix(changed, prefix) || isPrefix && (strings.HasPrefix(prefix, start) || strings.HasPrefix(start, prefix))
}

// Close ends the cache, which must not be used afterwards.
func (p *Pages[T]) Close() { p.stop() }
