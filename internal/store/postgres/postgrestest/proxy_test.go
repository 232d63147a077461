package postgrestest_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/licet/licet/internal/store/postgres/postgrestest"
)

// What a network, and a database, does to its clients happens to those of a proxy: an answer that is kept back comes when it is let go,
// and each question is counted.
func TestProxy(t *testing.T) {
	cluster := postgrestest.Start(t)
	proxy, err := postgrestest.NewProxy(cluster, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), proxy.URL())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(ctx context.Context) error {
		var one int
		return conn.QueryRow(ctx, "SELECT 1", pgx.QueryExecModeSimpleProtocol).Scan(&one)
	}
	before := proxy.RoundTrips()
	for range 3 {
		if err := ask(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := proxy.RoundTrips() - before; got != 3 {
		t.Errorf("got %d round trips, want 3", got)
	}
	for name, fault := range map[string]struct{ do, undo func() error }{
		"answers kept back":  {func() error { proxy.Hold(true); return nil }, func() error { proxy.Hold(false); return nil }},
		"database suspended": {cluster.Suspend, cluster.Resume},
	} {
		if err := fault.do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		answered := make(chan error, 1)
		go func() { answered <- ask(t.Context()) }()
		select {
		case err := <-answered:
			t.Errorf("%s: answered with %v", name, err)
		case <-time.After(100 * time.Millisecond): // nothing is to happen
		}
		if err := fault.undo(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := <-answered; err != nil {
			t.Errorf("%s, and then not any more: %v", name, err)
		}
	}
	if err := proxy.Close(); err != nil {
		t.Error(err)
	}
	if err := ask(t.Context()); err == nil {
		t.Error("a proxy that is closed passes questions on")
	}
}

// A server that has ended by itself is known to, and can be started again.
func TestRunning(t *testing.T) {
	cluster := postgrestest.Start(t)
	if err := cluster.Configure("max_wal_size", "64MB"); err != nil {
		t.Fatal(err)
	}
	if !cluster.Running() {
		t.Error("a server that runs is said not to")
	}
	if err := cluster.Stop(); err != nil {
		t.Fatal(err)
	}
	if cluster.Running() {
		t.Error("a server that was stopped is said to run")
	}
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), cluster.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var size string
	if err := conn.QueryRow(t.Context(), "SHOW max_wal_size").Scan(&size); err != nil || size != "64MB" {
		t.Errorf("got %q, %v", size, err)
	}
}
