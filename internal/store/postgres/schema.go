package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// migrations make the tables: the n-th, counted from 1, takes a database from format n-1 to format n. They only go forward, and each runs
// in one transaction with the new number in licet_format.
//
// Keys and values are BYTEA: bytes of any kind, ordered bytewise whatever the database's collation
// (https://www.postgresql.org/docs/current/datatype-binary.html).
var migrations = []string{`
CREATE TABLE licet_kv (key BYTEA PRIMARY KEY, value BYTEA NOT NULL, revision BIGINT NOT NULL);
CREATE TABLE licet_meta (id INTEGER PRIMARY KEY, revision BIGINT NOT NULL);
INSERT INTO licet_meta (id, revision) VALUES (1, 0);
CREATE TABLE licet_changes (before BIGINT PRIMARY KEY, revision BIGINT NOT NULL, token BYTEA NOT NULL, keys BYTEA NOT NULL);`}

// migrationLock is the advisory lock of those who migrate ("lict"). CockroachDB accepts the call and locks nothing; there a conflict
// is noticed at the commit and migrate tries again.
const migrationLock = 0x6c696374

// maxMigrations bounds how often migrate tries.
const maxMigrations = 10

// migrate makes the schema (if it is not "") and the tables, or brings them to the newest format, one process at a time. A database of a
// newer licet is an error.
func migrate(ctx context.Context, c *pgx.Conn, schema string) error {
	// A database in the newest format is opened without a lock, and without the right to make tables.
	version, err := format(ctx, c)
	for attempt := 0; err == nil && version < len(migrations); attempt++ {
		if err = step(ctx, c, schema); isRace(err) && attempt < maxMigrations {
			err = nil
		}
		if err == nil {
			version, err = format(ctx, c)
		}
	}
	if err != nil {
		return err
	}
	return checkFormat(version)
}

// checkFormat refuses a database of a newer licet.
func checkFormat(version int) error {
	if version > len(migrations) {
		return fmt.Errorf("the tables have format %d, of a newer licet; this one knows formats up to %d", version, len(migrations))
	}
	return nil
}

const sqlFormat = "SELECT version FROM licet_format"

// format reads the format of the tables; 0: there are none.
func format(ctx context.Context, c interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}) (version int, err error) {
	var there bool
	if err := c.QueryRow(ctx, "SELECT count(*) > 0 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'licet_format'").
		Scan(&there); err != nil {
		return 0, fmt.Errorf("look for tables: %w", err)
	}
	if !there {
		return 0, nil
	}
	if err := c.QueryRow(ctx, sqlFormat).Scan(&version); err != nil {
		return 0, fmt.Errorf("read the format of the tables: %w", err)
	}
	return version, nil
}

// step runs the next migration if one is due.
func step(ctx context.Context, c *pgx.Conn, schema string) error {
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil { // ctx bounds it, and another's may take long
			return err
		}
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		if err := makeSchema(ctx, tx, schema); err != nil {
			return fmt.Errorf("make schema %s: %w", schema, err)
		}
		version, err := format(ctx, tx) // another process may have done it while this one waited
		if err != nil || version >= len(migrations) {
			return err
		}
		note := "UPDATE licet_format SET version = version + 1"
		if version == 0 {
			note = "CREATE TABLE licet_format (version INTEGER PRIMARY KEY); INSERT INTO licet_format (version) VALUES (1)"
		}
		if _, err := tx.Conn().PgConn().Exec(ctx, migrations[version]+note).ReadAll(); err != nil {
			return fmt.Errorf("bring the tables to format %d: %w", version+1, err)
		}
		return nil
	})
}

// makeSchema makes a schema that has a name and is missing. To ask for one that is there takes the right to make one, too.
func makeSchema(ctx context.Context, tx pgx.Tx, schema string) error {
	if schema == "" {
		return nil
	}
	var there bool
	if err := tx.QueryRow(ctx, "SELECT coalesce(current_schema() = $1, false)", schema).Scan(&there); err != nil || there {
		return err
	}
	_, err := tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize())
	return err
}

// isRace tells whether another process has made the same thing at the same time: a table, a schema, a row of a catalog
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func isRace(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "42P07" || e.Code == "42P06" || e.Code == "23505" || isConflict(err))
}

// isConflict tells whether the server has given up a transaction because of another: serialization_failure, or deadlock_detected.
func isConflict(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}
