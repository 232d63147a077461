// Package blobtest is the conformance suite of blob.Store, and makes stores for the tests of other packages.
//
// An engine calls Run from its own test. What the suite does not test, users of a store must not rely on.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/blob/disk"
)

// New opens an empty store that lives as long as the test.
func New(tb testing.TB) blob.Store {
	tb.Helper()
	s, err := disk.Open(filepath.Join(tb.TempDir(), "blobs"))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// Run checks an engine. open opens the store that lives at place, a string unique to the test; opening it again stands for another
// process or a restart.
func Run(t *testing.T, open func(tb testing.TB, place string) blob.Store) {
	for name, test := range map[string]func(*testing.T, blob.Store, func() blob.Store){
		"PutOpenDelete": testPutOpenDelete,
		"NotFound":      testNotFound,
		"Seek":          testSeek,
		"ReaderFails":   testReaderFails,
		"Context":       testContext,
		"Concurrent":    testConcurrent,
	} {
		t.Run(name, func(t *testing.T) {
			place := filepath.Join(t.TempDir(), "place")
			test(t, open(t, place), func() blob.Store { return open(t, place) })
		})
	}
}

// nameOf is the name that content must have.
func nameOf(content []byte) blob.Name {
	sum := sha256.Sum256(content)
	return blob.Name(hex.EncodeToString(sum[:]))
}

func put(t *testing.T, s blob.Store, content []byte) blob.Name {
	t.Helper()
	name, size, err := s.Put(t.Context(), bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if size != int64(len(content)) || name != nameOf(content) {
		t.Errorf("Put = %s, %d, want %s, %d", name, size, nameOf(content), len(content))
	}
	return name
}

func get(t *testing.T, s blob.Store, name blob.Name) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return content
}

func testPutOpenDelete(t *testing.T, s blob.Store, again func() blob.Store) {
	for what, content := range map[string][]byte{
		"empty": {}, "short": []byte("code"), "large": bytes.Repeat([]byte("0123456789abcdef"), 1<<17),
	} {
		name := put(t, s, content)
		for range 2 {
			if got := get(t, again(), name); !bytes.Equal(got, content) {
				t.Errorf("%s: got %d bytes that are not the %d put", what, len(got), len(content))
			}
			put(t, s, content) // is no error
		}
		for range 2 {
			if err := s.Delete(t.Context(), name); err != nil {
				t.Errorf("%s: Delete: %v", what, err)
			}
			if _, err := s.Open(t.Context(), name); !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("%s: Open after Delete = %v, want ErrNotFound", what, err)
			}
		}
		put(t, s, content)
		if got := get(t, s, name); !bytes.Equal(got, content) {
			t.Errorf("%s: not there when put again after Delete", what)
		}
	}
}

func testNotFound(t *testing.T, s blob.Store, _ func() blob.Store) {
	name := put(t, s, []byte("x"))
	for _, other := range []blob.Name{
		"", "a", "..", nameOf([]byte("y")), name[1:], name + "0", blob.Name(strings.ToUpper(string(name))),
		blob.Name("../" + string(name[:61])), name[:2] + "/" + name[:61],
	} {
		if _, err := s.Open(t.Context(), other); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Open(%q) = %v, want ErrNotFound", other, err)
		}
		if err := s.Delete(t.Context(), other); err != nil {
			t.Errorf("Delete(%q) = %v, want nil", other, err)
		}
	}
	get(t, s, name)
}

func testSeek(t *testing.T, s blob.Store, _ func() blob.Store) {
	r, err := s.Open(t.Context(), put(t, s, []byte("0123456789")))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if at, err := r.Seek(-3, io.SeekEnd); err != nil || at != 7 {
		t.Errorf("Seek = %d, %v, want 7", at, err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != "789" {
		t.Errorf("read %q, %v, want 789", got, err)
	}
	// A blob that is open can be read to its end, whatever happens to its name.
	if err := s.Delete(t.Context(), nameOf([]byte("0123456789"))); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != "0123456789" {
		t.Errorf("read %q, %v after Delete", got, err)
	}
}

func testReaderFails(t *testing.T, s blob.Store, again func() blob.Store) {
	broken := errors.New("broken")
	content := []byte("half of it")
	_, _, err := s.Put(t.Context(), io.MultiReader(bytes.NewReader(content), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("Put = %v, want the reader's error", err)
	}
	if _, err := again().Open(t.Context(), nameOf(content)); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Open of the half = %v, want ErrNotFound", err)
	}
}

func testContext(t *testing.T, s blob.Store, _ func() blob.Store) {
	name := put(t, s, []byte("x"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Put(ctx, strings.NewReader("y")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v, want context.Canceled", err)
	}
	if _, err := s.Open(ctx, name); !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v, want context.Canceled", err)
	}
	if err := s.Delete(ctx, name); !errors.Is(err, context.Canceled) {
		t.Errorf("Delete = %v, want context.Canceled", err)
	}
	get(t, s, name)
}

func testConcurrent(t *testing.T, s blob.Store, _ func() blob.Store) {
	content := bytes.Repeat([]byte("the same"), 1000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				name, _, err := s.Put(t.Context(), bytes.NewReader(content))
				if err != nil {
					t.Error(err)
					return
				}
				r, err := s.Open(t.Context(), name)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(r)
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("read %d bytes, %v", len(got), err)
				}
				r.Close()
			}
		})
	}
	wg.Wait()
}
