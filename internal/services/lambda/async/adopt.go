package async

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/licet/licet/internal/store"
)

const (
	// adoptPeriod is how often it is looked for events of servers that are gone.
	adoptPeriod = 2 * time.Second
	// adoptBatch is how many events of them change hands in one transaction: several servers share them.
	adoptBatch = 100
)

// owners are the servers that have events. Events of releases that knew of one server stand directly under their account's id, which is
// none of a server.
func owners(r store.Reader) (all []string, err error) {
	for after := ""; ; {
		items, err := r.Scan(eventPrefix, after, 1)
		if err != nil || len(items) == 0 {
			return all, err
		}
		owner, _, _ := strings.Cut(items[0].Key[len(eventPrefix):], "/")
		all = append(all, owner)
		after = eventPrefix + owner + "0" // after all that begin with the owner and a slash
	}
}

// keepAdopting takes over the events of servers that go, until ctx ends.
func (q *Queue) keepAdopting(ctx context.Context) {
	tick := time.NewTicker(adoptPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := q.adopt(ctx); err != nil && ctx.Err() == nil {
			q.config.Logger.ErrorContext(ctx, "The events of servers that are gone could not be taken over.", slog.Any("err", err))
		}
	}
}

// adopt takes over the events of servers that are gone.
func (q *Queue) adopt(ctx context.Context) error {
	var gone []string
	err := q.config.DB.View(ctx, func(r store.Reader) error {
		gone = nil
		all, err := owners(r)
		if err != nil {
			return err
		}
		for _, owner := range all {
			alive, err := q.config.Nodes.Alive(r, owner)
			if err != nil {
				return err
			}
			if !alive {
				gone = append(gone, owner)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for events of servers that are gone: %w", err)
	}
	for _, owner := range gone {
		for more := true; more; {
			if more, err = q.adoptFrom(ctx, owner); err != nil {
				return fmt.Errorf("take over events of server %s: %w", owner, err)
			}
		}
	}
	return nil
}

// adoptFrom takes over a batch of the events of a server, if it still is gone, and tells whether there may be more.
func (q *Queue) adoptFrom(ctx context.Context, owner string) (more bool, err error) {
	var adopted []*Event
	err = q.config.DB.Update(ctx, func(tx store.Tx) error {
		adopted = nil
		if alive, err := q.config.Nodes.Alive(tx, owner); err != nil || alive {
			return err
		}
		items, err := tx.Scan(eventPrefix+owner+"/", "", adoptBatch)
		if err != nil {
			return err
		}
		for _, item := range items {
			e, err := store.DecodeJSON[Event](item)
			if err != nil {
				return err
			}
			if err := errors.Join(tx.Delete(item.Key), tx.Put(q.key(&e), item.Value)); err != nil {
				return err
			}
			adopted = append(adopted, &e)
		}
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrUncertain) { // events that may be ours must be found
		return false, err
	}
	for _, e := range adopted {
		q.added(e)
	}
	if n := len(adopted); n > 0 && err == nil {
		q.config.Logger.InfoContext(ctx, "Events were taken over from a server that is gone.", slog.String("server", owner), slog.Int("events", n))
	}
	return len(adopted) == adoptBatch, err
}
