package compat

import (
	"bufio"
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"
)

// says prints the lines of its event.
const says = `def handler(event, context):
    for line in event:
        print(line)
`

// subscriber prints what CloudWatch Logs gives it, as AWS's guide reads it.
const subscriber = `import base64, gzip, json
def handler(event, context):
    print("GOT", gzip.decompress(base64.b64decode(event["awslogs"]["data"])).decode())
`

// delivered is what subscriber got.
type delivered struct {
	MessageType, Owner, LogGroup, LogStream string
	SubscriptionFilters                     []string
	LogEvents                               []deliveredEvent
}

type deliveredEvent struct {
	ID, Message string
	Timestamp   int64
}

// deliveries reads the log of a subscriber.
func (l *licet) deliveries(t *testing.T, name string) (all []delivered) {
	t.Helper()
	out, err := l.as(l.root).logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("/aws/lambda/" + name), FilterPattern: aws.String(`"GOT {"`),
	})
	if code(err) == "ResourceNotFoundException" {
		return nil
	}
	for _, e := range must(out, err)(t).Events {
		var d delivered
		if err := json.Unmarshal([]byte(strings.TrimPrefix(*e.Message, "GOT ")), &d); err != nil {
			t.Fatalf("%v in %s", err, *e.Message)
		}
		all = append(all, d)
	}
	return all
}

// A function is called with the log events of another that a pattern means, if its policy lets CloudWatch Logs do so for the log group.
func TestSubscriptionFilter(t *testing.T) {
	t.Parallel()
	root := server.as(server.root)
	r := server.newRole(t, trustLambda, allow("logs:*", "*"))
	with := func(in *lambda.CreateFunctionInput) { in.Role = &r.arn }
	source, target := server.newFunction(t, says, with), server.newFunction(t, subscriber, with)
	group := "/aws/lambda/" + source.name
	must(root.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group}))(t)
	subscribe := func(group string) error {
		_, err := root.logs.PutSubscriptionFilter(t.Context(), &cloudwatchlogs.PutSubscriptionFilterInput{
			LogGroupName: &group, FilterName: aws.String("errors"), FilterPattern: aws.String("?ERROR ?FATAL"), DestinationArn: &target.arn,
		})
		return err
	}
	check(t, subscribe(group), failure{400, "InvalidParameterException",
		"Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function."})
	permit := func(id, principal, group string) {
		t.Helper()
		must(root.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
			FunctionName: &target.name, StatementId: &id, Action: aws.String("lambda:InvokeFunction"), Principal: &principal,
			SourceArn: aws.String("arn:aws:logs:us-east-1:" + account + ":log-group:" + group + ":*"), SourceAccount: aws.String(account),
		}))(t)
	}
	permit("other", "logs.amazonaws.com", "/another")
	if err := subscribe(group); code(err) != "InvalidParameterException" {
		t.Errorf("with a permission for another group: %v", err)
	}
	permit("this", "logs.us-east-1.amazonaws.com", group) // AWS's older name of the service
	if err := subscribe(group); err != nil {
		t.Fatal(err)
	}
	if err := subscribe("/aws/lambda/" + target.name); code(err) != "ResourceNotFoundException" && code(err) != "InvalidParameterException" {
		t.Errorf("a function subscribes to itself: %v", err)
	}

	must(root.invoke(t, source.name, `["ERROR one", "fine", "FATAL two"]`))(t)
	// The lines of one run may be written in several parts, and are delivered in as many then.
	var got []delivered
	all := delivered{}
	if !eventually(t, func() bool {
		got, all.LogEvents = server.deliveries(t, target.name), nil
		for _, d := range got {
			all.LogEvents = append(all.LogEvents, d.LogEvents...)
		}
		return len(all.LogEvents) >= 2
	}) {
		t.Fatalf("only %+v is delivered", got)
	}
	events := must(root.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: &group, FilterPattern: aws.String("?ERROR ?FATAL"),
	}))(t).Events
	for _, d := range got {
		want := delivered{
			MessageType: "DATA_MESSAGE", Owner: account, LogGroup: group, LogStream: *events[0].LogStreamName, SubscriptionFilters: []string{"errors"},
			LogEvents: d.LogEvents,
		}
		if diff := cmp.Diff(want, d); diff != "" {
			t.Errorf("delivered (-want +got):\n%s", diff)
		}
	}
	slices.SortFunc(all.LogEvents, func(a, b deliveredEvent) int { return strings.Compare(a.ID, b.ID) })
	for i, e := range all.LogEvents {
		if len(all.LogEvents) != 2 || e.ID != *events[i].EventId || len(e.ID) != 56 || e.Message != *events[i].Message || e.Timestamp != *events[i].Timestamp {
			t.Errorf("event %d of %d is %+v, want %+v", i, len(all.LogEvents), e, events[i])
		}
	}

	// Without the permission nothing comes, whatever the execution role may do.
	must(root.lambda.RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: &target.name, StatementId: aws.String("this")}))(t)
	must(root.invoke(t, source.name, `["ERROR three"]`))(t)
	if !eventually(t, func() bool {
		return strings.Contains(server.page(t, "/_licet/metrics"), `licet_logs_subscription_messages_total{outcome="refused"} 1`)
	}) {
		t.Error("the function does not refuse")
	}
	if n := len(server.deliveries(t, target.name)); n != len(got) {
		t.Errorf("%d deliveries without permission, want none more than %d", n, len(got))
	}
}

// What was acknowledged before a crash is delivered after it. The function is slow: none of it runs to its end, and is logged, before.
func TestSubscriptionFilterAfterCrash(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	root := l.as(l.root)
	r := l.newRole(t, trustLambda, allow("logs:*", "*"))
	target := l.newFunction(t, "import time\n"+strings.Replace(subscriber, "    print", "    time.sleep(10)\n    print", 1), func(in *lambda.CreateFunctionInput) { in.Role = &r.arn })
	must(root.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: &target.name, StatementId: aws.String("logs"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("logs.amazonaws.com"),
	}))(t)
	group := aws.String("group")
	must(root.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group}))(t)
	must(root.logs.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: group}))(t)
	must(root.logs.PutSubscriptionFilter(t.Context(), &cloudwatchlogs.PutSubscriptionFilterInput{
		LogGroupName: group, FilterName: group, FilterPattern: aws.String(""), DestinationArn: &target.arn,
	}))(t)
	const events = 20
	for range events {
		must(root.logs.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: group,
			LogEvents: []logstypes.InputLogEvent{{Timestamp: aws.Int64(time.Now().UnixMilli()), Message: aws.String("line")}}}))(t)
	}
	if err := l.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-l.ended
	l.start(t)
	seen := map[string]bool{}
	if !eventually(t, func() bool {
		for _, d := range l.deliveries(t, target.name) {
			for _, e := range d.LogEvents {
				seen[e.ID] = true
			}
		}
		return len(seen) == events
	}) {
		t.Errorf("%d of %d acknowledged events are delivered", len(seen), events)
	}
}

// aws logs tail follows a function's log.
func TestLogsTail(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, says, func(in *lambda.CreateFunctionInput) {
		r := server.newRole(t, trustLambda, allow("logs:*", "*"))
		in.Role = &r.arn
	})
	root := server.as(server.root)
	group := "/aws/lambda/" + f.name
	must(root.invoke(t, f.name, `["ERROR first", "fine"]`))(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if !eventually(t, func() bool {
		out, err := root.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group, FilterPattern: aws.String("fine")})
		return err == nil && len(out.Events) == 1
	}) {
		t.Fatal("there is no log")
	}
	cmd := exec.CommandContext(ctx, "/usr/bin/env", "-u", "AWS_SESSION_TOKEN", "PYTHONUNBUFFERED=1", "/usr/bin/aws", "--endpoint-url", server.url,
		"logs", "tail", group, "--follow", "--format", "short", "--filter-pattern", "ERROR")
	cmd.Env = server.environ(t, server.root)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = cmd.Wait() // it was ended
	}()
	lines := bufio.NewScanner(out)
	next := func(want string) {
		t.Helper()
		if !lines.Scan() || !strings.HasSuffix(lines.Text(), want) {
			t.Fatalf("the next line is %q, want %s", lines.Text(), want)
		}
	}
	next("ERROR first")
	must(root.invoke(t, f.name, `["fine", "ERROR second"]`))(t)
	next("ERROR second")
}

// A Live Tail session shows what a function prints while it runs, in the SDKs of Go and JavaScript.
func TestLiveTail(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, says, func(in *lambda.CreateFunctionInput) {
		r := server.newRole(t, trustLambda, allow("logs:*", "*"))
		in.Role = &r.arn
	})
	root := server.as(server.root)
	group := "/aws/lambda/" + f.name
	must(root.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group}))(t)
	arn := "arn:aws:logs:us-east-1:" + account + ":log-group:" + group
	in := &cloudwatchlogs.StartLiveTailInput{LogGroupIdentifiers: []string{arn}, LogEventFilterPattern: aws.String("{ $.level = ERROR }")}
	out, err := root.logs.StartLiveTail(t.Context(), in, oneHost)
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer stream.Close()
	if _, ok := (<-stream.Events()).(*logstypes.StartLiveTailResponseStreamMemberSessionStart); !ok {
		t.Fatal("the session does not begin with its start")
	}
	program := make(chan string)
	go func() {
		out, err := server.command(t, server.root, "/usr/bin/node", "live_tail.mjs", arn)
		if err != nil {
			t.Error(err)
		}
		program <- out
	}()
	// The other client begins when it likes: the function prints until both have seen it.
	printing, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for printing.Err() == nil {
			_, err := root.lambda.Invoke(printing, &lambda.InvokeInput{
				FunctionName: &f.name, Payload: []byte(`["{\"level\": \"INFO\"}", "{\"level\": \"ERROR\"}"]`),
			})
			if err != nil && printing.Err() == nil {
				t.Error(err)
			}
		}
	}()
	for seen := false; !seen; {
		update, ok := (<-stream.Events()).(*logstypes.StartLiveTailResponseStreamMemberSessionUpdate)
		if !ok {
			t.Fatalf("the session ended: %v", stream.Err())
		}
		for _, e := range update.Value.SessionResults {
			seen = true
			if strings.TrimSpace(*e.Message) != `{"level": "ERROR"}` || *e.LogGroupIdentifier != arn || *e.LogStreamName == "" {
				t.Errorf("event %+v", e)
			}
		}
	}
	if got := <-program; got != "sessionStart\n{\"level\": \"ERROR\"}\n" {
		t.Errorf("JavaScript has seen %s", got)
	}
	stop()
	<-done

	stranger := server.newUser(t)
	_, err = stranger.logs.StartLiveTail(t.Context(), in, oneHost)
	if got := failureOf(err); got.Code != "AccessDeniedException" || !strings.Contains(got.Message, "logs:StartLiveTail") {
		t.Errorf("a stranger: got %+v, want to be denied", got)
	}
}

// oneHost keeps the prefix away from the host, as AWS_DISABLE_HOST_PREFIX_INJECTION does in clients that know it.
func oneHost(o *cloudwatchlogs.Options) {
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("OneHost", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
		}), middleware.Before)
	})
}

// A server stops at once, whoever watches its logs.
func TestLiveTailEndsWithServer(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	root := l.as(l.root)
	must(root.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")}))(t)
	out, err := root.logs.StartLiveTail(t.Context(), &cloudwatchlogs.StartLiveTailInput{
		LogGroupIdentifiers: []string{"arn:aws:logs:us-east-1:" + account + ":log-group:g"},
	}, oneHost)
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer stream.Close()
	<-stream.Events()
	l.end(t)
	for range stream.Events() {
		continue
	}
	if code(stream.Err()) != "SessionStreamingException" {
		t.Errorf("the session ended with %v", stream.Err())
	}
}

// metricFilters are operations of metric filters and of tags by boto3.
const metricFilters = `import boto3, json, os, sys
logs = boto3.client("logs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
group = sys.argv[1]
logs.create_log_group(logGroupName=group, tags={"a": "1"})
logs.tag_log_group(logGroupName=group, tags={"b": "2"})
logs.untag_log_group(logGroupName=group, tags=["a"])
logs.put_metric_filter(logGroupName=group, filterName="f", filterPattern="{ $.latency > 1 }", metricTransformations=[
    {"metricName": "m", "metricNamespace": "n", "metricValue": "$.latency", "unit": "Milliseconds", "dimensions": {"path": "$.path"}}])
seen = {
    "tags": logs.list_tags_log_group(logGroupName=group)["tags"],
    "filters": [f["metricTransformations"][0]["metricValue"] for f in logs.describe_metric_filters(logGroupName=group)["metricFilters"]],
    "count": logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["metricFilterCount"],
    "matches": [m["extractedValues"] for m in logs.test_metric_filter(
        filterPattern="[ip, status=4*]", logEventMessages=["1.2.3.4 404", "1.2.3.4 200"])["matches"]],
}
logs.delete_metric_filter(logGroupName=group, filterName="f")
seen["left"] = len(logs.describe_metric_filters(logGroupName=group)["metricFilters"])
seen["subscriptions"] = len(logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"])
try:
    logs.delete_subscription_filter(logGroupName=group, filterName="f")
except logs.exceptions.ResourceNotFoundException as e:
    seen["missing"] = e.response["Error"]["Message"]
try:
    logs.put_metric_filter(logGroupName=group, filterName="f", filterPattern="a:b", metricTransformations=[
        {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}])
except logs.exceptions.InvalidParameterException as e:
    seen["invalid"] = e.response["Error"]["Message"]
print(json.dumps(seen))
`

func TestMetricFilter(t *testing.T) {
	t.Parallel()
	out, err := server.command(t, server.root, "/usr/bin/python3", "-c", metricFilters, unique("group"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"tags": {"b": "2"}, "filters": ["$.latency"], "count": 1, "matches": [{"$ip": "1.2.3.4", "$status": "404"}], "left": 0,
		"subscriptions": 0, "missing": "The specified subscription filter does not exist.",
		"invalid": "Invalid character(s) in term ':'"}`
	if !sameJSON(out, want) {
		t.Errorf("got %s, want %s", out, want)
	}
}
