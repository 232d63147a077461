package logs

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// maxStreamNames is the largest number of logStreamNames (API_FilterLogEvents).
const maxStreamNames = 100

func (s *Service) filterLogEvents(
	ctx context.Context, c *service.Call, in *sdk.FilterLogEventsInput,
) (*sdk.FilterLogEventsOutput, error) {
	p, err := newFilterPage(in)
	if err != nil {
		return nil, err
	}
	ref, err := byEither(c, new(problems), in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if err := s.readFilterPage(ctx, c, ref, in, p); err != nil {
		return nil, err
	}
	return filterOutput(p), nil
}

// readFilterPage fills a page.
func (s *Service) readFilterPage(ctx context.Context, c *service.Call, ref groupRef, in *sdk.FilterLogEventsInput, p *page) error {
	return s.db.View(ctx, func(r store.Reader) error {
		g, err := loadGroup(r, c, ref)
		if err != nil {
			return err
		}
		p.start = max(p.start, g.oldest(c.Time))
		streams, err := filteredStreams(r, g, in)
		if err != nil {
			return err
		}
		p.sort(streams)
		for _, st := range streams {
			if err := p.each(r, g, st, p.add); err != nil {
				return err
			}
		}
		return nil
	})
}

// newFilterPage checks the input and makes the page that it asks for.
func newFilterPage(in *sdk.FilterLogEventsInput) (*page, error) {
	var p problems
	limit := p.within("limit", in.Limit, 1, maxPageEvents, maxPageEvents)
	p.time("startTime", in.StartTime)
	p.time("endTime", in.EndTime)
	p.optional("logStreamNamePrefix", in.LogStreamNamePrefix, streamNameShape())
	for i, name := range in.LogStreamNames {
		p.optional(fmt.Sprintf("logStreamNames.%d.member", i+1), &name, streamNameShape())
	}
	if len(in.LogStreamNames) > maxStreamNames {
		p.add("logStreamNames", fmt.Sprint(in.LogStreamNames), fmt.Sprintf("have length less than or equal to %d", maxStreamNames))
	}
	p.pattern("filterPattern", in.FilterPattern)
	if err := p.err(); err != nil {
		return nil, err
	}
	means, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	sel := selection{start: aws.ToInt64(in.StartTime), end: math.MaxInt64, backward: in.StartFromHead != nil && !*in.StartFromHead}
	// The end is included here, unlike in GetLogEvents.
	if in.EndTime != nil && *in.EndTime < math.MaxInt64 {
		sel.end = *in.EndTime + 1
	}
	switch {
	case len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != nil:
		return nil, invalidParameter("logStreamNamePrefix and logStreamNames are mutually exclusive parameters.") // our text
	case sel.backward && sel.start < time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli():
		return nil, invalidParameter("startFromHead can be false only with a startTime on or after 2024-01-01T00:00:00Z.") // our text
	}
	if in.NextToken != nil {
		backward, past, err := parseToken(*in.NextToken)
		if err != nil {
			return nil, err
		}
		sel.backward, sel.past = backward, &past
	}
	return &page{selection: sel, means: means.Match, limit: limit, patience: patience}, nil
}

// filteredStreams are the streams that the input names.
func filteredStreams(r store.Reader, g group, in *sdk.FilterLogEventsInput) ([]stream, error) {
	var streams []stream
	names := slices.Sorted(slices.Values(in.LogStreamNames))
	for _, name := range slices.Compact(names) {
		st, err := loadStream(r, g, name)
		if err != nil {
			return nil, err
		}
		streams = append(streams, st)
	}
	if streams != nil {
		return streams, nil
	}
	return allStreams(r, g, aws.ToString(in.LogStreamNamePrefix))
}

// sort puts streams into the order in which the page comes to their events: what has no place on the page is then found early.
func (p *page) sort(streams []stream) {
	start := func(st stream) int64 {
		switch {
		case st.Events == nil:
			return 0
		case p.backward:
			return -st.Events.Last
		}
		return st.Events.First
	}
	slices.SortStableFunc(streams, func(a, b stream) int { return cmp.Compare(start(a), start(b)) })
}

// allStreams reads the streams of a group whose names start with prefix, by name.
func allStreams(r store.Reader, g group, prefix string) ([]stream, error) {
	items, err := r.Scan(g.streamPrefix()+prefix, "", 0)
	if err != nil {
		return nil, err
	}
	streams := make([]stream, len(items))
	for i, item := range items {
		if streams[i], err = store.DecodeJSON[stream](item); err != nil {
			return nil, err
		}
	}
	return streams, nil
}

func filterOutput(p *page) *sdk.FilterLogEventsOutput {
	// Since 2020 AWS leaves searchedLogStreams empty (API_FilterLogEvents).
	out := &sdk.FilterLogEventsOutput{Events: []types.FilteredLogEvent{}, SearchedLogStreams: []types.SearchedLogStream{}}
	for _, e := range p.sorted() {
		out.Events = append(out.Events, types.FilteredLogEvent{
			EventId: aws.String(e.id()), LogStreamName: aws.String(e.stream), Timestamp: aws.Int64(e.time),
			IngestionTime: aws.Int64(e.ingested), Message: aws.String(e.message),
		})
	}
	if p.full != nil {
		direction := forwardToken
		if p.backward {
			direction = backwardToken
		}
		out.NextToken = aws.String(direction + p.full.after(!p.backward).id())
	}
	return out
}
