package sqs

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

// change changes a queue's record.
func (s *Service) change(ctx context.Context, c *service.Call, url *string, change func(store.Tx, *queue.Queue) error) error {
	r, err := byURL(c, url)
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx store.Tx) error {
		q, err := queue.Get(tx, r.key())
		if errors.Is(err, store.ErrNotFound) {
			return noQueue()
		}
		if err == nil {
			err = change(tx, q)
		}
		if err != nil {
			return err
		}
		return queue.Put(tx, q)
	})
}

func (s *Service) setQueueAttributes(
	ctx context.Context, c *service.Call, in *sdk.SetQueueAttributesInput,
) (*sdk.SetQueueAttributesOutput, error) {
	if len(in.Attributes) == 0 {
		return nil, missing("Attributes")
	}
	return &sdk.SetQueueAttributesOutput{}, s.change(ctx, c, in.QueueUrl, func(tx store.Tx, q *queue.Queue) error {
		read, err := readAttributes(in.Attributes, q.FIFO)
		if err != nil {
			return err
		}
		if kind, given := read["FifoQueue"]; given && kind != "true" {
			return badAttributeBecause("FifoQueue", "Modifying queue type is not supported.")
		}
		q.Modified = s.now().Unix()
		return errors.Join(merge(q, read), s.checkRedrive(tx, q, in.Attributes))
	})
}
