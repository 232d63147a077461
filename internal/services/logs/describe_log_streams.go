package logs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *Service) describeLogStreams(
	ctx context.Context, c *service.Call, in *sdk.DescribeLogStreamsInput,
) (*sdk.DescribeLogStreamsOutput, error) {
	var p problems
	limit := p.within("limit", in.Limit, 1, maxDescribed, maxDescribed)
	p.optional("logStreamNamePrefix", in.LogStreamNamePrefix, streamNameShape())
	if in.OrderBy != "" && !slices.Contains(in.OrderBy.Values(), in.OrderBy) {
		p.add("orderBy", string(in.OrderBy), "satisfy enum value set: [LogStreamName, LastEventTime]")
	}
	ref, err := byEither(c, &p, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	after, err := pageStart(in.NextToken)
	if err != nil {
		return nil, err
	}
	if in.OrderBy == types.OrderByLastEventTime && in.LogStreamNamePrefix != nil {
		return nil, invalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	out := &sdk.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}}
	err = s.db.View(ctx, func(r store.Reader) error {
		g, err := loadGroup(r, c, ref)
		if err != nil {
			return err
		}
		streams, err := allStreams(r, g, aws.ToString(in.LogStreamNamePrefix))
		if err != nil {
			return err
		}
		order := streamOrder(in)
		slices.SortFunc(streams, func(a, b stream) int { return order(streamRank(a, in), streamRank(b, in)) })
		for _, st := range streams {
			if after != "" && order(streamRank(st, in), after) <= 0 {
				continue
			}
			if len(out.LogStreams) == limit {
				out.NextToken = pageToken(after)
				break
			}
			out.LogStreams = append(out.LogStreams, wireStream(c, ref, st))
			after = streamRank(st, in)
		}
		return nil
	})
	return out, err
}

// streamRank is what streams are ordered by; it is unique in a group.
func streamRank(st stream, in *sdk.DescribeLogStreamsInput) string {
	if in.OrderBy != types.OrderByLastEventTime {
		return st.Name
	}
	last := int64(0)
	if st.Events != nil {
		last = st.Events.Last
	}
	return timeKey(last) + st.Name
}

func streamOrder(in *sdk.DescribeLogStreamsInput) func(a, b string) int {
	if aws.ToBool(in.Descending) {
		return func(a, b string) int { return cmp.Compare(b, a) }
	}
	return strings.Compare
}

func wireStream(c *service.Call, ref groupRef, st stream) types.LogStream {
	w := types.LogStream{
		Arn: aws.String(streamARN(c, ref, st.Name)), CreationTime: aws.Int64(st.Created), LogStreamName: aws.String(st.Name),
		//lint:ignore SA1019 AWS still sends it, as zero, since 2019 (API_LogStream)
		StoredBytes: aws.Int64(0),
	}
	if e := st.Events; e != nil {
		w.FirstEventTimestamp, w.LastEventTimestamp = aws.Int64(e.First), aws.Int64(e.Last)
		w.LastIngestionTime = aws.Int64(e.Ingested)
		w.UploadSequenceToken = aws.String(position{time: e.Ingested}.id())
	}
	return w
}
