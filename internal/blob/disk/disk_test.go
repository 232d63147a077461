package disk_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/blob/blobtest"
	"github.com/licet/licet/internal/blob/disk"
)

func open(tb testing.TB, dir string) blob.Store {
	tb.Helper()
	s, err := disk.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) { blobtest.Run(t, open) }

// files lists dir with modes.
func files(t *testing.T, dir string) (list []string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		list = append(list, strings.TrimPrefix(path, dir+"/")+" "+info.Mode().String())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	s := open(t, dir)
	if _, _, err := s.Put(t.Context(), strings.NewReader("abc")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Put(t.Context(), iotest.ErrReader(errors.New("broken"))); err == nil {
		t.Error("Put of a broken reader succeeded")
	}
	want := []string{"ba drwx------", "ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad -rw-------"}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestOpenRemovesRemains(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-25 * time.Hour)
	for _, name := range []string{"put-old", "put-new", "other"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if name != "put-new" {
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	open(t, dir)
	if diff := cmp.Diff([]string{"other -rw-------", "put-new -rw-------"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
