package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/sqlite"
)

// sampleOf is a file as the first release with a format has written it. It is never written again.
func sampleOf(format int) string {
	return filepath.Join("testdata", fmt.Sprintf("format-%d.db", format))
}

// sampled is what each of the files holds.
var sampled = []store.Item{
	{Key: "iam/000000000000/user/alice", Value: []byte(`{"Name":"alice"}`), Revision: 3},
	{Key: "iam/\xff\x01", Value: []byte{0, 0xff, '\''}, Revision: 1},
	{Key: "logs/empty", Value: nil, Revision: 1},
}

// sampledLast is the last revision of each of them: a deletion.
const sampledLast = 4

// Files of every format that was released open, whatever the newest one is, with all they held, and go on.
func TestFormats(t *testing.T) {
	for format := 1; format <= sqlite.Format; format++ {
		old, err := os.ReadFile(sampleOf(format))
		if err != nil {
			t.Fatalf("%v\nA new format needs its migration, and a sample: see TestFormatIsThatOfTheSample.", err)
		}
		path := filepath.Join(t.TempDir(), "old.db")
		if err := os.WriteFile(path, old, 0o600); err != nil {
			t.Fatal(err)
		}
		db := open(t, path)
		items, last := snapshot(t, db)
		if diff := cmp.Diff(sampled, items); diff != "" || last != sampledLast {
			t.Errorf("format %d: last revision %d, want %d; items (-want +got):\n%s", format, last, sampledLast, diff)
		}
		if err := add(db, "new"); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		// What opens an old file leaves it as a new one is made.
		fresh := filepath.Join(t.TempDir(), "fresh.db")
		writeSample(t, fresh)
		if diff := cmp.Diff(sqlite.Schema(t, fresh), sqlite.Schema(t, path)); diff != "" {
			t.Errorf("format %d: tables of a new file and of an old one that was opened (-new +old):\n%s", format, diff)
		}
	}
}

// The tables that this code makes are those of the newest sample: who changes them raises the format, adds the migration, and puts a file
// that this test makes with SQLITE_SAMPLE=FILE beside the others.
func TestFormatIsThatOfTheSample(t *testing.T) {
	if path := os.Getenv("SQLITE_SAMPLE"); path != "" {
		writeSample(t, path)
		return
	}
	fresh := filepath.Join(t.TempDir(), "fresh.db")
	writeSample(t, fresh)
	sample := filepath.Join(t.TempDir(), "sample.db")
	b, err := os.ReadFile(sampleOf(sqlite.Format))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sample, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sqlite.Schema(t, sample), sqlite.Schema(t, fresh)); diff != "" {
		t.Errorf("tables (-sample +this code):\n%s", diff)
	}
}

// writeSample makes a file that holds sampled.
func writeSample(t *testing.T, path string) {
	t.Helper()
	db := open(t, path)
	for _, fn := range []func(store.Tx) error{
		func(tx store.Tx) error {
			for _, i := range sampled {
				if err := tx.Put(i.Key, i.Value); err != nil {
					return err
				}
			}
			return nil
		},
		func(tx store.Tx) error { return tx.Put("gone", nil) },
		func(tx store.Tx) error { return tx.Put(sampled[0].Key, sampled[0].Value) },
		func(tx store.Tx) error { return tx.DeletePrefix("gone") },
	} {
		if err := db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func snapshot(t *testing.T, db store.DB) (items []store.Item, last int64) {
	t.Helper()
	if err := db.View(t.Context(), func(r store.Reader) (err error) {
		if last, err = r.(store.Snapshot).Last(); err != nil {
			return err
		}
		items, err = r.Scan("", "", 0)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return items, last
}
