package postgres_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/postgres"
	"github.com/licet/licet/internal/store/postgres/postgrestest"
	"github.com/licet/licet/internal/store/storetest"
)

// cluster is shared by the tests that do not stop it; each has a schema of its own.
var cluster *postgrestest.Cluster

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	var err error
	if url := os.Getenv(nodeVariable); url != "" {
		if err := node(url, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	if cluster, err = postgrestest.New(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := cluster.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}

// open opens the store of a place in its schema.
func open(tb testing.TB, place string) store.DB {
	tb.Helper()
	return openURL(tb, cluster.URL(schema(place)))
}

func openURL(tb testing.TB, url string) *postgres.DB {
	tb.Helper()
	db, err := postgres.Open(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

// schema is a name made of any text.
func schema(place string) string { return fmt.Sprintf("s%x", sha256.Sum256([]byte(place)))[:20] }

func TestConformance(t *testing.T) { storetest.Run(t, open) }

// A store moves from one engine to the other, and back, without a change.
func TestCopyBetweenEngines(t *testing.T) {
	small, large, back := storetest.Once(t), openURL(t, cluster.URL(schema(t.Name()))), storetest.Once(t)
	defer closeDB(t, large)
	if err := storetest.Fill(small); err != nil {
		t.Fatal(err)
	}
	var sums []store.Sums
	for _, step := range [][2]store.DB{{small, large}, {large, back}} {
		copied, err := store.Copy(t.Context(), step[0], step[1], func(store.Sum) {})
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, copied)
	}
	original, err := store.Summarize(t.Context(), small)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]store.Sums{original, original}, sums); diff != "" {
		t.Errorf("sums (-want +got):\n%s", diff)
	}
}
