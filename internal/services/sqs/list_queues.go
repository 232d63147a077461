package sqs

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

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
