package sqlite

import (
	"context"
	"time"

	"github.com/licet/licet/internal/store"
)

// pollInterval is how often a DB with watchers looks for commits of other processes.
const pollInterval = 250 * time.Millisecond

// Watch calls fn after each commit. Commits of other processes are told as "*", within pollInterval or with the next Update.
func (db *DB) Watch(fn func(changed []string)) (stop func()) {
	stop = db.watchers.Add(fn)
	db.mu.Lock()
	defer db.mu.Unlock()
	if !db.closed && !db.polling {
		db.watchers.Vouch(time.Now()) // of the first watcher no commit is missed that comes after this
		db.polling = true
		db.polls.Go(db.poll)
	}
	return stop
}

// Told is the moment of the last look that succeeded.
func (db *DB) Told() time.Time { return db.watchers.Told() }

// noteForeign tells the watchers if another process has committed: the newest revision is not the one this DB made. db.mu is held.
func (db *DB) noteForeign(revision int64) {
	if revision != db.known {
		db.known = revision
		db.watchers.Notify([]string{"*"})
	}
}

// poll looks for commits of other processes until Close.
func (db *DB) poll() {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-db.quit:
			return
		case <-ticker.C:
			db.look()
		}
	}
}

func (db *DB) look() {
	start := time.Now()
	var revision int64
	err := db.View(context.Background(), func(r store.Reader) (err error) {
		revision, err = r.(*reader).c.revision()
		return err
	})
	db.mu.Lock()
	defer db.mu.Unlock()
	switch {
	case db.closed:
	case err != nil:
		// What happened is not known, so that it must be taken for a change.
		db.watchers.Notify([]string{"*"})
	default:
		if revision > db.known {
			db.noteForeign(revision)
		}
		db.watchers.Vouch(start)
	}
}
