package sqlite

import (
	"context"
	"database/sql/driver"
	"testing"

	"modernc.org/sqlite"
)

// Format is schemaVersion.
const Format = schemaVersion

// Schema gives the format of a file and the SQL of its tables.
func Schema(tb testing.TB, path string) (schema []string) {
	tb.Helper()
	db, err := Open(context.Background(), path) // a migration, if one is due
	if err != nil {
		tb.Fatal(err)
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
	c, err := connect(&sqlite.Driver{}, path, false)
	if err != nil {
		tb.Fatal(err)
	}
	for _, query := range []string{
		"SELECT 'format ' || user_version FROM pragma_user_version", "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name",
	} {
		if err := c.once(query, func(s *stmt) error {
			return s.each(func(columns []driver.Value) {
				text, _ := columns[0].(string)
				schema = append(schema, text)
			})
		}); err != nil {
			tb.Fatal(err)
		}
	}
	if err := c.close(); err != nil {
		tb.Fatal(err)
	}
	return schema
}
