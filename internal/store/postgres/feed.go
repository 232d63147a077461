package postgres

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// pollInterval is how often a DB with watchers looks for commits of others when no notification wakes it up.
	pollInterval = 250 * time.Millisecond
	// maxLook is how long a look may take. Then the watchers are told "*", for what has changed is not known: with pollInterval it is the
	// second after which others' writes must be seen.
	maxLook = 750 * time.Millisecond
	// keepLinks is how many revisions the chain goes back at least. Who is further behind is told "*".
	keepLinks = 10_000
	// trimInterval is after how many revisions older links are deleted.
	trimInterval = 256
	// maxLinks are read at once; who is further behind is told "*".
	maxLinks = 1000
	// maxTold bounds the keys of one link in bytes; more are told as "*".
	maxTold = 256 << 10
)

const (
	sqlRevision = "SELECT revision FROM licet_meta WHERE id = 1"
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
		db.feeding = true
		db.feeds.Go(db.feed)
	}
	return stop
}

// follow tells the watchers of commits: links are those after from, which was known, and revision is not older than the read of from.
// db.mu is held.
func (db *DB) follow(from, revision int64, links chain) {
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

// feed looks for commits of other processes until Close, on a connection of its own: a look must not wait for views.
func (db *DB) feed() {
	var c *pgx.Conn
	defer func() {
		if c != nil {
			_ = closeConn(c) // nothing depends on it any more
		}
	}()
	for db.quit.Err() == nil {
		err := db.look(&c)
		switch {
		case db.quit.Err() != nil:
			return
		case err != nil:
			if c != nil {
				_ = closeConn(c)
				c = nil
			}
			// What happened is not known, so that it must be taken for a change.
			db.mu.Lock()
			db.watchers.Notify([]string{"*"})
			db.mu.Unlock()
			db.sleep(pollInterval)
		default:
			db.await(c)
		}
	}
}

// look reads what others have committed and tells the watchers.
func (db *DB) look(c **pgx.Conn) (err error) {
	ctx, cancel := context.WithTimeout(db.quit, maxLook)
	defer cancel()
	if *c == nil {
		if *c, err = db.connect(ctx); err != nil {
			return err
		}
		if db.notifies {
			if _, err := (*c).Exec(ctx, "LISTEN "+pgx.Identifier{db.channel}.Sanitize()); err != nil {
				return err
			}
		}
	}
	db.mu.Lock()
	from := db.known
	db.mu.Unlock()
	var revision int64
	var links chain
	s := newSession(*c)
	s.queue(sqlRevision).QueryRow(func(row pgx.Row) error { return row.Scan(&revision) })
	s.queue(sqlChain, from, maxLinks).Query(links.read) // no older than the revision above
	if err := s.flush(ctx); err != nil {
		return err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if !db.closed {
		db.follow(from, revision, links)
	}
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
		db.mu.Lock()
		known := db.known
		db.mu.Unlock()
		if err != nil || revision > known { // it is not one of our own
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
