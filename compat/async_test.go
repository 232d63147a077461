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
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// obedient prints its event with its name and its request id, and fails if the event says so.
const obedient = `import json
def handler(event, context):
    print("RAN", json.dumps([context.aws_request_id, context.invoked_function_arn, event]))
    if event.get("fail"):
        raise ValueError("as told")
    return {"done": event}
`

// seenRun is one run of obedient.
type seenRun struct {
	RequestID, ARN string
	Event          map[string]any
}

// runs reads the log of a function for its runs.
func (l *licet) runs(t *testing.T, name string) (all []seenRun) {
	t.Helper()
	out, err := l.as(l.root).logs.FilterLogEvents(t.Context(),
		&cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/" + name)})
	if code(err) == "ResourceNotFoundException" {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range out.Events {
		text, ok := strings.CutPrefix(*e.Message, "RAN ")
		if !ok {
			continue
		}
		var r seenRun
		if err := json.Unmarshal([]byte(text), &[]any{&r.RequestID, &r.ARN, &r.Event}); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		all = append(all, r)
	}
	return all
}

// invokeEvent invokes a function asynchronously and gives the request id.
func (c clients) invokeEvent(t *testing.T, name, event string) string {
	t.Helper()
	out, err := c.lambda.Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: &name, InvocationType: types.InvocationTypeEvent, Payload: []byte(event),
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.StatusCode != 202 || len(out.Payload) > 0 || out.ExecutedVersion != nil {
		t.Errorf("got status %d, version %v, payload %s", out.StatusCode, out.ExecutedVersion, out.Payload)
	}
	return responseID(t, out.ResultMetadata)
}

// TestInvokeEvent: what ends an event, and what the destination, another function, is told of it. Its writer is the execution role, which
// must be permitted when it writes.
func TestInvokeEvent(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	root, ctx := l.as(l.root), t.Context()
	logs := allow("logs:*", "*")
	r := l.newRole(t, trustLambda, logs, allow("lambda:InvokeFunction", "*"))
	with := func(in *lambda.CreateFunctionInput) { in.Role = &r.arn }
	f, after := l.newFunction(t, obedient, with), l.newFunction(t, obedient, with)
	must(root.lambda.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: &f.name, MaximumRetryAttempts: aws.Int32(0),
		DestinationConfig: &types.DestinationConfig{
			OnSuccess: &types.OnSuccess{Destination: &after.arn}, OnFailure: &types.OnFailure{Destination: &after.arn},
		},
	}))(t)

	// told waits for the record of a request and gives what does not change from run to run.
	told := func(id string) map[string]any {
		t.Helper()
		var event map[string]any
		if !eventually(t, func() bool {
			for _, run := range l.runs(t, after.name) {
				if request, ok := run.Event["requestContext"].(map[string]any); ok && request["requestId"] == id {
					event = run.Event
				}
			}
			return event != nil
		}) {
			t.Fatalf("the destination is not told of %s: %+v", id, l.runs(t, after.name))
		}
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", event["timestamp"].(string)); err != nil {
			t.Error(err)
		}
		delete(event, "timestamp")
		if answer, ok := event["responsePayload"].(map[string]any); ok {
			delete(answer, "stackTrace")
		}
		return event
	}
	record := func(id, condition string, runs int, event string, response string) (want map[string]any) {
		text := fmt.Sprintf(`{"version":"1.0","requestContext":{"requestId":%q,"functionArn":"%s:$LATEST","condition":%q,`+
			`"approximateInvokeCount":%d},"requestPayload":%s%s}`, id, f.arn, condition, runs, event, response)
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		return want
	}
	const success = `,"responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":{"done":{"n":1}}`
	id := root.invokeEvent(t, f.name, `{"n":1}`)
	if diff := cmp.Diff(told(id), record(id, "Success", 1, `{"n":1}`, success)); diff != "" {
		t.Errorf("success: -got +want:\n%s", diff)
	}
	if !eventually(t, func() bool { // its log may be written after that of the destination
		return slices.ContainsFunc(l.runs(t, f.name), func(r seenRun) bool { return r.RequestID == id && r.ARN == f.arn })
	}) {
		t.Errorf("the function's request is not %s: %+v", id, l.runs(t, f.name))
	}
	id = root.invokeEvent(t, f.name, `{"fail":true}`)
	failed := fmt.Sprintf(`,"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},`+
		`"responsePayload":{"errorMessage":"as told","errorType":"ValueError","requestId":%q}`, id)
	if diff := cmp.Diff(told(id), record(id, "RetriesExhausted", 1, `{"fail":true}`, failed)); diff != "" {
		t.Errorf("failure: -got +want:\n%s", diff)
	}
	must(root.lambda.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &f.name,
		ReservedConcurrentExecutions: aws.Int32(0)}))(t)
	id = root.invokeEvent(t, f.name, `{"n":2}`)
	if diff := cmp.Diff(told(id), record(id, "ZeroReservedConcurrency", 0, `{"n":2}`, "")); diff != "" {
		t.Errorf("no concurrency: -got +want:\n%s", diff)
	}
	must(root.lambda.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: &f.name}))(t)

	l.permitRole(t, r, logs)
	denied := root.invokeEvent(t, f.name, `{"n":1}`)
	if !eventually(t, func() bool {
		return strings.Contains(l.page(t, "/_licet/metrics"), "licet_async_failures_total{kind=\"destination\"} 1\n")
	}) {
		t.Error("a role that may not write to the destination is not counted")
	}
	must(root.lambda.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: &after.name, StatementId: aws.String("x"),
		Action: aws.String("lambda:InvokeFunction"), Principal: &r.arn}))(t)
	id = root.invokeEvent(t, f.name, `{"n":1}`)
	if diff := cmp.Diff(told(id), record(id, "Success", 1, `{"n":1}`, success)); diff != "" {
		t.Errorf("permitted by the destination's policy: -got +want:\n%s", diff)
	}
	if slices.ContainsFunc(l.runs(t, after.name), func(r seenRun) bool { return r.Event["requestContext"].(map[string]any)["requestId"] == denied }) {
		t.Error("a destination got what the role may not write to it")
	}
}

// Invoke and InvokeAsync need their permissions for events, too, and nothing runs without them.
func TestInvokeEventDenied(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, echo)
	event := &lambda.InvokeInput{FunctionName: &f.name, InvocationType: types.InvocationTypeEvent}
	nobody := server.newUser(t)
	_, err := nobody.lambda.Invoke(t.Context(), event)
	check(t, err, lambdaDenied(nobody.arn, "lambda:InvokeFunction", f.arn, "identity-based policy"))
	for _, tt := range []struct {
		allowed []string
		missing string
	}{
		{nil, "lambda:InvokeAsync"},
		{[]string{allow("lambda:InvokeFunction", f.arn)}, "lambda:InvokeAsync"},
		{[]string{allow("lambda:InvokeAsync", f.arn)}, "lambda:InvokeFunction"},
		{[]string{allow("lambda:InvokeAsync", f.arn), allow("lambda:InvokeFunction", f.arn)}, ""},
	} {
		p := server.newUser(t, tt.allowed...)
		//lint:ignore SA1019 clients of before 2014 still call it
		out, err := p.lambda.InvokeAsync(t.Context(), &lambda.InvokeAsyncInput{FunctionName: &f.name, InvokeArgs: strings.NewReader("{}")})
		if tt.missing != "" {
			check(t, err, lambdaDenied(p.arn, tt.missing, f.arn, "identity-based policy"))
		} else if err != nil || out.Status != 202 {
			t.Errorf("got %+v, %v", out, err)
		}
	}
}

// TestInvokeEventBoto3: boto3 sees of events what AWS shows, and the limits.
func TestInvokeEventBoto3(t *testing.T) {
	t.Parallel()
	r := server.newRole(t, trustLambda, allow("logs:*", "*"))
	f := server.newFunction(t, obedient, func(in *lambda.CreateFunctionInput) { in.Role = &r.arn })
	out, err := server.command(t, server.root, "/usr/bin/python3", "-c", `import boto3, json, os, sys
from botocore.exceptions import ClientError
c = boto3.client("lambda", endpoint_url=os.environ["AWS_ENDPOINT_URL"], aws_session_token=None)
name = sys.argv[1]
def refused(call):
    try:
        call()
    except ClientError as e:
        return [e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Code"], e.response["Error"]["Message"]]
event = c.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"by":"event"}')
legacy = c.invoke_async(FunctionName=name, InvokeArgs=b'{"by":"legacy"}')
print(json.dumps([
    event["StatusCode"], event["Payload"].read().decode(), legacy["Status"],
    refused(lambda: c.invoke(FunctionName=name, InvocationType="Event", Payload=b'"' + b"x" * (1 << 20) + b'"')),
    refused(lambda: c.invoke_async(FunctionName=name, InvokeArgs=b'"' + b"x" * (256 << 10) + b'"')),
    refused(lambda: c.invoke(FunctionName=name + "-missing", InvocationType="Event")),
], separators=(",", ":")))`, f.name)
	want := `[202,"",202,` +
		`[413,"RequestEntityTooLargeException","1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)"],` +
		`[413,"RequestEntityTooLargeException","262146 byte payload is too large for the Event invocation type (limit 262144 bytes)"],` +
		`[404,"ResourceNotFoundException","Function not found: ` + f.arn + `-missing:$LATEST"]]`
	if strings.TrimSpace(out) != want || err != nil {
		t.Errorf("got %s, %v, want %s", out, err, want)
	}
	var by []string
	if !eventually(t, func() bool {
		by = nil
		for _, run := range server.runs(t, f.name) {
			by = append(by, fmt.Sprint(run.Event["by"]))
		}
		slices.Sort(by)
		return slices.Equal(by, []string{"event", "legacy"})
	}) {
		t.Errorf("ran for %q", by)
	}
}

// loop invokes itself, and prints the lineage of its trace.
const loop = `import boto3, os
client = boto3.client("lambda")
def handler(event, context):
    print("TRACE", os.environ["_X_AMZN_TRACE_ID"])
    client.invoke(FunctionName=context.function_name, InvocationType="Event", Payload=b"{}")
`

// TestRecursiveLoop: a function that invokes itself, which boto3 shows Lambda by the trace header, is stopped after 16 runs.
func TestRecursiveLoop(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	root := l.as(l.root)
	r := l.newRole(t, trustLambda, allow("logs:*", "*"), allow("lambda:InvokeFunction", "*"))
	after := l.newFunction(t, obedient, func(in *lambda.CreateFunctionInput) { in.Role = &r.arn })
	f := l.newFunction(t, loop, func(in *lambda.CreateFunctionInput) {
		in.Role, in.MemorySize, in.Timeout = &r.arn, aws.Int32(1769), aws.Int32(60)
	})
	must(root.lambda.PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{FunctionName: &f.name,
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: &after.arn}}}))(t)
	root.invokeEvent(t, f.name, "{}")
	if !eventually(t, func() bool { return len(l.runs(t, after.name)) > 0 }) {
		t.Fatal("the loop was not stopped")
	}
	request := l.runs(t, after.name)[0].Event["requestContext"].(map[string]any)
	if request["condition"] != "RecursiveInvocation" || request["approximateInvokeCount"] != 0.0 {
		t.Errorf("the destination is told %v", request)
	}
	var lineages []int
	if !eventually(t, func() bool {
		lineages = nil
		out, err := root.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/" + f.name)})
		if code(err) == "ResourceNotFoundException" { // nothing is written yet
			return false
		}
		for _, e := range must(out, err)(t).Events {
			if _, runs, ok := strings.Cut(*e.Message, ";Lineage="); ok {
				lineages = append(lineages, must(strconv.Atoi(strings.TrimSpace(runs[strings.Index(runs, ":")+1:])))(t))
			}
		}
		return len(lineages) >= 16
	}) || !slices.Equal(slices.Sorted(slices.Values(lineages)), []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}) {
		// Not in the log's order: a line has the time at which it is read, and a run begins in another environment before it.
		t.Errorf("runs: %d", lineages)
	}
}
