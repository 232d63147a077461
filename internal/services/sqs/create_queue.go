package sqs

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

const fifoSuffix = ".fifo"

// checkName checks the name of a new queue.
func checkName(in *sdk.CreateQueueInput) error {
	name := aws.ToString(in.QueueName)
	if name == "" {
		return missing("QueueName")
	}
	if in.Attributes["FifoQueue"] != "true" {
		if !plainName.MatchString(name) {
			return invalidValue("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
		}
		return nil
	}
	stem, ok := strings.CutSuffix(name, fifoSuffix)
	if !ok || !plainName.MatchString(stem) || len(name) > 80 {
		return invalidValue("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, " +
			"must end with .fifo suffix and be 1 to 80 in length.")
	}
	return nil
}

// createQueue makes a queue, or gives the one that has the name, if all attributes that are given are as it has them.
func (s *Service) createQueue(ctx context.Context, c *service.Call, in *sdk.CreateQueueInput) (*sdk.CreateQueueOutput, error) {
	fifo := in.Attributes["FifoQueue"] == "true"
	read, err := readAttributes(in.Attributes, fifo)
	if err != nil {
		return nil, err
	}
	r, now := ref{c.Account, c.Region, *in.QueueName}, s.now()
	var made *queue.Queue
	err = s.db.Update(ctx, func(tx store.Tx) error {
		found, err := queue.Get(tx, r.key())
		if err == nil {
			made = found
			return same(found, read)
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		deleted, err := queue.Deleted(tx, r.account, r.region, r.name)
		if err != nil {
			return err
		}
		if now.Sub(deleted) < graveTime {
			return deletedRecently()
		}
		made = &queue.Queue{
			ARN: r.arn(s.partition), Account: r.account, Region: r.region, Name: r.name, Created: now.Unix(), Modified: now.Unix(),
			Attributes: presets(fifo), Tags: in.Tags,
		}
		if err := errors.Join(merge(made, read), s.checkRedrive(tx, made, in.Attributes)); err != nil {
			return err
		}
		return queue.Create(tx, made)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateQueueOutput{QueueUrl: s.urlOf(c, made)}, nil
}

// same tells by an error which of the given attributes a queue has otherwise.
func same(q *queue.Queue, read map[string]string) error {
	for _, a := range attributes {
		if value, given := read[a.name]; given && value != q.Attributes[a.name] {
			return queueExists(a.name)
		}
	}
	return nil
}

// checkRedrive checks that the dead-letter queue which the request gives is there, of the same kind, and takes the queue's messages.
func (s *Service) checkRedrive(r store.Reader, q *queue.Queue, given map[string]string) error {
	text := given["RedrivePolicy"]
	if text == "" {
		return nil
	}
	bad := func(reason string) error { return badValue(text, "RedrivePolicy", reason) }
	dead, err := queue.ByARN(r, q.DeadLetter)
	if errors.Is(err, store.ErrNotFound) {
		return bad("Dead letter target does not exist.")
	}
	if err != nil {
		return err
	}
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html; these texts are ours.
	switch {
	case dead.Account != q.Account || dead.Region != q.Region:
		return bad("Dead letter target must be of the same account and region.")
	case dead.FIFO != q.FIFO:
		return bad("Dead-letter queue must be same type of queue as the source.")
	case dead.ARN == q.ARN:
		return bad("A queue cannot be its own dead letter target.")
	}
	allowed, err := allows(dead, q.ARN)
	if err == nil && !allowed {
		err = bad("Queue does not have permission to use the specified queue as its dead letter target.")
	}
	return err
}
