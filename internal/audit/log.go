package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/licet/licet/internal/store"
)

const (
	flushInterval  = time.Second
	expireInterval = time.Hour
	// chunk is how many uses are written, or items deleted, in one transaction, so that others need not wait long.
	chunk = 256
	// batchChunk is how many batches are read or deleted in one transaction.
	batchChunk = 32
	// part is how many records are taken from the buffer to be packed together.
	part = 2048
	// written is how many bytes of batches are written in one transaction, or somewhat more.
	written = 1 << 20
)

// ErrClosed means that the log has ended: a call that cannot be recorded must be refused.
var ErrClosed = errors.New("audit: the decision log is closed")

// Options of a Log. The zero value is ready to use.
type Options struct {
	// Buffer is how many records may wait to be written; 0 means 4,096.
	Buffer int
	// MaxAge is how long records are kept; 0 means 90 days, as CloudTrail's event history, negative for ever.
	MaxAge time.Duration
	// MaxRecords is how many records are kept for each account, and up to a batch more; 0 means 100,000, negative all.
	MaxRecords int
	// MaxBytes is how many bytes the records of an account may take, and up to a batch more; 0 means 1 GiB, negative any number.
	MaxBytes int
	// Now is the clock by which records are too old, which should not jump; nil means time.Now.
	Now func() time.Time
	// Logger is told what Run could not do; nil means nobody.
	Logger *slog.Logger
}

// Log is the decision log.
type Log struct {
	db      store.DB
	options Options
	texts   *texts
	uses    uses
	// wake asks Run to write before the second is over.
	wake chan struct{}

	// flushMu is held while records are written from the buffer. Lock order: flushMu, then mu.
	flushMu sync.Mutex
	// mu guards buffer: the records that may not be in the store yet, oldest first. Only flush removes.
	mu     sync.Mutex
	buffer []*pending
	// closed is set when Run writes for the last time: what came later would be lost. Guarded by mu.
	closed bool
}

// pending is a record on its way into the store.
type pending struct {
	record *Record
	// written is set once a transaction with the record was committed.
	written atomic.Bool
}

// New makes the log that is kept in db. It does nothing by itself: see Run.
func New(db store.DB, o Options) *Log {
	if o.Buffer == 0 {
		o.Buffer = 4096
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxAge == 0 {
		o.MaxAge = 90 * 24 * time.Hour
	}
	if o.MaxRecords == 0 {
		o.MaxRecords = 100_000
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 30
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Log{
		db: db, options: o, texts: newTexts(), uses: uses{fresh: make(map[useKey]ServiceUse)}, wake: make(chan struct{}, 1),
	}
}

// Begin takes a record in, which must not be changed afterwards. From then on it can be read, and it becomes durable with the first
// change that is made under the returned context, or within a second. An error means that it was not taken in: the call must be
// refused.
func (l *Log) Begin(ctx context.Context, rec *Record) (context.Context, error) {
	p := &pending{record: rec}
	l.mu.Lock()
	waiting := len(l.buffer)
	l.mu.Unlock()
	if waiting >= l.options.Buffer {
		if err := l.flush(ctx); err != nil {
			return nil, fmt.Errorf("the buffer of the decision log is full: %w", err)
		}
	}
	if !l.add(p) {
		return nil, ErrClosed
	}
	l.uses.note(rec)
	if waiting == l.options.Buffer/2 {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	return context.WithValue(ctx, originKey{}, origin{pending: p}), nil
}

// Fail notes how the operation failed whose record Begin took in under ctx. It is written after the record, as the record once more;
// a failure of the server's own to keep it is ErrClosed.
func (l *Log) Fail(ctx context.Context, f Failure) error {
	o, ok := ctx.Value(originKey{}).(origin)
	if !ok || o.pending == nil {
		return ErrNoDecision
	}
	failed := *o.pending.record
	failed.Failure = &f
	if !l.add(&pending{record: &failed}) {
		return ErrClosed
	}
	return nil
}

// add puts a record into the buffer, unless nobody will write it any more.
func (l *Log) add(p *pending) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.buffer = append(l.buffer, p)
	}
	return !l.closed
}

// Run writes the buffer at least every second, and beside that deletes what is too old, until ctx ends; then it writes what is left, and
// Begin takes nothing more in. The error is that of the last write.
func (l *Log) Run(ctx context.Context) error {
	var expiry sync.WaitGroup
	expiry.Go(func() { l.keepExpiring(ctx) })
	defer expiry.Wait()
	tick := time.NewTicker(flushInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			l.mu.Lock()
			l.closed = true
			l.mu.Unlock()
			return l.flush(context.WithoutCancel(ctx))
		case <-tick.C:
		case <-l.wake:
		}
		if err := l.flush(ctx); err != nil && ctx.Err() == nil {
			l.options.Logger.ErrorContext(ctx, "Decisions could not be written.", "err", err)
		}
	}
}

// keepExpiring deletes what is too old every hour, which may take long, until ctx ends.
func (l *Log) keepExpiring(ctx context.Context) {
	tick := time.NewTicker(expireInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := l.expire(ctx, l.options.Now()); err != nil && ctx.Err() == nil {
				l.options.Logger.WarnContext(ctx, "Old decisions could not be deleted.", "err", err)
			}
		}
	}
}

// flush writes the records that are in the buffer now, and the last uses. After an error they are still there.
func (l *Log) flush(ctx context.Context) error {
	l.flushMu.Lock()
	defer l.flushMu.Unlock()
	l.mu.Lock()
	waiting := slices.Clone(l.buffer)
	l.mu.Unlock()
	for some := range slices.Chunk(waiting, part) {
		if err := l.write(ctx, some); err != nil {
			return fmt.Errorf("write decisions: %w", err)
		}
		l.mu.Lock()
		l.buffer = slices.Delete(l.buffer, 0, len(some))
		l.mu.Unlock()
	}
	return l.writeUses(ctx)
}

// write writes the records that no change has written meanwhile. A record that is written twice is the same both times.
func (l *Log) write(ctx context.Context, some []*pending) error {
	some = slices.DeleteFunc(slices.Clone(some), func(p *pending) bool { return p.written.Load() })
	batches, err := l.pack(some)
	if err != nil {
		return err
	}
	for len(batches) > 0 {
		n, size := 0, 0
		for n < len(batches) && size < written {
			size += len(batches[n].value)
			n++
		}
		if err := l.put(ctx, l.db, batches[:n], nil); err != nil {
			return err
		}
		batches = batches[n:]
	}
	return nil
}

// put writes batches in one transaction of db, after what fn does in it.
func (l *Log) put(ctx context.Context, db store.DB, batches []*batch, fn func(store.Tx) error) error {
	if err := db.Update(ctx, func(tx store.Tx) error {
		if fn != nil {
			if err := fn(tx); err != nil {
				return err
			}
		}
		for _, b := range batches {
			if err := b.put(tx); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for _, b := range batches {
		for _, p := range b.pending {
			p.written.Store(true)
		}
		l.texts.stored(b.texts)
	}
	return nil
}
