package content

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Pin keeps pieces from being collected until unpin is called. Whoever reads an object finds its pieces, and pins them, under one Hold.
func (s *Store) Pin(pieces []Piece) (unpin func()) {
	for _, p := range pieces {
		s.pin(p.Blob, 1)
	}
	return func() {
		for _, p := range pieces {
			s.pin(p.Blob, -1)
		}
	}
}

// Open reads length bytes of pieces from an offset on, which there must be. Close ends it, and calls closed.
func (s *Store) Open(ctx context.Context, pieces []Piece, offset, length int64, closed func()) *Reader {
	return &Reader{ctx: ctx, store: s, pieces: pieces, skip: offset, left: length, closed: closed}
}

// Reader reads one piece after the other. It is for one goroutine.
type Reader struct {
	ctx    context.Context
	store  *Store
	pieces []Piece
	skip   int64 // of the next piece
	left   int64
	open   io.ReadSeekCloser // nil between pieces
	closed func()
}

// Begin opens what is read first, so that it is known whether it can be, before anybody is told that it comes.
func (r *Reader) Begin() error {
	if r.left == 0 || r.open != nil {
		return nil
	}
	return r.next()
}

// Read reads, and comes to an end after the length that Open was given.
func (r *Reader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for r.left > 0 {
		if r.open == nil {
			if err := r.next(); err != nil {
				return 0, err
			}
		}
		n, err := r.open.Read(b[:min(int64(len(b)), r.left)])
		r.left -= int64(n)
		if errors.Is(err, io.EOF) {
			err = r.open.Close()
			r.open = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

// next opens the piece that has the next byte.
func (r *Reader) next() error {
	for len(r.pieces) > 0 && (r.skip >= r.pieces[0].Size || r.pieces[0].Blob == "") {
		r.skip -= r.pieces[0].Size
		r.pieces = r.pieces[1:]
	}
	if len(r.pieces) == 0 {
		return io.ErrUnexpectedEOF
	}
	f, err := r.store.Blobs.Open(r.ctx, r.pieces[0].Blob)
	if err != nil {
		return fmt.Errorf("open bytes of object: %w", err)
	}
	if _, err := f.Seek(r.pieces[0].Skip+r.skip, io.SeekStart); err != nil {
		return errors.Join(err, f.Close())
	}
	r.open, r.pieces, r.skip = f, r.pieces[1:], 0
	return nil
}

// Close ends reading.
func (r *Reader) Close() error {
	if r.closed != nil {
		r.closed()
		r.closed = nil
	}
	if r.open == nil {
		return nil
	}
	err := r.open.Close()
	r.open = nil
	return err
}
