package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	randv2 "math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/licet/licet/internal/store"
)

const (
	// maxHold is how long a batch takes in new members before it is committed, unless the database is far (DB.hold).
	maxHold = 10 * time.Millisecond
	// maxMembers of a batch: PostgreSQL keeps 64 subtransactions of a transaction at hand, and looks on its disk for more
	// (PGPROC_MAX_CACHED_SUBXIDS in https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/storage/proc.h).
	maxMembers = 50
	// maxAttempts bounds how often an Update runs whose transaction the server, or a broken connection, has undone.
	maxAttempts = 10
)

const (
	sqlBegin = "BEGIN ISOLATION LEVEL READ COMMITTED"
	sqlLock  = "SELECT revision FROM licet_meta WHERE id = 1 FOR UPDATE"
	sqlPut   = "INSERT INTO licet_kv (key, value, revision) VALUES ($1, $2, $3) " +
		"ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision"
	sqlDelete         = "DELETE FROM licet_kv WHERE key = $1"
	sqlDeleteFrom     = "DELETE FROM licet_kv WHERE key >= $1"
	sqlDeleteRange    = "DELETE FROM licet_kv WHERE key >= $1 AND key < $2"
	sqlSetRevision    = "UPDATE licet_meta SET revision = $1 WHERE id = 1"
	sqlSavepoint      = "SAVEPOINT member"
	sqlRelease        = "RELEASE SAVEPOINT member"
	sqlRollbackMember = "ROLLBACK TO SAVEPOINT member; RELEASE SAVEPOINT member"
)

// batch is one transaction, shared by calls of Update that came at the same time.
type batch struct {
	ctx      context.Context
	cancel   context.CancelFunc
	begun    time.Time
	members  int
	before   int64 // the last revision before the batch
	revision int64 // the last revision in it
	changed  []string
	// done is closed when err is final.
	done chan struct{}
	err  error
}

// undoneError is the error of a batch that was certainly undone and may run again.
type undoneError struct{ cause error }

func (e undoneError) Error() string { return "transaction was rolled back: " + e.cause.Error() }
func (e undoneError) Unwrap() error { return e.cause }

// Update runs fn alone among the writers of all nodes and commits what it changed.
func (db *DB) Update(ctx context.Context, fn func(store.Tx) error) error {
	db.updates.Add(1)
	defer db.updates.Add(-1)
	for attempt := 1; ; attempt++ {
		arrived := time.Now()
		b, err := db.join(ctx, arrived, db.readAhead(ctx, fn), fn)
		if b != nil {
			// Even an error of fn waits: it may rest on what an earlier member of the batch wrote.
			<-b.done
			if b.err != nil {
				err = b.err
			}
		}
		var undone undoneError
		if !errors.As(err, &undone) || attempt == maxAttempts {
			return err
		}
		select { // those that were in each other's way come back one after the other
		case <-time.After(randv2.N(time.Duration(attempt) * 5 * time.Millisecond)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// join runs fn in the open batch, or in a new one, and commits it unless another caller is there to do it. The batch is nil when fn
// was not run. asked is what fn will presumably read.
func (db *DB) join(ctx context.Context, arrived time.Time, asked []question, fn func(store.Tx) error) (*batch, error) {
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
	if db.batch == nil {
		if db.failed.After(arrived) { // all who waited get the answer: else each would wait as long for a database that is gone
			return nil, db.failure
		}
		if err := db.begin(); err != nil {
			return nil, err
		}
	}
	b := db.batch
	return b, db.run(b, asked, fn)
}

// begin opens a batch. db.mu is held.
func (db *DB) begin() (err error) {
	defer func() {
		var undone undoneError
		if err != nil && !errors.As(err, &undone) {
			db.failed, db.failure = time.Now(), err
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), maxWork)
	used := db.writer != nil
	if used && time.Since(db.used) > pingAfter && !db.ping() {
		db.dropWriter()
		used = false
	}
	if !used {
		c, err := db.connect(ctx)
		if err != nil {
			cancel()
			return fmt.Errorf("connect: %w", err)
		}
		db.writer = newSession(c)
	}
	b := &batch{ctx: ctx, cancel: cancel, begun: time.Now(), done: make(chan struct{})}
	from := db.seen()
	var version int
	var links chain
	db.writer.queue(sqlBegin)
	db.writer.queue(sqlLock).QueryRow(func(row pgx.Row) error { return row.Scan(&b.before) })
	db.writer.queue(sqlFormat).QueryRow(func(row pgx.Row) error { return row.Scan(&version) })
	db.writer.queue(sqlChain, from, maxLinks).Query(links.read)
	if err := db.writer.flush(ctx); err != nil {
		defer cancel()
		db.dropWriter()
		err = fmt.Errorf("begin transaction: %w", err)
		if ctx.Err() == nil && (used || isConflict(err)) { // the connection may only have been too old
			return undoneError{err}
		}
		return err
	}
	if err := checkFormat(version); err != nil { // a newer licet has migrated it since it was opened
		cancel()
		db.dropWriter()
		return fmt.Errorf("begin transaction: %w", err)
	}
	db.follow(from, b.before, links)
	b.revision = b.before
	db.batch = b
	return nil
}

// ping tells whether the writer's connection still leads to the server. db.mu is held.
func (db *DB) ping() bool {
	ctx, cancel := context.WithTimeout(context.Background(), maxPing)
	defer cancel()
	return db.writer.raw.Ping(ctx) == nil
}

// run runs fn in a savepoint of the batch, and undoes it if it fails or panics. When that is impossible the batch is lost. db.mu is held.
func (db *DB) run(b *batch, asked []question, fn func(store.Tx) error) (err error) {
	s := db.writer
	b.members++
	s.queue(sqlSavepoint)
	t := &tx{reader: reader{ctx: b.ctx, s: s}, revision: b.revision + 1}
	kept := false
	defer func() {
		t.s = nil
		if kept || db.batch != b {
			return
		}
		if t.touched {
			err := t.err
			if err == nil || !lost(s, err) {
				err = s.run(b.ctx, sqlRollbackMember)
			}
			if err != nil {
				db.abort(err)
			}
			return
		}
		s.drop() // nothing was sent
	}()
	if len(asked) > 0 {
		if err := t.foresee(asked); err != nil {
			return err
		}
	}
	if err := fn(t); err != nil {
		return err
	}
	if t.err != nil { // fn has swallowed it
		return t.err
	}
	if len(t.changed) == 0 && !t.touched {
		s.drop()
		kept = true
		return nil
	}
	s.queue(sqlRelease)
	t.touched = true
	if err := s.flush(b.ctx); err != nil {
		t.err = fmt.Errorf("write: %w", err)
		return t.err
	}
	kept = true
	if len(t.changed) > 0 {
		b.revision = t.revision
		b.changed = append(b.changed, t.changed...)
	}
	return nil
}

// lost tells whether a batch cannot go on after err: the connection is gone, or the server wants the transaction to be run again.
func lost(s *session, err error) bool { return s.raw.IsClosed() || isConflict(err) }

// commitIfLast commits the batch unless another caller is waiting to join it. db.mu is held.
func (db *DB) commitIfLast() {
	b := db.batch
	if b != nil && (db.waiting.Load() == 0 || b.members >= maxMembers || time.Since(b.begun) > db.hold()) {
		db.commit()
	}
}

// commit ends the batch and tells the watchers, then the members. db.mu is held.
func (db *DB) commit() {
	b, s := db.batch, db.writer
	if b.revision == b.before {
		if err := s.run(b.ctx, "ROLLBACK"); err != nil {
			db.dropWriter()
		}
		db.endBatch(nil)
		return
	}
	token := []byte(rand.Text())
	s.queue(sqlSetRevision, b.revision)
	s.queue(sqlLink, b.before, b.revision, token, join(b.changed))
	if b.revision/trimInterval != b.before/trimInterval {
		s.queue(sqlTrim, b.revision-keepLinks)
	}
	if db.notifies {
		s.queue("SELECT pg_notify($1, $2)", db.channel, fmt.Sprint(b.revision))
	}
	if err := s.flush(b.ctx); err != nil {
		db.abort(err)
		return
	}
	err := s.commit(b.ctx)
	if err != nil {
		db.dropWriter()
		err = db.resolve(b, token, err)
	}
	switch {
	case err == nil:
		db.tell(b)
	case errors.Is(err, store.ErrUncertain):
		db.tellAll()
		db.failed, db.failure = time.Now(), fmt.Errorf("begin transaction: the one before got no answer: %v", err)
	}
	db.endBatch(err)
}

// commit commits. Without an error the transaction is durable. The server says COMMIT, with a warning, of one that it was told not to keep
// waiting for a standby with (https://www.postgresql.org/docs/current/warm-standby.html#SYNCHRONOUS-REPLICATION-HA), and of none at all.
func (s *session) commit(ctx context.Context) error {
	c := s.raw.PgConn()
	delete(c.CustomData(), warned)
	results, err := c.Exec(ctx, "COMMIT").ReadAll()
	if err != nil {
		return err
	}
	if len(results) != 1 || results[0].CommandTag.String() != "COMMIT" { // of a transaction that failed before: ROLLBACK
		return errors.New("the server has rolled back")
	}
	if warning, ok := c.CustomData()[warned]; ok {
		return fmt.Errorf("the server warns: %v", warning)
	}
	return nil
}

// abort gives up the batch: nothing of it is kept, and all its members are told so. db.mu is held.
func (db *DB) abort(cause error) {
	if db.batch == nil {
		return
	}
	s := db.writer
	again := lost(s, cause) && db.batch.ctx.Err() == nil
	db.dropWriter()
	if again {
		db.endBatch(undoneError{cause})
		return
	}
	db.endBatch(fmt.Errorf("transaction was rolled back: %w", cause))
}

// endBatch tells the members the outcome. db.mu is held.
func (db *DB) endBatch(err error) {
	db.batch.cancel()
	db.batch.err = err
	close(db.batch.done)
	db.batch = nil
	db.used = time.Now()
}

// dropWriter closes the connection, and with it an open transaction. db.mu is held.
func (db *DB) dropWriter() {
	_ = closeConn(db.writer.raw) // whatever comes of it, the connection is not used again
	db.writer = nil
}

// tx is a member of a batch. After an error of the server it refuses to go on.
type tx struct {
	reader
	revision int64
	changed  []string
	told     int // bytes of changed
	// ahead are answers to questions that were asked ahead.
	ahead map[string][]store.Item
	// touched is set once anything was sent, the savepoint with it.
	touched bool
}

var _ store.Tx = (*tx)(nil)

// Get returns the item at key.
func (t *tx) Get(key string) (store.Item, error) {
	if items, ok := t.foreseen(get(key)); ok {
		return only(items, nil)
	}
	t.touched = true
	return t.reader.Get(key)
}

// Scan returns items in key order.
func (t *tx) Scan(prefix, after string, limit int) ([]store.Item, error) {
	if items, ok := t.foreseen(scan(prefix, after, limit)); ok {
		return items, nil
	}
	t.touched = true
	return t.reader.Scan(prefix, after, limit)
}

// ScanReverse returns items in descending key order.
func (t *tx) ScanReverse(prefix, before string, limit int) ([]store.Item, error) {
	if items, ok := t.foreseen(scanReverse(prefix, before, limit)); ok {
		return items, nil
	}
	t.touched = true
	return t.reader.ScanReverse(prefix, before, limit)
}

// Put keeps value at key.
func (t *tx) Put(key string, value []byte) error {
	if key == "" || strings.IndexByte(key, 0) >= 0 || len(key) > store.MaxKey {
		return fmt.Errorf("put %.100q: not a key", key)
	}
	if len(value) > store.MaxValue {
		return fmt.Errorf("put %.100q: the value has %d bytes, %d are possible", key, len(value), store.MaxValue)
	}
	if value == nil {
		value = []byte{}
	}
	return t.change(key, len(value), sqlPut, []byte(key), bytes.Clone(value), t.revision)
}

// Delete removes key.
func (t *tx) Delete(key string) error { return t.change(key, 0, sqlDelete, []byte(key)) }

// DeletePrefix removes every key that starts with prefix.
func (t *tx) DeletePrefix(prefix string) error {
	if prefix == "" {
		return errors.New("delete prefix: the prefix is empty")
	}
	if to := end(prefix); to != "" {
		return t.change(prefix+"*", 0, sqlDeleteRange, []byte(prefix), []byte(to))
	}
	return t.change(prefix+"*", 0, sqlDeleteFrom, []byte(prefix))
}

// Revision is the number this transaction will have.
func (t *tx) Revision() int64 { return t.revision }

// maxQueued is from how many statements on they are sent before an answer is needed, and maxQueuedBytes from how large values in them on:
// they are in memory until then.
const (
	maxQueued      = 256
	maxQueuedBytes = 4 << 20
)

// change queues a statement that changes a key, or a prefix, and has a value of size bytes.
func (t *tx) change(what string, size int, sql string, args ...any) error {
	if t.s == nil {
		return errOver
	}
	if t.err != nil {
		return t.err
	}
	t.s.queue(sql, args...)
	t.s.queuedBytes += size
	t.remember(what)
	if t.s.queued.Len() < maxQueued && t.s.queuedBytes < maxQueuedBytes {
		return nil
	}
	t.touched = true
	if err := t.s.flush(t.ctx); err != nil {
		t.err = fmt.Errorf("write: %w", err)
	}
	return t.err
}

// remember keeps what has changed, or that it is too much to keep.
func (t *tx) remember(what string) {
	if t.told > maxTold {
		return
	}
	t.changed = append(t.changed, what)
	if t.told += len(what) + 1; t.told > maxTold {
		t.changed = []string{"*"}
	}
}
