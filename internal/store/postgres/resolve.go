package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/licet/licet/internal/store"
)

// maxResolve is how long the outcome of a commit is looked for. It is longer than maxIdle, after which the server has ended a transaction
// whose COMMIT never came.
const maxResolve = maxIdle + 2*time.Second

// errTrimmed means that the chain no longer goes back to a commit.
var errTrimmed = errors.New("the change feed no longer goes back to the commit")

// resolve finds out what became of a batch whose COMMIT was answered by cause: nil if it was committed, an undoneError if it was not and
// never can be. db.mu is held.
func (db *DB) resolve(b *batch, token []byte, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), maxResolve)
	defer cancel()
	for {
		committed, err := db.takePlace(ctx, b, token)
		switch {
		case err == nil && committed:
			return nil
		case err == nil:
			return undoneError{cause}
		case errors.Is(err, errTrimmed) || ctx.Err() != nil:
			return fmt.Errorf("%w: %w", store.ErrUncertain, errors.Join(cause, err))
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
		}
	}
}

// takePlace looks for the link of a batch in the chain, and makes sure that it stays there. If there is none, it puts an empty one there: two
// links cannot follow the same revision, so that the batch can no longer commit, wherever its COMMIT may be under way.
func (db *DB) takePlace(ctx context.Context, b *batch, token []byte) (committed bool, err error) {
	c, err := db.connect(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, closeConn(c)) }()
	s := newSession(c)
	var revision int64
	var found []byte
	s.queue(sqlBegin)
	s.queue(sqlLock).QueryRow(func(row pgx.Row) error { return row.Scan(&revision) })
	s.queue(sqlToken, b.before).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&found); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err := s.flush(ctx); err != nil {
		return false, err
	}
	committed = bytes.Equal(found, token)
	switch {
	case committed:
		// That it can be seen does not mean that a standby has it, if it should. When the standby has a later commit, it has this one, too.
		s.queue(sqlSetRevision, revision)
	case found != nil:
		return false, nil
	case revision != b.before:
		return false, errTrimmed
	default:
		s.queue(sqlSetRevision, b.before+1)
		s.queue(sqlLink, b.before, b.before+1, []byte(rand.Text()), []byte{})
	}
	if err := s.flush(ctx); err != nil {
		return false, err
	}
	return committed, s.commit(ctx)
}
