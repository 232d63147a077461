package sqlite_test

import (
	"testing"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/internal/store/sqlite"
	"github.com/licet/licet/internal/store/storetest"
)

func open(tb testing.TB, path string) store.DB {
	tb.Helper()
	db, err := sqlite.Open(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

func TestConformance(t *testing.T) { storetest.Run(t, open) }
