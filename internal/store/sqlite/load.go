package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/licet/licet/internal/store"
)

// Load fills an empty file in one transaction.
func (db *DB) Load(ctx context.Context, revision int64, next func() ([]store.Item, error)) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return ErrClosed
	}
	if db.batch != nil { // its members wait only for mu
		db.commit()
	}
	if err := db.begin(ctx); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	b, c := db.batch, db.writer
	if err := fill(ctx, c, next); err != nil {
		db.dropWriter()
		db.endBatch(err)
		return err
	}
	b.revision = max(revision, b.before+1)
	b.changed = []string{"*"}
	db.commit()
	return b.err
}

// fill puts items into the open transaction.
func fill(ctx context.Context, c *conn, next func() ([]store.Item, error)) error {
	r := &reader{c: c}
	there, err := r.Scan("", "", 1)
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return store.ErrNotEmpty
	}
	for {
		items, err := next()
		if err != nil || len(items) == 0 {
			return errors.Join(err, ctx.Err())
		}
		for _, i := range items {
			if err := c.put.exec(i.Key, i.Value, i.Revision); err != nil {
				return err
			}
		}
	}
}
