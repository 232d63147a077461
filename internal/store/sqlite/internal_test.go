package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/store"
)

func openTemp(t *testing.T) *DB {
	t.Helper()
	db, err := Open(context.Background(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func put(db *DB, key string) error {
	return db.Update(context.Background(), func(tx store.Tx) error { return tx.Put(key, []byte(key)) })
}

func keys(t *testing.T, db *DB) string {
	t.Helper()
	var k []string
	if err := db.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan("", "", 0)
		for _, i := range items {
			k = append(k, i.Key)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(k, " ")
}

// sabotage replaces a statement of the writer by another until the writer is opened again.
func sabotage(t *testing.T, db *DB, at func(*conn) **stmt, query string) {
	t.Helper()
	s, err := db.writer.prepare(query)
	if err != nil {
		t.Fatal(err)
	}
	*at(db.writer) = s
	db.writer.all = append(db.writer.all, s)
}

// fails is a statement that always fails.
const fails = "INSERT INTO meta (revision) VALUES (NULL)"

func TestFailures(t *testing.T) {
	for _, test := range []struct {
		name      string
		at        func(*conn) **stmt
		query     string
		uncertain bool
		told      []string // by the failure
	}{
		{"commit", func(c *conn) **stmt { return &c.commit }, fails, true, []string{"b"}},
		{"set revision", func(c *conn) **stmt { return &c.setRevision }, fails, false, nil},
		{"put", func(c *conn) **stmt { return &c.put }, fails, false, nil},
		{"rolled back by SQLite", func(c *conn) **stmt { return &c.put }, "ROLLBACK", false, nil},
		{"savepoint", func(c *conn) **stmt { return &c.savepoint }, fails, false, nil},
		{"release", func(c *conn) **stmt { return &c.release }, fails, false, nil},
		{"begin", func(c *conn) **stmt { return &c.begin }, "INSERT INTO kv (key, value) VALUES (1, 1)", false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := openTemp(t)
			if err := put(db, "a"); err != nil {
				t.Fatal(err)
			}
			var told []string
			defer db.Watch(func(changed []string) { told = append(told, changed...) })()
			sabotage(t, db, test.at, test.query)
			err := put(db, "b")
			if err == nil || errors.Is(err, store.ErrUncertain) != test.uncertain {
				t.Errorf("Update = %v, want an error, uncertain %t", err, test.uncertain)
			}
			if diff := cmp.Diff(test.told, told); diff != "" {
				t.Errorf("watchers were told (-want +got):\n%s", diff)
			}
			if got := keys(t, db); got != "a" {
				t.Errorf("keys %s, want a", got)
			}
			db.mu.Lock()
			if db.writer != nil && test.name != "commit" {
				db.dropWriter()
			}
			db.mu.Unlock()
			if err := put(db, "c"); err != nil {
				t.Errorf("the next Update: %v", err)
			}
			if got := keys(t, db); got != "a c" {
				t.Errorf("keys %s, want a c", got)
			}
		})
	}
}

// When a commit fails, another process may make its own of the same revision: it is told of like any other.
func TestRevisionOfAnother(t *testing.T) {
	db := openTemp(t)
	other, err := Open(t.Context(), db.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}()
	told := make(chan string, 100)
	defer db.Watch(func(changed []string) {
		for _, key := range changed {
			told <- key
		}
	})()
	sabotage(t, db, func(c *conn) **stmt { return &c.commit }, fails)
	if err := put(db, "a"); !errors.Is(err, store.ErrUncertain) {
		t.Fatalf("Update = %v, want ErrUncertain", err)
	}
	if err := put(other, "b"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a", "*"} {
		select {
		case got := <-told:
			if got != want {
				t.Errorf("told of %s, want %s", got, want)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("not told of %s", want)
		}
	}
}

// A transaction whose fn swallows an error of the engine is not committed.
func TestSwallowedError(t *testing.T) {
	db := openTemp(t)
	err := db.Update(t.Context(), func(tx store.Tx) error {
		sabotage(t, db, func(c *conn) **stmt { return &c.delete }, fails)
		_ = tx.Put("a", nil)
		_ = tx.Delete("a")
		_ = tx.Put("b", nil)
		return nil
	})
	if err == nil {
		t.Error("Update succeeded")
	}
	if got := keys(t, db); got != "" {
		t.Errorf("keys %s, want none", got)
	}
}

// Callers that arrive while another writes share one commit.
func TestGroupCommit(t *testing.T) {
	db := openTemp(t)
	const members = 20
	var told [][]string
	defer db.Watch(func(changed []string) { told = append(told, changed) })()
	var wg sync.WaitGroup
	if err := db.Update(t.Context(), func(tx store.Tx) error {
		for i := range members {
			wg.Go(func() {
				if err := put(db, fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
			})
		}
		for db.waiting.Load() < members {
			runtime.Gosched()
		}
		return tx.Put("first", nil)
	}); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if len(told) > members/2 {
		t.Errorf("%d commits for %d updates at once", len(told), members+1)
	}
}

func TestFileMode(t *testing.T) {
	db := openTemp(t)
	if err := put(db, "a"); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(db.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", info.Name(), info.Mode())
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, script := range map[string]string{
		"of a newer licet":       "PRAGMA user_version = 2",
		"the unknown format -1":  "PRAGMA user_version = -1",
		"of another program":     "PRAGMA application_id = 7",
		"is not a database":      "",
		"no such file or direct": "missing",
	} {
		path := filepath.Join(t.TempDir(), "a ?#%&", "db")
		if script != "missing" {
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		switch script {
		case "missing":
		case "":
			if err := os.WriteFile(path, []byte(strings.Repeat("not a database. ", 100)), 0o600); err != nil {
				t.Fatal(err)
			}
		default:
			db, err := Open(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(db.writer.run(script), db.Close()); err != nil {
				t.Fatal(err)
			}
		}
		db, err := Open(context.Background(), path)
		if err == nil {
			_ = db.Close()
		}
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "db") {
			t.Errorf("Open = %v, want an error with %q and the path", err, name)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "db")
	for b.Loop() {
		db, err := Open(context.Background(), path)
		if err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// What is given up is read again, whatever else happens meanwhile; a store that is closed has nothing to give up.
func TestReturnMemory(t *testing.T) {
	db := openTemp(t)
	var work sync.WaitGroup
	for w := range 4 {
		work.Go(func() {
			for i := range 25 {
				key := fmt.Sprintf("%d/%02d", w, i)
				read := func(r store.Reader) error {
					_, err := r.Get(key)
					return err
				}
				if err := errors.Join(put(db, key), db.ReturnMemory(), db.View(context.Background(), read)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	if err := db.ReturnMemory(); err != nil || len(db.idle) != 0 {
		t.Errorf("got %v, and %d connections", err, len(db.idle))
	}
	if got := len(strings.Fields(keys(t, db))); got != 100 {
		t.Errorf("got %d keys, want 100", got)
	}
	if err := errors.Join(db.Close(), db.ReturnMemory()); err != nil {
		t.Error(err)
	}
}

// TestRelativePath has a path that does not begin with a slash: it is no host's name.
func TestRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("a ?#%&", 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("a ?#%&", "db")
	db, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Backup(context.Background(), path, "copy"); err != nil {
		t.Error(err)
	}
	if problems, err := Verify(context.Background(), "copy"); err != nil || problems != nil {
		t.Errorf("Verify = %q, %v", problems, err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
