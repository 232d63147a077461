package postgres_test

import (
	"context"
	"errors"
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

// waiting gives the server's process, another one than not, that waits for a standby. Meanwhile there must be no answer.
func waiting(t *testing.T, admin *pgx.Conn, not int, answer <-chan error) (pid int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		select {
		case err := <-answer:
			t.Fatalf("Update = %v while no standby has the commit", err)
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
	execute(t, admin, wantStandby...)
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- increment(t.Context(), db, "k/1") }()
	waiting(t, admin, 0, first)
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
	if n, keys := counted(t, db); n != keys || keys < 1 || keys > 2 {
		t.Errorf("counted %d with %d keys, want the last, with or without the first", n, keys)
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
	if err := increment(t.Context(), db, "k/1"); err != nil {
		t.Fatal(err)
	}
	execute(t, admin, wantStandby...)
	answer := make(chan error, 1)
	go func() { answer <- increment(t.Context(), db, "k/2") }()
	first := waiting(t, admin, 0, answer)
	if _, err := admin.Exec(t.Context(), "SELECT pg_cancel_backend($1)", first); err != nil {
		t.Fatal(err)
	}
	waiting(t, admin, first, answer)
	execute(t, admin, wantNoStandby...)
	if err := <-answer; err != nil {
		t.Error(err)
	}
	if n, keys := counted(t, db); n != 2 || keys != 2 {
		t.Errorf("counted %d with %d keys, want 2", n, keys)
	}
}
