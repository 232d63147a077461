package postgres

import "github.com/licet/licet/internal/store"

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
