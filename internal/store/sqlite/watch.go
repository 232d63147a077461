package sqlite

import "time"

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
	if revision != db.known.Load() {
		db.watchers.Notify([]string{"*"})
		db.known.Store(revision)
	}
}

// poll looks for commits of other processes until Close, on a connection of its own: a look must not wait for views.
func (db *DB) poll() {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	var c *conn
	for {
		select {
		case <-db.quit:
			if c != nil {
				_ = c.close() // nothing was changed by it
			}
			return
		case <-ticker.C:
		}
		if err := db.look(&c); err != nil {
			// What happened is not known, so that it must be taken for a change.
			db.watchers.Notify([]string{"*"})
			if c != nil {
				_ = c.close() // it has failed, and is not used again
				c = nil
			}
		}
	}
}

// look reads the newest revision and tells the watchers if it is of another process. It waits for a writer only after that one's commit.
func (db *DB) look(c **conn) (err error) {
	start := time.Now()
	if *c == nil {
		if *c, err = connect(db.driver, db.path, false); err != nil {
			return err
		}
	}
	revision, err := (*c).revision()
	if err != nil {
		return err
	}
	if revision != db.known.Load() {
		db.mu.Lock()
		if !db.closed && revision > db.known.Load() {
			db.noteForeign(revision)
		}
		db.mu.Unlock()
	}
	db.watchers.Vouch(start)
	return nil
}
