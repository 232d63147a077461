package logs

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"

	"github.com/licet/licet/internal/services/logs/tail"
	"github.com/licet/licet/internal/store"
)

const eventsPrefix = "logs/event/"

// maxArrivals bounds the segments that wait to be read for Live Tail sessions; what comes beyond is not shown to them.
const maxArrivals = 10_000

// arrivals are the keys of segments that were written, by this server or another, while somebody follows.
type arrivals struct {
	tails *tail.Hub

	mu   sync.Mutex
	keys []string
	// more is ready when there are keys. Capacity 1.
	more chan struct{}
}

func (a *arrivals) add(changed []string) {
	if !a.tails.Watched() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range changed {
		if strings.HasPrefix(key, eventsPrefix) && !strings.HasSuffix(key, "*") && len(a.keys) < maxArrivals {
			a.keys = append(a.keys, key)
		}
	}
	if len(a.keys) > 0 {
		select {
		case a.more <- struct{}{}:
		default:
		}
	}
}

func (a *arrivals) take() (keys []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	keys, a.keys = a.keys, nil
	return keys
}

// Follow tells Live Tail sessions of events as they come to the store, until ctx ends.
func (s *Service) Follow(ctx context.Context) error {
	streams := map[string]string{} // names by "group id/stream id"
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.arrivals.more:
		}
		for _, key := range s.arrivals.take() {
			if err := s.show(ctx, key, streams); err != nil && ctx.Err() == nil {
				s.logger.ErrorContext(ctx, "Log events could not be shown to Live Tail sessions.", slog.Any("err", err))
			}
		}
		if !s.tails.Watched() {
			clear(streams)
		}
	}
}

// show tells sessions of the events of a segment, unless it is gone already.
func (s *Service) show(ctx context.Context, key string, streams map[string]string) error {
	parts := strings.Split(key[len(eventsPrefix):], "/")
	if len(parts) != 3 {
		return errors.New(key + " is no key of a segment")
	}
	groupID, streamID := parts[0], parts[1]
	if !s.tails.Wants(groupID) {
		return nil
	}
	first, err := parseKey(parts[2])
	if err != nil {
		return err
	}
	var events []event
	err = s.db.View(ctx, func(r store.Reader) error {
		item, err := r.Get(key)
		if err != nil {
			return err
		}
		name, err := nameOf(r, group{ID: groupID}, streamID, streams)
		if err != nil {
			return err
		}
		events, err = decodeSegment(name, first, item.Value)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || len(events) == 0 {
		return err
	}
	list := make([]tail.Event, len(events))
	for i, e := range events {
		list[i] = tail.Event{Stream: e.stream, Message: e.message, Timestamp: e.time, Ingested: e.ingested}
	}
	s.tails.Publish(groupID, events[0].stream, list)
	return nil
}

// nameOf finds the name of a stream by its id, which none gets a second time; store.ErrNotFound for one that is gone.
func nameOf(r store.Reader, g group, id string, known map[string]string) (string, error) {
	if name, ok := known[g.ID+"/"+id]; ok {
		return name, nil
	}
	for after := ""; ; {
		items, err := r.Scan(g.streamPrefix(), after, 1000)
		if err != nil {
			return "", err
		}
		for _, item := range items {
			after = item.Key
			st, err := store.DecodeJSON[stream](item)
			if err != nil {
				return "", err
			}
			known[g.ID+"/"+st.ID] = st.Name
		}
		if name, ok := known[g.ID+"/"+id]; ok {
			return name, nil
		}
		if len(items) < 1000 {
			return "", store.ErrNotFound
		}
	}
}
