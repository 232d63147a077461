package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/licet/licet/internal/store"
)

// ErrClosed is the error of every call after Close.
var ErrClosed = errors.New("postgres: the store is closed")

// DB is a store.DB in a PostgreSQL database.
type DB struct {
	config *pgxpool.Config
	// pool has the connections of views.
	pool *pgxpool.Pool
	// channel is what is notified of commits if notifies is set: not every server that speaks the protocol has NOTIFY.
	channel  string
	notifies bool
	// quit ends by Close.
	quit    context.Context
	endQuit context.CancelFunc

	// waiting counts the calls of Update that want mu, updates all of them.
	waiting, updates atomic.Int32
	// distance is how long a round trip to the database takes, in nanoseconds, and far from which on it is read ahead, for patience at most.
	distance      atomic.Int64
	far, patience time.Duration
	// reading is never nil.
	reading atomic.Pointer[reading]
	// mu guards the fields below. Lock order: mu, tellMu, that of watchers.
	mu     sync.Mutex
	writer *session  // nil after a failure, until the next Update connects again
	used   time.Time // when writer was last known to be alive
	batch  *batch    // the open transaction, or nil
	closed bool
	// failure is why the database could not be used at the time failed.
	failed  time.Time
	failure error
	// feeding is set once feed runs.
	feeding bool
	feeds   sync.WaitGroup
	// lost is set while feed has no connection, until the first look that succeeds.
	lost atomic.Bool

	// tellMu guards known, and is held while watchers are told. It is not held while anything waits for the database: a writer that waits
	// must not keep the feed from telling what others do.
	tellMu   sync.Mutex
	known    int64 // the last revision that watchers were told of
	watchers store.Watchers
}

var (
	_ store.DB      = (*DB)(nil)
	_ store.Loader  = (*DB)(nil)
	_ store.Clocked = (*DB)(nil)
)

// Open opens the store in the database at url, and makes or migrates its tables. The search_path of the URL names the schema they are
// in, which is made if it is missing; pool_max_conns bounds the views that run at once. A database of a newer licet is an error. ctx
// bounds only the opening.
func Open(ctx context.Context, url string) (*DB, error) {
	config, schema, err := parse(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := &DB{config: config, far: far, patience: maxRehearsal}
	db.quit, db.endQuit = context.WithCancel(context.Background())
	if err := db.open(ctx, schema); err != nil {
		db.endQuit()
		return nil, fmt.Errorf("open database %s at %s: %w", config.ConnConfig.Database, config.ConnConfig.Host, err)
	}
	return db, nil
}

func (db *DB) open(ctx context.Context, schema string) (err error) {
	c, err := db.connect(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeConn(c))
		}
	}()
	if err := migrate(ctx, c, schema); err != nil {
		return err
	}
	var current string
	if err := c.QueryRow(ctx, "SELECT current_schema()").Scan(&current); err != nil {
		return err
	}
	db.channel = "licet " + current
	if len(db.channel) > 63 { // the longest name of a channel
		db.channel = db.channel[:63]
	}
	if db.notifies, err = canNotify(ctx, c, db.channel); err != nil {
		return err
	}
	asked := time.Now()
	var shown time.Time
	if err := c.QueryRow(ctx, sqlLook).Scan(&db.known, &shown); err != nil {
		return fmt.Errorf("read the revision: %w", err)
	}
	took := time.Since(asked)
	db.distance.Store(int64(took)) // until the feed knows better
	db.setTime(shown, asked, took)
	if db.pool, err = pgxpool.NewWithConfig(ctx, db.config); err != nil {
		return err
	}
	db.writer = newSession(c)
	return nil
}

// canNotify tries NOTIFY and LISTEN. A server that lacks them answers with an error.
func canNotify(ctx context.Context, c *pgx.Conn, channel string) (bool, error) {
	name := pgx.Identifier{channel}.Sanitize()
	_, err := c.Exec(ctx, "SELECT pg_notify($1, '0')", channel)
	if err == nil {
		_, err = c.PgConn().Exec(ctx, "LISTEN "+name+"; UNLISTEN "+name).ReadAll()
	}
	if err != nil && c.IsClosed() {
		return false, err
	}
	return err == nil, nil
}

// sqlBeginView begins the snapshot of a view.
const sqlBeginView = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"

// View runs fn on a snapshot, which is taken by its first read.
func (db *DB) View(ctx context.Context, fn func(store.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if db.quit.Err() != nil {
		return ErrClosed
	}
	c, err := db.acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database for reading: %w", err)
	}
	defer c.Release() // a connection that is broken, or still in a transaction, is closed by it
	s := newSession(c.Conn())
	s.queue(sqlBeginView)
	r := &reader{ctx: ctx, s: s}
	defer func() {
		r.s = nil
		if c.Conn().PgConn().TxStatus() != 'I' {
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxPing)
			defer cancel()
			_ = s.run(end, "ROLLBACK") // a view changed nothing, so that a failure cannot hurt it
		}
	}()
	return fn(r)
}

// retryFull is how long it takes until a connection is asked for again.
const retryFull = 50 * time.Millisecond

// acquire gives a connection of the pool. When the server takes no more of them, those of other views have to do, if one becomes free soon.
// Nobody waits long for a server that the feed has not reached either.
func (db *DB) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	wait := maxWork
	if db.lost.Load() {
		wait = maxPing
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for start := time.Now(); ; {
		c, err := db.pool.Acquire(ctx)
		if err == nil || !isFull(err) || db.pool.Stat().TotalConns() == 0 || time.Since(start) > connectTimeout {
			return c, err
		}
		select {
		case <-time.After(retryFull):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// isFull tells whether the server, or the role, has as many connections as it may: too_many_connections
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func isFull(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "53300"
}

// Close waits for running transactions and closes the connections. Calls that come later get ErrClosed.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	if db.batch != nil { // its last caller is still waiting for mu, and will be told ErrClosed
		db.commit()
	}
	var err error
	if db.writer != nil {
		err = closeConn(db.writer.raw)
	}
	db.endQuit()
	db.mu.Unlock()

	db.feeds.Wait()
	db.pool.Close()
	return err
}
