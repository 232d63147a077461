package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"modernc.org/sqlite"
)

// Backup writes a file with what the store at path has at one moment, while others may read and write it. The file to must not be there; what
// Backup leaves after an error is of no use.
// https://www.sqlite.org/lang_vacuum.html#vacuuminto
func Backup(ctx context.Context, path, to string) error {
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("back up %s: %s is there already", path, to)
	}
	err := exec(ctx, path, "VACUUM INTO '"+strings.ReplaceAll(to, "'", "''")+"'", nil)
	if err == nil {
		err = os.Chmod(to, 0o600)
	}
	if err == nil {
		err = syncFile(to)
	}
	if err != nil {
		return fmt.Errorf("back up %s: %w", path, err)
	}
	return nil
}

// Verify reads all of the file at path, and says what is wrong with it: nothing for a good one. The error is of a file that cannot be read.
// https://www.sqlite.org/pragma.html#pragma_integrity_check
func Verify(ctx context.Context, path string) (problems []string, err error) {
	err = exec(ctx, path, "PRAGMA integrity_check", func(columns []driver.Value) {
		if text := fmt.Sprint(columns[0]); text != "ok" {
			problems = append(problems, text)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("verify %s: %w", path, err)
	}
	return problems, nil
}

// exec runs one statement on the file at path, which must be a store of this format.
func exec(ctx context.Context, path, statement string, each func(columns []driver.Value)) (err error) {
	if _, err := os.Stat(path); err != nil { // SQLite would make it
		return err
	}
	raw, err := (&sqlite.Driver{}).Open(fileName(path, []string{"busy_timeout(5000)", "synchronous(FULL)", "trusted_schema(OFF)"}))
	if err != nil {
		return err
	}
	c := &conn{raw: raw}
	defer func() { err = errors.Join(err, c.close()) }()
	if fresh, err := c.checkFormat(); err != nil || fresh {
		return errors.Join(err, ctx.Err(), emptyFile(fresh))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.once(statement, func(s *stmt) error {
		if each == nil {
			return s.exec()
		}
		return s.each(each)
	})
}

func emptyFile(fresh bool) error {
	if fresh {
		return errors.New("the file is empty")
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
