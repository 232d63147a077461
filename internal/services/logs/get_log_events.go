package logs

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// Tokens are a direction and the position that reading has come to.
const (
	forwardToken  = "f/"
	backwardToken = "b/"
)

// parseToken takes a token apart.
func parseToken(token string) (backward bool, past position, err error) {
	id, forward := strings.CutPrefix(token, forwardToken)
	if !forward {
		if id, backward = strings.CutPrefix(token, backwardToken); !backward {
			return false, past, invalidToken()
		}
	}
	past, err = parseID(id)
	return backward, past, err
}

// A page of a stream is always in order of time, whichever way it was read. The token of a direction in which nothing is left is
// the one that the client has sent.
func (s *Service) getLogEvents(ctx context.Context, c *service.Call, in *sdk.GetLogEventsInput) (*sdk.GetLogEventsOutput, error) {
	var p problems
	limit := p.within("limit", in.Limit, 1, maxPageEvents, maxPageEvents)
	p.time("startTime", in.StartTime)
	p.time("endTime", in.EndTime)
	ref, err := byEither(c, &p, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	sel := selection{start: aws.ToInt64(in.StartTime), end: math.MaxInt64, backward: !aws.ToBool(in.StartFromHead)}
	if in.EndTime != nil {
		sel.end = *in.EndTime
	}
	var past position
	if in.NextToken != nil {
		if sel.backward, past, err = parseToken(*in.NextToken); err != nil {
			return nil, err
		}
		sel.past = &past
	}
	events, err := s.readPage(ctx, c, ref, *in.LogStreamName, sel, limit)
	if err != nil {
		return nil, err
	}
	first, last := past, past
	if len(events) > 0 {
		first, last = events[0].position, events[len(events)-1].position
	}
	out := &sdk.GetLogEventsOutput{
		Events:            make([]types.OutputLogEvent, len(events)),
		NextForwardToken:  aws.String(forwardToken + last.id()),
		NextBackwardToken: aws.String(backwardToken + first.id()),
	}
	for i, e := range events {
		out.Events[i] = types.OutputLogEvent{
			Timestamp: aws.Int64(e.time), Message: aws.String(e.message), IngestionTime: aws.Int64(e.ingested),
		}
	}
	return out, nil
}

// readPage reads up to limit events of one stream, and gives them in order of time.
func (s *Service) readPage(
	ctx context.Context, c *service.Call, ref groupRef, name string, sel selection, limit int,
) (events []event, err error) {
	err = s.db.View(ctx, func(r store.Reader) error {
		g, err := loadGroup(r, c, ref)
		if err != nil {
			return err
		}
		st, err := loadStream(r, g, name)
		if err != nil {
			return err
		}
		sel.start = max(sel.start, g.oldest(c.Time))
		bytes := 0
		return sel.each(r, g, st, func(e event) bool {
			bytes += e.size()
			if len(events) == limit || bytes > maxPageBytes && len(events) > 0 {
				return false
			}
			events = append(events, e)
			return true
		})
	})
	if sel.backward {
		slices.Reverse(events)
	}
	return events, err
}
