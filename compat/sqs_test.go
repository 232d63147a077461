package compat

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

// queue is a queue.
type queue struct{ name, url, arn string }

func (l *licet) newQueue(t *testing.T, attributes ...string) queue {
	t.Helper()
	q := queue{name: unique("queue")}
	given := map[string]string{}
	for i := 0; i < len(attributes); i += 2 {
		given[attributes[i]] = attributes[i+1]
	}
	if given["FifoQueue"] == "true" {
		q.name += ".fifo"
	}
	out := must(l.as(l.root).sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &q.name, Attributes: given}))(t)
	q.url, q.arn = *out.QueueUrl, "arn:aws:sqs:us-east-1:"+account+":"+q.name
	return q
}

func (c clients) send(t *testing.T, q queue, body string) error {
	t.Helper()
	_, err := c.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body})
	return err
}

// receive takes messages off a queue, waiting for the first.
func (c clients) receive(t *testing.T, q queue, wait int32) ([]sqstypes.Message, error) {
	t.Helper()
	out, err := c.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"All"},
	})
	if err != nil {
		return nil, err
	}
	return out.Messages, nil
}

// sqsDenied is SQS's denial, which has the action in lower case.
func sqsDenied(caller, action, resource, policyType string) failure {
	return failure{403, "AccessDenied", noPolicyAllows(caller, action, resource, policyType)}
}

// TestQueueGo: the Go SDK speaks JSON, and checks the digests itself.
func TestQueueGo(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root), t.Context()
	q := server.newQueue(t, "FifoQueue", "true", "ContentBasedDeduplication", "true")
	if want := server.url + "/" + account + "/" + q.name; q.url != want {
		t.Errorf("URL %s, want %s", q.url, want)
	}
	batch := &sqs.SendMessageBatchInput{QueueUrl: &q.url}
	for i := range 6 {
		batch.Entries = append(batch.Entries, sqstypes.SendMessageBatchRequestEntry{
			Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String(fmt.Sprint("<ä", i)), MessageGroupId: aws.String(fmt.Sprint("g", i%2)),
			MessageAttributes: map[string]sqstypes.MessageAttributeValue{
				"n": {DataType: aws.String("Number"), StringValue: aws.String(fmt.Sprint(i))}, "b": {DataType: aws.String("Binary.x"), BinaryValue: []byte{0, 255}},
			},
		})
	}
	sent := must(c.sqs.SendMessageBatch(ctx, batch))(t)
	if len(sent.Successful) != 6 || len(sent.Failed) != 0 {
		t.Fatalf("got %+v", sent)
	}
	got := must(c.receive(t, q, 0))(t)
	var order []string
	var entries []sqstypes.DeleteMessageBatchRequestEntry
	for i, m := range got {
		order = append(order, *m.Body)
		entries = append(entries, sqstypes.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: m.ReceiptHandle})
		if a := m.MessageAttributes["b"]; string(a.BinaryValue) != "\x00\xff" || *a.DataType != "Binary.x" {
			t.Errorf("got %+v", a)
		}
	}
	if diff := cmp.Diff(order, []string{"<ä0", "<ä2", "<ä4", "<ä1", "<ä3", "<ä5"}); diff != "" {
		t.Errorf("order: -got +want:\n%s", diff)
	}
	if out := must(c.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries}))(t); len(out.Failed) != 0 {
		t.Errorf("got %+v", out.Failed)
	}
	// A receive that waits gets what comes.
	done := make(chan []sqstypes.Message, 1)
	go func() {
		out, err := c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.url, WaitTimeSeconds: 20})
		if err != nil {
			t.Error(err)
			out = &sqs.ReceiveMessageOutput{}
		}
		done <- out.Messages
	}()
	must(c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: aws.String("late"), MessageGroupId: aws.String("g")}))(t)
	if got := <-done; len(got) != 1 || *got[0].Body != "late" {
		t.Errorf("waiting: got %+v", got)
	}
	_, err := c.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("none")})
	check(t, err, failure{400, "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."})
	_, err = c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.url, MaxNumberOfMessages: 11})
	check(t, err, failure{400, "InvalidParameterValue", "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."})
	must(c.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &q.url}))(t)
}

// queueScript does with boto3 what programs do, and prints what does not change from run to run.
const queueScript = `import boto3, json, os, sys
from botocore.exceptions import ClientError
c = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
def refused(call):
    try:
        call()
    except ClientError as e:
        return [e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Code"], e.response["Error"]["Message"]]
url = c.create_queue(QueueName=sys.argv[1], Attributes={"DelaySeconds": "900"}, tags={"team": "red"})["QueueUrl"]
c.send_message(QueueUrl=url, MessageBody="a&<b> \u00e4", DelaySeconds=0, MessageAttributes={
    "s": {"DataType": "String", "StringValue": "v"}, "b": {"DataType": "Binary", "BinaryValue": b"\x00\x01"}})
sent = c.send_message_batch(QueueUrl=url, Entries=[
    {"Id": "1", "MessageBody": "1", "DelaySeconds": 0}, {"Id": "2", "MessageBody": "2"}, {"Id": "3", "MessageBody": "\u0001"}])
got = c.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"])["Messages"]
counts = c.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
first = got[0]
deleted = c.delete_message_batch(QueueUrl=url, Entries=[{"Id": "a", "ReceiptHandle": first["ReceiptHandle"]}, {"Id": "b", "ReceiptHandle": "x"}])
c.change_message_visibility(QueueUrl=url, ReceiptHandle=got[1]["ReceiptHandle"], VisibilityTimeout=0)
c.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
c.untag_queue(QueueUrl=url, TagKeys=["team"])
c.tag_queue(QueueUrl=url, Tags={"stage": "test"})
c.add_permission(QueueUrl=url, Label="l", AWSAccountIds=["111111111111"], Actions=["SendMessage"])
c.remove_permission(QueueUrl=url, Label="l")
again = c.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]
print(json.dumps([
    [m["Body"] for m in got], first["MessageAttributes"]["s"]["StringValue"], list(first["MessageAttributes"]["b"]["BinaryValue"]),
    first["Attributes"]["ApproximateReceiveCount"], [e["Id"] for e in sent["Successful"]], [[e["Id"], e["Code"], e["SenderFault"]] for e in sent["Failed"]],
    [counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"], counts["ApproximateNumberOfMessagesDelayed"]],
    [e["Id"] for e in deleted["Successful"]], [[e["Id"], e["Code"]] for e in deleted["Failed"]], [m["Body"] for m in again],
    c.list_queue_tags(QueueUrl=url)["Tags"], c.get_queue_url(QueueName=sys.argv[1])["QueueUrl"] == url,
    url in c.list_queues(QueueNamePrefix=sys.argv[1])["QueueUrls"],
    refused(lambda: c.create_queue(QueueName=sys.argv[1], Attributes={"DelaySeconds": "1"})),
    refused(lambda: c.send_message_batch(QueueUrl=url, Entries=[])),
    refused(lambda: c.get_queue_url(QueueName="none")),
    refused(lambda: c.receive_message(QueueUrl=url, MaxNumberOfMessages=0)),
], separators=(",", ":")))
c.purge_queue(QueueUrl=url)
c.delete_queue(QueueUrl=url)
`

// TestQueueBoto3: Debian's boto3 speaks the query protocol.
func TestQueueBoto3(t *testing.T) {
	t.Parallel()
	out, err := server.command(t, server.root, "/usr/bin/python3", "-c", queueScript, unique("queue"))
	want := `[["a&<b> \u00e4","1"],"v",[0,1],"1",["1","2"],[["3","InvalidMessageContents",true]],["0","2","1"],["a"],[["b","ReceiptHandleIsInvalid"]],["1"],` +
		`{"stage":"test"},true,true,` +
		`[400,"QueueAlreadyExists","A queue already exists with the same name and a different value for attribute DelaySeconds"],` +
		`[400,"AWS.SimpleQueueService.EmptyBatchRequest","There should be at least one SendMessageBatchRequestEntry in the request."],` +
		`[400,"AWS.SimpleQueueService.NonExistentQueue","The specified queue does not exist for this wsdl version."],` +
		`[400,"InvalidParameterValue","Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."]]`
	if strings.TrimSpace(out) != want || err != nil {
		t.Errorf("got %s, %v, want %s", out, err, want)
	}
}

// TestQueueCLI: Debian's AWS CLI speaks the query protocol, too.
func TestQueueCLI(t *testing.T) {
	t.Parallel()
	p := server.newUser(t, allow("sqs:*", "*"), deny("sqs:PurgeQueue", "*"))
	run := func(args ...string) (string, error) {
		return server.command(t, p.credentials, "/usr/bin/aws", append([]string{"--endpoint-url", server.url, "--output", "text", "sqs"}, args...)...)
	}
	name := unique("queue")
	url := strings.TrimSpace(must(run("create-queue", "--queue-name", name, "--attributes", "VisibilityTimeout=5", "--tags", "a=b"))(t))
	if url != server.url+"/"+account+"/"+name {
		t.Errorf("got %s", url)
	}
	must(run("send-message", "--queue-url", url, "--message-body", "hello"))(t)
	if got := must(run("receive-message", "--queue-url", url, "--wait-time-seconds", "1", "--query", "Messages[].Body"))(t); got != "hello\n" {
		t.Errorf("got %q", got)
	}
	if got := must(run("get-queue-attributes", "--queue-url", url, "--attribute-names", "VisibilityTimeout", "--query", "Attributes"))(t); got != "5\n" {
		t.Errorf("got %q", got)
	}
	_, err := run("purge-queue", "--queue-url", url)
	want := "An error occurred (AccessDenied) when calling the PurgeQueue operation (reached max retries: 0): User: " + p.arn + " is not authorized to perform: " +
		"sqs:purgequeue on resource: arn:aws:sqs:us-east-1:" + account + ":" + name + " with an explicit deny in an identity-based policy"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	must(run("delete-queue", "--queue-url", url))(t)
}

// TestQueueAccess: within an account the caller's policies or the queue's are enough, across accounts both are needed, and some actions
// cannot be allowed across accounts.
func TestQueueAccess(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	root, ctx := l.as(l.root), t.Context()
	q := l.newQueue(t)
	setPolicy := func(statements ...string) {
		t.Helper()
		must(root.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
			QueueUrl: &q.url, Attributes: map[string]string{"Policy": *document(statements...)},
		}))(t)
	}
	granting := func(principal, action string) string {
		return `{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"` + action + `","Resource":"` + q.arn + `"}`
	}
	nobody, sender := l.newUser(t), l.newUser(t, allow("sqs:SendMessage", q.arn))
	err := nobody.send(t, q, "x")
	check(t, err, sqsDenied(nobody.arn, "sqs:sendmessage", q.arn, "identity-based policy"))
	if fix := l.explain(t, requestID(t, err)).statements(t); len(fix) != 1 || !strings.Contains(fix[0], "sqs:SendMessage") || !strings.Contains(fix[0], q.arn) {
		t.Errorf("the smallest fix: got %q", fix)
	}
	check(t, sender.send(t, q, "one"), failure{})
	_, err = sender.receive(t, q, 0)
	check(t, err, sqsDenied(sender.arn, "sqs:receivemessage", q.arn, "identity-based policy"))
	setPolicy(granting(nobody.arn, "sqs:SendMessage"))
	check(t, nobody.send(t, q, "two"), failure{})

	other := l.newAccount(t)
	arn, stranger := l.userOf(t, other, allow("sqs:*", "*"))
	check(t, stranger.send(t, q, "x"), sqsDenied(arn, "sqs:sendmessage", q.arn, "resource-based policy"))
	setPolicy(granting(other.id, "sqs:*"))
	check(t, stranger.send(t, q, "three"), failure{})
	weakArn, weak := l.userOf(t, other, allow("sqs:ReceiveMessage", "*"))
	check(t, weak.send(t, q, "x"), sqsDenied(weakArn, "sqs:sendmessage", q.arn, "identity-based policy"))
	out := must(stranger.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &q.name, QueueOwnerAWSAccountId: aws.String(account)}))(t)
	if *out.QueueUrl != q.url {
		t.Errorf("got %s, want %s", *out.QueueUrl, q.url)
	}
	if got := must(stranger.receive(t, q, 0))(t); len(got) != 3 {
		t.Errorf("received %d messages, want 3", len(got))
	}
	_, err = stranger.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &q.url})
	check(t, err, sqsDenied(arn, "sqs:deletequeue", q.arn, "resource-based policy"))
	// Who may not act does not learn what exists.
	_, err = nobody.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String(q.url + "-none")})
	check(t, err, sqsDenied(nobody.arn, "sqs:receivemessage", q.arn+"-none", "identity-based policy"))

	// Tags of the queue, and of the request.
	red := l.newUser(t, allow("sqs:SendMessage", "*", `{"StringEquals":{"aws:ResourceTag/team":"red"}}`),
		allow("sqs:TagQueue", "*", `{"ForAllValues:StringEquals":{"aws:TagKeys":["stage"]}}`))
	plain := l.newQueue(t)
	check(t, red.send(t, plain, "x"), sqsDenied(red.arn, "sqs:sendmessage", plain.arn, "identity-based policy"))
	must(root.sqs.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: &plain.url, Tags: map[string]string{"team": "red"}}))(t)
	check(t, red.send(t, plain, "x"), failure{})
	_, err = red.sqs.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: &plain.url, Tags: map[string]string{"team": "red"}})
	check(t, err, sqsDenied(red.arn, "sqs:tagqueue", plain.arn, "identity-based policy"))
	must(red.sqs.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: &plain.url, Tags: map[string]string{"stage": "test"}}))(t)
}

// TestQueueMoveTask: dead letters come, and go back.
func TestQueueMoveTask(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root), t.Context()
	dead := server.newQueue(t)
	q := server.newQueue(t, "VisibilityTimeout", "0", "RedrivePolicy", `{"deadLetterTargetArn":"`+dead.arn+`","maxReceiveCount":1}`)
	check(t, c.send(t, q, "a"), failure{})
	must(c.receive(t, q, 0))(t)
	if got := must(c.receive(t, q, 0))(t); len(got) != 0 {
		t.Fatalf("received again: %+v", got)
	}
	sources := must(c.sqs.ListDeadLetterSourceQueues(ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dead.url}))(t)
	if diff := cmp.Diff(sources.QueueUrls, []string{q.url}); diff != "" {
		t.Errorf("sources: -got +want:\n%s", diff)
	}
	must(c.sqs.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &dead.arn}))(t)
	if got := must(c.receive(t, q, 20))(t); len(got) != 1 || *got[0].Body != "a" {
		t.Errorf("after the task: got %+v", got)
	}
	tasks := must(c.sqs.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &dead.arn}))(t)
	if len(tasks.Results) != 1 || tasks.Results[0].ApproximateNumberOfMessagesMoved != 1 {
		t.Errorf("got %+v", tasks.Results)
	}
}

// TestQueueDestinations: what becomes of an event goes to queues with the execution role, and to none without its permission.
func TestQueueDestinations(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	root, ctx := l.as(l.root), t.Context()
	dead, failed := l.newQueue(t), l.newQueue(t)
	done := l.newQueue(t, "VisibilityTimeout", "300") // what is taken does not come again
	sends := allow("sqs:SendMessage", "*")
	r := l.newRole(t, trustLambda, allow("logs:*", "*"), sends)
	f := l.newFunction(t, obedient, func(in *lambda.CreateFunctionInput) {
		in.Role, in.DeadLetterConfig = &r.arn, &types.DeadLetterConfig{TargetArn: &dead.arn}
	})
	must(root.lambda.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: &f.name, MaximumRetryAttempts: aws.Int32(0), DestinationConfig: &types.DestinationConfig{
			OnSuccess: &types.OnSuccess{Destination: &done.arn}, OnFailure: &types.OnFailure{Destination: &failed.arn},
		},
	}))(t)
	one := func(q queue) sqstypes.Message {
		t.Helper()
		got := must(root.receive(t, q, 20))(t)
		if len(got) != 1 {
			t.Fatalf("%s: got %+v", q.name, got)
		}
		return got[0]
	}
	condition := func(m sqstypes.Message) string {
		var record struct {
			RequestContext struct{ RequestID, Condition string }
		}
		if err := json.Unmarshal([]byte(*m.Body), &record); err != nil {
			t.Fatalf("%v in %s", err, *m.Body)
		}
		return record.RequestContext.RequestID + " " + record.RequestContext.Condition
	}
	id := root.invokeEvent(t, f.name, `{"n":1}`)
	if got := condition(one(done)); got != id+" Success" {
		t.Errorf("got %s", got)
	}
	id = root.invokeEvent(t, f.name, `{"fail":true}`)
	m := one(failed)
	if got := condition(m); got != id+" RetriesExhausted" {
		t.Errorf("got %s", got)
	}
	if sender := m.Attributes["SenderId"]; !strings.HasPrefix(sender, "AROA") || !strings.HasSuffix(sender, ":"+f.name) {
		t.Errorf("sent by %s, want the execution role's session", sender)
	}
	m = one(dead)
	if *m.Body != `{"fail":true}` || *m.MessageAttributes["RequestID"].StringValue != id || *m.MessageAttributes["ErrorCode"].StringValue != "200" ||
		*m.MessageAttributes["ErrorMessage"].StringValue != "as told" {
		t.Errorf("got %s with %+v", *m.Body, m.MessageAttributes)
	}

	l.permitRole(t, r, allow("logs:*", "*"))
	root.invokeEvent(t, f.name, `{"n":2}`)
	if !eventually(t, func() bool {
		return strings.Contains(l.page(t, "/_licet/metrics"), "licet_async_failures_total{kind=\"destination\"} 1\n")
	}) {
		t.Error("a role that may not send is not counted")
	}
	var denials []explanation
	text := must(l.command(t, l.root, l.binary, "explain", "--data", l.data, "--json", "--last", "--denied"))(t)
	if err := json.Unmarshal([]byte(text), &denials); err != nil || len(denials) != 1 {
		t.Fatalf("%v in %s", err, text)
	}
	e := denials[0]
	if d := e.Decisions[0]; d.Request.Action != "sqs:SendMessage" || d.Request.Resource != done.arn || !strings.Contains(e.Record.Caller.ARN, r.name) {
		t.Errorf("the last denial is %s on %s of %s", d.Request.Action, d.Request.Resource, e.Record.Caller.ARN)
	}
	if fix := e.statements(t); len(fix) != 1 || !strings.Contains(fix[0], done.arn) {
		t.Errorf("the smallest fix: got %q", fix)
	}
	if got := must(root.receive(t, done, 0))(t); len(got) != 0 {
		t.Errorf("a destination got what the role may not send: %+v", got)
	}
}

// forwards is a function that moves messages from one queue to another, as far as its role may.
const forwards = `import boto3
sqs = boto3.client("sqs")
def handler(event, context):
    try:
        got = sqs.receive_message(QueueUrl=event["from"], MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        for m in got:
            sqs.send_message(QueueUrl=event["to"], MessageBody=m["Body"] + " forwarded")
            sqs.delete_message(QueueUrl=event["from"], ReceiptHandle=m["ReceiptHandle"])
        return len(got)
    except sqs.exceptions.ClientError as e:
        return e.response["Error"]["Code"] + ": " + e.response["Error"]["Message"]
`

// forwardsInNode is the same in JavaScript. It finds the queues by their names.
const forwardsInNode = `const { SQSClient, GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand, DeleteMessageCommand } = require("@aws-sdk/client-sqs");
const sqs = new SQSClient({});
exports.handler = async (event) => {
  try {
    const url = async (name) => (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl;
    const [from, to] = [await url(event.from), await url(event.to)];
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: from, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }));
    for (const m of Messages) {
      await sqs.send(new SendMessageCommand({ QueueUrl: to, MessageBody: m.Body + " forwarded" }));
      await sqs.send(new DeleteMessageCommand({ QueueUrl: from, ReceiptHandle: m.ReceiptHandle }));
    }
    return Messages.length;
  } catch (e) {
    return e.name + ": " + e.message;
  }
};
`

// TestQueueFromFunction: functions in Python and Node use queues from inside their sandboxes, with their roles.
func TestQueueFromFunction(t *testing.T) {
	t.Parallel()
	root := server.as(server.root)
	for name, change := range map[string]func(*lambda.CreateFunctionInput){
		"python": func(*lambda.CreateFunctionInput) {},
		"node": func(in *lambda.CreateFunctionInput) {
			in.Runtime, in.Handler = types.RuntimeNodejs20x, aws.String("index.handler")
			in.Code.ZipFile = archive(t, append(npmPackage(t, "@aws-sdk/client-sqs"), file{name: "index.js", text: forwardsInNode})...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := server.newQueue(t, "VisibilityTimeout", "0"), server.newQueue(t)
			r := server.newRole(t, trustLambda, allow("sqs:*", from.arn), allow("sqs:GetQueueUrl", to.arn))
			f := server.newFunction(t, forwards, func(in *lambda.CreateFunctionInput) { in.Role, in.Timeout = &r.arn, aws.Int32(30) }, change)
			check(t, root.send(t, from, "a"), failure{})
			event := fmt.Sprintf(`{"from":%q,"to":%q}`, from.url, to.url)
			if name == "node" {
				event = fmt.Sprintf(`{"from":%q,"to":%q}`, from.name, to.name)
			}
			session := "arn:aws:sts::" + account + ":assumed-role/" + r.name + "/" + f.name
			want := fmt.Sprintf("%q", "AccessDenied: "+noPolicyAllows(session, "sqs:sendmessage", to.arn, "identity-based policy"))
			if got, err := root.invoke(t, f.name, event); got != want {
				t.Errorf("got %s, %v, want %s", got, err, want)
			}
			server.permitRole(t, r, allow("sqs:*", from.arn), allow("sqs:SendMessage", to.arn), allow("sqs:GetQueueUrl", to.arn))
			if got, err := root.invoke(t, f.name, event); got != "1" {
				t.Errorf("got %s, %v", got, err)
			}
			if got := must(root.receive(t, to, 5))(t); len(got) != 1 || *got[0].Body != "a forwarded" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestQueueSurvivesCrashes: what was acknowledged is there after kill -9, and what was deleted is not.
func TestQueueSurvivesCrashes(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	q := l.newQueue(t)
	w := &crashing{q: q, acknowledged: map[string]bool{}, deleting: map[string]bool{}, deleted: map[string]bool{}}
	for round := range 5 {
		w.round(t, l, round)
	}
	c, found := l.as(l.root), map[string]bool{}
	for { // until nothing comes any more, also of what was received in a crash
		out := must(c.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: &q.url, MaxNumberOfMessages: 10, VisibilityTimeout: 300, WaitTimeSeconds: 2 * crashVisibility,
		}))(t)
		if len(out.Messages) == 0 {
			break
		}
		for _, m := range out.Messages {
			found[*m.Body] = true
		}
	}
	for body := range w.acknowledged {
		switch {
		case w.deleted[body] && found[body]:
			t.Errorf("%s was deleted, and is there", body)
		case !w.deleting[body] && !found[body]:
			t.Errorf("%s was acknowledged, and is lost", body)
		}
	}
	t.Logf("%d messages were acknowledged, %d deleted, %d found", len(w.acknowledged), len(w.deleted), len(found))
}

// crashVisibility is how long a message is with a receiver that crashes, in seconds.
const crashVisibility = 1

// crashing is what senders and a receiver know of a server that crashes.
type crashing struct {
	q queue

	mu sync.Mutex
	// deleting are the messages whose deletion was asked for, answered or not.
	acknowledged, deleting, deleted map[string]bool
}

// round works until the server is killed, and starts it again.
func (w *crashing) round(t *testing.T, l *licet, round int) {
	c := l.as(l.root)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				body := fmt.Sprintf("%d-%d-%d", round, worker, i)
				if _, err := c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &w.q.url, MessageBody: &body}); err != nil {
					return
				}
				w.note(w.acknowledged, body)
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			out, err := c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &w.q.url, VisibilityTimeout: crashVisibility})
			if err != nil || len(out.Messages) == 0 {
				continue
			}
			w.note(w.deleting, *out.Messages[0].Body)
			if _, err := c.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &w.q.url, ReceiptHandle: out.Messages[0].ReceiptHandle}); err == nil {
				w.note(w.deleted, *out.Messages[0].Body)
			}
		}
	})
	if !eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.acknowledged) > 200*(round+1) && len(w.deleted) > 20*(round+1)
	}) {
		t.Error("too little was sent or deleted")
	}
	if err := l.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-l.ended
	cancel()
	wg.Wait()
	l.start(t)
}

func (w *crashing) note(set map[string]bool, body string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	set[body] = true
}
