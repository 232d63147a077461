package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/licet/licet/internal/store"
)

// Load fills an empty database in one transaction, on a connection of its own; ctx alone bounds it.
func (db *DB) Load(ctx context.Context, revision int64, next func() ([]store.Item, error)) (err error) {
	if db.quit.Err() != nil {
		return ErrClosed
	}
	c, err := db.connect(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { err = errors.Join(err, closeConn(c)) }()
	s := newSession(c)
	var before int64
	there := false
	s.queue(sqlBegin)
	s.queue(sqlLock).QueryRow(func(row pgx.Row) error { return row.Scan(&before) })
	s.queue("SELECT EXISTS (SELECT 1 FROM licet_kv)").QueryRow(func(row pgx.Row) error { return row.Scan(&there) })
	if err := s.flush(ctx); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	if there {
		return store.ErrNotEmpty
	}
	for {
		items, err := next()
		if err != nil {
			return err
		}
		if len(items) == 0 {
			break
		}
		for _, i := range items {
			if i.Value == nil {
				i.Value = []byte{}
			}
			s.queue(sqlPut, []byte(i.Key), i.Value, i.Revision)
		}
		if err := s.flush(ctx); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	revision = max(revision, before+1)
	s.queue(sqlSetRevision, revision)
	s.queue(sqlLink, before, revision, []byte(rand.Text()), []byte("*"))
	if err := s.flush(ctx); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := s.commit(ctx); err != nil {
		return fmt.Errorf("%w: %w", store.ErrUncertain, err)
	}
	return nil
}
