package compat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

// relays is a function that tells another queue of each batch, and fails as the messages say.
const relays = `import boto3, json, os
sqs = boto3.client("sqs")
def handler(event, context):
    bodies = [r["body"] for r in event["Records"]]
    sqs.send_message(QueueUrl=os.environ["TO"], MessageBody=json.dumps({"bodies": bodies, "first": event["Records"][0]}))
    if "raise" in bodies:
        raise Exception("as told")
    if "nonsense" in bodies:
        return {"batchItemFailures": [{"itemIdentifier": "nobody"}]}
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if r["body"] == "fail"]}
`

// polled is a queue with a mapping to a function that relays its messages.
type polled struct {
	from, to queue
	role     role
	function function
	uuid     string
}

func (l *licet) newPolled(t *testing.T, attributes []string, changes ...func(*lambda.CreateEventSourceMappingInput)) polled {
	t.Helper()
	p := polled{from: l.newQueue(t, attributes...), to: l.newQueue(t)}
	p.role = l.newRole(t, trustLambda, allow("sqs:*", p.from.arn), allow("sqs:SendMessage", p.to.arn))
	p.function = l.newFunction(t, relays, func(in *lambda.CreateFunctionInput) {
		in.Role, in.Timeout, in.Environment = &p.role.arn, aws.Int32(20), &types.Environment{Variables: map[string]string{"TO": p.to.url}}
	})
	in := &lambda.CreateEventSourceMappingInput{EventSourceArn: &p.from.arn, FunctionName: &p.function.arn}
	for _, change := range changes {
		change(in)
	}
	p.uuid = *must(l.as(l.root).lambda.CreateEventSourceMapping(t.Context(), in))(t).UUID
	return p
}

// batch is what the function told of one batch.
type batch struct {
	Bodies []string
	First  map[string]any
}

// batches takes what the function told, until there are so many different bodies: a message may come twice.
func (l *licet) batches(t *testing.T, p polled, bodies int) (all []batch) {
	t.Helper()
	c, seen := l.as(l.root), make(map[string]bool)
	for deadline := time.Now().Add(60 * time.Second); len(seen) < bodies; {
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d messages came: %v", len(seen), bodies, all)
		}
		for _, m := range must(c.receive(t, p.to, 5))(t) {
			var b batch
			if err := json.Unmarshal([]byte(*m.Body), &b); err != nil {
				t.Fatal(err)
			}
			all = append(all, b)
			for _, body := range b.Bodies {
				seen[body] = true
			}
			must(c.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &p.to.url, ReceiptHandle: m.ReceiptHandle}))(t)
		}
	}
	return all
}

func (l *licet) result(t *testing.T, p polled) string {
	t.Helper()
	out := must(l.as(l.root).lambda.GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: &p.uuid}))(t)
	return aws.ToString(out.LastProcessingResult)
}

// left counts the messages of a queue that wait or are in flight.
func (l *licet) left(t *testing.T, q queue) int {
	t.Helper()
	out := must(l.as(l.root).sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &q.url, AttributeNames: []sqstypes.QueueAttributeName{"All"},
	}))(t)
	n := 0
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"} {
		count, err := strconv.Atoi(out.Attributes[name])
		if err != nil {
			t.Fatal(err)
		}
		n += count
	}
	return n
}

// TestMappingOfQueue: messages reach the function as AWS writes them, and are deleted; a role that loses its permission is refused, which the
// mapping tells; with the permission it goes on by itself.
func TestMappingOfQueue(t *testing.T) {
	t.Parallel()
	p, root := server.newPolled(t, nil), server.as(server.root)
	sent := must(root.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &p.from.url, MessageBody: aws.String("hello"), MessageAttributes: map[string]sqstypes.MessageAttributeValue{
			"kind": {DataType: aws.String("String"), StringValue: aws.String("x")},
		},
	}))(t)
	got := server.batches(t, p, 1)[0].First
	attributes, _ := got["attributes"].(map[string]any)
	for name, want := range map[string]any{
		"messageId": *sent.MessageId, "body": "hello", "md5OfBody": *sent.MD5OfMessageBody, "md5OfMessageAttributes": *sent.MD5OfMessageAttributes,
		"eventSource": "aws:sqs", "eventSourceARN": p.from.arn, "awsRegion": "us-east-1",
		"messageAttributes": map[string]any{
			"kind": map[string]any{"stringValue": "x", "stringListValues": []any{}, "binaryListValues": []any{}, "dataType": "String"},
		},
	} {
		if diff := cmp.Diff(got[name], want); diff != "" {
			t.Errorf("%s: -got +want:\n%s", name, diff)
		}
	}
	if attributes["ApproximateReceiveCount"] != "1" || attributes["SentTimestamp"] == nil || attributes["SenderId"] == nil {
		t.Errorf("attributes: %v", attributes)
	}
	if !eventually(t, func() bool { return server.left(t, p.from) == 0 && server.result(t, p) == "OK" }) {
		t.Errorf("%d messages are left, result %q", server.left(t, p.from), server.result(t, p))
	}
	server.permitRole(t, p.role, allow("sqs:DeleteMessage", p.from.arn), allow("sqs:SendMessage", p.to.arn))
	want := "PROBLEM: The function execution role does not have permissions to call ReceiveMessage on SQS"
	if !eventually(t, func() bool { return server.result(t, p) == want }) {
		t.Errorf("without the permission: %q", server.result(t, p))
	}
	check(t, root.send(t, p.from, "again"), failure{})
	server.permitRole(t, p.role, allow("sqs:*", p.from.arn), allow("sqs:SendMessage", p.to.arn))
	if got := server.batches(t, p, 1); got[0].Bodies[0] != "again" {
		t.Errorf("got %v", got)
	}
	if !eventually(t, func() bool { return server.result(t, p) == "OK" }) {
		t.Errorf("with the permission: %q", server.result(t, p))
	}
}

// TestMappingFilters: what no filter matches is deleted without a call.
func TestMappingFilters(t *testing.T) {
	t.Parallel()
	root := server.as(server.root)
	p := server.newPolled(t, nil, func(in *lambda.CreateEventSourceMappingInput) {
		in.FilterCriteria = &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"body":{"n":[{"numeric":[">",1]}]}}`)}}}
	})
	for _, body := range []string{`{"n":1}`, `text`, `{"n":"2"}`, `{"n":2}`} {
		check(t, root.send(t, p.from, body), failure{})
	}
	got := server.batches(t, p, 1)
	if !eventually(t, func() bool { return server.left(t, p.from) == 0 }) {
		t.Errorf("%d messages are left", server.left(t, p.from))
	}
	if len(got) != 1 || !slices.Equal(got[0].Bodies, []string{`{"n":2}`}) || server.left(t, p.to) != 0 {
		t.Errorf("got %v", got)
	}
}

// TestMappingPartialFailures: messages that are reported, and all of a batch that fails or reports nonsense, come again until they are in the
// dead-letter queue.
func TestMappingPartialFailures(t *testing.T) {
	t.Parallel()
	root, dead := server.as(server.root), server.newQueue(t, "VisibilityTimeout", "300") // what is found stays hidden
	// A batch that takes longer than the twenty seconds, with the start of its environment, would come again while it is under way.
	p := server.newPolled(t, []string{"VisibilityTimeout", "20", "RedrivePolicy", `{"deadLetterTargetArn":"` + dead.arn + `","maxReceiveCount":"1"}`},
		func(in *lambda.CreateEventSourceMappingInput) {
			in.FunctionResponseTypes = []types.FunctionResponseType{"ReportBatchItemFailures"}
		})
	batch := &sqs.SendMessageBatchInput{QueueUrl: &p.from.url}
	for i, body := range []string{"good", "fail"} {
		batch.Entries = append(batch.Entries, sqstypes.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: &body})
	}
	must(root.sqs.SendMessageBatch(t.Context(), batch))(t)
	server.batches(t, p, 2)
	for _, body := range []string{"raise", "nonsense"} {
		check(t, root.send(t, p.from, body), failure{})
		server.batches(t, p, 1)
		if !eventually(t, func() bool { return server.result(t, p) == "PROBLEM: Function call failed" }) {
			t.Errorf("%s: result %q", body, server.result(t, p))
		}
	}
	var found []string
	if !eventually(t, func() bool {
		for _, m := range must(root.receive(t, dead, 1))(t) {
			found = append(found, *m.Body)
		}
		return len(found) >= 3
	}) {
		t.Errorf("only %v are in the dead-letter queue", found)
	}
	slices.Sort(found)
	if diff := cmp.Diff(found, []string{"fail", "nonsense", "raise"}); diff != "" {
		t.Errorf("dead letters: -got +want:\n%s", diff)
	}
}

// TestMappingOfFIFOQueue: the messages of a group come in their order.
func TestMappingOfFIFOQueue(t *testing.T) {
	t.Parallel()
	p, root := server.newPolled(t, []string{"FifoQueue", "true", "ContentBasedDeduplication", "true"}), server.as(server.root)
	for i := range 4 {
		batch := &sqs.SendMessageBatchInput{QueueUrl: &p.from.url}
		for j := range 10 {
			batch.Entries = append(batch.Entries, sqstypes.SendMessageBatchRequestEntry{
				Id: aws.String(fmt.Sprint(j)), MessageBody: aws.String(fmt.Sprintf("g%d-%03d", j%2, 10*i+j)), MessageGroupId: aws.String(fmt.Sprint("g", j%2)),
			})
		}
		must(root.sqs.SendMessageBatch(t.Context(), batch))(t)
	}
	if got := server.batches(t, p, 40); !eventually(t, func() bool { return server.left(t, p.from) == 0 }) {
		t.Errorf("got %v, %d are left", got, server.left(t, p.from))
	} else {
		for _, b := range got { // within a batch; the relaying queue has no order of its own
			for _, group := range []string{"g0", "g1"} {
				own := slices.DeleteFunc(slices.Clone(b.Bodies), func(body string) bool { return !strings.HasPrefix(body, group) })
				if !slices.IsSorted(own) {
					t.Errorf("order of %s: %v", group, own)
				}
			}
		}
	}
}

// TestMappingChecksQueue: a queue must be there, and give the function the time that it may take.
func TestMappingChecksQueue(t *testing.T) {
	t.Parallel()
	c, q := server.as(server.root), server.newQueue(t, "VisibilityTimeout", "5")
	r := server.newRole(t, trustLambda, allow("sqs:*", "*"))
	f := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Role, in.Timeout = &r.arn, aws.Int32(6) })
	for arn, message := range map[string]string{
		sqsOf(unique("none")): "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. " +
			"SQS Error Message: The specified queue does not exist.",
		q.arn: "Queue visibility timeout: 5 seconds is less than Function timeout: 6 seconds",
	} {
		_, err := c.lambda.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{EventSourceArn: &arn, FunctionName: &f.arn})
		check(t, err, failure{400, "InvalidParameterValueException", message})
	}
}

// TestMappingStopsLoops: a function that sends each message to its own queue again runs 16 times with it. The message is a dead letter then.
func TestMappingStopsLoops(t *testing.T) {
	t.Parallel()
	root, dead, to := server.as(server.root), server.newQueue(t), server.newQueue(t)
	q := server.newQueue(t, "VisibilityTimeout", "20", "RedrivePolicy", `{"deadLetterTargetArn":"`+dead.arn+`","maxReceiveCount":"1"}`)
	r := server.newRole(t, trustLambda, allow("sqs:*", "*"))
	f := server.newFunction(t, `import boto3, os
sqs = boto3.client("sqs")
# As newer SDKs do by themselves, the call says what it is part of.
def said(params, **_):
    params["headers"]["X-Amzn-Trace-Id"] = os.environ["_X_AMZN_TRACE_ID"]
sqs.meta.events.register("before-call.sqs", said)
def handler(event, context):
    for r in event["Records"]:
        n = int(r["body"])
        sqs.send_message(QueueUrl=os.environ["TO"], MessageBody=r["body"])
        # The one that is stopped comes when this batch has ended, so that its result is the last.
        sqs.send_message(QueueUrl=os.environ["AGAIN"], MessageBody=str(n + 1), DelaySeconds=5 if n == 15 else 0)
`, func(in *lambda.CreateFunctionInput) {
		in.Role, in.Timeout, in.Environment = &r.arn, aws.Int32(10), &types.Environment{Variables: map[string]string{"TO": to.url, "AGAIN": q.url}}
	})
	made := must(root.lambda.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{EventSourceArn: &q.arn, FunctionName: &f.arn}))(t)
	check(t, root.send(t, q, "0"), failure{})
	var got []sqstypes.Message
	if !eventually(t, func() bool { got = must(root.receive(t, dead, 5))(t); return len(got) > 0 }) || len(got) != 1 || *got[0].Body != "16" {
		t.Errorf("dead letters: %+v", got)
	}
	if n := server.left(t, to); n != 16 {
		t.Errorf("the function ran %d times", n)
	}
	stopped := func() bool {
		return server.result(t, polled{uuid: *made.UUID}) == "PROBLEM: Function call was stopped in a recursive loop"
	}
	if !eventually(t, stopped) {
		t.Errorf("result %q", server.result(t, polled{uuid: *made.UUID}))
	}
}

// TestMappingMaximumConcurrency: no more batches are under way than the mapping may have, however long the queue is.
func TestMappingMaximumConcurrency(t *testing.T) {
	t.Parallel()
	root := server.as(server.root)
	q, to := server.newQueue(t), server.newQueue(t, "VisibilityTimeout", "300") // each is read once
	r := server.newRole(t, trustLambda, allow("sqs:*", "*"))
	f := server.newFunction(t, `import boto3, os, time
sqs = boto3.client("sqs")
def handler(event, context):
    begun = time.time()
    time.sleep(0.3)
    sqs.send_message(QueueUrl=os.environ["TO"], MessageBody=f"{begun} {time.time()}")
`, func(in *lambda.CreateFunctionInput) {
		in.Role, in.Timeout, in.Environment = &r.arn, aws.Int32(20), &types.Environment{Variables: map[string]string{"TO": to.url}}
	})
	for i := range 8 {
		check(t, root.send(t, q, fmt.Sprint(i)), failure{})
	}
	must(root.lambda.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{
		EventSourceArn: &q.arn, FunctionName: &f.arn, BatchSize: aws.Int32(1), ScalingConfig: &types.ScalingConfig{MaximumConcurrency: aws.Int32(2)},
	}))(t)
	type span struct{ begun, ended float64 }
	var spans []span
	for deadline := time.Now().Add(60 * time.Second); len(spans) < 8; {
		if time.Now().After(deadline) {
			t.Fatalf("only %v ran", spans)
		}
		for _, m := range must(root.receive(t, to, 5))(t) {
			var s span
			if _, err := fmt.Sscan(*m.Body, &s.begun, &s.ended); err != nil {
				t.Fatal(err)
			}
			spans = append(spans, s)
		}
	}
	most := 0
	for _, s := range spans {
		n := 0
		for _, other := range spans {
			if other.begun <= s.begun && s.begun < other.ended {
				n++
			}
		}
		most = max(most, n)
	}
	if most > 2 || most < 1 {
		t.Errorf("%d ran at once: %v", most, spans)
	}
}
