package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/licet/licet/internal/store"
)

const (
	sqlGet = "SELECT value, revision FROM licet_kv WHERE key = $1"
	// Statements of an interval of keys; those with End have an upper bound.
	sqlScan           = "SELECT key, value, revision FROM licet_kv WHERE key >= $1 ORDER BY key LIMIT $2"
	sqlScanEnd        = "SELECT key, value, revision FROM licet_kv WHERE key >= $1 AND key < $3 ORDER BY key LIMIT $2"
	sqlScanReverse    = "SELECT key, value, revision FROM licet_kv WHERE key >= $1 ORDER BY key DESC LIMIT $2"
	sqlScanReverseEnd = "SELECT key, value, revision FROM licet_kv WHERE key >= $1 AND key < $3 ORDER BY key DESC LIMIT $2"
)

// reader reads in the transaction of a session.
type reader struct {
	ctx context.Context
	s   *session // nil when the transaction is over
	// err is the first error of the engine.
	err error
}

var _ store.Snapshot = (*reader)(nil)

// errOver is the error of a reader that is used after its View or Update.
var errOver = errors.New("postgres: the transaction is over")

// query runs a statement after those that are queued.
func (r *reader) query(each func(pgx.Rows) error, sql string, args ...any) error {
	if r.s == nil {
		return errOver
	}
	if r.err != nil {
		return r.err
	}
	r.s.queue(sql, args...).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := each(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	ctx, cancel := context.WithTimeout(r.ctx, maxWork)
	defer cancel()
	if err := r.s.flush(ctx); err != nil {
		r.err = fmt.Errorf("read: %w", err)
	}
	return r.err
}

// Last is the revision of the last transaction that the snapshot has.
func (r *reader) Last() (revision int64, err error) {
	err = r.query(func(rows pgx.Rows) error { return rows.Scan(&revision) }, sqlRevision)
	return revision, err
}

// Get returns the item at key.
func (r *reader) Get(key string) (store.Item, error) {
	item := store.Item{Key: key}
	found := false
	err := r.query(func(rows pgx.Rows) error {
		found = true
		return rows.Scan(&item.Value, &item.Revision)
	}, sqlGet, []byte(key))
	if err != nil {
		return store.Item{}, err
	}
	if !found {
		return store.Item{}, store.ErrNotFound
	}
	return item, nil
}

// Scan returns items in key order.
func (r *reader) Scan(prefix, after string, limit int) ([]store.Item, error) {
	from := prefix
	if after >= prefix && after != "" {
		from = after + "\x01" // the least string above after: keys have no NUL
	}
	return r.items(sqlScan, sqlScanEnd, from, end(prefix), limit)
}

// ScanReverse returns items in descending key order.
func (r *reader) ScanReverse(prefix, before string, limit int) ([]store.Item, error) {
	to := end(prefix)
	if before != "" && (to == "" || before < to) {
		to = before
	}
	return r.items(sqlScanReverse, sqlScanReverseEnd, prefix, to, limit)
}

// noLimit stands for all items: CockroachDB takes no LIMIT ALL as a parameter.
const noLimit = 1 << 62

// items reads the keys from "from" on, up to "to" unless that is "".
func (r *reader) items(open, bounded, from, to string, limit int) ([]store.Item, error) {
	args := []any{[]byte(from), int64(limit)}
	if limit <= 0 {
		args[1] = int64(noLimit)
	}
	if to != "" {
		open = bounded
		args = append(args, []byte(to))
	}
	var items []store.Item
	err := r.query(func(rows pgx.Rows) error {
		var item store.Item
		var key []byte
		if err := rows.Scan(&key, &item.Value, &item.Revision); err != nil {
			return err
		}
		item.Key = string(key)
		items = append(items, item)
		return nil
	}, open, args...)
	if err != nil {
		return nil, err
	}
	return items, nil
}

// end is the least string above every one that starts with prefix, or "" when there is none.
func end(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}
