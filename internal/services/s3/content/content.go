// Package content keeps the bytes of objects in a blob store, and knows which of them are still needed.
//
// It never authorizes and knows nothing of buckets. What Write returned is in the blob store durably, but not yet needed by anybody: before
// Release somebody must Refer to it in a transaction, or it is collected. Whoever drops the last reference leaves a note in the same
// transaction, by which Collect finds the blob; what was written and given up its server finds by memory. After a crash there may be blobs that
// nothing refers to: Sweep removes them. A *Store is safe for concurrent use.
//
// A blob begins with some random bytes, so that no two writes make the same: what is being collected nobody can be about to write again, here or
// on another server. While somebody reads a blob here it is pinned, and left for later. Where servers share blobs (Config.Shared), others may
// read it, or be about to copy it: then it is collected only when it has not been needed for an hour, and what a crash left after a day.
//
// Keys in the store:
//
//	s3/ref/<blob>/<owner>   somebody who needs the blob
//	s3/garbage/<blob>       a note that a blob may not be needed any more
package content

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/store"
)

// Blobs is a blob store that can list what it has.
type Blobs interface {
	blob.Store
	// Names gives the names of all blobs.
	Names(ctx context.Context) iter.Seq2[blob.Name, error]
}

// Piece is a part of an object that is one blob. There is no blob for a piece without bytes.
type Piece struct {
	Blob blob.Name `json:"blob,omitempty"`
	Size int64     `json:"size"`
	// Skip is how many bytes of the blob come before those of the piece.
	Skip int64 `json:"skip,omitempty"`
}

// salt is how many random bytes make a blob unlike all others.
const salt = 16

// Config is what a Store needs; every field but Shared is required.
type Config struct {
	DB    store.DB
	Blobs Blobs
	// Shared tells whether other servers may use the blobs.
	Shared bool
	Logger *slog.Logger
}

// Store keeps pieces.
type Store struct {
	Config

	// mu is held for reading while somebody finds pieces to pin, and for writing while a blob is collected. It comes before pinMu.
	mu sync.RWMutex

	pinMu sync.Mutex
	// pins counts the readers of a blob; guarded by pinMu.
	pins map[blob.Name]int
	// doubtful are the blobs that were written since they were last collected: somebody may have given them up. Guarded by pinMu.
	doubtful map[blob.Name]bool
}

// New makes a store.
func New(c Config) *Store {
	return &Store{Config: c, pins: map[blob.Name]int{}, doubtful: map[blob.Name]bool{}}
}

// Written is a piece that is not needed by anybody yet.
type Written struct {
	Piece
	release func()
}

// Release must be called once the piece is referred to, or was given up.
func (w *Written) Release() {
	if w.release != nil {
		w.release()
		w.release = nil
	}
}

// Write keeps the bytes of r, which are not none. The error of r comes back as it is.
func (s *Store) Write(ctx context.Context, r io.Reader) (*Written, error) {
	var unlike [salt]byte
	_, _ = rand.Read(unlike[:]) // never fails
	noted := &failing{r: r}
	name, size, err := s.Blobs.Put(ctx, io.MultiReader(bytes.NewReader(unlike[:]), noted))
	switch {
	case err != nil && noted.err != nil:
		return nil, noted.err
	case err != nil:
		return nil, fmt.Errorf("write object: %w", err)
	}
	return &Written{Piece: Piece{Blob: name, Size: size - salt, Skip: salt}, release: func() { s.doubt(name) }}, nil
}

// failing notes the error of its reader.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

const (
	refPrefix     = "s3/ref/"
	garbagePrefix = "s3/garbage/"
)

func refsOf(name blob.Name) string { return refPrefix + string(name) + "/" }

// Refer tells that an owner needs a piece. owner is a name that nobody else has.
func Refer(tx store.Tx, p Piece, owner string) error {
	if p.Blob == "" {
		return nil
	}
	return tx.Put(refsOf(p.Blob)+owner, nil)
}

// Drop tells that an owner does not need a piece any more.
func Drop(tx store.Tx, p Piece, owner string) error {
	if p.Blob == "" {
		return nil
	}
	if err := tx.Delete(refsOf(p.Blob) + owner); err != nil {
		return err
	}
	refs, err := tx.Scan(refsOf(p.Blob), "", 1)
	if err != nil || len(refs) > 0 {
		return err
	}
	return tx.Put(garbagePrefix+string(p.Blob), nil)
}

// period is how often it is looked for garbage, batch how much is read at once. Where servers share blobs, grace is how long a blob must not have
// been needed, and a stray, to which nobody ever referred, is one that has been there for strayTime at looks strayPeriod apart.
const (
	period      = 10 * time.Second
	batch       = 100
	grace       = time.Hour
	strayPeriod = time.Hour
	strayTime   = 24 * time.Hour
)

// Run removes what this server has written and then given up, until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	return s.every(ctx, period, s.collectDoubtful)
}

// every calls fn until ctx ends.
func (s *Store) every(ctx context.Context, period time.Duration, fn func(context.Context) error) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := fn(ctx); err != nil && ctx.Err() == nil {
				s.Logger.ErrorContext(ctx, "Bytes that no object has any more could not be removed.", slog.Any("err", err))
			}
		}
	}
}

// RunGarbage removes what no object needs any more, until ctx ends. One server at a time does it.
func (s *Store) RunGarbage(ctx context.Context) error {
	notes, strays := sightings{}, sightings{}
	var looked time.Time
	return s.every(ctx, period, func(ctx context.Context) error {
		if s.Shared && time.Since(looked) >= strayPeriod {
			looked = time.Now()
			if err := s.collectStrays(ctx, strays); err != nil {
				return err
			}
		}
		return s.collectNoted(ctx, notes)
	})
}

// Collect removes at once the blobs that nobody needs, and nobody reads here.
func (s *Store) Collect(ctx context.Context) error {
	if err := s.collectDoubtful(ctx); err != nil {
		return err
	}
	return s.collectNoted(ctx, nil)
}

// sightings tell since when something has been seen. Nil is for not caring.
type sightings map[blob.Name]time.Time

// old tells whether a name has been seen for so long.
func (s sightings) old(name blob.Name, age time.Duration) bool {
	if s == nil {
		return true
	}
	first, ok := s[name]
	if !ok {
		s[name] = time.Now()
		return false
	}
	return time.Since(first) >= age
}

// keep forgets what has not been seen any more.
func (s sightings) keep(seen map[blob.Name]bool) {
	maps.DeleteFunc(s, func(name blob.Name, _ time.Time) bool { return !seen[name] })
}

// collectNoted looks at all notes.
func (s *Store) collectNoted(ctx context.Context, since sightings) error {
	if !s.Shared {
		since = nil
	}
	seen := map[blob.Name]bool{}
	for after := ""; ; {
		var notes []store.Item
		err := s.DB.View(ctx, func(r store.Reader) (err error) {
			notes, err = r.Scan(garbagePrefix, after, batch)
			return err
		})
		if err != nil {
			return fmt.Errorf("list garbage: %w", err)
		}
		for _, note := range notes {
			after = note.Key
			name := blob.Name(note.Key[len(garbagePrefix):])
			seen[name] = true
			if !since.old(name, grace) {
				continue
			}
			if err := s.collect(ctx, name); err != nil {
				return fmt.Errorf("collect %s: %w", note.Key, err)
			}
		}
		if len(notes) < batch {
			since.keep(seen)
			return nil
		}
	}
}

// collectDoubtful removes what was written and then given up, such as an object whose condition did not hold: there is no note about it.
func (s *Store) collectDoubtful(ctx context.Context) error {
	s.pinMu.Lock()
	names := s.doubtful
	s.doubtful = map[blob.Name]bool{}
	s.pinMu.Unlock()
	var problem error
	for name := range names {
		known := false
		if problem == nil {
			known, problem = s.known(ctx, name)
		}
		if problem == nil && !known {
			problem = s.collect(ctx, name)
		}
		if problem != nil || !known && s.pinned(name) {
			s.doubt(name)
		}
	}
	if problem != nil {
		return fmt.Errorf("collect what was given up: %w", problem)
	}
	return nil
}

// collectStrays removes what servers wrote that then crashed.
func (s *Store) collectStrays(ctx context.Context, since sightings) error {
	seen := map[blob.Name]bool{}
	for name, err := range s.Blobs.Names(ctx) {
		if err != nil {
			return fmt.Errorf("list objects' bytes: %w", err)
		}
		known, err := s.known(ctx, name)
		if err != nil {
			return err
		}
		if known {
			continue
		}
		seen[name] = true
		if since.old(name, strayTime) {
			if err := s.Blobs.Delete(ctx, name); err != nil {
				return err
			}
		}
	}
	since.keep(seen)
	return nil
}

// known tells whether somebody needs a blob, or there is a note about it.
func (s *Store) known(ctx context.Context, name blob.Name) (known bool, err error) {
	err = s.DB.View(ctx, func(r store.Reader) error {
		refs, err := r.Scan(refsOf(name), "", 1)
		if known = len(refs) > 0; known || err != nil {
			return err
		}
		notes, err := r.Scan(garbagePrefix+string(name), "", 1) // its own key is the prefix
		known = len(notes) > 0
		return err
	})
	return known, err
}

// collect removes a blob that a note may be about, unless somebody needs it again. The note goes after the blob: after a crash between the two
// the blob is removed once more.
func (s *Store) collect(ctx context.Context, name blob.Name) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pinned(name) {
		return nil
	}
	needed, err := s.needed(ctx, name)
	if err != nil {
		return err
	}
	if !needed {
		if err := s.Blobs.Delete(ctx, name); err != nil {
			return err
		}
	}
	return s.DB.Update(ctx, func(tx store.Tx) error {
		refs, err := tx.Scan(refsOf(name), "", 1)
		if err != nil || needed && len(refs) == 0 { // it was dropped just now: the note is about that
			return err
		}
		return tx.Delete(garbagePrefix + string(name))
	})
}

func (s *Store) needed(ctx context.Context, name blob.Name) (needed bool, err error) {
	err = s.DB.View(ctx, func(r store.Reader) error {
		refs, err := r.Scan(refsOf(name), "", 1)
		needed = len(refs) > 0
		return err
	})
	return needed, err
}

// Sweep removes what a crash left: blobs to which nothing refers. It must end before the first Write. Where servers share blobs it does nothing,
// for others may be writing: RunGarbage does it in time.
func (s *Store) Sweep(ctx context.Context) error {
	if s.Shared {
		return nil
	}
	for name, err := range s.Blobs.Names(ctx) {
		if err != nil {
			return fmt.Errorf("list objects' bytes: %w", err)
		}
		needed, err := s.needed(ctx, name)
		if err != nil {
			return err
		}
		if !needed {
			if err := s.Blobs.Delete(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Needed names the blobs of all objects and parts of a store.
func Needed(ctx context.Context, db store.DB) (names []blob.Name, err error) {
	err = db.View(ctx, func(r store.Reader) error {
		items, err := r.Scan(refPrefix, "", 0)
		for _, item := range items {
			name, _, _ := strings.Cut(item.Key[len(refPrefix):], "/")
			if n := len(names); n == 0 || names[n-1] != blob.Name(name) { // keys come in their order
				names = append(names, blob.Name(name))
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list objects' bytes: %w", err)
	}
	return names, nil
}

func (s *Store) doubt(name blob.Name) {
	s.pinMu.Lock()
	defer s.pinMu.Unlock()
	s.doubtful[name] = true
}

func (s *Store) pin(name blob.Name, n int) {
	s.pinMu.Lock()
	defer s.pinMu.Unlock()
	if s.pins[name] += n; s.pins[name] == 0 {
		delete(s.pins, name)
	}
}

func (s *Store) pinned(name blob.Name) bool {
	s.pinMu.Lock()
	defer s.pinMu.Unlock()
	return s.pins[name] > 0
}

// Hold keeps everything from being collected until Release, which must be soon: for who finds pieces in a View, and then pins them.
func (s *Store) Hold() *Written {
	s.mu.RLock()
	return &Written{release: s.mu.RUnlock}
}
