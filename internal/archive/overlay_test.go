package archive

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// merge merges into a new directory, which is removed after the test.
func merge(t testing.TB, limits Limits, zips ...[]byte) (string, error) {
	t.Helper()
	archives := make([]Archive, len(zips))
	for i, z := range zips {
		archives[i] = Archive{bytes.NewReader(z), int64(len(z))}
	}
	dir := filepath.Join(t.TempDir(), "merged")
	t.Cleanup(func() {
		if err := Remove(dir); err != nil {
			t.Error(err)
		}
	})
	return dir, Merge(archives, dir, limits)
}

func TestMerge(t *testing.T) {
	link := fs.ModeSymlink | 0o777
	first := zipOf(t,
		entry{"bin/tool", 0o755, "first"},
		entry{"bin/other", 0o755, "other"},
		entry{"lib/a.py", 0o644, "a"},
		entry{"was-directory/deep/file", 0o644, "hidden"},
		entry{"was-directory-not/file", 0o644, "kept"},
		entry{"was-file", 0o644, "hidden"},
		entry{"was-link", link, "lib"},
		entry{"becomes-link/x", 0o644, "hidden"},
	)
	second := zipOf(t,
		entry{"bin/tool", 0o711, "second"},
		entry{"lib/b.py", 0o600, "b"},
		entry{"was-directory", 0o644, "file"},
		entry{"was-file/inside", 0o644, "inside"},
		entry{"was-link/inside", 0o644, "inside"},
		entry{"becomes-link", link, "bin"},
	)
	third := zipOf(t, entry{"was-directory/again", 0o444, "again"})
	dir, err := merge(t, testLimits, first, second, third)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"bin":                    "dr-xr-xr-x",
		"bin/tool":               "-r-x--x--x second",
		"bin/other":              "-r-xr-xr-x other",
		"lib":                    "dr-xr-xr-x",
		"lib/a.py":               "-r--r--r-- a",
		"lib/b.py":               "-r-------- b",
		"was-directory":          "dr-xr-xr-x",
		"was-directory/again":    "-r--r--r-- again",
		"was-directory-not":      "dr-xr-xr-x",
		"was-directory-not/file": "-r--r--r-- kept",
		"was-file":               "dr-xr-xr-x",
		"was-file/inside":        "-r--r--r-- inside",
		"was-link":               "dr-xr-xr-x",
		"was-link/inside":        "-r--r--r-- inside",
		"becomes-link":           "link -> bin",
	}
	if diff := cmp.Diff(tree(t, dir), want); diff != "" {
		t.Errorf("merged, got - want +:\n%s", diff)
	}
}

func TestMergeRefused(t *testing.T) {
	link := fs.ModeSymlink | 0o777
	half := strings.Repeat("0", 1<<19)
	for name, c := range map[string]struct {
		zips [][]byte
		want error
	}{
		"one of them is empty":   {[][]byte{zipOf(t, entry{"a", 0, ""}), zipOf(t)}, ErrEmpty},
		"one of them is invalid": {[][]byte{[]byte("x"), zipOf(t, entry{"a", 0, ""})}, ErrInvalid},
		// "z/.." is the directory itself until z is a link to it.
		"a link by way of another's": {[][]byte{zipOf(t, entry{"x", link, "z/../f"}), zipOf(t, entry{"z", link, "."})}, ErrInvalid},
		"links in a circle":          {[][]byte{zipOf(t, entry{"a", link, "b"}), zipOf(t, entry{"b", link, "a"})}, ErrInvalid},
		"too large together":         {[][]byte{zipOf(t, entry{"a", 0, half}), zipOf(t, entry{"b", 0, half})}, ErrTooLarge},
		"too large, replaced":        {[][]byte{zipOf(t, entry{"a", 0, half}), zipOf(t, entry{"a", 0, half})}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := merge(t, testLimits, c.zips...); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// FuzzMerge compares Merge with unpacking one after the other.
func FuzzMerge(f *testing.F) {
	f.Add("a/b\nl a", "a\nl/c")
	f.Add("x z/../f", "z .")
	f.Add("d/e/f\ng d", "d/e h\ng/i")
	f.Fuzz(func(t *testing.T, one, two string) {
		want := make(map[string]string)
		zips := [][]byte{described(t, one), described(t, two)}
		for _, z := range zips {
			dir, err := unpack(t, z, testLimits)
			if err != nil {
				return
			}
			unpacked := tree(t, dir)
			for name, what := range unpacked {
				if what[0] == 'd' {
					continue
				}
				maps.DeleteFunc(want, func(below, _ string) bool { return strings.HasPrefix(below, name+"/") })
			}
			maps.Copy(want, unpacked)
		}
		dir, err := merge(t, testLimits, zips...)
		if errors.Is(err, ErrInvalid) { // a link across links: TestMergeRefused
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		checkLinks(t, dir)
		if diff := cmp.Diff(tree(t, dir), want); diff != "" {
			t.Errorf("merged, got - want +:\n%s", diff)
		}
	})
}
