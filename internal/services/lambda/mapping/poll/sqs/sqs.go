package sqs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/services/lambda/mapping/filter"
	"github.com/licet/licet/internal/services/lambda/mapping/poll"
)

const (
	// longest is the most that a long poll waits, in seconds, and short what one waits that has just had messages.
	longest, short = 20, 1
	// most is what one ReceiveMessage, or one DeleteMessageBatch, takes.
	most = 10
)

// queue is the poller of one mapping.
type queue struct {
	*poll.Poller
	arn       string
	url       string
	region    string
	fifo      bool
	batchSize int
	window    time.Duration
	partial   bool // the function reports the messages that failed
	filters   []*filter.Pattern
	slots     *slots
	batches   sync.WaitGroup

	mu       sync.Mutex
	failures int // calls of the queue that failed since one did not
}

// Run is a poll.Source.
func Run(ctx context.Context, p *poll.Poller) error {
	q, err := newQueue(p)
	if err != nil {
		return err
	}
	defer q.batches.Wait()
	for q.slots.take(ctx) {
		now := p.Moment()
		waiting, cancel := context.WithCancel(ctx)
		stop := context.AfterFunc(now, cancel)
		batch := q.receive(ctx, waiting, now, longest)
		stop()
		cancel()
		if len(batch) == 0 {
			q.slots.giveBack()
			continue
		}
		q.batches.Go(func() {
			defer q.slots.giveBack()
			q.work(ctx, batch)
		})
	}
	return nil
}

func newQueue(p *poll.Poller) (*queue, error) {
	c := &p.Config
	a, err := arn.Parse(aws.ToString(c.EventSourceArn))
	if err != nil {
		return nil, fmt.Errorf("parse the source of %s: %w", *c.EventSourceMappingArn, err)
	}
	q := &queue{
		Poller: p, arn: *c.EventSourceArn, region: a.Region, fifo: strings.HasSuffix(a.Resource, ".fifo"),
		url:       urlOf(a),
		batchSize: max(1, int(aws.ToInt32(c.BatchSize))), window: time.Duration(aws.ToInt32(c.MaximumBatchingWindowInSeconds)) * time.Second,
		partial: slices.Contains(c.FunctionResponseTypes, lambdatypes.FunctionResponseTypeReportBatchItemFailures),
	}
	q.slots = newSlots(scaleOf(c), time.Now)
	if c.FilterCriteria != nil {
		for _, f := range c.FilterCriteria.Filters {
			pattern, err := filter.Parse(aws.ToString(f.Pattern))
			if err != nil {
				return nil, fmt.Errorf("parse a filter of %s: %w", *c.EventSourceMappingArn, err)
			}
			q.filters = append(q.filters, pattern)
		}
	}
	return q, nil
}

// urlOf is a URL of a queue, whose host does not matter to a call that comes by none.
func urlOf(a arn.ARN) string { return "http://sqs/" + a.AccountID + "/" + a.Resource }

// Visibility asks a queue, with a session of a role, for its visibility timeout.
func Visibility(ctx context.Context, doors poll.Doors, as poll.Role, queueARN string) (time.Duration, error) {
	a, err := arn.Parse(queueARN)
	if err != nil {
		return 0, fmt.Errorf("parse the ARN of a queue: %w", err)
	}
	out, err := doors.AsRole(ctx, as, "sqs", "GetQueueAttributes", &sdk.GetQueueAttributesInput{
		QueueUrl: aws.String(urlOf(a)), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameVisibilityTimeout},
	})
	if err != nil {
		return 0, err
	}
	text := out.(*sdk.GetQueueAttributesOutput).Attributes[string(types.QueueAttributeNameVisibilityTimeout)]
	seconds, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("read the visibility timeout of %s: %w", queueARN, err)
	}
	return time.Duration(seconds) * time.Second, nil
}

// work does a batch, and those that follow it as long as they are full.
func (q *queue) work(ctx context.Context, batch []types.Message) {
	for len(batch) > 0 {
		full := len(batch) >= q.batchSize
		good := q.process(context.WithoutCancel(ctx), batch)
		if !good {
			q.slots.shrink()
			return
		}
		if !full || ctx.Err() != nil {
			return
		}
		q.slots.grow()
		batch = q.receive(ctx, ctx, q.Moment(), short)
	}
}

// receive takes a batch off the queue: it waits for the first message as long as is said, or until waiting ends, and for others as long as the
// batching window. After a failure it rests, and gives none.
func (q *queue) receive(ctx, waiting, now context.Context, wait int32) (batch []types.Message) {
	size, end := 0, time.Time{}
	for len(batch) < q.batchSize && size < maxPayload {
		got, err := q.receiveOnce(waiting, min(most, q.batchSize-len(batch)), wait)
		if waiting.Err() != nil && err != nil {
			return batch
		}
		if q.failed(now, "ReceiveMessage", err) {
			return batch
		}
		batch = append(batch, got...)
		for i := range got {
			size += len(aws.ToString(got[i].Body))
		}
		if len(batch) == 0 || q.window == 0 {
			return batch
		}
		if end.IsZero() {
			end = time.Now().Add(q.window)
			waiting = ctx // what was received is not left for a change
		}
		left := time.Until(end)
		if left <= 0 {
			return batch
		}
		wait = int32(min(longest, max(1, (left+time.Second/2)/time.Second)))
	}
	return batch
}

func (q *queue) receiveOnce(ctx context.Context, n int, wait int32) ([]types.Message, error) {
	out, err := q.Read(ctx, "ReceiveMessage", &sdk.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: int32(n), WaitTimeSeconds: wait, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return nil, err
	}
	messages := out.(*sdk.ReceiveMessageOutput).Messages
	q.Count(poll.Polled, len(messages))
	return messages, nil
}

// failed notes how a call of the queue went, and rests when it failed.
func (q *queue) failed(now context.Context, operation string, err error) bool {
	q.mu.Lock()
	before := q.failures
	if err == nil {
		q.failures = 0
	} else {
		q.failures++
	}
	q.mu.Unlock()
	if err == nil {
		return false
	}
	q.Result(q.Problem("SQS", operation, err))
	q.Rest(now, before)
	return true
}

// remove deletes messages, ten at a time.
func (q *queue) remove(ctx context.Context, all []types.Message) bool {
	for some := range slices.Chunk(all, most) {
		now := q.Moment()
		in := &sdk.DeleteMessageBatchInput{QueueUrl: &q.url}
		for i, m := range some {
			in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: m.ReceiptHandle})
		}
		out, err := q.Read(ctx, "DeleteMessageBatch", in)
		if err == nil {
			failed := out.(*sdk.DeleteMessageBatchOutput).Failed
			q.Count(poll.Deleted, len(some)-len(failed))
			if len(failed) > 0 {
				err = fmt.Errorf("%d of %d messages were not deleted: %s", len(failed), len(some), aws.ToString(failed[0].Message))
			}
		}
		if q.failed(now, "DeleteMessage", err) {
			return false
		}
	}
	return true
}
