package sqs

import (
	"context"
	"maps"

	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

// Limits of tags (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html).
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// checkTags checks the tags of a request; the texts are ours.
func checkTags(tags map[string]string) error {
	for k, v := range tags {
		switch {
		case k == "" || len([]rune(k)) > maxTagKey:
			return badValue(k, "Tag.Key", "It must have 1 to 128 characters.")
		case len([]rune(v)) > maxTagValue:
			return badValue(v, "Tag.Value", "It must have at most 256 characters.")
		}
	}
	if a, b, clash := service.TagClash(tags); clash {
		return badValue(b, "Tag.Key", "It differs from "+a+" only in case.")
	}
	if len(tags) > maxTags {
		return invalidValue("A queue can have no more than %d tags.", maxTags)
	}
	return nil
}

func (s *Service) tagQueue(ctx context.Context, c *service.Call, in *sdk.TagQueueInput) (*sdk.TagQueueOutput, error) {
	return &sdk.TagQueueOutput{}, s.change(ctx, c, in.QueueUrl, func(_ store.Tx, q *queue.Queue) error {
		if q.Tags == nil {
			q.Tags = map[string]string{}
		}
		maps.Copy(q.Tags, in.Tags)
		return checkTags(q.Tags)
	})
}

func (s *Service) untagQueue(ctx context.Context, c *service.Call, in *sdk.UntagQueueInput) (*sdk.UntagQueueOutput, error) {
	return &sdk.UntagQueueOutput{}, s.change(ctx, c, in.QueueUrl, func(_ store.Tx, q *queue.Queue) error {
		for _, k := range in.TagKeys {
			delete(q.Tags, k)
		}
		return nil
	})
}

func (s *Service) listQueueTags(ctx context.Context, c *service.Call, in *sdk.ListQueueTagsInput) (*sdk.ListQueueTagsOutput, error) {
	q, err := s.of(ctx, c, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListQueueTagsOutput{}
	if len(q.Tags) > 0 {
		out.Tags = maps.Clone(q.Tags)
	}
	return out, nil
}
