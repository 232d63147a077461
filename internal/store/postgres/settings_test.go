package postgres_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/postgres"
	"github.com/licet/licet/internal/store/postgres/postgrestest"
)

// A role's own settings do not end what takes longer, nor connections that rest, and do not change how a commit is kept.
func TestRoleSettings(t *testing.T) {
	t.Parallel()
	admin := connect(t, cluster.URL(""))
	execute(t, admin, "CREATE ROLE hasty LOGIN", "CREATE SCHEMA AUTHORIZATION hasty")
	for setting, value := range map[string]string{
		"statement_timeout": "50ms", "lock_timeout": "50ms", "idle_in_transaction_session_timeout": "50ms", "idle_session_timeout": "50ms",
		"synchronous_commit": "off", "default_transaction_isolation": "serializable", "default_transaction_deferrable": "on",
		"bytea_output": "escape", "standard_conforming_strings": "off", "client_encoding": "LATIN1",
	} {
		execute(t, admin, fmt.Sprintf("ALTER ROLE hasty SET %s = '%s'", setting, value))
	}
	db, other := openURL(t, cluster.As("hasty", "")), openURL(t, cluster.As("hasty", ""))
	defer closeDB(t, db)
	defer closeDB(t, other)
	rest := func() { time.Sleep(200 * time.Millisecond) } // longer than the settings
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() { // the others wait for the lock
			if err := db.Update(t.Context(), func(tx store.Tx) error {
				if err := tx.Put(fmt.Sprintf("a/%d/1", i), []byte("\\\xe9'")); err != nil {
					return err
				}
				if _, err := tx.Scan("a/", "", 0); err != nil {
					return err
				}
				rest()
				return tx.Put(fmt.Sprintf("a/%d/2", i), nil)
			}); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if err := increment(t.Context(), other, fmt.Sprint("k/", i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, db := range []*postgres.DB{db, other} {
		rest()
		if n, keys := counted(t, db); n != 3 || keys != 3 {
			t.Errorf("counted %d with %d keys, want 3", n, keys)
		}
		rest()
		if err := db.View(t.Context(), func(r store.Reader) error {
			item, err := r.Get("a/0/1")
			if err == nil && string(item.Value) != "\\\xe9'" {
				t.Errorf("read %q", item.Value)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
}

// A role needs no right to make schemas when its schema is there.
func TestSchemaOfTheRole(t *testing.T) {
	t.Parallel()
	admin := connect(t, cluster.URL(""))
	execute(t, admin, "CREATE ROLE modest LOGIN", "CREATE SCHEMA rooms AUTHORIZATION modest",
		`CREATE SCHEMA "mode'st" AUTHORIZATION modest`, `ALTER ROLE modest SET search_path = "mode'st"`)
	for _, schema := range []string{"rooms", ""} {
		db := openURL(t, cluster.As("modest", schema))
		defer closeDB(t, db)
		if err := increment(t.Context(), db, "k/1"); err != nil {
			t.Error(err)
		}
	}
	if _, err := postgres.Open(t.Context(), cluster.As("modest", "other")); err == nil || !strings.Contains(err.Error(), "make schema other") {
		t.Errorf("open a schema that is missing = %v, want that it cannot be made", err)
	}
}

// When the server takes no more connections, views wait for those that there are.
func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	admin := connect(t, cluster.URL(""))
	execute(t, admin, "CREATE ROLE few LOGIN CONNECTION LIMIT 3", "CREATE SCHEMA AUTHORIZATION few")
	db := openURL(t, cluster.As("few", "")+"&pool_max_conns=8")
	defer closeDB(t, db)
	if err := increment(t.Context(), db, "k/1"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if n, keys := counted(t, db); n != 1 || keys != 1 {
					t.Errorf("counted %d with %d keys, want 1", n, keys)
				}
			}
		})
	}
	wg.Wait()
}

// A standby is neither read nor written, and when it is promoted the store goes on by itself.
func TestStandby(t *testing.T) {
	t.Parallel()
	c := postgrestest.Start(t)
	db := openURL(t, c.URL(""))
	defer closeDB(t, db)
	cache := store.NewCache(db, 10, store.DecodeJSON[int])
	defer cache.Close()
	if err := increment(t.Context(), db, "k/1"); err != nil {
		t.Fatal(err)
	}
	wantSoon(t, cache, 1)
	if err := errors.Join(c.Stop(), c.Demote(), c.Start()); err != nil {
		t.Fatal(err)
	}
	if err := increment(t.Context(), db, "k/2"); err == nil {
		t.Error("wrote to a standby")
	}
	if err := db.View(t.Context(), func(r store.Reader) error { _, err := r.Get("n"); return err }); err == nil {
		t.Error("read from a standby")
	}
	_, err := postgres.Open(t.Context(), c.URL(""))
	if err == nil || !strings.Contains(err.Error(), "read only") {
		t.Errorf("open a standby = %v, want that it is read only", err)
	}
	both := openURL(t, cluster.URLAt(filepath.Dir(c.Socket())+","+filepath.Dir(cluster.Socket()), schema(t.Name())))
	defer closeDB(t, both)
	if err := increment(t.Context(), both, "k/1"); err != nil {
		t.Errorf("of two hosts the one that takes writes is not used: %v", err)
	}
	execute(t, connect(t, c.URL("")), "SELECT pg_promote()")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if err = increment(t.Context(), db, "k/2"); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	wantSoon(t, cache, 2)
}

// A large transaction is not held in memory, neither by who makes it nor by those who are told of it.
func TestLargeTransaction(t *testing.T) {
	url := cluster.URL(schema(t.Name()))
	db, other := openURL(t, url), openURL(t, url)
	defer closeDB(t, db)
	defer closeDB(t, other)
	told := make(chan string, 1000)
	defer other.Watch(func(changed []string) {
		for _, key := range changed {
			told <- key
		}
	})()
	if err := db.Update(t.Context(), func(tx store.Tx) error {
		for i := range 3000 {
			size := 0
			if i%100 == 0 {
				size = 1 << 20
			}
			if err := tx.Put(fmt.Sprintf("%0100d", i), make([]byte, size)); err != nil {
				return err
			}
			if values, keys := postgres.Held(tx); values > postgres.MaxQueuedBytes || keys > postgres.MaxTold {
				return fmt.Errorf("%d bytes of values and %d of keys are held after %d", values, keys, i)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-told:
		if got != "*" {
			t.Errorf("told of %s, want *", got)
		}
	case <-time.After(30 * time.Second):
		t.Error("told of nothing")
	}
	if sums, err := store.Summarize(t.Context(), other); err != nil || sums.Total().Items != 3000 {
		t.Errorf("%d items, %v", sums.Total().Items, err)
	}
}

// A server that lets the role in with a password only says so, and no error tells which one was tried.
func TestRejected(t *testing.T) {
	t.Parallel()
	c := postgrestest.Start(t)
	admin := connect(t, c.URL(""))
	var rules string
	if err := admin.QueryRow(t.Context(), "SHOW hba_file").Scan(&rules); err != nil {
		t.Fatal(err)
	}
	execute(t, admin, "CREATE ROLE locked LOGIN PASSWORD 'right'", "CREATE ROLE banned LOGIN", "CREATE SCHEMA AUTHORIZATION locked",
		"COPY (VALUES ('local all locked scram-sha-256'), ('local all banned reject'), ('local all all trust')) TO '"+rules+"'",
		"SELECT pg_reload_conf()")
	for _, test := range []struct{ who, want string }{
		{"banned:hush", "pg_hba.conf rejects connection"},
		{"locked", "password"},
		{"locked:hush", "password authentication failed"},
		{"locked:right", ""},
	} {
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			db, err := postgres.Open(t.Context(), c.As(test.who, ""))
			if err == nil {
				closeDB(t, db)
			}
			if err != nil && (strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "right")) {
				t.Fatalf("%s: the error tells the password: %v", test.who, err)
			}
			if (err == nil) == (test.want == "") && (err == nil || strings.Contains(err.Error(), test.want)) {
				break
			}
			if time.Now().After(deadline) { // the rules are read some time after pg_reload_conf
				t.Fatalf("%s: got %v, want %q", test.who, err, test.want)
			}
		}
	}
}

// A server that runs while a newer one migrates its database writes no more.
func TestMigratedMeanwhile(t *testing.T) {
	url := cluster.URL(schema(t.Name()))
	db := openURL(t, url)
	defer closeDB(t, db)
	admin := connect(t, url)
	for _, step := range []struct{ sql, want string }{
		{"UPDATE licet_format SET version = version + 1", "the tables have format 2, of a newer licet"},
		{"UPDATE licet_format SET version = version - 1", ""},
	} {
		execute(t, admin, step.sql)
		err := increment(t.Context(), db, "k/1")
		if (err == nil) != (step.want == "") || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("%s: Update = %v, want %q", step.sql, err, step.want)
		}
	}
}
