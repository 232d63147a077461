package sqlite

import (
	"database/sql/driver"

	"github.com/licet/licet/internal/store"
)

// reader reads in the open transaction of a connection.
type reader struct {
	c *conn // nil when the transaction is over
	// err is the first error of the engine.
	err error
}

var _ store.Snapshot = (*reader)(nil)

// Get returns the item at key.
func (r *reader) Get(key string) (store.Item, error) {
	if r.err != nil {
		return store.Item{}, r.err
	}
	item := store.Item{Key: key}
	found := false
	r.err = r.c.get.each(func(columns []driver.Value) {
		item.Value, _ = columns[0].([]byte) // an empty value is NULL
		item.Revision, found = columns[1].(int64)
	}, key)
	if r.err != nil {
		return store.Item{}, r.err
	}
	if !found {
		return store.Item{}, store.ErrNotFound
	}
	return item, nil
}

// Last is the revision of the last transaction that the snapshot has.
func (r *reader) Last() (int64, error) {
	if r.err != nil {
		return 0, r.err
	}
	var revision int64
	revision, r.err = r.c.revision()
	return revision, r.err
}

// Scan returns items in key order.
func (r *reader) Scan(prefix, after string, limit int) ([]store.Item, error) {
	from := prefix
	if after >= prefix && after != "" {
		from = after + "\x01" // the least string above after: keys have no NUL
	}
	return r.items(r.c.scan, from, end(prefix), limit)
}

// ScanReverse returns items in descending key order.
func (r *reader) ScanReverse(prefix, before string, limit int) ([]store.Item, error) {
	to := end(prefix)
	if s, ok := to.(string); before != "" && (!ok || before < s) {
		to = before
	}
	return r.items(r.c.scanReverse, prefix, to, limit)
}

func (r *reader) items(s *stmt, from string, to driver.Value, limit int) ([]store.Item, error) {
	if r.err != nil {
		return nil, r.err
	}
	if limit <= 0 {
		limit = -1
	}
	var items []store.Item
	r.err = s.each(func(columns []driver.Value) {
		var item store.Item
		item.Key, _ = columns[0].(string)
		item.Value, _ = columns[1].([]byte)
		item.Revision, _ = columns[2].(int64)
		items = append(items, item)
	}, from, to, int64(limit))
	if r.err != nil {
		return nil, r.err
	}
	return items, nil
}

// end is the least value above every string that starts with prefix: a string, or where there is none a blob, which SQLite sorts
// after all text (https://www.sqlite.org/datatype3.html section 4.1).
func end(prefix string) driver.Value {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return []byte{0}
}
