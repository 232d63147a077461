package sqs

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/licet/licet/internal/store"
)

func limit(n int32) func(*sdk.ReceiveMessageInput) {
	return func(in *sdk.ReceiveMessageInput) { in.MaxNumberOfMessages = n }
}

// A group gives its messages in their order, and nothing while one of them is in flight.
func TestGroupOrder(t *testing.T) {
	s := newServer(t)
	q := s.create("q.fifo", "FifoQueue", "true", "VisibilityTimeout", "10")
	s.sendTo(q, "a", "a1", "a2", "a3", "a4")
	s.sendTo(q, "b/c", "b1", "b2")
	s.counts(q, "6 0 0")
	first := s.receive(q, limit(2))
	if bodies(first) != "a1 a2" {
		t.Errorf("got %q", bodies(first))
	}
	s.counts(q, "4 2 0")
	second := s.receive(q, limit(3))
	if bodies(second) != "b1 b2" {
		t.Errorf("got %q", bodies(second))
	}
	s.sendTo(q, "a", "a5")
	s.gets(q, "")
	s.remove(q, first[0])
	s.gets(q, "")
	s.remove(q, first[1])
	third := s.gets(q, "a3 a4 a5")
	s.pass(10 * time.Second)
	// What was not deleted comes again, before what was sent later.
	s.sendTo(q, "a", "a6")
	if got := bodies(s.receive(q, limit(5))); got != "b1 b2 a3 a4 a5" && got != "a3 a4 a5 a6 b1" {
		t.Errorf("got %q", got)
	}
	_, err := s.client.DeleteMessage(s.Context(), &sdk.DeleteMessageInput{QueueUrl: q, ReceiptHandle: third[0].ReceiptHandle})
	if err != nil { // it was received again: nothing is deleted
		t.Error(err)
	}
	s.counts(q, "1 5 0")
}

func TestGroupVisibility(t *testing.T) {
	s := newServer(t)
	q := s.create("q.fifo", "FifoQueue", "true", "VisibilityTimeout", "10")
	s.sendTo(q, "a", "1", "2", "3")
	got := s.receive(q, limit(2))
	change := func(m types.Message, seconds int32) {
		must(s.client.ChangeMessageVisibility(s.Context(), &sdk.ChangeMessageVisibilityInput{
			QueueUrl: q, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds,
		}))(s)
	}
	change(got[0], 0)
	s.gets(q, "") // the second is in flight
	change(got[1], 20)
	s.pass(19 * time.Second)
	s.gets(q, "")
	s.pass(time.Second)
	again := s.gets(q, "1 2 3")
	s.pass(10 * time.Second)
	_, err := s.client.DeleteMessage(s.Context(), &sdk.DeleteMessageInput{QueueUrl: q, ReceiptHandle: again[0].ReceiptHandle})
	s.fails(err, 400, "InvalidParameterValue", "The receipt handle has expired.")
	last := s.gets(q, "1 2 3")
	s.remove(q, last...)
	s.counts(q, "0 0 0")
	s.empty("sqs/group/", "sqs/line/", "sqs/due/", "sqs/message/")
}

func TestGroupDelay(t *testing.T) {
	s := newServer(t)
	q := s.create("q.fifo", "FifoQueue", "true", "DelaySeconds", "5")
	s.sendTo(q, "a", "1")
	s.pass(2 * time.Second)
	s.sendTo(q, "a", "2")
	s.counts(q, "0 0 2")
	s.gets(q, "")
	s.pass(3 * time.Second)
	m := s.gets(q, "1")
	s.remove(q, m...)
	s.gets(q, "")
	s.pass(2 * time.Second)
	s.gets(q, "2")
}

func TestDeduplication(t *testing.T) {
	s := newServer(t)
	content := s.create("content.fifo", "FifoQueue", "true", "ContentBasedDeduplication", "true")
	groups := s.create("groups.fifo", "FifoQueue", "true", "DeduplicationScope", "messageGroup", "FifoThroughputLimit", "perMessageGroupId")
	send := func(q *string, group, body string, id *string) *sdk.SendMessageOutput {
		t.Helper()
		return must(s.client.SendMessage(s.Context(), &sdk.SendMessageInput{
			QueueUrl: q, MessageBody: &body, MessageGroupId: &group, MessageDeduplicationId: id,
		}))(s)
	}
	a, b := send(content, "g", "x", nil), send(content, "h", "x", nil)
	if *a.MessageId != *b.MessageId || *a.SequenceNumber != *b.SequenceNumber || len(*a.SequenceNumber) != 20 {
		t.Errorf("got %s %s and %s %s", *a.MessageId, *a.SequenceNumber, *b.MessageId, *b.SequenceNumber)
	}
	c := send(content, "g", "x", aws.String("other"))
	if *c.MessageId == *a.MessageId || *c.SequenceNumber <= *a.SequenceNumber {
		t.Errorf("another id: got %+v", c)
	}
	s.remove(content, s.gets(content, "x x")...)
	send(content, "g", "x", nil) // it is remembered though it was deleted
	s.gets(content, "")
	s.pass(5*time.Minute - time.Second)
	send(content, "g", "x", nil)
	s.gets(content, "")
	s.pass(time.Second)
	send(content, "g", "x", nil)
	s.gets(content, "x")

	send(groups, "g", "1", aws.String("id"))
	send(groups, "h", "2", aws.String("id"))
	send(groups, "g", "3", aws.String("id"))
	s.counts(groups, "2 0 0")
	s.pass(6 * time.Minute)
	for range 3 {
		send(content, "g", "y", nil)
		send(groups, "g", "y", aws.String("y"))
	}
	if err := s.sqs.expire(s.Context()); err != nil {
		t.Fatal(err)
	}
	for _, q := range []*string{content, groups} {
		must(s.client.DeleteQueue(s.Context(), &sdk.DeleteQueueInput{QueueUrl: q}))(s)
	}
	s.empty("sqs/known/", "sqs/forget/", "sqs/count/", "sqs/queue/", "sqs/message/", "sqs/line/", "sqs/group/", "sqs/due/")
}

// What is remembered does not grow with what was sent long ago.
func TestForgetting(t *testing.T) {
	s := newServer(t)
	q := s.create("q.fifo", "FifoQueue", "true", "ContentBasedDeduplication", "true")
	for i := range 40 {
		s.sendTo(q, "g", string(rune('A'+i)))
		s.pass(time.Minute)
	}
	n := 0
	if err := s.db.View(s.Context(), func(r store.Reader) error {
		items, err := r.Scan("sqs/known/", "", 0)
		n = len(items)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if n > 8 {
		t.Errorf("%d messages are remembered of one each minute", n)
	}
	s.pass(5 * time.Minute)
	if err := s.sqs.expire(s.Context()); err != nil {
		t.Fatal(err)
	}
	s.empty("sqs/known/", "sqs/forget/")
	s.counts(q, "40 0 0")
}

func TestReceiveAttempt(t *testing.T) {
	s := newServer(t)
	q := s.create("q.fifo", "FifoQueue", "true", "VisibilityTimeout", "30")
	s.sendTo(q, "a", "1", "2", "3")
	attempt := func(id string) func(*sdk.ReceiveMessageInput) {
		return func(in *sdk.ReceiveMessageInput) { in.ReceiveRequestAttemptId, in.MaxNumberOfMessages = &id, 2 }
	}
	first := s.receive(q, attempt("x"))
	s.pass(20 * time.Second)
	again := s.receive(q, attempt("x"))
	if bodies(first) != "1 2" || bodies(again) != "1 2" || *first[0].ReceiptHandle != *again[0].ReceiptHandle {
		t.Errorf("got %q, then %q", bodies(first), bodies(again))
	}
	if got := s.receive(q, attempt("y")); bodies(got) != "" {
		t.Errorf("another attempt: got %q", bodies(got))
	}
	s.pass(20 * time.Second) // its timeout began anew
	s.gets(q, "")
	s.remove(q, first...)
	if got := s.receive(q, attempt("x")); bodies(got) != "3" {
		t.Errorf("after they were deleted: got %q", bodies(got))
	}
	plain := s.create("plain")
	_, err := s.client.ReceiveMessage(s.Context(), &sdk.ReceiveMessageInput{QueueUrl: plain, ReceiveRequestAttemptId: aws.String("x")})
	s.fails(err, 400, "InvalidParameterValue", "ReceiveRequestAttemptId")
}
