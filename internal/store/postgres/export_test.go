package postgres

import (
	"time"

	"github.com/licet/licet/internal/store"
)

// MaxQueuedBytes is maxQueuedBytes, MaxTold is maxTold.
const (
	MaxQueuedBytes = maxQueuedBytes
	MaxTold        = maxTold
)

// Held tells what a transaction of Update holds in memory: bytes of values that were not sent, and bytes of changed keys.
func Held(r store.Tx) (values, keys int) {
	t := r.(*tx)
	for _, key := range t.changed {
		keys += len(key)
	}
	return t.s.queuedBytes, keys
}

// ReadAhead has a DB that is not used yet read ahead however near the database is, and however slow this machine.
func ReadAhead(db *DB) { db.far, db.patience = 0, time.Minute }

// Ahead is how many answers a transaction has that were asked for ahead. It is -1 in a rehearsal.
func Ahead(r store.Tx) int {
	if t, ok := r.(*tx); ok {
		return len(t.ahead)
	}
	return -1
}
