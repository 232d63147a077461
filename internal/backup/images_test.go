package backup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An image is copied whole, whatever its files are called, with the modes and times that programs in it rely on; one that is being made is not.
func TestCopyImages(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "images"), filepath.Join(t.TempDir(), "images")
	root := filepath.Join("1", "root")
	when := time.Unix(1_000_000_000, 0)
	for name, mode := range map[string]fs.FileMode{
		filepath.Join(root, "put-on"): 0o755, filepath.Join(root, "put-dir", "f"): 0o644, filepath.Join(root, ".unpack-me"): 0o600,
		filepath.Join(unfinished+"2", "image", "f"): 0o644,
	} {
		path := filepath.Join(from, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(name), mode), os.Chmod(path, mode),
			os.Chtimes(path, when, when)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("put-on", filepath.Join(from, root, "link")); err != nil {
		t.Fatal(err)
	}
	defer syscall.Umask(syscall.Umask(0o077))
	for range 2 { // the second time there is nothing to do
		if err := copyImages(t.Context(), from, to); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	if err := filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == to {
			return err
		}
		info, err := d.Info()
		what := info.Mode().String()
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			what, err = os.Readlink(path)
		case !d.IsDir() && !info.ModTime().Equal(when):
			what += " changed " + info.ModTime().String()
		}
		got[path[len(to):]] = what
		return err
	}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"/1": "drwxr-xr-x", "/1/root": "drwxr-xr-x", "/1/root/put-on": "-rwxr-xr-x", "/1/root/put-dir": "drwxr-xr-x", "/1/root/put-dir/f": "-rw-r--r--",
		"/1/root/.unpack-me": "-rw-------", "/1/root/link": "put-on",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
