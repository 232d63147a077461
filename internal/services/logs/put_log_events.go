package logs

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// Limits of a batch (API_PutLogEvents).
const (
	maxBatchEvents = 10_000
	maxBatchBytes  = 1 << 20
	maxBatchSpan   = 24 * time.Hour
	maxAge         = 14 * 24 * time.Hour
	maxAhead       = 2 * time.Hour
)

func (s *Service) putLogEvents(ctx context.Context, c *service.Call, in *sdk.PutLogEventsInput) (*sdk.PutLogEventsOutput, error) {
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	if !s.room() {
		return nil, unavailable()
	}
	var (
		out *sdk.PutLogEventsOutput
		g   group
	)
	ref := byName(c, in.LogGroupName)
	err := s.db.Update(ctx, func(tx store.Tx) error {
		out = &sdk.PutLogEventsOutput{}
		var err error
		if g, err = loadGroup(tx, c, ref); err != nil {
			return err
		}
		st, err := loadStream(tx, g, *in.LogStreamName)
		if err != nil {
			return err
		}
		accepted, rejected := accept(in.LogEvents, c.Time, g.oldest(c.Time))
		out.RejectedLogEventsInfo = rejected
		// The token is for old clients: it is not looked at when it comes back.
		out.NextSequenceToken = aws.String(position{batch: tx.Revision()}.id())
		if len(accepted) == 0 {
			return nil
		}
		if time.Duration(*accepted[len(accepted)-1].Timestamp-*accepted[0].Timestamp)*time.Millisecond > maxBatchSpan {
			return invalidParameter("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
		}
		events, err := write(tx, s.now().UnixMilli(), g, st, accepted)
		if err != nil {
			return err
		}
		return s.notify(tx, ref, g, st, events)
	})
	if err != nil {
		return nil, err
	}
	if in.Entity != nil {
		// The events are kept without what the client says about their source.
		out.RejectedEntityInfo = &types.RejectedEntityInfo{ErrorType: types.EntityRejectionErrorTypeUnsupportedLogGroupType}
	}
	return out, nil
}

// write adds events to a stream, which come now, in milliseconds, by the clock that deliveries go by.
func write(tx store.Tx, now int64, g group, st stream, accepted []types.InputLogEvent) ([]event, error) {
	events := make([]event, len(accepted))
	for i, e := range accepted {
		events[i] = event{
			position: position{time: *e.Timestamp, batch: tx.Revision(), index: uint16(i)},
			stream:   st.Name, ingested: now, message: *e.Message,
		}
	}
	for _, seg := range segments(events) {
		if err := tx.Put(g.streamEventPrefix(st)+seg.first.key(), seg.encode()); err != nil {
			return nil, err
		}
	}
	first, last := events[0].time, events[len(events)-1].time
	if st.Events == nil {
		st.Events = &span{First: first, Last: last}
	}
	st.Events.First, st.Events.Last = min(st.Events.First, first), max(st.Events.Last, last)
	st.Events.Ingested = now
	if err := g.grow(tx, &st, sizeOf(events)); err != nil {
		return nil, err
	}
	return events, store.PutJSON(tx, g.streamPrefix()+st.Name, st)
}

// checkBatch refuses a batch that AWS takes nothing of.
func checkBatch(events []types.InputLogEvent) error {
	var p problems
	switch {
	case events == nil:
		p.addNull("logEvents")
	case len(events) == 0:
		p.add("logEvents", "[]", "have length greater than or equal to 1")
	case len(events) > maxBatchEvents:
		p.add("logEvents", "[...]", fmt.Sprintf("have length less than or equal to %d", maxBatchEvents))
		return p.err()
	}
	total := 0
	for i, e := range events {
		member := fmt.Sprintf("logEvents.%d.member.", i+1)
		if e.Timestamp == nil {
			p.addNull(member + "timestamp")
		}
		p.time(member+"timestamp", e.Timestamp)
		if e.Message == nil {
			p.addNull(member + "message")
		} else if *e.Message == "" {
			p.add(member+"message", "", "have length greater than or equal to 1")
		}
		total += len(aws.ToString(e.Message)) + eventOverhead
	}
	if err := p.err(); err != nil {
		return err
	}
	for i, e := range events {
		if size := len(*e.Message) + eventOverhead; size > maxBatchBytes {
			return invalidParameter("Log event too large: %d bytes exceeds limit of %d", size, maxBatchBytes)
		}
		if i > 0 && *e.Timestamp < *events[i-1].Timestamp {
			return invalidParameter("Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	if total > maxBatchBytes {
		return invalidParameter("Upload too large: %d bytes exceeds limit of %d", total, maxBatchBytes)
	}
	return nil
}

// accept leaves out the events that are too old, expired by the group's retention, or too new. Events are in order of time.
func accept(events []types.InputLogEvent, now time.Time, oldest int64) ([]types.InputLogEvent, *types.RejectedLogEventsInfo) {
	tooOld, expired, tooNew := 0, 0, len(events)
	for i, e := range events {
		at := time.UnixMilli(*e.Timestamp)
		switch {
		case at.Before(now.Add(-maxAge)):
			tooOld = i + 1
		case *e.Timestamp < oldest:
			expired = i + 1
		case at.After(now.Add(maxAhead)):
			tooNew = min(tooNew, i)
		}
	}
	if tooOld == 0 && expired == 0 && tooNew == len(events) {
		return events, nil
	}
	info := &types.RejectedLogEventsInfo{}
	if tooOld > 0 {
		info.TooOldLogEventEndIndex = aws.Int32(int32(tooOld))
	}
	if expired > 0 {
		info.ExpiredLogEventEndIndex = aws.Int32(int32(expired))
	}
	if tooNew < len(events) {
		info.TooNewLogEventStartIndex = aws.Int32(int32(tooNew))
	}
	return events[max(tooOld, expired):tooNew], info
}
