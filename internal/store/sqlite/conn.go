package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	"modernc.org/sqlite"
)

// conn is a connection with its prepared statements, used by one goroutine at a time. It goes round database/sql, whose pool would
// add goroutines and copies to every call.
type conn struct {
	raw                            driver.Conn
	begin, commit, rollback        *stmt
	savepoint, release, rollbackTo *stmt
	getRevision, setRevision       *stmt
	shrink                         *stmt
	get, scan, scanReverse         *stmt
	put, delete, deleteRange       *stmt
	// all are the statements above, which close ends: SQLite keeps a connection with a statement open, and its locks held.
	all []*stmt
}

// connect opens a connection. One that writes makes the tables if they are missing.
func connect(d *sqlite.Driver, path string, write bool) (*conn, error) {
	pragmas := []string{
		"busy_timeout(1000)",
		"synchronous(FULL)",
		"fullfsync(1)",        // macOS: fsync alone does not reach the disk
		"temp_store(MEMORY)",  // no files outside the data directory
		"cache_size(-1024)",   // at most 1 MiB of pages for each connection
		"trusted_schema(OFF)", // https://www.sqlite.org/security.html
	}
	if write {
		pragmas = append(pragmas,
			"journal_mode(WAL)",
			// The log of decisions writes much: with a longer WAL its pages are copied once, not after every few commits.
			"wal_autocheckpoint(4000)", // pages of 4 KiB
			"journal_size_limit(16777216)",
			"cache_size(-8192)",
		)
	} else {
		pragmas = append(pragmas, "query_only(1)")
	}
	raw, err := d.Open(fileName(path, pragmas))
	if err != nil {
		return nil, err
	}
	c := &conn{raw: raw}
	if write {
		err = c.migrate()
	}
	if err == nil {
		err = c.prepareAll(write)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// fileName is the name by which SQLite opens a file with pragmas. An authority, even an empty one, would take the first part of a relative
// path for a host (https://www.sqlite.org/uri.html).
func fileName(path string, pragmas []string) string {
	name := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: url.Values{"_pragma": pragmas, "_error_rc": {"1"}}.Encode()}
	return name.String()
}

// prepareAll prepares every statement.
func (c *conn) prepareAll(write bool) error {
	begin := "BEGIN"
	if write {
		begin = "BEGIN IMMEDIATE"
	}
	for _, s := range []struct {
		to    **stmt
		query string
	}{
		{&c.begin, begin},
		{&c.commit, "COMMIT"},
		{&c.rollback, "ROLLBACK"},
		{&c.savepoint, "SAVEPOINT member"},
		{&c.release, "RELEASE member"},
		{&c.rollbackTo, "ROLLBACK TO member"},
		{&c.shrink, "PRAGMA shrink_memory"},
		{&c.getRevision, "SELECT revision FROM meta"},
		{&c.setRevision, "UPDATE meta SET revision = ?"},
		{&c.get, "SELECT value, revision FROM kv WHERE key = ?"},
		{&c.scan, "SELECT key, value, revision FROM kv WHERE key >= ? AND key < ? ORDER BY key LIMIT ?"},
		{&c.scanReverse, "SELECT key, value, revision FROM kv WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?"},
		{&c.put, "INSERT INTO kv (key, value, revision) VALUES (?, ?, ?) " +
			"ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision"},
		{&c.delete, "DELETE FROM kv WHERE key = ?"},
		{&c.deleteRange, "DELETE FROM kv WHERE key >= ? AND key < ?"},
	} {
		var err error
		if *s.to, err = c.prepare(s.query); err != nil {
			return err
		}
		c.all = append(c.all, *s.to)
	}
	return nil
}

// revision is the number of the last committed transaction.
func (c *conn) revision() (int64, error) { return c.getRevision.number() }

// close closes the connection, which rolls back a transaction that is open.
func (c *conn) close() error {
	var err error
	for _, s := range c.all {
		err = errors.Join(err, s.prepared.Close())
	}
	if err = errors.Join(err, c.raw.Close()); err != nil {
		return fmt.Errorf("close connection: %w", err)
	}
	return nil
}

// stmt is a prepared statement. Its methods pass a context that cannot end: for any other the driver starts a goroutine.
type stmt struct {
	prepared driver.Stmt
	query    string
}

func (c *conn) prepare(query string) (*stmt, error) {
	p, err := c.raw.(driver.ConnPrepareContext).PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	return &stmt{prepared: p, query: query}, nil
}

// exec runs a statement that gives no rows.
func (s *stmt) exec(args ...driver.Value) error {
	_, err := s.prepared.(driver.StmtExecContext).ExecContext(context.Background(), named(args))
	if err != nil {
		return fmt.Errorf("%s: %w", s.query, err)
	}
	return nil
}

// each calls row with each row's columns, which are row's to keep.
func (s *stmt) each(row func(columns []driver.Value), args ...driver.Value) error {
	rows, err := s.prepared.(driver.StmtQueryContext).QueryContext(context.Background(), named(args))
	if err != nil {
		return fmt.Errorf("%s: %w", s.query, err)
	}
	columns := make([]driver.Value, len(rows.Columns()))
	for err = rows.Next(columns); err == nil; err = rows.Next(columns) {
		row(columns)
	}
	if err == io.EOF {
		err = nil
	}
	if err := errors.Join(err, rows.Close()); err != nil {
		return fmt.Errorf("%s: %w", s.query, err)
	}
	return nil
}

// number runs a query of one integer.
func (s *stmt) number() (int64, error) {
	var n int64
	found := false
	err := s.each(func(columns []driver.Value) { n, found = columns[0].(int64) })
	if err == nil && !found {
		err = fmt.Errorf("%s: no value", s.query)
	}
	return n, err
}

func named(args []driver.Value) []driver.NamedValue {
	n := make([]driver.NamedValue, len(args))
	for i, a := range args {
		n[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return n
}

// isBusy tells whether err is SQLITE_BUSY: another process holds the lock (https://www.sqlite.org/rescode.html#busy).
func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == 5
}
