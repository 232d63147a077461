// Package disk keeps a blob.Store in a directory: one file for each blob, named by its hash.
//
// It never interprets or authorizes. A Store is safe for concurrent use, by several processes too. Put writes a temporary file,
// syncs it, renames it to its name and syncs the directory, so that a name is only ever seen with its whole content, and what was
// acknowledged survives a loss of power. After an error or a crash at most a temporary file is left, which a later Open removes.
// Files are readable by their owner alone.
//
// Layout: <dir>/<first two digits>/<name>, temporary files <dir>/put-*.
package disk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/internal/blob"
)

// abandoned is the age from which a temporary file is taken for the remains of a crash.
const abandoned = 24 * time.Hour

// Store is a blob.Store in a directory.
type Store struct {
	dir string
	// made has the folders in dir whose names are durable. One that is there may have been made by a Put that has not synced dir yet, or never
	// will: another's, or that of a process that was killed.
	made sync.Map
}

var _ blob.Store = (*Store)(nil)

// Open opens the store in dir, which it makes if it is missing; the parent must exist.
func Open(dir string) (*Store, error) {
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	if err := removeAbandoned(dir); err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	return &Store{dir: dir}, nil
}

// removeAbandoned removes temporary files that a crash has left.
func removeAbandoned(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "put-") {
			continue
		}
		info, err := e.Info()
		if err == nil && time.Since(info.ModTime()) > abandoned {
			err = os.Remove(filepath.Join(dir, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // another process may have been faster
			return err
		}
	}
	return nil
}

// Put keeps the bytes of r.
func (s *Store) Put(ctx context.Context, r io.Reader) (_ blob.Name, size int64, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("put blob: %w", err)
		}
	}()
	f, err := os.CreateTemp(s.dir, "put-*") // mode 0600
	if err != nil {
		return "", 0, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the error that matters is the first
		}
	}()
	hash := sha256.New()
	size, err = io.Copy(io.MultiWriter(f, hash), &contextReader{ctx, r})
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", 0, err
	}
	name := blob.Name(hex.EncodeToString(hash.Sum(nil)))
	path := s.path(name)
	folder := filepath.Dir(path)
	if _, durable := s.made.Load(folder); !durable {
		if err := makeDir(folder); err != nil {
			return "", 0, err
		}
		s.made.Store(folder, true)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return "", 0, err
	}
	return name, size, syncDir(folder)
}

// Open reads a blob.
func (s *Store) Open(ctx context.Context, name blob.Name) (io.ReadSeekCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !name.Valid() {
		return nil, fmt.Errorf("%w: %q is not a name", blob.ErrNotFound, name)
	}
	f, err := os.Open(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", blob.ErrNotFound, name)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	return f, nil
}

// Delete removes a blob.
func (s *Store) Delete(ctx context.Context, name blob.Name) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !name.Valid() {
		return nil // there is no such blob
	}
	err := os.Remove(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	return syncDir(filepath.Dir(s.path(name)))
}

// Names gives the names of all blobs, in order.
func (s *Store) Names(ctx context.Context) iter.Seq2[blob.Name, error] {
	return func(yield func(blob.Name, error) bool) {
		dirs, err := os.ReadDir(s.dir)
		if err != nil {
			yield("", fmt.Errorf("list blobs: %w", err))
			return
		}
		for _, d := range dirs {
			if !d.IsDir() {
				continue
			}
			files, err := os.ReadDir(filepath.Join(s.dir, d.Name()))
			if err = errors.Join(err, ctx.Err()); err != nil {
				yield("", fmt.Errorf("list blobs: %w", err))
				return
			}
			for _, f := range files {
				if name := blob.Name(f.Name()); name.Valid() && !yield(name, nil) {
					return
				}
			}
		}
	}
}

func (s *Store) path(name blob.Name) string {
	return filepath.Join(s.dir, string(name[:2]), string(name))
}

// makeDir makes a directory, if it is missing, and sees to it that its name is durable.
func makeDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// contextReader stops reading when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
