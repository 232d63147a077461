package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/licet/licet/internal/store"
)

const (
	// maxHold is how long a batch takes in new members before it is committed.
	maxHold = 10 * time.Millisecond
	// maxBusy is how long an Update waits for another process that writes.
	maxBusy = 30 * time.Second
)

// batch is one SQLite transaction, shared by calls of Update that came at the same time.
type batch struct {
	begun    time.Time
	before   int64 // the last revision before the batch
	revision int64 // the last revision in it
	changed  []string
	// done is closed when err is final.
	done chan struct{}
	err  error
}

// Update runs fn alone among the writers and commits what it changed.
func (db *DB) Update(ctx context.Context, fn func(store.Tx) error) error {
	b, err := db.join(ctx, fn)
	if b == nil {
		return err
	}
	// Even an error of fn waits: it may rest on what an earlier member of the batch wrote.
	<-b.done
	if b.err != nil {
		return b.err
	}
	return err
}

// join runs fn in the open batch, or in a new one, and commits it unless another caller is there to do it. The batch is nil when fn
// was not run.
func (db *DB) join(ctx context.Context, fn func(store.Tx) error) (*batch, error) {
	db.waiting.Add(1)
	db.mu.Lock()
	db.waiting.Add(-1)
	defer db.mu.Unlock()
	defer db.commitIfLast() // also when this call does not take part: the one before may have left the batch to it
	if db.closed {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := db.begin(ctx); err != nil {
		return nil, fmt.Errorf("begin transaction: %w", err)
	}
	b := db.batch
	return b, db.run(b, fn)
}

// begin opens a batch if none is open. db.mu is held.
func (db *DB) begin(ctx context.Context) (err error) {
	if db.batch != nil {
		return nil
	}
	if db.writer == nil {
		if db.writer, err = connect(db.driver, db.path, true); err != nil {
			return err
		}
	}
	start := time.Now()
	for {
		if err = db.writer.begin.exec(); err == nil {
			break
		}
		if !isBusy(err) || time.Since(start) > maxBusy {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	revision, err := db.writer.revision()
	if err != nil {
		db.dropWriter()
		return err
	}
	db.noteForeign(revision)
	db.batch = &batch{begun: time.Now(), before: revision, revision: revision, done: make(chan struct{})}
	return nil
}

// run runs fn in a savepoint of the batch, and undoes it if it fails or panics. When that is impossible the batch is lost.
func (db *DB) run(b *batch, fn func(store.Tx) error) (err error) {
	c := db.writer
	if err := c.savepoint.exec(); err != nil {
		db.abort(err)
		return err
	}
	t := &tx{reader: reader{c: c}, revision: b.revision + 1}
	kept := false
	defer func() {
		t.c = nil
		if kept {
			return
		}
		if err := errors.Join(c.rollbackTo.exec(), c.release.exec()); err != nil {
			db.abort(err)
		}
	}()
	if err := fn(t); err != nil {
		return err
	}
	if t.err != nil { // fn has swallowed it
		return t.err
	}
	if err := c.release.exec(); err != nil {
		return err
	}
	kept = true
	if len(t.changed) > 0 {
		b.revision = t.revision
		b.changed = append(b.changed, t.changed...)
	}
	return nil
}

// commitIfLast commits the batch unless another caller is waiting to join it. db.mu is held.
func (db *DB) commitIfLast() {
	if db.batch != nil && (db.waiting.Load() == 0 || time.Since(db.batch.begun) > maxHold) {
		db.commit()
	}
}

// commit ends the batch and tells the watchers, then the members. db.mu is held.
func (db *DB) commit() {
	b, c := db.batch, db.writer
	if b.revision == b.before {
		if err := c.rollback.exec(); err != nil {
			db.dropWriter()
		}
		db.endBatch(nil)
		return
	}
	if err := c.setRevision.exec(b.revision); err != nil {
		db.abort(err)
		return
	}
	err := c.commit.exec()
	db.watchers.Notify(b.changed)
	if err != nil {
		// The log may hold the commit all the same, and the next Open find it there. Or another process makes its own of this revision.
		err = fmt.Errorf("%w: %w", store.ErrUncertain, err)
		db.dropWriter()
	} else {
		db.known.Store(b.revision)
	}
	db.endBatch(err)
}

// abort gives up the batch: nothing of it is kept, and all its members get the error. db.mu is held.
func (db *DB) abort(cause error) {
	if db.batch == nil {
		return
	}
	db.dropWriter()
	db.endBatch(fmt.Errorf("transaction was rolled back: %w", cause))
}

// endBatch tells the members the outcome. db.mu is held.
func (db *DB) endBatch(err error) {
	db.batch.err = err
	close(db.batch.done)
	db.batch = nil
}

// dropWriter closes the connection, and with it an open transaction: after an error SQLite may or may not have rolled it back.
// db.mu is held.
func (db *DB) dropWriter() {
	_ = db.writer.close()
	db.writer = nil
}

// tx is a member of a batch. After an error of the engine it refuses to go on, as SQLite may have rolled back already.
type tx struct {
	reader
	revision int64
	changed  []string
}

var _ store.Tx = (*tx)(nil)

// Put keeps value at key.
func (t *tx) Put(key string, value []byte) error {
	if key == "" || strings.IndexByte(key, 0) >= 0 || len(key) > store.MaxKey {
		return fmt.Errorf("put %.100q: not a key", key)
	}
	if len(value) > store.MaxValue {
		return fmt.Errorf("put %.100q: the value has %d bytes, %d are possible", key, len(value), store.MaxValue)
	}
	return t.change(key, t.c.put, key, value, t.revision)
}

// Delete removes key.
func (t *tx) Delete(key string) error { return t.change(key, t.c.delete, key) }

// DeletePrefix removes every key that starts with prefix.
func (t *tx) DeletePrefix(prefix string) error {
	if prefix == "" {
		return errors.New("delete prefix: the prefix is empty")
	}
	return t.change(prefix+"*", t.c.deleteRange, prefix, end(prefix))
}

// Revision is the number this transaction will have.
func (t *tx) Revision() int64 { return t.revision }

func (t *tx) change(what string, s *stmt, args ...driver.Value) error {
	if t.err != nil {
		return t.err
	}
	if t.err = s.exec(args...); t.err != nil {
		return t.err
	}
	t.changed = append(t.changed, what)
	return nil
}
