package backup

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/sqlite"
	"github.com/licet/licet/internal/store/storetest"
)

// Names of blobs with the content "a", "b", …
var (
	a = blob.Name("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")
	b = blob.Name("3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d")
	c = blob.Name("2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6")
	d = blob.Name("18ac3e7343f016890c510e93f935261169d9e3f565436429830faf0934f4f8e4")
)

// shelf is a Folder of texts. One that is "gone" was removed after it was listed; "damaged" and "broken" cannot be read.
type shelf map[blob.Name]string

var errBroken = errors.New("broken")

func (s shelf) Names(context.Context) iter.Seq2[blob.Name, error] {
	return func(yield func(blob.Name, error) bool) {
		for name, text := range s {
			var err error
			if text == "no list" {
				err = errBroken
			}
			if !yield(name, err) {
				return
			}
		}
	}
}

func (s shelf) Open(_ context.Context, name blob.Name) (io.ReadSeekCloser, error) {
	switch text := s[name]; text {
	case "gone":
		return nil, blob.ErrNotFound
	case "damaged":
		return nil, blob.ErrDamaged
	case "broken":
		return book{strings.NewReader(text), iotest.ErrReader(errBroken)}, nil
	default:
		return book{strings.NewReader(text), strings.NewReader(text)}, nil
	}
}

type book struct {
	io.Seeker
	io.Reader
}

func (book) Close() error { return nil }

// withKey makes a data directory with a key.
func withKey(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := secret.Load(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	return dir
}

type needs = func(context.Context, store.DB) (map[string][]blob.Name, error)

// facts are of a store whose key is the right one, but for an error.
func facts(n needs, fits error) Facts {
	return Facts{Needs: n, Fits: func(context.Context, store.DB, *secret.Keyring) error { return fits }}
}

// A blob is missing if it was needed all the while. What was removed or came meanwhile is no problem.
func TestCheckElsewhere(t *testing.T) {
	for name, tt := range map[string]struct {
		code          shelf
		before, after []blob.Name
		want          Report
	}{
		"whole":    {shelf{a: "a", b: "b"}, []blob.Name{a, b}, []blob.Name{a, b}, Report{Blobs: 2, Bytes: 2, Needed: 2}},
		"unneeded": {shelf{a: "a", b: "b"}, nil, nil, Report{Blobs: 2, Bytes: 2}},
		"missing":  {shelf{a: "a"}, []blob.Name{a, b}, []blob.Name{a, b}, Report{Blobs: 1, Bytes: 1, Needed: 2, Problems: []string{"blobs/" + string(b) + " is missing."}}},
		"came":     {shelf{a: "a"}, []blob.Name{a}, []blob.Name{a, b}, Report{Blobs: 1, Bytes: 1, Needed: 1}},
		"went":     {shelf{a: "a", b: "gone"}, []blob.Name{a, b}, []blob.Name{a}, Report{Blobs: 1, Bytes: 1, Needed: 1}},
		"damaged": {shelf{a: "damaged"}, []blob.Name{a}, []blob.Name{a}, Report{Blobs: 1, Needed: 1, Problems: []string{
			"blobs/" + string(a) + " has another content than its name says.", "blobs/" + string(a) + " is missing.",
		}}},
		"other content": {shelf{c: "abc"}, nil, nil, Report{Blobs: 1, Bytes: 3, Problems: []string{"blobs/" + string(c) + " has another content than its name says."}}},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			needs := func(context.Context, store.DB) (map[string][]blob.Name, error) {
				if asked++; asked == 1 {
					return map[string][]blob.Name{Blobs: tt.before, Objects: {d}}, nil
				}
				return map[string][]blob.Name{Blobs: tt.after, Objects: {d}}, nil
			}
			tt.want.Blobs, tt.want.Bytes, tt.want.Needed = tt.want.Blobs+1, tt.want.Bytes+1, tt.want.Needed+1
			got, err := CheckElsewhere(t.Context(), withKey(t), storetest.New(t), map[string]Folder{Blobs: tt.code, Objects: shelf{d: "d"}}, facts(needs, nil))
			if diff := cmp.Diff(got, tt.want); diff != "" || err != nil {
				t.Errorf("%v, -got +want:\n%s", err, diff)
			}
		})
	}
}

// What cannot be read is an error, not a report.
func TestCheckElsewhereFails(t *testing.T) {
	none := func(context.Context, store.DB) (map[string][]blob.Name, error) { return nil, nil }
	for name, tt := range map[string]struct {
		folder shelf
		needs  needs
	}{
		"list":  {shelf{a: "no list"}, none},
		"read":  {shelf{a: "broken"}, none},
		"needs": {shelf{a: "a"}, func(context.Context, store.DB) (map[string][]blob.Name, error) { return nil, errBroken }},
	} {
		if _, err := CheckElsewhere(t.Context(), withKey(t), storetest.New(t), map[string]Folder{Blobs: tt.folder}, facts(tt.needs, nil)); !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Without a database the store is the file, which is read, too.
func TestCheckElsewhereFile(t *testing.T) {
	dir := withKey(t)
	file := filepath.Join(dir, storeFile)
	db, err := sqlite.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	needs := func(context.Context, store.DB) (map[string][]blob.Name, error) {
		return map[string][]blob.Name{Blobs: {a}}, nil
	}
	check := func(fits error) Report {
		t.Helper()
		got, err := CheckElsewhere(t.Context(), dir, nil, map[string]Folder{Blobs: shelf{a: "a"}}, facts(needs, fits))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if diff := cmp.Diff(check(nil), Report{Store: true, Blobs: 1, Bytes: 1, Needed: 1}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	if got := check(errBroken).Problems; len(got) != 1 || !strings.HasPrefix(got[0], "There is no key that can be used: ") {
		t.Errorf("with another store's key: got %q", got)
	}
	if err := os.Remove(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	if got := check(nil); len(got.Problems) != 1 || !strings.HasPrefix(got.Problems[0], "There is no key that can be used: ") {
		t.Errorf("without a key: got %q", got.Problems)
	}
}
