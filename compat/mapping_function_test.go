package compat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// TestMappingRefusalIsExplained: a role that loses its permission while its queue is polled is refused: the mapping says so, and the decision log
// has the call with its smallest fix.
func TestMappingRefusalIsExplained(t *testing.T) {
	t.Parallel()
	p := server.newPolled(t, nil)
	server.permitRole(t, p.role, allow("sqs:DeleteMessage", p.from.arn), allow("sqs:SendMessage", p.to.arn))
	want := "PROBLEM: The function execution role does not have permissions to call ReceiveMessage on SQS"
	if !eventually(t, func() bool { return server.result(t, p) == want }) {
		t.Errorf("result %q, want %q", server.result(t, p), want)
	}
	session := "arn:aws:sts::" + account + ":assumed-role/" + p.role.name + "/" + p.function.name
	text := must(server.command(t, server.root, server.binary, "explain", "--data", server.data, "--json", "--last", "--denied", "--principal", session))(t)
	var denials []explanation
	if err := json.Unmarshal([]byte(text), &denials); err != nil || len(denials) != 1 {
		t.Fatalf("%v in %s", err, text)
	}
	e := denials[0]
	if d := e.Decisions[0]; e.Record.Allowed || d.Request.Action != "sqs:ReceiveMessage" || d.Request.Resource != p.from.arn || e.Record.Caller.ARN != session {
		t.Errorf("the last denial is %s on %s of %s", d.Request.Action, d.Request.Resource, e.Record.Caller.ARN)
	}
	fix := e.statements(t)
	if len(fix) != 1 || !strings.Contains(fix[0], `"sqs:ReceiveMessage"`) || !strings.Contains(fix[0], p.from.arn) {
		t.Fatalf("the smallest fix: got %q", fix)
	}
	// The fix is enough.
	server.permitRole(t, p.role, allow("sqs:DeleteMessage", p.from.arn), allow("sqs:SendMessage", p.to.arn), fix[0])
	check(t, server.as(server.root).send(t, p.from, "again"), failure{})
	if got := server.batches(t, p, 1); got[0].Bodies[0] != "again" {
		t.Errorf("got %v", got)
	}
}

// tellsVersion is a function that tells another queue as what it was called.
const tellsVersion = `import boto3, os
sqs = boto3.client("sqs")
def handler(event, context):
    for r in event["Records"]:
        called = context.invoked_function_arn.split(":function:")[1].partition(":")[2]
        sqs.send_message(QueueUrl=os.environ["TO"], MessageBody=r["body"] + " " + called + " " + context.function_version)
`

// TestMappingOntoAliasAndVersion: a mapping calls the alias or version that it names, and follows an alias that moves.
func TestMappingOntoAliasAndVersion(t *testing.T) {
	t.Parallel()
	root, ctx := server.as(server.root), t.Context()
	toAlias, toVersion, to := server.newQueue(t), server.newQueue(t), server.newQueue(t)
	r := server.newRole(t, trustLambda, allow("sqs:*", "*"))
	f := server.newFunction(t, tellsVersion, func(in *lambda.CreateFunctionInput) {
		in.Role, in.Timeout, in.Environment = &r.arn, aws.Int32(20), &types.Environment{Variables: map[string]string{"TO": to.url}}
	})
	publish := func() *string {
		return must(root.lambda.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &f.name}))(t).Version
	}
	first := publish()
	must(root.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &f.name, Name: aws.String("live"), FunctionVersion: first}))(t)
	for qualifier, q := range map[string]queue{"live": toAlias, *first: toVersion} {
		name := f.arn + ":" + qualifier
		made := must(root.lambda.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{EventSourceArn: &q.arn, FunctionName: &name}))(t)
		if *made.FunctionArn != name {
			t.Errorf("the mapping is of %s, want %s", *made.FunctionArn, name)
		}
	}
	told := func(q queue, body, want string) {
		t.Helper()
		check(t, root.send(t, q, body), failure{})
		var got []sqstypes.Message
		eventually(t, func() bool { got = must(root.receive(t, to, 5))(t); return len(got) > 0 })
		if len(got) != 1 || *got[0].Body != want {
			t.Errorf("got %+v, want %s", got, want)
		} else {
			must(root.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &to.url, ReceiptHandle: got[0].ReceiptHandle}))(t)
		}
	}
	told(toAlias, "a", "a live 1")
	told(toVersion, "b", "b 1 1")
	must(root.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &f.name, Description: aws.String("second")}))(t)
	must(root.lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: &f.name, Name: aws.String("live"), FunctionVersion: publish()}))(t)
	told(toAlias, "c", "c live 2")
	told(toVersion, "d", "d 1 1")
}

// TestMappingThrottlesLoseNothing: while the function may not run, messages stay in the queue, and come when it may.
func TestMappingThrottlesLoseNothing(t *testing.T) {
	t.Parallel()
	root, ctx := server.as(server.root), t.Context()
	p := server.newPolled(t, nil)
	must(root.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: &p.from.url, Attributes: map[string]string{"VisibilityTimeout": "2"},
	}))(t)
	must(root.lambda.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
		FunctionName: &p.function.name, ReservedConcurrentExecutions: aws.Int32(0),
	}))(t)
	var want []string
	for i := range 5 {
		want = append(want, fmt.Sprint(i))
		check(t, root.send(t, p.from, want[i]), failure{})
	}
	if !eventually(t, func() bool { return server.result(t, p) == "PROBLEM: Function call was throttled" }) {
		t.Errorf("result %q", server.result(t, p))
	}
	time.Sleep(3 * time.Second) // they come again, and are throttled again
	if n := server.left(t, p.from); n != len(want) || server.left(t, p.to) != 0 {
		t.Errorf("%d messages are left, %d ran, want %d and none", n, server.left(t, p.to), len(want))
	}
	must(root.lambda.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
		FunctionName: &p.function.name, ReservedConcurrentExecutions: aws.Int32(1),
	}))(t)
	var got []string
	for _, b := range server.batches(t, p, len(want)) {
		got = append(got, b.Bodies...)
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) { // one may come twice
		t.Errorf("got %q, want %q", got, want)
	}
	if !eventually(t, func() bool { return server.left(t, p.from) == 0 }) {
		t.Errorf("%d messages are left", server.left(t, p.from))
	}
}
