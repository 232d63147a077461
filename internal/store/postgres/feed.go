package postgres

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// pollInterval is how often a DB with watchers looks for commits of others when no notification wakes it up.
	pollInterval = 250 * time.Millisecond
	// maxLook is how long a look may take before another connection is tried. What is remembered is used no longer than store.MaxAge after
	// the start of a look.
	maxLook = 2 * time.Second
	// keepLinks is how many revisions the chain goes back at least. Who is further behind is told "*".
	keepLinks = 10_000
	// trimInterval is after how many revisions older links are deleted.
	trimInterval = 256
	// maxLinks are read at once; who is further behind is told "*".
	maxLinks = 1000
	// maxTold bounds the keys of one link, and those that a transaction remembers, in bytes; more are told as "*".
	maxTold = 64 << 10
)

const (
	sqlRevision = "SELECT revision FROM licet_meta WHERE id = 1"
	sqlLook     = "SELECT revision, clock_timestamp() FROM licet_meta WHERE id = 1"
	sqlChain    = "SELECT before, revision, keys FROM licet_changes WHERE before >= $1 ORDER BY before LIMIT $2"
	sqlLink     = "INSERT INTO licet_changes (before, revision, token, keys) VALUES ($1, $2, $3, $4)"
	sqlToken    = "SELECT token FROM licet_changes WHERE before = $1"
	sqlTrim     = "DELETE FROM licet_changes WHERE before < $1"
)

// link is one commit. Its keys are joined by NUL bytes, which no key has.
type link struct {
	before, revision int64
	keys             []byte
}

// join writes keys for a link.
func join(keys []string) []byte {
	if joined := strings.Join(keys, "\x00"); len(joined) <= maxTold {
		return []byte(joined)
	}
	return []byte("*")
}

// told are the keys of a link.
func (l link) told() []string {
	if len(l.keys) == 0 {
		return nil
	}
	var keys []string
	for key := range bytes.SplitSeq(l.keys, []byte{0}) {
		keys = append(keys, string(key))
	}
	return keys
}

// chain are links in the order of their commits.
type chain []link

func (c *chain) read(rows pgx.Rows) error {
	for rows.Next() {
		var l link
		if err := rows.Scan(&l.before, &l.revision, &l.keys); err != nil {
			return err
		}
		*c = append(*c, l)
	}
	return rows.Err()
}

// Watch calls fn after each commit; see pollInterval for those of other processes.
func (db *DB) Watch(fn func(changed []string)) (stop func()) {
	stop = db.watchers.Add(fn)
	db.mu.Lock()
	defer db.mu.Unlock()
	if !db.closed && !db.feeding {
		db.watchers.Vouch(time.Now()) // of the first watcher no commit is missed that comes after this
		db.feeding = true
		db.feeds.Go(db.feed)
	}
	return stop
}

// Time is what the database's clock has shown at the last look, half-way between the question and the answer.
func (db *DB) Time() (shown, at time.Time) {
	r := db.reading.Load()
	return r.shown, r.at
}

// reading is what the database's clock showed, at a moment of this process.
type reading struct{ shown, at time.Time }

func (db *DB) setTime(shown, asked time.Time, took time.Duration) {
	db.reading.Store(&reading{shown, asked.Add(took / 2)})
}

// Told is when the last look began that succeeded.
func (db *DB) Told() time.Time { return db.watchers.Told() }

// seen is the last revision that watchers were told of.
func (db *DB) seen() int64 {
	db.tellMu.Lock()
	defer db.tellMu.Unlock()
	return db.known
}

// tellAll tells the watchers that anything may have changed.
func (db *DB) tellAll() {
	db.tellMu.Lock()
	defer db.tellMu.Unlock()
	db.watchers.Notify([]string{"*"})
}

// tell tells the watchers of a batch of this DB.
func (db *DB) tell(b *batch) {
	db.tellMu.Lock()
	defer db.tellMu.Unlock()
	if db.known >= b.revision { // the feed was faster
		return
	}
	if db.known >= b.before {
		db.known = b.revision
	}
	db.watchers.Notify(b.changed)
}

// follow tells the watchers of commits: links are those after from, which was known, and revision is not older than the read of from.
func (db *DB) follow(from, revision int64, links chain) {
	db.tellMu.Lock()
	defer db.tellMu.Unlock()
	if revision < from { // the database was replaced by an older copy of itself
		db.known = revision
		db.watchers.Notify([]string{"*"})
		return
	}
	for _, l := range links {
		switch {
		case l.before < db.known: // told already
		case l.before > db.known: // the links between are gone
			db.known = l.revision
			db.watchers.Notify([]string{"*"})
		default:
			db.known = l.revision
			if told := l.told(); len(told) > 0 {
				db.watchers.Notify(told)
			}
		}
	}
	if revision > db.known {
		db.known = revision
		db.watchers.Notify([]string{"*"})
	}
}

// feed looks for commits of other processes until Close, on a connection of its own: a look must not wait for views, nor for writers.
func (db *DB) feed() {
	var c *pgx.Conn
	var f felt
	for db.quit.Err() == nil {
		var err error
		if c == nil {
			c, err = db.listen()
		}
		if err == nil {
			err = db.look(c, &f)
		}
		if err == nil {
			db.await(c)
			continue
		}
		if c != nil {
			_ = closeConn(c) // nothing depends on it any more
			c = nil
		}
		db.lost.Store(true)
		db.sleep(pollInterval)
	}
	if c != nil {
		_ = closeConn(c)
	}
}

// listen makes the connection of the feed.
func (db *DB) listen() (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(db.quit, maxWork)
	defer cancel()
	c, err := db.connect(ctx)
	if err != nil {
		return nil, err
	}
	if db.notifies {
		if _, err := c.Exec(ctx, "LISTEN "+pgx.Identifier{db.channel}.Sanitize()); err != nil {
			return nil, errors.Join(err, closeConn(c))
		}
	}
	return c, nil
}

// look reads what others have committed and tells the watchers.
func (db *DB) look(c *pgx.Conn, f *felt) error {
	ctx, cancel := context.WithTimeout(db.quit, maxLook)
	defer cancel()
	start := time.Now()
	from := db.seen()
	var revision int64
	var shown time.Time
	var links chain
	s := newSession(c)
	s.queue(sqlLook).QueryRow(func(row pgx.Row) error { return row.Scan(&revision, &shown) })
	s.queue(sqlChain, from, maxLinks).Query(links.read) // no older than the revision above
	if err := s.flush(ctx); err != nil {
		return err
	}
	took := time.Since(start)
	db.distance.Store(int64(f.add(took)))
	db.setTime(shown, start, took)
	if db.lost.Load() {
		// The connection that was lost may have been to another server than this one, and that may still answer views.
		db.pool.Reset()
		db.tellAll()
		db.lost.Store(false)
	}
	db.follow(from, revision, links)
	db.watchers.Vouch(start)
	return nil
}

// await waits for a notification of another process, or for pollInterval. An error is left for the next look to find.
func (db *DB) await(c *pgx.Conn) {
	if !db.notifies {
		db.sleep(pollInterval)
		return
	}
	ctx, cancel := context.WithTimeout(db.quit, pollInterval)
	defer cancel()
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return
		}
		revision, err := strconv.ParseInt(n.Payload, 10, 64)
		if err != nil || revision > db.seen() { // it is not one of our own
			return
		}
	}
}

// sleep waits for d or Close.
func (db *DB) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-db.quit.Done():
	}
}
