package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
)

// ErrNotEmpty is the error of a Load into a store that has keys.
var ErrNotEmpty = errors.New("store: the store is not empty")

// Snapshot is the Reader of a View that says how far it reads.
type Snapshot interface {
	Reader
	// Last is the revision of the last transaction that the snapshot has.
	Last() (int64, error)
}

// Loader is an engine that a copy of another store can be put into.
type Loader interface {
	// Load fills an empty store, in one transaction: items keep their revisions, and later transactions have larger ones than revision.
	// next gives the items piece by piece, none at the end. The error wraps ErrNotEmpty when there are keys; after any error nothing was
	// kept, unless it wraps ErrUncertain.
	Load(ctx context.Context, revision int64, next func() ([]Item, error)) error
}

// copyBatch is how many items are read at once.
const copyBatch = 500

// Sum says what a part of a store holds.
type Sum struct {
	Items int
	Bytes int64 // of the values
	Hash  [sha256.Size]byte
}

// Sums are those of the parts of a store, by the first element of their keys.
type Sums map[string]Sum

// Total adds up the counts; it has no hash.
func (s Sums) Total() (t Sum) {
	for _, sum := range s {
		t.Items += sum.Items
		t.Bytes += sum.Bytes
	}
	return t
}

// Copy copies a snapshot of one store into another, which must be empty, and reads it back: the error names the part that differs in
// number or hash. progress is told of the items so far.
func Copy(ctx context.Context, from, to DB, progress func(done Sum)) (Sums, error) {
	loader, ok := to.(Loader)
	if !ok {
		return nil, fmt.Errorf("a %T cannot be loaded", to)
	}
	read := make(sums)
	var last int64
	err := from.View(ctx, func(r Reader) error {
		snapshot, ok := r.(Snapshot)
		if !ok {
			return fmt.Errorf("a %T does not say how far it reads", r)
		}
		var err error
		if last, err = snapshot.Last(); err != nil {
			return err
		}
		after, done := "", Sum{}
		return loader.Load(ctx, last, func() ([]Item, error) {
			items, err := r.Scan("", after, copyBatch)
			if err != nil || len(items) == 0 {
				return nil, err
			}
			after = items[len(items)-1].Key
			for _, i := range items {
				read.add(i)
				done.Items++
				done.Bytes += int64(len(i.Value))
			}
			progress(done)
			return items, ctx.Err()
		})
	})
	if err != nil {
		return nil, err
	}
	want := read.sums()
	got, err := Summarize(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("read the copy: %w", err)
	}
	return got, compare(got, want)
}

// compare says how a copy differs.
func compare(got, want Sums) error {
	var err error
	for _, part := range slices.Sorted(maps.Keys(want)) {
		if got[part] != want[part] {
			err = errors.Join(err, fmt.Errorf("the copy of %s differs: it has %d items, %d bytes and hash %x, want %d, %d and %x",
				part, got[part].Items, got[part].Bytes, got[part].Hash, want[part].Items, want[part].Bytes, want[part].Hash))
		}
	}
	for _, part := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[part]; !ok {
			err = errors.Join(err, fmt.Errorf("the copy has %s, which the original has not", part))
		}
	}
	return err
}

// Summarize reads a snapshot of a whole store.
func Summarize(ctx context.Context, db DB) (Sums, error) {
	read := make(sums)
	err := db.View(ctx, func(r Reader) error {
		for after := ""; ; {
			items, err := r.Scan("", after, copyBatch)
			if err != nil || len(items) == 0 {
				return err
			}
			for _, i := range items {
				read.add(i)
			}
			after = items[len(items)-1].Key
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	})
	return read.sums(), err
}

// sums are Sums that are not complete yet.
type sums map[string]*running

type running struct {
	Sum
	hash hash.Hash
}

// add takes in the next item in the order of keys. Lengths are hashed too, so that no two contents are hashed alike.
func (s sums) add(i Item) {
	part, _, _ := strings.Cut(i.Key, "/")
	r := s[part]
	if r == nil {
		r = &running{hash: sha256.New()}
		s[part] = r
	}
	r.Items++
	r.Bytes += int64(len(i.Value))
	var head [24]byte
	binary.BigEndian.PutUint64(head[:], uint64(len(i.Key)))
	binary.BigEndian.PutUint64(head[8:], uint64(len(i.Value)))
	binary.BigEndian.PutUint64(head[16:], uint64(i.Revision))
	for _, b := range [][]byte{head[:], []byte(i.Key), i.Value} {
		_, _ = r.hash.Write(b) // never returns an error (hash.Hash)
	}
}

func (s sums) sums() Sums {
	done := make(Sums, len(s))
	for part, r := range s {
		r.hash.Sum(r.Hash[:0])
		done[part] = r.Sum
	}
	return done
}
