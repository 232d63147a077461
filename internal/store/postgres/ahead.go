package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/licet/licet/internal/store"
)

const (
	// far is from which round trip on those that have to wait for the lock read ahead (DB.far): it costs the database each read twice.
	far = 500 * time.Microsecond
	// maxAhead is how many questions are asked ahead, and maxRehearsal how long that may take.
	maxAhead     = 32
	maxRehearsal = 500 * time.Millisecond
	// looksFelt is over how many looks of the feed the distance is the least.
	looksFelt = 8
	// holdTrips is for how many round trips a batch takes in new members, at most for maxFarHold: others wait for the lock meanwhile.
	holdTrips  = 20
	maxFarHold = 100 * time.Millisecond
)

// felt are how long the last looks took, of which the shortest is a round trip to the database.
type felt struct {
	took [looksFelt]time.Duration
	n    int
}

// add gives the least of what was added last.
func (f *felt) add(took time.Duration) time.Duration {
	f.took[f.n%looksFelt] = took
	f.n++
	least := took
	for _, t := range f.took[:min(f.n, looksFelt)] {
		least = min(least, t)
	}
	return least
}

// hold is how long a batch takes in new members before it is committed.
func (db *DB) hold() time.Duration {
	return min(max(maxHold, holdTrips*time.Duration(db.distance.Load())), maxFarHold)
}

// question is a read, of one key or of an interval.
type question struct {
	sql  string
	args []any
}

// key tells questions apart.
func (q question) key() string { return fmt.Sprintf("%s %x", q.sql, q.args) }

// errEnough ends a rehearsal.
var errEnough = errors.New("postgres: the rehearsal ends here")

// readAhead finds out what fn will read: it runs it on a snapshot, where its writes have no effect, while another call has the lock. Under the
// lock all that is then read again by one message, so that it does not matter what the snapshot showed, nor how the rehearsal ended. Nothing is
// read ahead where the database is near, or nobody else is writing.
func (db *DB) readAhead(ctx context.Context, fn func(store.Tx) error) []question {
	if db.updates.Load() < 2 || time.Duration(db.distance.Load()) < db.far || db.lost.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, db.patience)
	defer cancel()
	r := &rehearsal{}
	_ = db.View(ctx, func(view store.Reader) error { // it is only tried
		r.reader = view.(*reader)
		return fn(r)
	})
	return r.asked
}

// rehearsal is the Tx of a function that is run to see what it reads before its first write.
type rehearsal struct {
	*reader
	asked []question
	wrote bool
}

var _ store.Tx = (*rehearsal)(nil)

// ask notes a question, unless it is one too many.
func (r *rehearsal) ask(q question) error {
	if r.wrote || len(r.asked) == maxAhead {
		return errEnough
	}
	r.asked = append(r.asked, q)
	return nil
}

// Get returns the item at key.
func (r *rehearsal) Get(key string) (store.Item, error) {
	if err := r.ask(get(key)); err != nil {
		return store.Item{}, err
	}
	return r.reader.Get(key)
}

// Scan returns items in key order.
func (r *rehearsal) Scan(prefix, after string, limit int) ([]store.Item, error) {
	if err := r.ask(scan(prefix, after, limit)); err != nil {
		return nil, err
	}
	return r.reader.Scan(prefix, after, limit)
}

// ScanReverse returns items in descending key order.
func (r *rehearsal) ScanReverse(prefix, before string, limit int) ([]store.Item, error) {
	if err := r.ask(scanReverse(prefix, before, limit)); err != nil {
		return nil, err
	}
	return r.reader.ScanReverse(prefix, before, limit)
}

// Put writes nothing, as do Delete and DeletePrefix.
func (r *rehearsal) Put(string, []byte) error { return r.write() }

// Delete deletes nothing.
func (r *rehearsal) Delete(string) error { return r.write() }

// DeletePrefix deletes nothing.
func (r *rehearsal) DeletePrefix(string) error { return r.write() }

func (r *rehearsal) write() error {
	r.wrote = true
	return nil
}

// Revision is that of no transaction.
func (r *rehearsal) Revision() int64 { return 0 }

// foresee asks all questions under the lock by one message, together with what is queued.
func (t *tx) foresee(asked []question) error {
	t.ahead = make(map[string][]store.Item, len(asked))
	for _, q := range asked {
		key := q.key()
		if _, ok := t.ahead[key]; ok {
			continue
		}
		t.ahead[key] = nil
		t.s.queue(q.sql, q.args...).Query(func(rows pgx.Rows) (err error) {
			t.ahead[key], err = readItems(rows)
			return err
		})
	}
	t.touched = true
	if err := t.s.flush(t.ctx); err != nil {
		t.err = fmt.Errorf("read: %w", err)
	}
	return t.err
}

// foreseen gives the answer to a question that was asked ahead. What the transaction has written since is not in it.
func (t *tx) foreseen(q question) ([]store.Item, bool) {
	if len(t.ahead) == 0 || len(t.changed) > 0 || t.s == nil || t.err != nil {
		return nil, false
	}
	key := q.key()
	items, ok := t.ahead[key]
	delete(t.ahead, key) // the items belong to the receiver
	return items, ok
}
