package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

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
	execute(t, admin, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
	answer := make(chan error, 1)
	go func() { answer <- increment(t.Context(), db, "k/2") }()
	// waiting gives the server's process that waits for a standby.
	waiting := func(not int) (pid int) {
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
	first := waiting(0)
	if _, err := admin.Exec(t.Context(), "SELECT pg_cancel_backend($1)", first); err != nil {
		t.Fatal(err)
	}
	waiting(first)
	execute(t, admin, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()") // nobody need have it any more
	if err := <-answer; err != nil {
		t.Error(err)
	}
	if n, keys := counted(t, db); n != 2 || keys != 2 {
		t.Errorf("counted %d with %d keys, want 2", n, keys)
	}
}
