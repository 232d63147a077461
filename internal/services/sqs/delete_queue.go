package sqs

import (
	"context"
	"errors"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/movetask"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

// graveTime is how long the name of a deleted queue cannot be used, and purgeTime how long a queue cannot be purged again (API_DeleteQueue,
// API_PurgeQueue).
const (
	graveTime = time.Minute
	purgeTime = time.Minute
)

func (s *Service) deleteQueue(ctx context.Context, c *service.Call, in *sdk.DeleteQueueInput) (*sdk.DeleteQueueOutput, error) {
	r, err := byURL(c, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	now := s.now()
	return &sdk.DeleteQueueOutput{}, s.db.Update(ctx, func(tx store.Tx) error {
		q, err := queue.Get(tx, r.key())
		if errors.Is(err, store.ErrNotFound) {
			return noQueue()
		}
		if err != nil {
			return err
		}
		return errors.Join(queue.Delete(tx, q, now), tx.DeletePrefix(movetask.Prefix(q)))
	})
}

func (s *Service) purgeQueue(ctx context.Context, c *service.Call, in *sdk.PurgeQueueInput) (*sdk.PurgeQueueOutput, error) {
	now := s.now()
	return &sdk.PurgeQueueOutput{}, s.change(ctx, c, in.QueueUrl, func(tx store.Tx, q *queue.Queue) error {
		if q.Purged != 0 && now.Sub(time.UnixMilli(q.Purged)) < purgeTime {
			return purgeInProgress(q.Name)
		}
		return queue.Purge(tx, q, now)
	})
}
