package sqs

import (
	"context"
	"slices"
	"strconv"

	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

// counted are the attributes that are counted.
var counted = map[types.QueueAttributeName]func(queue.Counts) int64{
	types.QueueAttributeNameApproximateNumberOfMessages:           func(n queue.Counts) int64 { return n.Visible },
	types.QueueAttributeNameApproximateNumberOfMessagesNotVisible: func(n queue.Counts) int64 { return n.InFlight },
	types.QueueAttributeNameApproximateNumberOfMessagesDelayed:    func(n queue.Counts) int64 { return n.Delayed },
}

// given are the attributes that the service gives.
var given = map[types.QueueAttributeName]func(*queue.Queue) string{
	types.QueueAttributeNameQueueArn:              func(q *queue.Queue) string { return q.ARN },
	types.QueueAttributeNameCreatedTimestamp:      func(q *queue.Queue) string { return strconv.FormatInt(q.Created, 10) },
	types.QueueAttributeNameLastModifiedTimestamp: func(q *queue.Queue) string { return strconv.FormatInt(q.Modified, 10) },
}

func (s *Service) getQueueAttributes(
	ctx context.Context, c *service.Call, in *sdk.GetQueueAttributesInput,
) (*sdk.GetQueueAttributesOutput, error) {
	q, err := s.of(ctx, c, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	names := in.AttributeNames
	if slices.Contains(names, types.QueueAttributeNameAll) {
		names = types.QueueAttributeNameAll.Values()
	}
	all := map[string]string{}
	var counts *queue.Counts
	for _, name := range names {
		if name == types.QueueAttributeNameAll {
			continue
		}
		if count, ok := counted[name]; ok {
			if counts == nil {
				if counts, err = s.count(ctx, q.Queue); err != nil {
					return nil, err
				}
			}
			all[string(name)] = strconv.FormatInt(count(*counts), 10)
			continue
		}
		if give, ok := given[name]; ok {
			all[string(name)] = give(q.Queue)
			continue
		}
		if attributeOf(string(name)) == nil {
			return nil, unknownAttribute(string(name))
		}
		if value, ok := q.Attributes[string(name)]; ok {
			all[string(name)] = value
		}
	}
	out := &sdk.GetQueueAttributesOutput{}
	if len(all) > 0 {
		out.Attributes = all
	}
	return out, nil
}

func (s *Service) count(ctx context.Context, q *queue.Queue) (*queue.Counts, error) {
	var n queue.Counts
	err := s.db.View(ctx, func(r store.Reader) (err error) {
		n, err = queue.Count(r, q, s.now())
		return err
	})
	return &n, answer(err, "")
}

func (s *Service) getQueueURL(ctx context.Context, c *service.Call, in *sdk.GetQueueUrlInput) (*sdk.GetQueueUrlOutput, error) {
	r, err := byName(c, in)
	if err != nil {
		return nil, err
	}
	q, err := s.find(ctx, r)
	if err != nil {
		return nil, err
	}
	return &sdk.GetQueueUrlOutput{QueueUrl: s.urlOf(c, q.Queue)}, nil
}
