package sqs

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

func (s *Service) changeMessageVisibility(
	ctx context.Context, c *service.Call, in *sdk.ChangeMessageVisibilityInput,
) (*sdk.ChangeMessageVisibilityOutput, error) {
	q, err := s.of(ctx, c, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.ReceiptHandle) == "" {
		return nil, missing("ReceiptHandle")
	}
	each, err := s.changeAll(ctx, q.Queue, []visibility{{*in.ReceiptHandle, in.VisibilityTimeout}})
	if err == nil && each[0] != nil {
		err = each[0]
	}
	return &sdk.ChangeMessageVisibilityOutput{}, err
}

// visibility is a new visibility timeout that is asked for.
type visibility struct {
	handle  string
	seconds int32
}

// maxVisibility is the longest visibility timeout, in seconds.
const maxVisibility = int32(queue.MaxVisibility / time.Second)

func (s *Service) changeAll(ctx context.Context, q *queue.Queue, asked []visibility) ([]*awserr.Error, error) {
	texts := make([]string, len(asked))
	for i, v := range asked {
		texts[i] = v.handle
	}
	handles, good, each := parseAll(q, texts)
	var changes []queue.Change
	var changed []int
	for i, h := range handles {
		n := asked[good[i]].seconds
		if n < 0 || n > maxVisibility {
			each[good[i]] = badValue(n, "VisibilityTimeout", "Must be between 0 and 43200")
			continue
		}
		changes = append(changes, queue.Change{Handle: h, Visibility: time.Duration(n) * time.Second})
		changed = append(changed, good[i])
	}
	if len(changes) == 0 {
		return each, nil
	}
	var results []error
	err := s.db.Update(ctx, func(tx store.Tx) (err error) {
		results, err = queue.ChangeVisibility(tx, q, s.now(), changes...)
		return err
	})
	if err != nil {
		return nil, answer(err, "")
	}
	for i, result := range results {
		each[changed[i]] = forClient(result, texts[changed[i]])
	}
	return each, nil
}
