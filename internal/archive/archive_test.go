package archive

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var testLimits = Limits{UnpackedBytes: 1 << 20, Files: 100}

// entry is a file of a test archive; mode 0 leaves the mode out.
type entry struct {
	name    string
	mode    fs.FileMode
	content string
}

func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(e.name, "/") {
			continue
		}
		if _, err := io.WriteString(f, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// unpack unpacks into a new directory, which is removed after the test.
func unpack(t testing.TB, z []byte, limits Limits) (string, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "code")
	t.Cleanup(func() {
		if err := Remove(dir); err != nil {
			t.Error(err)
		}
	})
	return dir, Unpack(bytes.NewReader(z), int64(len(z)), dir, limits)
}

// tree lists what is below dir: "mode path" for directories, with content or target for files and links.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	got := make(map[string]string)
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var content []byte
		switch {
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			content = []byte("-> " + target)
		case !d.IsDir():
			if content, err = os.ReadFile(p); err != nil {
				return err
			}
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		mode := info.Mode().String()
		if d.Type() == fs.ModeSymlink {
			mode = "link"
		}
		got[rel] = strings.TrimSpace(mode + " " + string(content))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestUnpack(t *testing.T) {
	z := zipOf(t,
		entry{"bootstrap", 0o755, "#!/bin/sh"},
		entry{"plain", 0, "no mode"},
		entry{"writable", 0o666, ""},
		entry{"private", 0o600, ""},
		entry{"set", 0o755 | fs.ModeSetuid | fs.ModeSticky, ""},
		entry{"empty/", fs.ModeDir | 0o700, ""},
		entry{"lib/a/b.py", 0o644, "pass"},
		entry{"lib/", fs.ModeDir | 0o755, ""},
		entry{"./dot.txt", 0o644, "dot"},
		entry{"lib/up", fs.ModeSymlink | 0o777, "../plain"},
		entry{"current", fs.ModeSymlink | 0o777, "lib/a"},
		entry{"dangling", fs.ModeSymlink | 0o777, "nowhere/at/all"},
	)
	dir, err := unpack(t, z, testLimits)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"bootstrap":  "-r-xr-xr-x #!/bin/sh",
		"plain":      "-r--r--r-- no mode",
		"writable":   "-r--r--r--",
		"private":    "-r--------",
		"set":        "-r-xr-xr-x",
		"empty":      "dr-xr-xr-x",
		"lib":        "dr-xr-xr-x",
		"lib/a":      "dr-xr-xr-x",
		"lib/a/b.py": "-r--r--r-- pass",
		"dot.txt":    "-r--r--r-- dot",
		"lib/up":     "link -> ../plain",
		"current":    "link -> lib/a",
		"dangling":   "link -> nowhere/at/all",
	}
	if diff := cmp.Diff(tree(t, dir), want); diff != "" {
		t.Errorf("unpacked, got - want +:\n%s", diff)
	}
	summary, err := Inspect(bytes.NewReader(z), int64(len(z)), testLimits)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Summary{Files: 10, UnpackedBytes: 23}); summary != want {
		t.Errorf("summary: got %+v, want %+v", summary, want)
	}
	if err := Unpack(bytes.NewReader(z), int64(len(z)), dir, testLimits); err != nil {
		t.Errorf("unpack a second time: %v", err)
	}
}

func TestRefused(t *testing.T) {
	link := fs.ModeSymlink | 0o777
	long := strings.Repeat("x", 256)
	deep := strings.Repeat("d/", 120) + "f"
	for name, c := range map[string]struct {
		zip  []byte
		want error
	}{
		"not a zip":              {[]byte("def handler(event, context): pass"), ErrInvalid},
		"no bytes":               {nil, ErrInvalid},
		"no files":               {zipOf(t), ErrEmpty},
		"only directories":       {zipOf(t, entry{"a/", 0, ""}), ErrEmpty},
		"parent":                 {zipOf(t, entry{"../a", 0, ""}), ErrInvalid},
		"parent inside":          {zipOf(t, entry{"a/../../b", 0, ""}), ErrInvalid},
		"absolute":               {zipOf(t, entry{"/etc/passwd", 0, ""}), ErrInvalid},
		"no name":                {zipOf(t, entry{"", 0, ""}), ErrInvalid},
		"dot":                    {zipOf(t, entry{".", 0, ""}), ErrInvalid},
		"zero byte":              {zipOf(t, entry{"a\x00b", 0, ""}), ErrInvalid},
		"long name":              {zipOf(t, entry{long, 0, ""}), ErrInvalid},
		"twice":                  {zipOf(t, entry{"a", 0, ""}, entry{"a", 0, ""}), ErrInvalid},
		"twice, cleaned":         {zipOf(t, entry{"a", 0, ""}, entry{"./a", 0, ""}), ErrInvalid},
		"file then directory":    {zipOf(t, entry{"a", 0, ""}, entry{"a/b", 0, ""}), ErrInvalid},
		"directory then file":    {zipOf(t, entry{"a/b", 0, ""}, entry{"a", 0, ""}), ErrInvalid},
		"link then directory":    {zipOf(t, entry{"a", link, "b"}, entry{"a/c", 0, ""}), ErrInvalid},
		"device":                 {zipOf(t, entry{"a", fs.ModeDevice | 0o644, ""}), ErrInvalid},
		"link to parent":         {zipOf(t, entry{"a", link, "../x"}), ErrInvalid},
		"absolute link":          {zipOf(t, entry{"a", link, "/etc/passwd"}), ErrInvalid},
		"link without target":    {zipOf(t, entry{"a", link, ""}), ErrInvalid},
		"link by way of a link":  {zipOf(t, entry{"a", link, "."}, entry{"b", link, "a/.."}), ErrInvalid},
		"link by way of links":   {zipOf(t, entry{"d/e/f", 0, ""}, entry{"l", link, "d/e"}, entry{"m", link, "l/../../.."}), ErrInvalid},
		"links in a circle":      {zipOf(t, entry{"a", link, "b"}, entry{"b", link, "a"}), ErrInvalid},
		"many files":             {zipOf(t, manyFiles(101)...), ErrInvalid},
		"many directories":       {zipOf(t, entry{deep, 0, ""}), ErrInvalid},
		"bomb":                   {zipOf(t, entry{"a", 0, strings.Repeat("0", 1<<20)}), ErrTooLarge},
		"bomb in parts":          {zipOf(t, entry{"a", 0, strings.Repeat("0", 1<<19)}, entry{"b", 0, strings.Repeat("0", 1<<19)}), ErrTooLarge},
		"bomb with small header": {understate(zipOf(t, entry{"a", 0, strings.Repeat("0", 1<<22)})), ErrInvalid},
		"wrong checksum":         {breakChecksum(zipOf(t, entry{"a", 0, "content"})), ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Inspect(bytes.NewReader(c.zip), int64(len(c.zip)), testLimits); !errors.Is(err, c.want) {
				t.Errorf("Inspect: got %v, want %v", err, c.want)
			}
			dir, err := unpack(t, c.zip, testLimits)
			if !errors.Is(err, c.want) {
				t.Errorf("Unpack: got %v, want %v", err, c.want)
			}
			if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// Small archives may be made to cost much: these are refused for what they would, not for where their links lead or how large they get.
func TestRefusedCosts(t *testing.T) {
	link := fs.ModeSymlink | 0o777
	var targets, ways []entry
	for i := range maxLinkBytes/maxLinkTarget + 2 {
		targets = append(targets, entry{fmt.Sprint("a", i), link, strings.Repeat("./", maxLinkTarget/2-1) + "x"})
	}
	for i := range maxLinkHops - 1 { // all but the end of each comes after the end of the next
		ways = append(ways, entry{fmt.Sprint("a", i), link, fmt.Sprint("a", i+1) + strings.Repeat("/a", 2000)})
	}
	for name, z := range map[string][]byte{
		"entries over each other": overEachOther(zipOf(t, entry{"a", 0, "content"}, entry{"b", 0, "content"})),
		"long targets":            zipOf(t, targets...),
		"long ways":               zipOf(t, ways...),
	} {
		t.Run(name, func(t *testing.T) {
			limits := Limits{UnpackedBytes: 1 << 30, Files: 10_000}
			if _, err := Inspect(bytes.NewReader(z), int64(len(z)), limits); !errors.Is(err, ErrInvalid) {
				t.Errorf("got %v, want %v", err, ErrInvalid)
			}
		})
	}
}

// overEachOther makes the second entry of an archive the same bytes as the first, which become nearly all that there are: they are
// compressed blocks of nothing.
func overEachOther(z []byte) []byte {
	local := append([]byte{}, z[:30+1]...)
	data := append(bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, 200), 1, 0, 0, 0xff, 0xff)
	directory := z[bytes.Index(z, []byte("PK\x01\x02")):]
	at := uint32(len(local) + len(data))
	for range 2 {
		binary.LittleEndian.PutUint16(directory[8:], 0)  // flags
		binary.LittleEndian.PutUint32(directory[16:], 0) // checksum
		binary.LittleEndian.PutUint32(directory[20:], uint32(len(data)))
		binary.LittleEndian.PutUint32(directory[24:], 0) // content
		binary.LittleEndian.PutUint32(directory[42:], 0) // place
		next := 46 + int(binary.LittleEndian.Uint16(directory[28:])) + int(binary.LittleEndian.Uint16(directory[30:]))
		directory = directory[next:]
	}
	binary.LittleEndian.PutUint32(directory[16:], at)
	return slices.Concat(local, data, z[bytes.Index(z, []byte("PK\x01\x02")):])
}

func manyFiles(n int) []entry {
	entries := make([]entry, n)
	for i := range entries {
		entries[i].name = strings.Repeat("f", i+1)
	}
	return entries
}

// directoryField changes a four-byte field of the first central directory record.
func directoryField(z []byte, offset int, value uint32) []byte {
	at := bytes.Index(z, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(z[at+offset:], value)
	return z
}

func understate(z []byte) []byte    { return directoryField(z, 24, 10) }
func breakChecksum(z []byte) []byte { return directoryField(z, 16, 1) }

func TestCountSignatures(t *testing.T) {
	data := []byte(strings.Repeat(strings.Repeat("x", 1000)+"PK\x01\x02", 300) + "PK\x01")
	for _, chunk := range []int{1, 3, 1000, 64 << 10} {
		got, err := countSignatures(&chunked{data, chunk}, 1000)
		if err != nil || got != 300 {
			t.Errorf("read by %d: got %d, %v, want 300", chunk, got, err)
		}
	}
}

type chunked struct {
	data []byte
	size int
}

func (c *chunked) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.size)], c.data)
	c.data = c.data[n:]
	return n, nil
}

// FuzzUnpack: whatever the bytes are, nothing outside of the directory changes, no link leads outside, and Inspect agrees.
func FuzzUnpack(f *testing.F) {
	link := fs.ModeSymlink | 0o777
	f.Add(zipOf(f, entry{"a/b", 0o644, "x"}, entry{"l", link, "a"}, entry{"m", link, "l/../a/b"}))
	f.Add(zipOf(f, entry{"../a", 0o644, "x"}))
	f.Add(zipOf(f, entry{"d/", fs.ModeDir | 0o755, ""}, entry{"d/l", link, "../d"}, entry{"e", link, "d/l/.."}))
	f.Fuzz(func(t *testing.T, z []byte) { checkUnpack(t, z) })
}

// FuzzEntries builds archives from a description: one entry a line, "name" or "name target", the latter for links.
func FuzzEntries(f *testing.F) {
	f.Add("a/b\nl a\nm l/../a/b")
	f.Add("l .\nm l/..\n../x")
	f.Add("a b\nb a\nc/d ../../c\ne/")
	f.Add("x d/e\nd/e/f\ny x/../../x/f")
	f.Fuzz(func(t *testing.T, description string) { checkUnpack(t, described(t, description)) })
}

// described makes an archive as FuzzEntries says.
func described(t testing.TB, description string) []byte {
	var entries []entry
	for line := range strings.Lines(description) {
		name, target, isLink := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		e := entry{name, 0o644, "content"}
		if isLink {
			e = entry{name, fs.ModeSymlink | 0o777, target}
		}
		entries = append(entries, e)
	}
	return zipOf(t, entries...)
}

func checkUnpack(t *testing.T, z []byte) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "code")
	if err := os.WriteFile(filepath.Join(outer, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, inspected := Inspect(bytes.NewReader(z), int64(len(z)), testLimits)
	err := Unpack(bytes.NewReader(z), int64(len(z)), dir, testLimits)
	if (err == nil) != (inspected == nil) {
		t.Errorf("Unpack: %v, but Inspect: %v", err, inspected)
	}
	want := []string{"secret"}
	if err == nil {
		want = []string{"code", "secret"}
		checkLinks(t, dir)
	}
	var got []string
	left, err := os.ReadDir(outer)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range left {
		got = append(got, d.Name())
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("beside the directory, got - want +:\n%s", diff)
	}
	if b, err := os.ReadFile(filepath.Join(outer, "secret")); err != nil || string(b) != "secret" {
		t.Errorf("file outside: got %q, %v", b, err)
	}
	if err := Remove(dir); err != nil {
		t.Error(err)
	}
}

// checkLinks opens every link by os.Root, which refuses to leave the directory with an error other than "does not exist".
func checkLinks(t *testing.T, dir string) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for p, what := range tree(t, dir) {
		if !strings.HasPrefix(what, "link") {
			continue
		}
		if _, err := root.Stat(p); err != nil && strings.Contains(err.Error(), "escapes") {
			t.Errorf("link %s leads outside: %v", p, err)
		}
	}
}
