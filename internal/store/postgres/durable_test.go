package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/postgres/postgrestest"
)

// connect is a connection of the database's administrator.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func execute(t *testing.T, c *pgx.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

var (
	wantStandby   = []string{"ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()"}
	wantNoStandby = []string{"ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"}
)

// wait lets increment wait for a standby, and gives the server's process that does. Some time passes after pg_reload_conf before any does.
func wait(t *testing.T, admin *pgx.Conn, db store.DB) (pid int, answer <-chan error) {
	t.Helper()
	execute(t, admin, wantStandby...)
	for i := range 1000 {
		done := make(chan error, 1)
		go func() { done <- increment(t.Context(), db, fmt.Sprint("k/early", i)) }()
		if pid := waiting(t, admin, 0, done); pid != 0 {
			return pid, done
		}
	}
	t.Fatal("nobody waits for a standby")
	return 0, nil
}

// waiting gives the server's process, another one than not, that waits for a standby; 0 when there is an answer without.
func waiting(t *testing.T, admin *pgx.Conn, not int, answer <-chan error) (pid int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		select {
		case err := <-answer:
			if err != nil {
				t.Fatal(err)
			}
			return 0
		default:
		}
		err := admin.QueryRow(t.Context(), "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid <> $1",
			not).Scan(&pid)
		if err != nil {
			t.Fatal(err)
		}
		if pid != 0 {
			return pid
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody waits for a standby")
		}
	}
}

// When no standby comes, a commit ends by giving up, which makes it visible; it is uncertain, and those who waited for it are told that
// nothing of theirs was done.
func TestNoStandby(t *testing.T) {
	t.Parallel()
	c := postgrestest.Start(t)
	db := openURL(t, c.URL(""))
	defer closeDB(t, db)
	admin := connect(t, c.URL(""))
	_, first := wait(t, admin, db)
	second := make(chan error, 1)
	go func() { second <- increment(t.Context(), db, "k/2") }()
	if err := <-first; !errors.Is(err, store.ErrUncertain) {
		t.Errorf("Update = %v, want ErrUncertain", err)
	}
	if err := <-second; err == nil || errors.Is(err, store.ErrUncertain) {
		t.Errorf("the Update that waited = %v, want a certain error", err)
	}
	execute(t, admin, wantNoStandby...)
	if err := increment(t.Context(), db, "k/3"); err != nil {
		t.Fatal(err)
	}
	if n, keys := counted(t, db); n != keys || keys < 1 {
		t.Errorf("counted %d with %d keys", n, keys)
	}
	if err := db.View(t.Context(), func(r store.Reader) error {
		if _, err := r.Get("k/2"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what was certainly not done is there: %v", err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A commit that waits for a standby and is told not to is visible, and the server says COMMIT with no more than a warning; but it may be
// lost with the server, so that it is not acknowledged before the standby has it.
func TestCanceledWaitForStandby(t *testing.T) {
	t.Parallel()
	c := postgrestest.Start(t)
	db := openURL(t, c.URL(""))
	defer closeDB(t, db)
	admin := connect(t, c.URL(""))
	first, answer := wait(t, admin, db)
	if _, err := admin.Exec(t.Context(), "SELECT pg_cancel_backend($1)", first); err != nil {
		t.Fatal(err)
	}
	if waiting(t, admin, first, answer) == 0 {
		t.Error("Update was acknowledged while no standby has the commit")
		answer = nil
	}
	execute(t, admin, wantNoStandby...)
	if answer != nil {
		if err := <-answer; err != nil {
			t.Error(err)
		}
	}
	if n, keys := counted(t, db); n != keys || keys < 1 {
		t.Errorf("counted %d with %d keys", n, keys)
	}
}
