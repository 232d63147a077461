package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"

	"github.com/licet/licet/internal/store"
)

// ErrClosed is the error of every call after Close.
var ErrClosed = errors.New("sqlite: the store is closed")

// maxReaders bounds the views that run at once; more wait.
const maxReaders = 4

// DB is a store.DB in a SQLite file.
type DB struct {
	path   string
	driver *sqlite.Driver
	// quit is closed by Close.
	quit chan struct{}

	// slots holds one token for each view that may still start.
	slots chan struct{}
	// idleMu guards idle, the open read connections that nobody uses.
	idleMu sync.Mutex
	idle   []*conn

	// waiting counts the calls of Update that want mu.
	waiting atomic.Int32
	// mu guards the fields below. Lock order: mu, then that of watchers.
	mu     sync.Mutex
	writer *conn  // nil after a failure, until the next Update opens it again
	batch  *batch // the open transaction, or nil
	closed bool
	// known is the last revision that watchers were told of. It is set with mu held, when they have been told.
	known atomic.Int64
	// polling is set once poll runs.
	polling bool
	polls   sync.WaitGroup

	watchers store.Watchers
}

var (
	_ store.DB     = (*DB)(nil)
	_ store.Loader = (*DB)(nil)
)

// Open opens the store in the file at path and makes it if it is missing; the directory must exist. A file of a newer licet, or of
// another program, is an error. ctx bounds only the opening.
func Open(ctx context.Context, path string) (*DB, error) {
	db := &DB{
		driver: &sqlite.Driver{},
		quit:   make(chan struct{}),
		slots:  make(chan struct{}, maxReaders),
	}
	for range maxReaders {
		db.slots <- struct{}{}
	}
	if err := db.open(ctx, path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

func (db *DB) open(ctx context.Context, path string) (err error) {
	if db.path, err = filepath.Abs(path); err != nil {
		return err
	}
	if err := createFile(db.path); err != nil {
		return err
	}
	// Two processes that make the file at once may find it locked, without SQLite's own waiting.
	for start := time.Now(); ; {
		db.writer, err = connect(db.driver, db.path, true)
		if err == nil {
			break
		}
		if !isBusy(err) || time.Since(start) > maxBusy {
			return err
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	revision, err := db.writer.revision()
	if err != nil {
		return errors.Join(err, db.writer.close())
	}
	db.known.Store(revision)
	return nil
}

// createFile makes an empty file that only its owner can read, if there is none. SQLite gives the same mode to the files beside it.
// An existing file is not opened here: closing it would drop the POSIX locks that this process may hold on it
// (https://www.sqlite.org/howtocorrupt.html section 2.2).
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return os.Chmod(path, 0o600)
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// View runs fn on a snapshot.
func (db *DB) View(ctx context.Context, fn func(store.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-db.slots:
	case <-db.quit:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { db.slots <- struct{}{} }()
	c, err := db.reader()
	if err != nil {
		return fmt.Errorf("open store for reading: %w", err)
	}
	if err := c.begin.exec(); err != nil {
		return errors.Join(fmt.Errorf("begin view: %w", err), c.close())
	}
	r := &reader{c: c}
	defer func() {
		r.c = nil
		db.putReader(c)
	}()
	return fn(r)
}

// reader takes an idle connection or opens one.
func (db *DB) reader() (*conn, error) {
	db.idleMu.Lock()
	if n := len(db.idle); n > 0 {
		c := db.idle[n-1]
		db.idle = db.idle[:n-1]
		db.idleMu.Unlock()
		return c, nil
	}
	db.idleMu.Unlock()
	return connect(db.driver, db.path, false)
}

// putReader ends the transaction of a view and keeps the connection. A view changed nothing, so that a failure here cannot hurt it:
// the connection is only not used again.
func (db *DB) putReader(c *conn) {
	if c.rollback.exec() != nil {
		_ = c.close()
		return
	}
	db.idleMu.Lock()
	defer db.idleMu.Unlock()
	db.idle = append(db.idle, c)
}

// ReturnMemory gives up the pages of the file that are kept in memory, and connections that are not used. It is for a server at rest.
func (db *DB) ReturnMemory() error {
	db.idleMu.Lock()
	idle := db.idle
	db.idle = nil
	db.idleMu.Unlock()
	var err error
	for _, c := range idle {
		err = errors.Join(err, c.close())
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.writer != nil && db.batch == nil && !db.closed {
		err = errors.Join(err, db.writer.shrink.exec())
	}
	return err
}

// Close waits for running transactions and closes the file. Calls that come later get ErrClosed.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	var err error
	if db.batch != nil { // its last caller is still waiting for mu, and will be told ErrClosed
		db.commit()
	}
	if db.writer != nil {
		err = db.writer.close()
	}
	close(db.quit)
	db.mu.Unlock()

	db.polls.Wait()
	for range maxReaders {
		<-db.slots
	}
	for _, c := range db.idle {
		err = errors.Join(err, c.close())
	}
	return err
}
