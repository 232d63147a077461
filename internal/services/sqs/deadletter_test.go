package sqs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/licet/licet/internal/services/sqs/movetask"
	"github.com/licet/licet/internal/store"
)

func redriveTo(name string, receives int) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":"%s","maxReceiveCount":%d}`, arnOf(name), receives)
}

func TestDeadLetters(t *testing.T) {
	for _, kind := range []string{"", ".fifo"} {
		t.Run("queue"+kind, func(t *testing.T) {
			s := newServer(t)
			var fifo []string
			if kind != "" {
				fifo = []string{"FifoQueue", "true"}
			}
			dead := s.create("dead"+kind, fifo...)
			q := s.create("q"+kind, append(fifo, "VisibilityTimeout", "1", "RedrivePolicy", redriveTo("dead"+kind, 2))...)
			send := func(body string) {
				if kind == "" {
					s.send(q, body)
				} else {
					s.sendTo(q, "g", body)
				}
			}
			send("a")
			first := s.gets(q, "a")[0]
			s.pass(time.Second)
			s.gets(q, "a")
			s.gets(dead, "")
			s.pass(time.Second)
			send("b")
			s.gets(q, "b")
			s.counts(q, "0 1 0")
			m := s.gets(dead, "a")[0]
			if *m.MessageId != *first.MessageId || m.Attributes["DeadLetterQueueSourceArn"] != arnOf("q"+kind) || m.Attributes["ApproximateReceiveCount"] != "1" {
				t.Errorf("got %s, %v", *m.MessageId, m.Attributes)
			}
			if same := m.Attributes["SentTimestamp"] == first.Attributes["SentTimestamp"]; same != (kind == "") {
				t.Errorf("sent at %s, before at %s", m.Attributes["SentTimestamp"], first.Attributes["SentTimestamp"])
			}
			s.counts(dead, "0 1 0")
		})
	}
}

// Without its dead-letter queue a queue goes on to give its messages.
func TestDeadLetterQueueGone(t *testing.T) {
	s := newServer(t)
	dead := s.create("dead")
	q := s.create("q", "VisibilityTimeout", "0", "RedrivePolicy", redriveTo("dead", 1))
	s.send(q, "a")
	s.gets(q, "a")
	must(s.client.DeleteQueue(s.Context(), &sdk.DeleteQueueInput{QueueUrl: dead}))(s)
	s.gets(q, "a")
}

func TestRedriveAllowPolicy(t *testing.T) {
	s := newServer(t)
	s.create("none", "RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`)
	s.create("some", "RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":["`+arnOf("good")+`"]}`)
	s.create("f.fifo", "FifoQueue", "true")
	create := func(name, policy string) error {
		_, err := s.client.CreateQueue(s.Context(), &sdk.CreateQueueInput{QueueName: &name, Attributes: map[string]string{"RedrivePolicy": policy}})
		return err
	}
	s.fails(create("good", redriveTo("none", 3)), 400, "InvalidParameterValue", "does not have permission")
	s.fails(create("bad", redriveTo("some", 3)), 400, "InvalidParameterValue", "does not have permission")
	s.fails(create("good", redriveTo("f.fifo", 3)), 400, "InvalidParameterValue", "same type of queue")
	if err := create("good", redriveTo("some", 3)); err != nil {
		t.Error(err)
	}
	_, err := s.client.SetQueueAttributes(s.Context(), &sdk.SetQueueAttributesInput{
		QueueUrl: s.create("good"), Attributes: map[string]string{"RedrivePolicy": redriveTo("good", 3)},
	})
	s.fails(err, 400, "InvalidParameterValue", "its own dead letter target")
}

// bury makes a queue with a dead-letter queue that has messages.
func (s *server) bury(name, dead string, messages ...string) (q, d *string) {
	s.Helper()
	d = s.create(dead)
	q = s.create(name, "VisibilityTimeout", "0", "RedrivePolicy", redriveTo(dead, 1))
	s.send(q, messages...)
	s.gets(q, strings.Join(messages, " "))
	s.gets(q, "")
	return q, d
}

func (s *server) start(in sdk.StartMessageMoveTaskInput) *string {
	s.Helper()
	return must(s.client.StartMessageMoveTask(s.Context(), &in))(s).TaskHandle
}

// work does what Run would do now.
func (s *server) work() (next time.Time) {
	s.Helper()
	next, err := s.sqs.moveAll(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return next
}

func (s *server) tasks(arn string) []types.ListMessageMoveTasksResultEntry {
	s.Helper()
	return must(s.client.ListMessageMoveTasks(s.Context(), &sdk.ListMessageMoveTasksInput{SourceArn: &arn, MaxResults: aws.Int32(10)}))(s).Results
}

func TestMoveTask(t *testing.T) {
	s := newServer(t)
	q, dead := s.bury("q", "dead", "a", "b", strings.Repeat("c", 5000))
	other := s.create("other")
	s.start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("dead"))})
	if want := "sqs:SendMessage " + arnOf("q"); s.needs[len(s.needs)-1] != want || len(s.needs) != 5 {
		t.Errorf("needs %v, want the last %s", s.needs, want)
	}
	if next := s.work(); !next.IsZero() {
		t.Errorf("due again at %v", next)
	}
	s.counts(dead, "0 0 0")
	s.counts(q, "3 0 0")
	got := s.tasks(arnOf("dead"))
	if len(got) != 1 || *got[0].Status != "COMPLETED" || got[0].ApproximateNumberOfMessagesMoved != 3 || *got[0].ApproximateNumberOfMessagesToMove != 3 ||
		got[0].TaskHandle != nil || got[0].DestinationArn != nil {
		t.Errorf("got %+v", got)
	}
	s.gets(q, "a b "+strings.Repeat("c", 5000)) // and again to the dead letters
	s.gets(q, "")
	s.pass(time.Second)
	s.start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("dead")), DestinationArn: aws.String(arnOf("other")), MaxNumberOfMessagesPerSecond: aws.Int32(2)})
	next := s.work()
	s.counts(other, "2 0 0")
	if want := s.now().Add(time.Second); !next.Equal(want) {
		t.Errorf("due again at %v, want %v", next, want)
	}
	_, err := s.client.StartMessageMoveTask(s.Context(), &sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("dead"))})
	s.fails(err, 400, "InvalidParameterValue", "There is already a task running.")
	s.work()
	s.counts(other, "2 0 0")
	running := s.tasks(arnOf("dead"))
	if len(running) != 2 || *running[0].Status != "RUNNING" || running[0].TaskHandle == nil || *running[0].DestinationArn != arnOf("other") {
		t.Fatalf("got %+v", running)
	}
	out := must(s.client.CancelMessageMoveTask(s.Context(), &sdk.CancelMessageMoveTaskInput{TaskHandle: running[0].TaskHandle}))(s)
	if out.ApproximateNumberOfMessagesMoved != 2 {
		t.Errorf("got %+v", out)
	}
	s.pass(time.Minute)
	s.work()
	s.counts(other, "2 0 0")
	s.counts(dead, "1 0 0")
	_, err = s.client.CancelMessageMoveTask(s.Context(), &sdk.CancelMessageMoveTaskInput{TaskHandle: running[0].TaskHandle})
	s.fails(err, 400, "InvalidParameterValue", "active")
	m := s.receive(other)[0]
	if m.Attributes["DeadLetterQueueSourceArn"] != "" || m.Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("a moved message: got %v", m.Attributes)
	}
}

func TestMoveTaskFails(t *testing.T) {
	s := newServer(t)
	q, dead := s.bury("q", "dead", "a", "b", "c")
	other := s.create("other")
	s.start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("dead")), DestinationArn: aws.String(arnOf("other")), MaxNumberOfMessagesPerSecond: aws.Int32(1)})
	s.work()
	must(s.client.DeleteQueue(s.Context(), &sdk.DeleteQueueInput{QueueUrl: other}))(s)
	s.pass(time.Second)
	s.work()
	got := s.tasks(arnOf("dead"))
	if *got[0].Status != "FAILED" || *got[0].FailureReason != "AWS.SimpleQueueService.NonExistentQueue" || got[0].ApproximateNumberOfMessagesMoved != 1 {
		t.Errorf("got %+v", got)
	}
	s.counts(dead, "2 0 0")

	s.pass(time.Second)
	s.send(dead, "own") // nobody knows where it would belong
	s.start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("dead"))})
	s.work()
	if got := s.tasks(arnOf("dead")); *got[0].Status != "FAILED" || *got[0].FailureReason != "CouldNotDetermineMessageSource" {
		t.Errorf("got %+v", got)
	}
	s.counts(dead, "3 0 0")
	s.counts(q, "0 0 0")
	must(s.client.DeleteQueue(s.Context(), &sdk.DeleteQueueInput{QueueUrl: dead}))(s)
	s.work()
	s.empty("sqs/move/")
}

// A queue that has another dead-letter queue by now is not among those that the starter was judged for: nothing is sent to it.
func TestMoveTaskToFormerSource(t *testing.T) {
	s := newServer(t)
	former, dead := s.bury("former", "dead", "a")
	s.create("elsewhere")
	must(s.client.SetQueueAttributes(s.Context(), &sdk.SetQueueAttributesInput{QueueUrl: former, Attributes: map[string]string{"RedrivePolicy": redriveTo("elsewhere", 1)}}))(s)
	s.create("q", "RedrivePolicy", redriveTo("dead", 1))
	s.start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("dead"))})
	for _, need := range s.needs {
		if need == "sqs:SendMessage "+arnOf("former") {
			t.Error("the former source is judged")
		}
	}
	s.work()
	s.counts(former, "0 0 0")
	s.counts(dead, "1 0 0")
	if got := s.tasks(arnOf("dead")); *got[0].Status != "FAILED" || *got[0].FailureReason != "CouldNotDetermineMessageSource" {
		t.Errorf("got %+v", got)
	}
}

// What is past its retention, though nobody has swept it yet, is not made new by being moved.
func TestMoveTaskLeavesExpired(t *testing.T) {
	s := newServer(t)
	q, dead := s.bury("q", "dead", "old")
	must(s.client.SetQueueAttributes(s.Context(), &sdk.SetQueueAttributesInput{QueueUrl: dead, Attributes: map[string]string{"MessageRetentionPeriod": "60"}}))(s)
	s.pass(61 * time.Second)
	s.start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("dead"))})
	s.work()
	s.counts(q, "0 0 0")
	s.counts(dead, "0 0 0")
	if got := s.tasks(arnOf("dead")); *got[0].Status != "COMPLETED" || got[0].ApproximateNumberOfMessagesMoved != 0 {
		t.Errorf("got %+v", got)
	}
}

// A message that went through two dead-letter queues goes back to the one that it came from last.
func TestMoveTaskOfSecondDeadLetters(t *testing.T) {
	s := newServer(t)
	s.create("last")
	second := s.create("second", "VisibilityTimeout", "0", "RedrivePolicy", redriveTo("last", 1))
	first := s.create("first", "VisibilityTimeout", "0", "RedrivePolicy", redriveTo("second", 1))
	s.send(first, "a")
	s.gets(first, "a")
	s.gets(first, "")
	s.gets(second, "a")
	s.gets(second, "")
	s.start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("last"))})
	s.work()
	s.counts(second, "1 0 0")
	s.counts(first, "0 0 0")
}

func TestMoveTaskRefusals(t *testing.T) {
	s := newServer(t)
	s.create("plain")
	s.bury("q", "dead")
	start := func(in sdk.StartMessageMoveTaskInput) error {
		_, err := s.client.StartMessageMoveTask(s.Context(), &in)
		return err
	}
	s.fails(start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("plain"))}), 400, "InvalidParameterValue",
		"Source queue must be configured as a Dead Letter Queue.")
	s.fails(start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("none"))}), 404, "ResourceNotFoundException",
		"The resource that you specified for the SourceArn parameter doesn't exist.")
	s.fails(start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("dead")), DestinationArn: aws.String(arnOf("none"))}), 404,
		"ResourceNotFoundException", "The resource that you specified for the DestinationArn parameter doesn't exist.")
	s.fails(start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("dead")), DestinationArn: aws.String(arnOf("dead"))}), 400,
		"InvalidParameterValue", "another queue than the source")
	s.fails(start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String("x")}), 400, "InvalidParameterValue", "SourceArn")
	s.fails(start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("dead")), MaxNumberOfMessagesPerSecond: aws.Int32(501)}), 400,
		"InvalidParameterValue", "MaxNumberOfMessagesPerSecond")
	cancel := func(handle string) error {
		_, err := s.client.CancelMessageMoveTask(s.Context(), &sdk.CancelMessageMoveTaskInput{TaskHandle: &handle})
		return err
	}
	s.fails(cancel("x"), 400, "InvalidParameterValue", "Value for parameter TaskHandle is invalid.")
	missing := movetask.Task{ID: "01234567-89ab-cdef-0123-456789abcdef", Source: arnOf("dead")}
	s.fails(cancel(missing.Handle()), 404, "ResourceNotFoundException", "Task does not exist.")
	missing.Source = arnOf("none")
	s.fails(cancel(missing.Handle()), 404, "ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.")
}

// Only the latest tasks are kept.
func TestMoveTasksAreBounded(t *testing.T) {
	s := newServer(t)
	s.bury("q", "dead")
	for range 13 {
		s.start(sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("dead"))})
		s.work()
		s.pass(time.Second)
	}
	if got := s.tasks(arnOf("dead")); len(got) != 10 {
		t.Errorf("%d tasks", len(got))
	}
	if err := s.db.View(t.Context(), func(r store.Reader) error {
		items, err := r.Scan("sqs/move/", "", 0)
		if len(items) != 10 {
			t.Errorf("%d tasks are kept", len(items))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// Another service's transaction and the message are one.
func TestSendWithin(t *testing.T) {
	s := newServer(t)
	q := s.create("q")
	failed := errors.New("failed")
	send := func(arn string, then error) error {
		return s.db.Update(context.Background(), func(tx store.Tx) error {
			return errors.Join(s.sqs.Send(t.Context(), tx, arn, "sender", "body"), then)
		})
	}
	if err := send(arnOf("q"), failed); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	s.counts(q, "0 0 0")
	if err := send(arnOf("q"), nil); err != nil {
		t.Fatal(err)
	}
	s.gets(q, "body")
	s.create("f.fifo", "FifoQueue", "true")
	if err := send(arnOf("f.fifo"), nil); err == nil {
		t.Error("a FIFO queue: no error")
	}
	if err := send(arnOf("none"), nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
