package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/licet/licet/internal/archive"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/blob/blobtest"
)

// counting counts what is opened.
type counting struct {
	blob.Store
	opened atomic.Int64
	fail   atomic.Bool
}

func (c *counting) Open(ctx context.Context, name blob.Name) (io.ReadSeekCloser, error) {
	c.opened.Add(1)
	if c.fail.Load() {
		return nil, errors.New("no disk")
	}
	return c.Store.Open(ctx, name)
}

func newUnpacker(t *testing.T) (*Unpacker, *counting) {
	dir := t.TempDir()
	t.Cleanup(func() {
		if err := archive.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	blobs := &counting{Store: blobtest.New(t)}
	return NewUnpacker(dir, blobs), blobs
}

// put keeps an archive of files, given as name and content in turns; links are "name" and "-> target".
func put(t *testing.T, blobs blob.Store, files ...string) blob.Name {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := 0; i < len(files); i += 2 {
		h := &zip.FileHeader{Name: files[i]}
		target, isLink := strings.CutPrefix(files[i+1], "-> ")
		if h.SetMode(0o751); isLink {
			h.SetMode(fs.ModeSymlink | 0o777)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, target); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Check("CreateFunction", buf.Bytes()); err != nil {
		t.Fatal(err)
	}
	name, err := Store(t.Context(), blobs, buf.Bytes())
	if err != nil || name != Name(buf.Bytes()) {
		t.Fatalf("stored as %s, %v", name, err)
	}
	return name
}

func content(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// Each directory is made once, whoever asks; the order of archives matters.
func TestDirectory(t *testing.T) {
	u, blobs := newUnpacker(t)
	one := put(t, blobs, "bin/tool", "one", "lib/one", "1")
	two := put(t, blobs, "bin/tool", "two", "lib/two", "2")
	dirs := make(chan string, 20)
	var wg sync.WaitGroup
	for range cap(dirs) {
		wg.Go(func() {
			dir, err := u.Directory(t.Context(), NewSet(one, two))
			if err != nil {
				t.Error(err)
			}
			dirs <- dir
		})
	}
	wg.Wait()
	dir := <-dirs
	for range cap(dirs) - 1 {
		if other := <-dirs; other != dir {
			t.Errorf("got %s and %s", dir, other)
		}
	}
	if n := blobs.opened.Load(); n != 2 {
		t.Errorf("archives were opened %d times, want once each", n)
	}
	if got := content(t, dir, "bin/tool") + content(t, dir, "lib/one") + content(t, dir, "lib/two"); got != "two12" {
		t.Errorf("merged: got %s", got)
	}
	if info, err := os.Stat(filepath.Join(dir, "bin/tool")); err != nil || info.Mode() != 0o551 {
		t.Errorf("mode: got %v, %v", info.Mode(), err)
	}
	reversed, err := u.Directory(t.Context(), NewSet(two, one))
	if err != nil {
		t.Fatal(err)
	}
	if reversed == dir || content(t, reversed, "bin/tool") != "one" {
		t.Errorf("in the other order: got %s in %s", content(t, reversed, "bin/tool"), reversed)
	}
	alone, err := u.Directory(t.Context(), NewSet(one))
	if err != nil || filepath.Base(alone) != string(one) {
		t.Errorf("alone: got %s, %v", alone, err)
	}
	if none, err := u.Directory(t.Context(), NewSet()); err != nil || none != "" {
		t.Errorf("of none: got %q, %v", none, err)
	}
	// A new server finds what is there.
	before := blobs.opened.Load()
	again, err := NewUnpacker(u.dir, blobs).Directory(t.Context(), NewSet(one, two))
	if err != nil || again != dir || blobs.opened.Load() != before {
		t.Errorf("after a restart: got %s, %v, %d opened", again, err, blobs.opened.Load()-before)
	}
}

// A failure is not kept, and leaves nothing.
func TestDirectoryFailure(t *testing.T) {
	u, blobs := newUnpacker(t)
	one, two := put(t, blobs, "x", "-> z/../f"), put(t, blobs, "z", "-> .")
	blobs.fail.Store(true)
	if _, err := u.Directory(t.Context(), NewSet(one)); err == nil {
		t.Error("unpacked without a disk")
	}
	blobs.fail.Store(false)
	if _, err := u.Directory(t.Context(), NewSet(one)); err != nil {
		t.Errorf("second try: %v", err)
	}
	// Together their links lead outside.
	_, err := u.Directory(t.Context(), NewSet(one, two))
	if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != "InvalidZipFileException" || !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("links that lead outside: got %v", err)
	}
	left, err := os.ReadDir(u.dir)
	if err != nil || len(left) != 1 || left[0].Name() != string(one) {
		t.Errorf("left: %v, %v", left, err)
	}
	if _, err := u.Directory(t.Context(), NewSet("00")); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("of an archive that is not there: got %v", err)
	}
}
