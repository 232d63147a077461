package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// isRetention tells whether AWS has a retention of so many days (API_PutRetentionPolicy).
func isRetention(days int32) bool {
	return slices.Contains([]int32{
		1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
	}, days)
}

func (s *Service) putRetentionPolicy(
	ctx context.Context, c *service.Call, in *sdk.PutRetentionPolicyInput,
) (*sdk.PutRetentionPolicyOutput, error) {
	var p problems
	if in.RetentionInDays == nil {
		p.addNull("retentionInDays")
	} else if !isRetention(*in.RetentionInDays) {
		return nil, invalidParameter("Invalid retention value. See documentation for the list of supported values.") // our text
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return &sdk.PutRetentionPolicyOutput{}, s.changeGroup(ctx, c, byName(c, in.LogGroupName), func(_ store.Tx, g *group) error {
		g.RetentionDays = *in.RetentionInDays
		return nil
	})
}

func (s *Service) deleteRetentionPolicy(
	ctx context.Context, c *service.Call, in *sdk.DeleteRetentionPolicyInput,
) (*sdk.DeleteRetentionPolicyOutput, error) {
	return &sdk.DeleteRetentionPolicyOutput{}, s.changeGroup(ctx, c, byName(c, in.LogGroupName), func(_ store.Tx, g *group) error {
		g.RetentionDays = 0
		return nil
	})
}

// changeGroup reads a group, lets fn change it, and writes it, in one transaction.
func (s *Service) changeGroup(ctx context.Context, c *service.Call, ref groupRef, fn func(store.Tx, *group) error) error {
	return s.db.Update(ctx, func(tx store.Tx) error {
		g, err := loadGroup(tx, c, ref)
		if err != nil {
			return err
		}
		if err := fn(tx, &g); err != nil {
			return err
		}
		return store.PutJSON(tx, groupKey(ref), g)
	})
}

// Expire deletes the events that retention no longer keeps; no operation shows them. It is the server's own housekeeping, for which
// no call is decided, and to be called about every hour.
func (s *Service) Expire(ctx context.Context, now time.Time) error {
	var groups []group
	if err := s.db.View(ctx, func(r store.Reader) error {
		items, err := r.Scan(groupPrefix, "", 0)
		if err != nil {
			return err
		}
		for _, item := range items {
			g, err := store.DecodeJSON[group](item)
			if err != nil {
				return err
			}
			if g.RetentionDays > 0 {
				groups = append(groups, g)
			}
		}
		return nil
	}); err != nil {
		return fmt.Errorf("find log groups with retention: %w", err)
	}
	for _, g := range groups {
		if err := s.expireGroup(ctx, g, now); err != nil {
			return fmt.Errorf("expire events of log group %s: %w", g.Name, err)
		}
	}
	return nil
}

// expireGroup deletes the segments of which every event is too old.
func (s *Service) expireGroup(ctx context.Context, g group, now time.Time) error {
	var streams []stream
	if err := s.db.View(ctx, func(r store.Reader) (err error) {
		streams, err = allStreams(r, g, "")
		return err
	}); err != nil {
		return err
	}
	oldest := g.oldest(now)
	for _, st := range streams {
		if st.Events == nil || st.Events.First >= oldest {
			continue
		}
		for more := true; more; {
			if err := s.db.Update(ctx, func(tx store.Tx) (err error) {
				more, err = expireSome(tx, g, st, oldest)
				return err
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// expirePage is how many segments a transaction deletes: others wait for it.
const expirePage = 64

// expireSome deletes the first segments of a stream, and tells whether there may be more.
func expireSome(tx store.Tx, g group, known stream, oldest int64) (more bool, err error) {
	st, err := store.GetJSON[stream](tx, g.streamPrefix()+known.Name)
	if errors.Is(err, store.ErrNotFound) || err == nil && st.ID != known.ID {
		return false, nil // it was deleted
	}
	if err != nil {
		return false, err
	}
	prefix := g.streamEventPrefix(st)
	limit := prefix + timeKey(oldest-segmentSpan)
	items, err := tx.Scan(prefix, "", expirePage)
	if err != nil {
		return false, err
	}
	var bytes int64
	more = len(items) == expirePage
	st.Events.First = st.Events.Last // unless a segment is left
	for _, item := range items {
		first, err := parseKey(strings.TrimPrefix(item.Key, prefix))
		if err != nil {
			return false, err
		}
		if item.Key >= limit {
			st.Events.First, more = first.time, false
			break
		}
		events, err := decodeSegment(st.Name, first, item.Value)
		if err != nil {
			return false, err
		}
		bytes += sizeOf(events)
		if err := tx.Delete(item.Key); err != nil {
			return false, err
		}
	}
	if err := g.grow(tx, &st, -bytes); err != nil {
		return false, err
	}
	return more, store.PutJSON(tx, g.streamPrefix()+st.Name, st)
}
