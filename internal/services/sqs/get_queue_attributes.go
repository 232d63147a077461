package sqs

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
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

// maxList is how many queues a list has.
const maxList = 1000

// page reads the size of a page of a list.
func page(asked *int32) (int, error) {
	n := aws.ToInt32(asked)
	if asked != nil && (n < 1 || n > maxList) {
		return 0, badValue(n, "MaxResults", "Must be an integer from 1 to 1000.")
	}
	if asked == nil {
		n = maxList
	}
	return int(n), nil
}

func (s *Service) listQueues(ctx context.Context, c *service.Call, in *sdk.ListQueuesInput) (*sdk.ListQueuesOutput, error) {
	limit, err := page(in.MaxResults)
	if err != nil {
		return nil, err
	}
	scope := queue.Scope(c.Account, c.Region)
	prefix := aws.ToString(in.QueueNamePrefix)
	if len(prefix) > 80 || strings.ContainsAny(prefix, "/\x00") {
		return &sdk.ListQueuesOutput{}, nil
	}
	after, err := tokenKey(scope, in.NextToken)
	if err != nil {
		return nil, err
	}
	found, more, err := s.scan(ctx, scope+prefix, after, limit, func(*queue.Queue) bool { return true })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListQueuesOutput{}
	for _, q := range found {
		out.QueueUrls = append(out.QueueUrls, *s.urlOf(c, q))
	}
	if more && in.MaxResults != nil { // without it AWS gives the first thousand and no token (API_ListQueues)
		out.NextToken = token(found[len(found)-1].Name)
	}
	return out, nil
}

func (s *Service) listDeadLetterSourceQueues(
	ctx context.Context, c *service.Call, in *sdk.ListDeadLetterSourceQueuesInput,
) (*sdk.ListDeadLetterSourceQueuesOutput, error) {
	q, err := s.of(ctx, c, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	limit, err := page(in.MaxResults)
	if err != nil {
		return nil, err
	}
	scope := queue.Scope(q.Account, q.Region)
	after, err := tokenKey(scope, in.NextToken)
	if err != nil {
		return nil, err
	}
	found, more, err := s.scan(ctx, scope, after, limit, func(other *queue.Queue) bool { return other.DeadLetter == q.ARN })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListDeadLetterSourceQueuesOutput{QueueUrls: []string{}}
	for _, other := range found {
		out.QueueUrls = append(out.QueueUrls, *s.urlOf(c, other))
	}
	if more && in.MaxResults != nil {
		out.NextToken = token(found[len(found)-1].Name)
	}
	return out, nil
}

// scan reads up to limit queues that pass, and tells whether there are more.
func (s *Service) scan(
	ctx context.Context, prefix, after string, limit int, pass func(*queue.Queue) bool,
) (found []*queue.Queue, more bool, err error) {
	err = s.db.View(ctx, func(r store.Reader) error {
		found, more = nil, false
		for {
			items, err := r.Scan(prefix, after, limit+1)
			if err != nil {
				return err
			}
			for _, item := range items {
				q, err := queue.Decode(item)
				if err != nil {
					return err
				}
				after = item.Key
				if !pass(q) {
					continue
				}
				if more = len(found) == limit; more {
					return nil
				}
				found = append(found, q)
			}
			if len(items) <= limit {
				return nil
			}
		}
	})
	return found, more, err
}
