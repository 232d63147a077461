package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
)

const (
	// schemaVersion is the file format this code writes; it is kept as PRAGMA user_version.
	schemaVersion = 1
	// applicationID marks the file as licet's ("lict"), https://www.sqlite.org/pragma.html#pragma_application_id.
	applicationID = 0x6c696374
)

// schema makes version 1. Keys are TEXT, compared bytewise. A row of kv is in the order of its key, without a second tree.
const schema = `
CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB, revision INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE meta (revision INTEGER NOT NULL);
INSERT INTO meta (revision) VALUES (0);`

// sqlFormat reads what says of which format the file is, in one statement and so of one snapshot.
const sqlFormat = `
SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id),
       (SELECT count(*) FROM sqlite_schema)`

// migrate makes the tables of a new file, and checks the format of one that exists.
func (c *conn) migrate() (err error) {
	// A file that exists is checked without a lock, so that it opens while another process writes.
	if fresh, err := c.checkFormat(); err != nil || !fresh {
		return err
	}
	if err := c.run("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.run("ROLLBACK"))
		}
	}()
	if fresh, err := c.checkFormat(); err != nil {
		return err
	} else if fresh {
		marks := fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d;", schemaVersion, applicationID)
		if err := c.run(schema + marks); err != nil {
			return err
		}
	}
	return c.run("COMMIT")
}

// checkFormat tells whether the file is new and empty, or why it cannot be used.
func (c *conn) checkFormat() (fresh bool, err error) {
	var version, id, tables int64
	if err := c.once(sqlFormat, func(s *stmt) error {
		return s.each(func(columns []driver.Value) {
			version, _ = columns[0].(int64)
			id, _ = columns[1].(int64)
			tables, _ = columns[2].(int64)
		})
	}); err != nil {
		return false, err
	}
	switch {
	case version == 0 && id == 0 && tables == 0:
		return true, nil
	case id != applicationID:
		return false, errors.New("this is a SQLite file of another program")
	case version > schemaVersion:
		return false, fmt.Errorf("the file has format %d, of a newer licet; this one knows formats up to %d", version, schemaVersion)
	case version != schemaVersion:
		return false, fmt.Errorf("the file has the unknown format %d", version)
	}
	return false, nil
}

// run runs statements that give no rows.
func (c *conn) run(script string) error {
	return c.once(script, func(s *stmt) error { return s.exec() })
}

// once prepares a statement for one use.
func (c *conn) once(query string, use func(*stmt) error) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	return errors.Join(use(s), s.prepared.Close())
}
