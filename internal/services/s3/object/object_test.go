package object

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/services/s3/content"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/storetest"
)

// model is what a bucket should be: all versions of each key, newest first.
type model map[string][]*Version

// TestAgainstModel puts, deletes and lists at random, and compares with a model that is simple.
func TestAgainstModel(t *testing.T) {
	keys := []string{"a", "a/", "a/b", "a/b/c", "a\x01", "a\x02b", "a0", "b", "ü/", "ü/ü", "\x00", "日本/語"}
	db, m := storetest.Once(t), model{}
	r := rand.New(rand.NewPCG(1, 2))
	state := Unversioned
	for step := range 600 {
		key := keys[r.IntN(len(keys))]
		if step%150 == 100 {
			state = []Versioning{Enabled, Suspended}[r.IntN(2)]
		}
		err := db.Update(t.Context(), func(tx store.Tx) error {
			if r.IntN(3) > 0 {
				v := &Version{Key: key, Size: int64(step), ETag: fmt.Sprint(step), Pieces: []content.Piece{{Blob: "x", Size: int64(step)}}}
				err := Put(tx, "bucket", v, nil, state, NewStamp(tx, 0))
				m.put(v, state)
				return err
			}
			id := ""
			if versions := m[key]; len(versions) > 0 && r.IntN(2) == 0 {
				id = versions[r.IntN(len(versions))].ID
			}
			gone, err := Delete(tx, "bucket", key, id, state, NewStamp(tx, 0), time.Unix(int64(step), 0))
			m.delete(key, id, gone, state)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if step%20 == 0 {
			m.compare(t, db, keys, r)
		}
	}
}

func (m model) put(v *Version, state Versioning) {
	if state != Enabled {
		m.removeNull(v.Key)
	}
	m[v.Key] = slices.Insert(m[v.Key], 0, v)
}

func (m model) removeNull(key string) {
	m[key] = slices.DeleteFunc(m[key], func(v *Version) bool { return v.ID == Null })
}

func (m model) delete(key, id string, gone Removal, state Versioning) {
	switch {
	case id != "":
		m[key] = slices.DeleteFunc(m[key], func(v *Version) bool { return v.ID == id })
	case state == Unversioned:
		m.removeNull(key)
	default:
		m.put(gone.Marker, state)
	}
}

// all lists as S3 does, the simple way.
func (m model) all(q Query, versions bool) (entries []string) {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if !strings.HasPrefix(k, q.Prefix) || len(m[k]) == 0 || !versions && m[k][0].Marker {
			continue
		}
		if i := strings.Index(k[len(q.Prefix):], q.Delimiter); q.Delimiter != "" && i >= 0 {
			entry := "prefix " + k[:len(q.Prefix)+i+len(q.Delimiter)]
			if entry > "prefix "+q.After && !slices.Contains(entries, entry) {
				entries = append(entries, entry)
			}
			continue
		}
		if k <= q.After {
			continue
		}
		for _, v := range m[k] {
			entries = append(entries, k+" "+v.ID)
			if !versions {
				break
			}
		}
	}
	return entries
}

func (m model) compare(t *testing.T, db store.DB, keys []string, r *rand.Rand) {
	t.Helper()
	for _, q := range []Query{
		{}, {Prefix: "a"}, {Prefix: "a/"}, {Delimiter: "/"}, {Prefix: "a/", Delimiter: "/"}, {Delimiter: "b"}, {Prefix: "ü"}, {Prefix: "\x00"},
		{After: keys[r.IntN(len(keys))]}, {After: keys[r.IntN(len(keys))], Delimiter: "/"},
	} {
		for _, versions := range []bool{false, true} {
			for _, size := range []int{1, 2, 3, 1000} {
				if diff := cmp.Diff(pages(t, db, q, versions, size), m.all(q, versions)); diff != "" {
					t.Fatalf("%+v, versions %v, pages of %d: -got +want:\n%s", q, versions, size, diff)
				}
			}
		}
	}
	for _, k := range keys {
		err := db.View(t.Context(), func(r store.Reader) error {
			for _, want := range m[k] {
				got, err := Find(r, "bucket", k, want.ID)
				if err != nil || got.ETag != want.ETag || got.Marker != want.Marker {
					t.Errorf("%q %s: got %+v, %v", k, want.ID, got, err)
				}
			}
			newest, err := Newest(r, "bucket", k)
			if len(m[k]) == 0 {
				if !errors.Is(err, store.ErrNotFound) {
					t.Errorf("%q: got %+v, %v", k, newest, err)
				}
				return nil
			}
			if err == nil && newest.ID != m[k][0].ID {
				t.Errorf("%q: newest is %s, want %s", k, newest.ID, m[k][0].ID)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// pages reads a list to its end.
func pages(t *testing.T, db store.DB, q Query, versions bool, size int) (entries []string) {
	t.Helper()
	list := List
	if versions {
		list = ListVersions
	}
	q.Max = size
	for {
		var p Page
		if err := db.View(t.Context(), func(r store.Reader) (err error) {
			p, err = list(r, "bucket", q)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, v := range p.Versions {
			found = append(found, v.Key+" "+v.ID)
		}
		for _, c := range p.Prefixes {
			found = append(found, "prefix "+c)
		}
		if len(found) > size {
			t.Fatalf("a page of %d has %d", size, len(found))
		}
		if p.Truncated && len(found) == 0 {
			t.Fatalf("an empty page is not the last")
		}
		// On a page prefixes stand among keys; the model has them so.
		slices.SortStableFunc(found, func(a, b string) int { return strings.Compare(place(a), place(b)) })
		entries = append(entries, found...)
		if !p.Truncated {
			return entries
		}
		q.After, q.AfterVersion = p.Last, p.LastVersion
		if !versions {
			q.AfterVersion = ""
		}
	}
}

// place is what an entry is ordered by.
func place(entry string) string {
	if p, ok := strings.CutPrefix(entry, "prefix "); ok {
		return p
	}
	return entry[:strings.LastIndex(entry, " ")]
}

// TestBytes: what versions, manifests and parts refer to is dropped with them.
func TestBytes(t *testing.T) {
	db := storetest.New(t)
	do := func(fn func(tx store.Tx) error) {
		t.Helper()
		if err := db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	left := func() (refs, notes int) {
		t.Helper()
		err := db.View(t.Context(), func(r store.Reader) error {
			a, err := r.Scan("s3/ref/", "", 0)
			if err != nil {
				return err
			}
			b, err := r.Scan("s3/garbage/", "", 0)
			refs, notes = len(a), len(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return refs, notes
	}
	u := &Upload{Key: "k"}
	do(func(tx store.Tx) error { return Begin(tx, "b", u, NewStamp(tx, 0)) })
	for _, p := range []Part{{Number: 1, Piece: content.Piece{Blob: "x", Size: 1}}, {Number: 2, Piece: content.Piece{Blob: "x", Size: 1}}, {Number: 2, Piece: content.Piece{Blob: "y", Size: 1}}} {
		do(func(tx store.Tx) error { return PutPart(tx, u, &p, NewStamp(tx, 0)) })
	}
	if refs, notes := left(); refs != 2 || notes != 0 {
		t.Errorf("parts: %d references, %d notes", refs, notes)
	}
	pieces := []content.Piece{{Blob: "x", Size: 1}, {Blob: "y", Size: 1}, {Blob: "x", Size: 1}}
	do(func(tx store.Tx) error {
		v := &Version{Key: "k", Parts: 3}
		return errors.Join(Put(tx, "b", v, &Manifest{Pieces: pieces}, Unversioned, NewStamp(tx, 0)), End(tx, "b", u))
	})
	if refs, notes := left(); refs != 3 || notes != 0 {
		t.Errorf("object: %d references, %d notes", refs, notes)
	}
	do(func(tx store.Tx) error {
		v, err := Newest(tx, "b", "k")
		if err != nil {
			return err
		}
		if got, err := Pieces(tx, v); err != nil || !slices.Equal(got, pieces) {
			t.Errorf("got pieces %v, %v", got, err)
		}
		return Put(tx, "b", &Version{Key: "k", Pieces: pieces[:1]}, nil, Unversioned, NewStamp(tx, 0))
	})
	if refs, notes := left(); refs != 1 || notes != 1 {
		t.Errorf("overwritten: %d references, %d notes", refs, notes)
	}
	do(func(tx store.Tx) error {
		_, err := Delete(tx, "b", "k", "", Unversioned, NewStamp(tx, 0), time.Time{})
		return err
	})
	if refs, notes := left(); refs != 0 || notes != 2 {
		t.Errorf("deleted: %d references, %d notes", refs, notes)
	}
	if err := db.View(t.Context(), func(r store.Reader) error {
		rest, err := r.Scan("s3/", "", 0)
		if len(rest) != 2 {
			t.Errorf("left: %v", rest)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// FuzzPath: keys as they are kept are in the order of the keys, and none begins another one's versions.
func FuzzPath(f *testing.F) {
	f.Add("a", "a\x01")
	f.Add("a\x00b", "a\x02")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := path(a)+end, path(b)+end
		if a != b && (strings.HasPrefix(x, y) || strings.HasPrefix(y, x)) {
			t.Errorf("%q and %q are not apart", a, b)
		}
		if strings.Compare(a, b) != strings.Compare(x, y) {
			t.Errorf("%q and %q are in another order", a, b)
		}
	})
}
