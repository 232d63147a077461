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
	tooLong := func(i int) *awserr.Error {
		if n := asked[i].seconds; n < 0 || n > maxVisibility {
			return badValue(n, "VisibilityTimeout", "Must be between 0 and 43200")
		}
		return nil
	}
	return s.onHandles(ctx, q, texts, tooLong, func(tx store.Tx, handles []queue.Handle, of []int) ([]error, error) {
		changes := make([]queue.Change, len(handles))
		for i, h := range handles {
			changes[i] = queue.Change{Handle: h, Visibility: time.Duration(asked[of[i]].seconds) * time.Second}
		}
		return queue.ChangeVisibility(tx, q, s.now(), changes...)
	})
}
