package sqs

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

// receive is what a ReceiveMessage asks for.
type receive struct {
	queue.Receipt
	wait time.Duration
}

func readReceive(q *queue.Queue, in *sdk.ReceiveMessageInput) (receive, error) {
	r := receive{Receipt: queue.Receipt{Limit: int(in.MaxNumberOfMessages), Visibility: seconds(in.VisibilityTimeout, q.Visibility)}}
	switch r.Limit {
	case 0:
		r.Limit = 1
	case zero:
		r.Limit = 0
	}
	r.wait = seconds(in.WaitTimeSeconds, q.Wait)
	if r.Limit < 1 || r.Limit > 10 {
		return r, badValue(r.Limit, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
	}
	if r.wait < 0 || r.wait > 20*time.Second {
		return r, badValue(asGiven(in.WaitTimeSeconds), "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
	}
	if r.Visibility < 0 || r.Visibility > queue.MaxVisibility {
		return r, badValue(asGiven(in.VisibilityTimeout), "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided.")
	}
	if id := in.ReceiveRequestAttemptId; id != nil {
		if !idShape.MatchString(*id) {
			return r, badValue(*id, "ReceiveRequestAttemptId",
				"ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
		}
		if !q.FIFO {
			return r, badValue(*id, "ReceiveRequestAttemptId", "The request include parameter that is not valid for this queue type.")
		}
		r.Attempt = *id
	}
	return r, nil
}

func (s *Service) receiveMessage(ctx context.Context, c *service.Call, in *sdk.ReceiveMessageInput) (*sdk.ReceiveMessageOutput, error) {
	q, err := s.of(ctx, c, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	r, err := readReceive(q.Queue, in)
	if err != nil {
		return nil, err
	}
	for _, name := range olderNames(in) {
		if !slices.Contains(name.Values(), name) && !slices.Contains(types.MessageSystemAttributeNameAll.Values(), types.MessageSystemAttributeName(name)) {
			return nil, unknownAttribute(string(name))
		}
	}
	got, err := s.await(ctx, q.Queue, r)
	if err != nil {
		return nil, answer(err, "")
	}
	out := &sdk.ReceiveMessageOutput{}
	for _, m := range got {
		out.Messages = append(out.Messages, received(q.Queue, m, in))
	}
	return out, nil
}

// await receives messages, and waits for them as long as is asked for. Who has gone away gets none.
func (s *Service) await(ctx context.Context, q *queue.Queue, r receive) ([]*queue.Message, error) {
	if r.wait == 0 {
		got, _, err := s.take(ctx, q, r.Receipt)
		return got, err
	}
	one := s.waiters.join(q.ID)
	defer s.waiters.leave(one)
	end := time.NewTimer(r.wait)
	defer end.Stop()
	due := time.NewTimer(r.wait)
	defer due.Stop()
	for {
		got, next, err := s.take(ctx, q, r.Receipt)
		if err != nil || len(got) > 0 {
			return got, err
		}
		due.Stop()
		if next != 0 {
			due.Reset(max(time.Millisecond, time.UnixMilli(next).Sub(s.now())))
		}
		select {
		case <-one.woken:
		case <-due.C:
		case <-end.C:
			return nil, nil
		case <-s.waiters.ended:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take receives what there is now. It costs no transaction when there is nothing, and tells then when there will be: 0 for not known.
func (s *Service) take(ctx context.Context, q *queue.Queue, r queue.Receipt) (got []*queue.Message, next int64, err error) {
	r.Now = s.now()
	ready := false
	if err := s.db.View(ctx, func(reader store.Reader) (err error) {
		ready, next, err = queue.Ready(reader, q, r.Now)
		return err
	}); err != nil {
		return nil, 0, err
	}
	if !ready && r.Attempt == "" {
		return nil, next, nil
	}
	err = s.db.Update(ctx, func(tx store.Tx) (err error) {
		got, err = queue.Receive(tx, q, r)
		return err
	})
	if ready {
		next = 0 // it was taken; by whom it was will be told by the change
	}
	return got, next, err
}

// received is a message as its receiver gets it.
func received(q *queue.Queue, m *queue.Message, in *sdk.ReceiveMessageInput) types.Message {
	out := types.Message{
		MessageId: &m.ID, ReceiptHandle: aws.String(q.Handle(m).String()), Body: &m.Body, MD5OfBody: aws.String(digest(m.Body)),
		Attributes: systemAttributes(q, m, in),
	}
	chosen := map[string]queue.Attribute{}
	for name, a := range m.Attributes {
		if selects(in.MessageAttributeNames, name) {
			chosen[name] = a
			if out.MessageAttributes == nil {
				out.MessageAttributes = map[string]types.MessageAttributeValue{}
			}
			out.MessageAttributes[name] = wire(a)
		}
	}
	out.MD5OfMessageAttributes = attributesDigest(chosen)
	return out
}

// systemAttributes are those of a message that are asked for; nil for none.
func systemAttributes(q *queue.Queue, m *queue.Message, in *sdk.ReceiveMessageInput) map[string]string {
	if len(olderNames(in)) == 0 && len(in.MessageSystemAttributeNames) == 0 {
		return nil
	}
	all := map[types.MessageSystemAttributeName]string{
		types.MessageSystemAttributeNameSenderId:                         m.Sender,
		types.MessageSystemAttributeNameSentTimestamp:                    strconv.FormatInt(m.Sent, 10),
		types.MessageSystemAttributeNameApproximateReceiveCount:          strconv.Itoa(m.Receives),
		types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp: strconv.FormatInt(m.First, 10),
		types.MessageSystemAttributeNameMessageGroupId:                   m.Group,
		types.MessageSystemAttributeNameMessageDeduplicationId:           m.Deduplication,
		types.MessageSystemAttributeNameAWSTraceHeader:                   m.Trace,
		types.MessageSystemAttributeNameDeadLetterQueueSourceArn:         m.Source,
	}
	if q.FIFO {
		all[types.MessageSystemAttributeNameSequenceNumber] = sequenceOf(m)
	}
	chosen := map[string]string{}
	for name, value := range all {
		if value != "" && asksFor(in, name) {
			chosen[string(name)] = value
		}
	}
	if len(chosen) == 0 {
		return nil
	}
	return chosen
}

// olderNames are what clients of before 2024 ask by. They take the names of queues' attributes, too.
func olderNames(in *sdk.ReceiveMessageInput) []types.QueueAttributeName {
	return in.AttributeNames //lint:ignore SA1019 older clients have no other member
}

func asksFor(in *sdk.ReceiveMessageInput, name types.MessageSystemAttributeName) bool {
	return slices.Contains(in.MessageSystemAttributeNames, name) ||
		slices.Contains(in.MessageSystemAttributeNames, types.MessageSystemAttributeNameAll) ||
		slices.Contains(olderNames(in), types.QueueAttributeName(name)) ||
		slices.Contains(olderNames(in), types.QueueAttributeNameAll)
}
