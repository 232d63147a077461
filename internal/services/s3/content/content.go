// Package content keeps the bytes of objects in a blob store, and knows which of them are still needed.
//
// It never authorizes and knows nothing of buckets. What Write returned is in the blob store durably, but not yet needed by anybody: before
// Release somebody must Refer to it in a transaction, or it is collected. Whoever drops the last reference leaves a note in the same
// transaction, by which Collect finds the blob; what was written and given up it finds by memory. A *Store is safe for concurrent use; one server works on a blob store.
//
// A blob's name is its hash, so that two objects may share one, and what is written anew may be what is being collected. So the end of a
// Write, from the last byte on until Release, and the collection of a blob exclude each other (mu); while somebody reads a blob it is
// pinned and left for later. After a crash there may be blobs that nothing refers to: Sweep removes them.
//
// Keys in the store:
//
//	s3/ref/<blob>/<owner>   somebody who needs the blob
//	s3/garbage/<blob>       a note that a blob may not be needed any more
package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
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
}

// Store keeps pieces.
type Store struct {
	db     store.DB
	blobs  Blobs
	logger *slog.Logger

	// mu is held for reading from the end of a Write to its Release, and for writing while a blob is collected. It comes before pinMu.
	mu sync.RWMutex

	pinMu sync.Mutex
	// pins counts the readers of a blob; guarded by pinMu.
	pins map[blob.Name]int
	// doubtful are the blobs that were written since they were last collected: somebody may have given them up. Guarded by pinMu.
	doubtful map[blob.Name]bool
}

// New makes a store.
func New(db store.DB, blobs Blobs, logger *slog.Logger) *Store {
	return &Store{db: db, blobs: blobs, logger: logger, pins: map[blob.Name]int{}, doubtful: map[blob.Name]bool{}}
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

// Write keeps the bytes of r. The error of r comes back as it is.
func (s *Store) Write(ctx context.Context, r io.Reader) (*Written, error) {
	end := &endLocker{r: r, mu: &s.mu}
	name, size, err := s.blobs.Put(ctx, end)
	w := &Written{Piece: Piece{Blob: name, Size: size}, release: func() {
		if name != "" {
			s.doubt(name)
		}
		end.unlock()
	}}
	switch {
	case err != nil && end.err != nil:
		w.Release()
		return nil, end.err
	case err != nil:
		w.Release()
		return nil, fmt.Errorf("write object: %w", err)
	}
	return w, nil
}

// endLocker locks when r has ended: then it shows what the blob will be called.
type endLocker struct {
	r      io.Reader
	mu     *sync.RWMutex
	locked bool
	err    error // of r
}

func (e *endLocker) Read(b []byte) (int, error) {
	n, err := e.r.Read(b)
	switch {
	case errors.Is(err, io.EOF) && !e.locked:
		e.mu.RLock()
		e.locked = true
	case err != nil && !errors.Is(err, io.EOF):
		e.err = err
	}
	return n, err
}

func (e *endLocker) unlock() {
	if e.locked {
		e.mu.RUnlock()
		e.locked = false
	}
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

// period is how often it is looked for garbage, batch how much is read at once.
const (
	period = 10 * time.Second
	batch  = 100
)

// Run collects until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.Collect(ctx); err != nil && ctx.Err() == nil {
				s.logger.ErrorContext(ctx, "Bytes that no object has any more could not be removed.", slog.Any("err", err))
			}
		}
	}
}

// Collect removes the blobs that nobody needs and nobody reads.
func (s *Store) Collect(ctx context.Context) error {
	if err := s.collectDoubtful(ctx); err != nil {
		return err
	}
	for after := ""; ; {
		var notes []store.Item
		err := s.db.View(ctx, func(r store.Reader) (err error) {
			notes, err = r.Scan(garbagePrefix, after, batch)
			return err
		})
		if err != nil {
			return fmt.Errorf("list garbage: %w", err)
		}
		for _, note := range notes {
			after = note.Key
			if err := s.collect(ctx, blob.Name(note.Key[len(garbagePrefix):])); err != nil {
				return fmt.Errorf("collect %s: %w", note.Key, err)
			}
		}
		if len(notes) < batch {
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
		needed := false
		if problem == nil {
			needed, problem = s.needed(ctx, name)
		}
		if problem == nil && !needed { // who drops what is needed leaves a note
			problem = s.collect(ctx, name)
		}
		if problem != nil || !needed && s.pinned(name) {
			s.doubt(name)
		}
	}
	if problem != nil {
		return fmt.Errorf("collect what was given up: %w", problem)
	}
	return nil
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
		if err := s.blobs.Delete(ctx, name); err != nil {
			return err
		}
	}
	return s.db.Update(ctx, func(tx store.Tx) error {
		refs, err := tx.Scan(refsOf(name), "", 1)
		if err != nil || needed && len(refs) == 0 { // it was dropped just now: the note is about that
			return err
		}
		return tx.Delete(garbagePrefix + string(name))
	})
}

func (s *Store) needed(ctx context.Context, name blob.Name) (needed bool, err error) {
	err = s.db.View(ctx, func(r store.Reader) error {
		refs, err := r.Scan(refsOf(name), "", 1)
		needed = len(refs) > 0
		return err
	})
	return needed, err
}

// Sweep removes what a crash left: blobs to which nothing refers. It must end before the first Write.
func (s *Store) Sweep(ctx context.Context) error {
	for name, err := range s.blobs.Names(ctx) {
		if err != nil {
			return fmt.Errorf("list objects' bytes: %w", err)
		}
		needed, err := s.needed(ctx, name)
		if err != nil {
			return err
		}
		if !needed {
			if err := s.blobs.Delete(ctx, name); err != nil {
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
