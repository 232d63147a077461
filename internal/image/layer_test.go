package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var testLimits = Limits{Bytes: 1 << 20, Files: 200, Steps: 10_000}

// layer makes a tar archive; content is that of files, and the target of links.
func layer(t testing.TB, entries ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range entries {
		content := ""
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
			content, h.Linkname = h.Linkname, ""
			h.Size = int64(len(content))
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatalf("%s: %v", h.Name, err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(name, content string) tar.Header { return tar.Header{Name: name, Linkname: content} }
func dir(name string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755}
}
func symlink(name, target string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target}
}
func hardlink(name, target string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: target}
}

// applied applies layers in a directory that has a neighbour, which must not change.
func applied(t testing.TB, limits Limits, layers ...[]byte) (string, error) {
	t.Helper()
	top := t.TempDir()
	root, outside := filepath.Join(top, "root"), filepath.Join(top, "outside")
	if err := errors.Join(os.Mkdir(root, 0o755), os.Mkdir(outside, 0o755),
		os.WriteFile(filepath.Join(outside, "secret"), []byte("as it was"), 0o600)); err != nil {
		t.Fatal(err)
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	tr := &tree{ctx: t.Context(), root: r, left: limits, room: func() bool { return true }}
	for _, l := range layers {
		if err = tr.apply(bytes.NewReader(l)); err != nil {
			break
		}
	}
	want := map[string]string{"secret": "-rw------- as it was"}
	if diff := cmp.Diff(listing(t, outside), want); diff != "" {
		t.Errorf("what is outside was changed, got - want +:\n%s", diff)
	}
	if found, err := os.ReadDir(top); err != nil || len(found) != 2 {
		t.Errorf("outside: %v, %v", found, err)
	}
	return root, err
}

// listing lists what is below a directory: mode and content, or target.
func listing(t testing.TB, root string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, line := strings.TrimPrefix(path, root+"/"), info.Mode().String()
		switch {
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line = "-> " + target
		case d.Type().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += " " + string(content)
		}
		got[name] = strings.TrimSpace(line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestApply(t *testing.T) {
	const d, r = "drwxr-xr-x", "-rw-r--r-- "
	for name, c := range map[string]struct {
		layers [][]tar.Header
		want   map[string]string
	}{
		"files and links": {[][]tar.Header{{
			dir("./"), dir("usr/"), dir("usr/bin/"), {Name: "usr/bin/tool", Linkname: "x", Mode: 0o6755}, symlink("bin", "usr/bin"),
			hardlink("usr/bin/same", "usr/bin/tool"), symlink("absolute", "/etc/passwd"), symlink("away", "../../outside/secret"),
			{Name: "private", Linkname: "p", Mode: 0o600}, {Name: "closed", Typeflag: tar.TypeDir, Mode: 0o1055}, file("/lead", "l"),
		}}, map[string]string{
			"usr": d, "usr/bin": d, "usr/bin/tool": "-rwxr-xr-x x", "usr/bin/same": "-rwxr-xr-x x", "bin": "-> usr/bin",
			"absolute": "-> /etc/passwd", "away": "-> ../../outside/secret", "private": "-rw------- p", "closed": "drwxr-xr-x", "lead": r + "l",
		}},
		"devices are left out, with what they hide": {[][]tar.Header{{file("dev/null", "file")}, {
			{Name: "dev/null", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3}, {Name: "pipe", Typeflag: tar.TypeFifo},
			{Name: "disk", Typeflag: tar.TypeBlock},
		}}, map[string]string{"dev": d}},
		"later layers win": {[][]tar.Header{{file("a", "1"), file("b/c", "1"), file("d", "1"), symlink("e", "a")}, {
			file("a", "2"), file("b", "file over directory"), file("d/x", "directory over file"), file("e", "file over link"),
		}}, map[string]string{"a": r + "2", "b": r + "file over directory", "d": d, "d/x": r + "directory over file", "e": r + "file over link"}},
		"a file that is replaced leaves its other names": {[][]tar.Header{{file("a", "1"), hardlink("b", "a")}, {file("a", "2")}},
			map[string]string{"a": r + "2", "b": r + "1"}},
		"whiteouts": {[][]tar.Header{{file("a", "1"), file("b/c", "1"), file("b/d", "1"), file("e/f", "1")}, {
			file(".wh.a", ""), file("b/.wh.c", ""), file(".wh.e", ""), file(".wh.none", ""), file(".wh..wh.plnk", ""),
		}}, map[string]string{"b": d, "b/d": r + "1"}},
		"opaque whiteouts": {[][]tar.Header{{file("a/b", "1"), file("a/c/d", "1"), file("x", "1")}, {
			file("a/new", "2"), file("a/c/new", "2"), file("a/.wh..wh..opq", ""),
		}}, map[string]string{"a": d, "a/new": r + "2", "a/c": d, "a/c/new": r + "2", "x": r + "1"}},
		"a whiteout hides lower layers alone": {[][]tar.Header{{file("a", "1"), file("b/c", "1")}, {
			file("a", "2"), file(".wh.a", ""), file("b/new", "2"), file(".wh.b", ""),
		}}, map[string]string{"a": r + "2", "b": d, "b/new": r + "2"}},
		"a whiteout of all": {[][]tar.Header{{file("a", "1"), file("b/c", "1")}, {file(".wh..wh..opq", ""), file("d", "2")}},
			map[string]string{"d": r + "2"}},
		"a whiteout does not follow a link": {[][]tar.Header{{file("a/b", "1"), symlink("l", "a")}, {file(".wh.l", "")}},
			map[string]string{"a": d, "a/b": r + "1"}},
		"links to directories are followed inside": {[][]tar.Header{{dir("usr/lib"), symlink("lib", "/usr/lib"), symlink("up", "../../../usr")}, {
			file("lib/a", "1"), file("up/lib/b", "1"), hardlink("c", "lib/a"), symlink("usr/self", "."), file("usr/self/self/d", "1"),
		}}, map[string]string{
			"usr": d, "usr/lib": d, "lib": "-> /usr/lib", "up": "-> ../../../usr", "usr/lib/a": r + "1", "usr/lib/b": r + "1", "c": r + "1",
			"usr/self": "-> .", "usr/d": r + "1",
		}},
		"a link out is no way out": {[][]tar.Header{{symlink("out", "../outside"), file("out/new", "1"), file("out/secret", "stolen")}},
			map[string]string{"out": "-> ../outside", "outside": d, "outside/new": r + "1", "outside/secret": r + "stolen"}},
		"a directory over a link takes its place": {[][]tar.Header{{symlink("a", "../outside")}, {dir("a"), file("a/secret", "own")}},
			map[string]string{"a": d, "a/secret": r + "own"}},
		"a dangling link is followed where it leads": {[][]tar.Header{{symlink("a", "b/c"), file("a/f", "1")}},
			map[string]string{"a": "-> b/c", "b": d, "b/c": d, "b/c/f": r + "1"}},
		"a link that changes after its directory was found": {[][]tar.Header{{
			dir("one"), dir("two"), symlink("l", "one"), file("l/a", "1"), symlink("l", "two"), file("l/b", "1"),
		}}, map[string]string{"one": d, "two": d, "l": "-> two", "one/a": r + "1", "two/b": r + "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var layers [][]byte
			for _, l := range c.layers {
				layers = append(layers, layer(t, l...))
			}
			root, err := applied(t, testLimits, layers...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(listing(t, root), c.want); diff != "" {
				t.Errorf("got - want +:\n%s", diff)
			}
		})
	}
}

func TestApplyKeepsTimes(t *testing.T) {
	when := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	h := file("a.py", "pass")
	h.ModTime = when
	root, err := applied(t, testLimits, layer(t, h))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(root, "a.py"))
	if err != nil || !info.ModTime().Equal(when) {
		t.Errorf("got %v, %v, want %v", info.ModTime(), err, when)
	}
}

func TestApplyRefuses(t *testing.T) {
	var chain, many []tar.Header
	for i := range 60 {
		chain = append(chain, symlink(strings.Repeat("a", i+1), strings.Repeat("a", i+2)))
	}
	for i := range testLimits.Files + 1 {
		many = append(many, file(strings.Repeat("f", 1+i%200)+"/"+strings.Repeat("g", 1+i/200), ""))
	}
	emptied, far := []tar.Header{}, []tar.Header{dir("d"), symlink("l0", "d")}
	for i := range 60 {
		emptied = append(emptied, file("d/"+strings.Repeat("f", i+1), ""))
	}
	for range 120 {
		emptied = append(emptied, file("d/.wh..wh..opq", ""))
	}
	empty := []tar.Header{file(strings.Repeat("a/", 20)+"f", "")}
	for range 120 {
		empty = append(empty, file(strings.Repeat("a/", 20)+".wh..wh..opq", ""))
	}
	for i := range 30 {
		far = append(far, symlink(fmt.Sprintf("l%d", i+1), strings.Repeat("d/../", 400)+fmt.Sprintf("l%d", i)))
	}
	for name, c := range map[string]struct {
		layer []byte
		want  error
	}{
		"deep directories":         {layer(t, file(strings.Repeat("a/", 100)+"f", "")), ErrTooLarge},
		"a directory of many":      {layer(t, emptied...), ErrTooLarge},
		"a deep directory of none": {layer(t, empty...), ErrTooLarge},
		"links that lead far":      {layer(t, append(far, file("l30/f", ""))...), ErrTooLarge},
		"parent":                   {layer(t, file("../outside/secret", "x")), ErrInvalid},
		"parent inside":            {layer(t, file("a/../../outside/secret", "x")), ErrInvalid},
		"whiteout of the parent":   {layer(t, file("../outside/.wh.secret", "")), ErrInvalid},
		"whiteout named parent":    {layer(t, file("a/.wh...", "")), ErrInvalid},
		"whiteout of itself":       {layer(t, file("a/.wh..", "")), ErrInvalid},
		"whiteout of nothing":      {layer(t, file("a/.wh.", "")), ErrInvalid},
		"below a whiteout":         {layer(t, file("a/.wh.b/c", "x")), ErrInvalid},
		"link to the parent":       {layer(t, hardlink("a", "../outside/secret")), ErrInvalid},
		"link by way of a link":    {layer(t, symlink("out", "../outside"), hardlink("a", "out/secret")), ErrInvalid},
		"link to nothing":          {layer(t, hardlink("a", "none")), ErrInvalid},
		"link to itself":           {layer(t, file("a", "x"), hardlink("a", "a")), ErrInvalid},
		"link to a directory":      {layer(t, dir("d"), hardlink("a", "d")), ErrInvalid},
		"link to below itself":     {layer(t, hardlink("a", "a/b")), ErrInvalid},
		"symbolic link to nothing": {layer(t, tar.Header{Name: "a", Typeflag: tar.TypeSymlink}), ErrInvalid},
		"links in a circle":        {layer(t, symlink("a", "b"), symlink("b", "a"), file("a/f", "x")), ErrInvalid},
		"a chain of links":         {layer(t, append(chain, file("a/f", "x"))...), ErrInvalid},
		"long name":                {layer(t, file(strings.Repeat("x", 256), "x")), ErrInvalid},
		"long path":                {layer(t, file(strings.Repeat("x/", 2100)+"x", "x")), ErrInvalid},
		"zero byte":                {zeroed(t), ErrInvalid},
		"root is a file":           {layer(t, file("./.", "x")), ErrInvalid},
		"unknown type":             {layer(t, tar.Header{Name: "a", Typeflag: 'Q'}), ErrInvalid},
		"many files":               {layer(t, many...), ErrTooLarge},
		"many directories":         {layer(t, file(strings.Repeat("d/", testLimits.Files+1)+"f", "x")), ErrTooLarge},
		"large file":               {layer(t, file("a", strings.Repeat("x", 1<<20+1))), ErrTooLarge},
		"large files":              {layer(t, file("a", strings.Repeat("x", 1<<19)), file("b", strings.Repeat("x", 1<<19+1))), ErrTooLarge},
		"large by its header":      {layer(t, file("a", "x"))[:512], ErrInvalid},
		"no archive":               {[]byte(strings.Repeat("no archive ", 100)), ErrInvalid},
		"broken off":               {layer(t, file("a", strings.Repeat("x", 2000)))[:1500], ErrInvalid},
		"sparse":                   {sparse(1 << 40), ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := applied(t, testLimits, c.layer); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// zeroed is an archive with a PAX record that gives the name a zero byte.
func zeroed(t *testing.T) []byte {
	archive := layer(t, tar.Header{Name: "aZb", Linkname: "x", Format: tar.FormatPAX, PAXRecords: map[string]string{"K.path": "aZb"}})
	return bytes.ReplaceAll(bytes.ReplaceAll(archive, []byte("K.path=aZb"), []byte("path=a\x00bZZ")), []byte("aZb"), []byte("a\x00b"))
}

// sparse is an archive of one GNU sparse file of that size, without any data.
func sparse(size int64) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "sparse", Mode: 0o644, Format: tar.FormatGNU}); err != nil {
		panic(err)
	}
	header := b.Bytes()
	header[156] = tar.TypeGNUSparse
	octal := func(at, length int, v int64) {
		for i := at + length - 2; i >= at; i-- {
			header[i] = byte('0' + v&7)
			v >>= 3
		}
	}
	octal(386, 12, size) // the one entry of the map: at the end, of no length
	octal(398, 12, 0)
	if size >= 1<<33 { // in base 256
		for at, v := range map[int]int64{386: size, 483: size} {
			for i := range 12 {
				header[at+11-i] = byte(v >> (8 * i))
				if i >= 8 {
					header[at+11-i] = 0
				}
			}
			header[at] = 0x80
		}
	}
	var sum int64
	for i, c := range header[:512] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		sum += int64(c)
	}
	octal(148, 8, sum)
	return append(header[:512:512], make([]byte, 1024)...)
}

func TestFiles(t *testing.T) {
	root, err := applied(t, testLimits, layer(t, file("usr/x", "1"), symlink("a", "/usr"), symlink("out", "../../outside"), symlink("self", "self")))
	if err != nil {
		t.Fatal(err)
	}
	files := Files(root)
	if content, err := fs.ReadFile(files, "a/x"); err != nil || string(content) != "1" {
		t.Errorf("got %q, %v", content, err)
	}
	if list, err := fs.ReadDir(files, "a"); err != nil || len(list) != 1 {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := fs.Stat(files, "out/secret"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("outside: got %v", err)
	}
	if _, err := fs.Stat(files, "self"); err == nil {
		t.Error("a link to itself leads somewhere")
	}
	if info, err := fs.Stat(files, "."); err != nil || !info.IsDir() {
		t.Errorf("root: got %v, %v", info, err)
	}
}

// What takes too long ends, also where nothing more is read.
func TestApplyEnds(t *testing.T) {
	r, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tr := &tree{ctx: ctx, root: r, left: testLimits, room: func() bool { return true }}
	if err := tr.apply(bytes.NewReader(layer(t, file("a", "")))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A name in an image that is hard to find is not found.
func TestFilesFar(t *testing.T) {
	limits := testLimits
	limits.Steps = 1_000_000
	root, err := applied(t, limits, layer(t, file(strings.Repeat("a/", 100)+"f", ""), symlink("near", strings.Repeat("a/", 100)),
		symlink("far", strings.Repeat(strings.Repeat("a/", 100)+strings.Repeat("../", 100), 7)+"near"), symlink("farther", "far/"+strings.Repeat("../", 100)+"far/"+
			strings.Repeat("../", 100)+"far")))
	if err != nil {
		t.Fatal(err)
	}
	files := Files(root)
	for name, want := range map[string]error{"near/f": nil, "far/f": nil, "farther/f": errFar} {
		if _, err := fs.Stat(files, name); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add(layer(f, file("a", "1"), symlink("b", "../outside"), hardlink("c", "a"), dir("d")), layer(f, file(".wh.a", ""), file("b/secret", "x")))
	f.Add(layer(f, file("d/.wh..wh..opq", "")), sparse(1<<30))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if _, err := applied(t, testLimits, first, second); err != nil && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("the archive's fault is taken for the server's: %v", err)
		}
	})
}
