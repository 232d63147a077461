package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/licet/licet/internal/archive"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/services/lambda/fault"
)

// Set is archives in the order in which they are unpacked over each other. The zero Set has none.
type Set struct {
	archives []blob.Name
	dir      string
}

// NewSet makes a set.
func NewSet(archives ...blob.Name) Set {
	switch len(archives) {
	case 0:
		return Set{}
	case 1:
		return Set{archives: archives, dir: string(archives[0])}
	}
	h := sha256.New()
	for _, name := range archives {
		h.Write([]byte(name + "\n")) // never fails
	}
	return Set{archives: archives, dir: "merged-" + hex.EncodeToString(h.Sum(nil))}
}

// Dir is the name of the directory that has the set unpacked.
func (s Set) Dir() string { return s.dir }

// Unpacker makes directories from sets of archives, each once.
type Unpacker struct {
	dir   string
	blobs blob.Store

	mu sync.Mutex
	// ready has an entry for every directory that is there or being made.
	ready map[string]*unpacking
	// round counts calls of Drop.
	round int
}

type unpacking struct {
	dir  string
	done chan struct{} // closed when err is set
	err  error
	// round in which it was given to a caller last; guarded by Unpacker.mu.
	round int
}

// NewUnpacker makes directories in dir, which exists.
func NewUnpacker(dir string, blobs blob.Store) *Unpacker {
	return &Unpacker{dir: dir, blobs: blobs, ready: make(map[string]*unpacking)}
}

// Directory gives the directory with the unpacked archives, making it on first use; "" for none. Callers that come meanwhile wait for it.
func (u *Unpacker) Directory(ctx context.Context, s Set) (string, error) {
	if len(s.archives) == 0 {
		return "", nil
	}
	u.mu.Lock()
	p, ok := u.ready[s.dir]
	if !ok {
		p = &unpacking{dir: filepath.Join(u.dir, s.dir), done: make(chan struct{})}
		u.ready[s.dir] = p
	}
	p.round = u.round
	u.mu.Unlock()
	if !ok {
		// Others wait for the result: it must not depend on this caller's patience.
		u.finish(context.WithoutCancel(ctx), s, p)
	}
	select {
	case <-p.done:
		return p.dir, p.err
	case <-ctx.Done():
		return "", fmt.Errorf("wait for code %s: %w", s.dir, ctx.Err())
	}
}

// Drop removes the directories that nobody needs any more. One that was given to a caller since the last but one call is kept: the caller
// may be about to use it. It tells whether there are any that it kept for this, or because inUse, which gets their whole paths, says so.
func (u *Unpacker) Drop(named, inUse func(dir string) bool) (more bool, err error) {
	u.mu.Lock()
	u.round++
	var unused []string
	for name, p := range u.ready {
		switch {
		case named(name):
		case !p.over() || p.round >= u.round-1 || inUse(p.dir):
			more = true
		default:
			away := filepath.Join(u.dir, archive.TemporaryPrefix+name)
			if err = errors.Join(err, os.Rename(p.dir, away)); err == nil {
				delete(u.ready, name)
				unused = append(unused, away)
			}
		}
	}
	u.mu.Unlock()
	for _, dir := range unused {
		err = errors.Join(err, archive.Remove(dir))
	}
	return more, err
}

// over tells whether it is unpacked.
func (p *unpacking) over() bool {
	select {
	case <-p.done:
		return p.err == nil
	default:
		return false
	}
}

// finish unpacks and tells those who wait, even when it panics. After a failure the next caller tries again.
func (u *Unpacker) finish(ctx context.Context, s Set, p *unpacking) {
	p.err = errors.New("unpacking was broken off")
	defer func() {
		if p.err != nil {
			u.mu.Lock()
			delete(u.ready, s.dir)
			u.mu.Unlock()
		}
		close(p.done)
	}()
	p.err = u.unpack(ctx, s, p.dir)
}

func (u *Unpacker) unpack(ctx context.Context, s Set, dir string) (err error) {
	if _, err := os.Stat(dir); err == nil { // it appeared by a rename, so it is complete
		return nil
	}
	archives := make([]archive.Archive, len(s.archives))
	for i, name := range s.archives {
		r, err := u.blobs.Open(ctx, name)
		if err != nil {
			return fmt.Errorf("open code %s: %w", name, err)
		}
		defer r.Close()
		size, err := r.Seek(0, io.SeekEnd)
		if err != nil {
			return fmt.Errorf("measure code %s: %w", name, err)
		}
		archives[i] = archive.Archive{ReaderAt: seeker{r}, Size: size}
	}
	// What together has exactly MaxUnpacked was let through when it was configured.
	err = archive.Merge(archives, dir, archive.Limits{UnpackedBytes: MaxUnpacked + 1, Files: maxFiles})
	if errors.Is(err, archive.ErrInvalid) || errors.Is(err, archive.ErrTooLarge) || errors.Is(err, archive.ErrEmpty) {
		// Each was checked when it was uploaded, so this is rare: the rules have become stricter, the blob is damaged, or links of two
		// layers lead outside together.
		e := fault.New("InvalidZipFileException", http.StatusBadGateway, "Lambda could not unzip the deployment package.")
		e.Cause = err
		return e
	}
	return err
}

// seeker reads at offsets for one goroutine, which is all that unpacking has.
type seeker struct{ io.ReadSeeker }

func (s seeker) ReadAt(p []byte, off int64) (int, error) {
	if _, err := s.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}
