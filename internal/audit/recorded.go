package audit

import (
	"context"
	"errors"

	"github.com/licet/licet/internal/store"
)

// ErrNoDecision refuses a change that no decision stands behind. It is a bug of the caller.
var ErrNoDecision = errors.New("audit: change without a decision")

// originKey is the context key of an origin.
type originKey struct{}

// origin says why a change is made: for a decided call, or for the server itself.
type origin struct {
	pending *pending
	system  string
}

// System marks what the server does for its own housekeeping, for which nobody asks and nothing is decided: making an account,
// expiring tokens. reason is for the reader of the code and must not be empty.
func System(ctx context.Context, reason string) context.Context {
	return context.WithValue(ctx, originKey{}, origin{system: reason})
}

// Recorded gives the store that services write to.
func (l *Log) Recorded() store.DB { return recorded{DB: l.db, log: l} }

// recorded is a store whose changes carry the record of the decision that allowed them.
type recorded struct {
	store.DB
	log *Log
}

// Update runs fn and, if it is the first change under ctx, writes the record of ctx in the same transaction.
func (r recorded) Update(ctx context.Context, fn func(store.Tx) error) error {
	o, _ := ctx.Value(originKey{}).(origin)
	if o.pending == nil && o.system == "" {
		return ErrNoDecision
	}
	if o.pending == nil || o.pending.written.Load() {
		return r.DB.Update(ctx, fn)
	}
	batches, err := r.log.pack([]*pending{o.pending})
	if err != nil {
		return err
	}
	return r.log.put(ctx, r.DB, batches, fn)
}
