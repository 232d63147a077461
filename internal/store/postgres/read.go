package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/licet/licet/internal/store"
)

const (
	sqlGet = "SELECT key, value, revision FROM licet_kv WHERE key = $1"
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

// query runs a statement after those that are queued, and gives its rows to all.
func (r *reader) query(all func(pgx.Rows) error, sql string, args ...any) error {
	if r.s == nil {
		return errOver
	}
	if r.err != nil {
		return r.err
	}
	r.s.queue(sql, args...).Query(all)
	ctx, cancel := context.WithTimeout(r.ctx, maxWork)
	defer cancel()
	if err := r.s.flush(ctx); err != nil {
		r.err = fmt.Errorf("read: %w", err)
	}
	return r.err
}

// Last is the revision of the last transaction that the snapshot has.
func (r *reader) Last() (revision int64, err error) {
	err = r.query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&revision); err != nil {
				return err
			}
		}
		return rows.Err()
	}, sqlRevision)
	return revision, err
}

// get is the question for the item at key, scan and scanReverse those for items in an interval.
func get(key string) question { return question{sqlGet, []any{[]byte(key)}} }

func scan(prefix, after string, limit int) question {
	from := prefix
	if after >= prefix && after != "" {
		from = after + "\x01" // the least string above after: keys have no NUL
	}
	return interval(sqlScan, sqlScanEnd, from, end(prefix), limit)
}

func scanReverse(prefix, before string, limit int) question {
	to := end(prefix)
	if before != "" && (to == "" || before < to) {
		to = before
	}
	return interval(sqlScanReverse, sqlScanReverseEnd, prefix, to, limit)
}

// noLimit stands for all items: CockroachDB takes no LIMIT ALL as a parameter.
const noLimit = 1 << 62

// interval asks for the keys from "from" on, up to "to" unless that is "".
func interval(open, bounded, from, to string, limit int) question {
	args := []any{[]byte(from), int64(limit)}
	if limit <= 0 {
		args[1] = int64(noLimit)
	}
	if to != "" {
		return question{bounded, append(args, []byte(to))}
	}
	return question{open, args}
}

// Get returns the item at key.
func (r *reader) Get(key string) (store.Item, error) { return only(r.items(get(key))) }

// only is the item that was asked for.
func only(items []store.Item, err error) (store.Item, error) {
	if err != nil {
		return store.Item{}, err
	}
	if len(items) == 0 {
		return store.Item{}, store.ErrNotFound
	}
	return items[0], nil
}

// Scan returns items in key order.
func (r *reader) Scan(prefix, after string, limit int) ([]store.Item, error) {
	return r.items(scan(prefix, after, limit))
}

// ScanReverse returns items in descending key order.
func (r *reader) ScanReverse(prefix, before string, limit int) ([]store.Item, error) {
	return r.items(scanReverse(prefix, before, limit))
}

// items asks a question.
func (r *reader) items(q question) (items []store.Item, err error) {
	err = r.query(func(rows pgx.Rows) (err error) {
		items, err = readItems(rows)
		return err
	}, q.sql, q.args...)
	if err != nil {
		return nil, err
	}
	return items, nil
}

// readItems reads all rows.
func readItems(rows pgx.Rows) (items []store.Item, err error) {
	for rows.Next() {
		var item store.Item
		var key []byte
		if err := rows.Scan(&key, &item.Value, &item.Revision); err != nil {
			return nil, err
		}
		item.Key = string(key)
		items = append(items, item)
	}
	return items, rows.Err()
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
