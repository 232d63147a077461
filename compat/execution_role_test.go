package compat

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// caller is a function that makes the call that its event describes, with boto3 and nothing but its environment.
const caller = `import boto3, os
from botocore.exceptions import ClientError
def handler(event, context):
    client = boto3.client(event["service"], endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    try:
        out = getattr(client, event["operation"])(**event.get("arguments", {}))
        return {"answer": out.get(event.get("member"))}
    except ClientError as e:
        return {"code": e.response["Error"]["Code"], "message": e.response["Error"]["Message"]}
`

// answer is what the caller function answers.
type answer struct {
	Answer  any
	Code    string
	Message string
}

// call lets a caller function make a call.
func call(t *testing.T, f function, event string) answer {
	t.Helper()
	out, err := server.as(server.root).invoke(t, f.name, event)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal([]byte(out), &a); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return a
}

// newCaller makes a caller function with a role of the statements.
func newCaller(t *testing.T, statements ...string) (function, role) {
	t.Helper()
	r := server.newRole(t, trustLambda, statements...)
	return server.newFunction(t, caller, func(in *lambda.CreateFunctionInput) {
		in.Role, in.MemorySize, in.Timeout = &r.arn, aws.Int32(1769), aws.Int32(60)
	}), r
}

// Code inside a function is its role's session, named after the function, and may what the role may.
func TestExecutionRole(t *testing.T) {
	t.Parallel()
	f, r := newCaller(t, allow("lambda:ListFunctions", "*"))
	session := r.sessionARN(f.name)
	functionsDenied := answer{Code: "AccessDeniedException", Message: noPolicyAllows(session, "lambda:ListFunctions", "*",
		"identity-based policy")}
	listFunctions := `{"service":"lambda","operation":"list_functions","arguments":{"MaxItems":1},"member":"x"}`
	steps := []struct {
		name  string
		event string
		want  answer
	}{
		{"identity", `{"service":"sts","operation":"get_caller_identity","member":"Arn"}`, answer{Answer: session}},
		{"allowed", listFunctions, answer{}},
		{"denied", `{"service":"iam","operation":"list_users"}`,
			answer{Code: "AccessDenied", Message: noPolicyAllows(session, "iam:ListUsers", arnPrefix+"user/", "identity-based policy")}},
	}
	for _, s := range steps {
		if diff := cmp.Diff(call(t, f, s.event), s.want); diff != "" {
			t.Errorf("%s: -got +want:\n%s", s.name, diff)
		}
	}
	// The next call of the same environment sees a changed policy.
	server.permitRole(t, r, allow("s3:*", "*"))
	if diff := cmp.Diff(call(t, f, listFunctions), functionsDenied); diff != "" {
		t.Errorf("after the policy was replaced: -got +want:\n%s", diff)
	}
	server.permitRole(t, r, allow("lambda:*", "*"))
	if diff := cmp.Diff(call(t, f, listFunctions), answer{}); diff != "" {
		t.Errorf("after the policy was restored: -got +want:\n%s", diff)
	}
}

// The AWS CLI's and SDKs' own configuration is enough: AWS_ENDPOINT_URL without a word in the code.
func TestExecutionRoleWithoutEndpoint(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, "import boto3\ndef handler(event, context):\n    return boto3.client('sts').get_caller_identity()['Arn']\n",
		func(in *lambda.CreateFunctionInput) { in.MemorySize, in.Timeout = aws.Int32(1769), aws.Int32(60) })
	got, err := server.as(server.root).invoke(t, f.name, "{}")
	if err != nil || !strings.HasSuffix(got, "/"+f.name+`"`) {
		t.Errorf("got %s, %v", got, err)
	}
}

// asker has no keys in its variables: boto3 asks for them. Nobody else can.
const asker = `import os, urllib.request, urllib.error, boto3
def handler(event, context):
    if any(name in os.environ for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")):
        return "has keys"
    try:
        urllib.request.urlopen(urllib.request.Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers={"Authorization": "x"}))
        return "anybody may ask"
    except urllib.error.HTTPError as e:
        if e.code != 404:
            return str(e)
    return [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], boto3.client("sts").get_caller_identity()["Arn"]]
`

// A published version with SnapStart asks for its credentials, and has them as boto3 does it; $LATEST has them in its variables.
func TestSnapStartCredentials(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, asker, func(in *lambda.CreateFunctionInput) {
		in.MemorySize, in.Timeout, in.Publish = aws.Int32(1769), aws.Int32(60), true
		in.Runtime = types.RuntimePython312 // has SnapStart, and runs by whichever Python is here
		in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
	})
	root := server.as(server.root)
	for range 2 { // a start and a warm invocation
		got, err := root.invoke(t, f.name+":1", "{}")
		if err != nil || !strings.HasPrefix(got, `["snap-start", "arn:aws:sts::`) || !strings.HasSuffix(got, "/"+f.name+`"]`) {
			t.Errorf("version 1: got %s, %v", got, err)
		}
	}
	if got, err := root.invoke(t, f.name, "{}"); err != nil || got != `"has keys"` {
		t.Errorf("$LATEST: got %s, %v", got, err)
	}
}

// A policy can name the function whose code calls: two functions of one role are told apart.
func TestExecutionRoleSourceFunction(t *testing.T) {
	t.Parallel()
	f, r := newCaller(t)
	g := server.newFunction(t, caller, func(in *lambda.CreateFunctionInput) {
		in.Role, in.MemorySize, in.Timeout = &r.arn, aws.Int32(1769), aws.Int32(60)
	})
	server.permitRole(t, r, allow("iam:ListUsers", "*", `{"ArnEquals":{"lambda:SourceFunctionArn":"`+f.arn+`"}}`))
	listUsers := `{"service":"iam","operation":"list_users","arguments":{"MaxItems":1},"member":"x"}`
	if diff := cmp.Diff(call(t, f, listUsers), answer{}); diff != "" {
		t.Errorf("the function that is named: -got +want:\n%s", diff)
	}
	want := answer{Code: "AccessDenied", Message: noPolicyAllows(r.sessionARN(g.name), "iam:ListUsers", arnPrefix+"user/",
		"identity-based policy")}
	if diff := cmp.Diff(call(t, g, listUsers), want); diff != "" {
		t.Errorf("the other function: -got +want:\n%s", diff)
	}
}

// A function calls another, by the permission of its role or of the other's policy.
func TestExecutionRoleInvokes(t *testing.T) {
	t.Parallel()
	target := server.newFunction(t, echo)
	f, r := newCaller(t)
	event := fmt.Sprintf(`{"service":"lambda","operation":"invoke","arguments":{"FunctionName":%q,"Payload":"{}"},"member":"StatusCode"}`, target.name)
	denied := answer{Code: "AccessDeniedException", Message: noPolicyAllows(r.sessionARN(f.name), "lambda:InvokeFunction",
		target.arn, "identity-based policy")}
	if diff := cmp.Diff(call(t, f, event), denied); diff != "" {
		t.Errorf("before: -got +want:\n%s", diff)
	}
	must(server.as(server.root).lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: &target.name, StatementId: aws.String("x"), Action: aws.String("lambda:InvokeFunction"), Principal: &r.arn,
	}))(t)
	if diff := cmp.Diff(call(t, f, event), answer{Answer: 200.0}); diff != "" {
		t.Errorf("after: -got +want:\n%s", diff)
	}
}

// eventually asks until it gets what it waits for: logs are written after the answer. Its patience is for several long polls of queues,
// twenty seconds each, or a chain of functions that start one after the other while all other tests run too.
func eventually(t *testing.T, ask func() bool) bool {
	t.Helper()
	pause := 20 * time.Millisecond
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(pause) {
		if ask() {
			return true
		}
		pause = min(pause+pause/4, 250*time.Millisecond) // who asks takes the processor's time from what is waited for
	}
	return false
}

// events gives the messages of a function's log; nil when there is no log.
func events(t *testing.T, name string) []string {
	t.Helper()
	out, err := server.as(server.root).logs.FilterLogEvents(t.Context(),
		&cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/" + name)})
	if code(err) == "ResourceNotFoundException" {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range out.Events {
		all = append(all, *e.Message)
	}
	return all
}

const printer = "def handler(event, context):\n    print('line', event)\n"

// With the permissions of AWSLambdaBasicExecutionRole the log is there, line by line, in group and stream of AWS's names.
func TestExecutionRoleLogs(t *testing.T) {
	t.Parallel()
	root, r := server.as(server.root), server.newRole(t, trustLambda)
	must(root.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{
		RoleName: &r.name, PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"),
	}))(t)
	f := server.newFunction(t, printer, func(in *lambda.CreateFunctionInput) { in.Role = &r.arn })
	began := time.Now()
	for i := range 2 { // with the tail, the environment is free for the second when the first has its answer
		if out, _ := root.invokeTailed(t, f.name, fmt.Sprint(i)); out.FunctionError != nil {
			t.Fatalf("%s", out.Payload)
		}
	}
	var got []string
	eventually(t, func() bool { got = events(t, f.name); return strings.Count(strings.Join(got, ""), "REPORT ") == 2 })
	var kinds []string
	for _, line := range got {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " RequestId")
		if strings.HasPrefix(word, "INIT_START") {
			word = "INIT_START"
		}
		kinds = append(kinds, word)
	}
	want := []string{"INIT_START", "START", "line 0", "END", "REPORT", "START", "line 1", "END", "REPORT"}
	if diff := cmp.Diff(kinds, want); diff != "" {
		t.Errorf("-got +want:\n%s\n%q", diff, got)
	}

	group := "/aws/lambda/" + f.name
	streams := must(root.logs.DescribeLogStreams(t.Context(),
		&cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: &group}))(t).LogStreams
	ofDay := func(day time.Time) bool {
		return strings.HasPrefix(*streams[0].LogStreamName, day.UTC().Format("2006/01/02")+"/[$LATEST]")
	}
	if len(streams) != 1 || !ofDay(began) && !ofDay(time.Now()) { // midnight may pass
		t.Fatalf("got streams %v", streams)
	}
	first := must(root.logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: &group, LogStreamName: streams[0].LogStreamName, StartFromHead: aws.Bool(true), Limit: aws.Int32(3),
	}))(t)
	rest := must(root.logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: &group, LogStreamName: streams[0].LogStreamName, StartFromHead: aws.Bool(true), NextToken: first.NextForwardToken,
	}))(t)
	var all []string
	for _, e := range append(append([]logstypes.OutputLogEvent(nil), first.Events...), rest.Events...) {
		all = append(all, *e.Message)
	}
	if diff := cmp.Diff(all, got); diff != "" || len(first.Events) != 3 {
		t.Errorf("GetLogEvents in pages against FilterLogEvents: -got +want:\n%s", diff)
	}
}

// Without the permissions the invocation succeeds, and there is no log. It begins when the permission is given.
func TestExecutionRoleWithoutLogs(t *testing.T) {
	t.Parallel()
	root, r := server.as(server.root), server.newRole(t, trustLambda)
	silent := server.newFunction(t, printer, func(in *lambda.CreateFunctionInput) { in.Role = &r.arn })
	out := must(root.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &silent.name, LogType: "Tail",
		Payload: []byte("0")}))(t)
	if out.FunctionError != nil || !strings.Contains(decodeBase64(t, *out.LogResult), "line 0") {
		t.Errorf("got %v with log %s", out.FunctionError, *out.LogResult)
	}
	// A log that another function writes afterwards shows that this one is not merely late.
	loud := server.newFunction(t, printer, func(in *lambda.CreateFunctionInput) {
		in.Role = aws.String(server.newRole(t, trustLambda, allow("logs:*", "*")).arn)
	})
	if _, err := root.invoke(t, loud.name, "1"); err != nil {
		t.Fatal(err)
	}
	if !eventually(t, func() bool { return len(events(t, loud.name)) > 0 }) {
		t.Error("the log of the function with permission has not appeared")
	}
	if got := events(t, silent.name); got != nil {
		t.Errorf("without permission: got log %q", got)
	}
	server.permitRole(t, r, allow("logs:*", "*"))
	if _, err := root.invoke(t, silent.name, "2"); err != nil {
		t.Fatal(err)
	}
	if !eventually(t, func() bool { return strings.Contains(strings.Join(events(t, silent.name), ""), "line 2") }) {
		t.Errorf("with permission: got log %q", events(t, silent.name))
	}
}

// Who may write streams but not make groups writes into a group that is there.
func TestExecutionRoleGroupOfOthers(t *testing.T) {
	t.Parallel()
	root := server.as(server.root)
	r := server.newRole(t, trustLambda, `{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}`)
	f := server.newFunction(t, printer, func(in *lambda.CreateFunctionInput) { in.Role = &r.arn })
	must(root.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/aws/lambda/" +
		f.name)}))(t)
	if _, err := root.invoke(t, f.name, "0"); err != nil {
		t.Fatal(err)
	}
	if !eventually(t, func() bool { return strings.Contains(strings.Join(events(t, f.name), ""), "line 0") }) {
		t.Errorf("got log %q", events(t, f.name))
	}
}

// A role that is gone, or that no longer trusts Lambda, starts no environment.
func TestExecutionRoleGone(t *testing.T) {
	t.Parallel()
	root := server.as(server.root)
	denied := failure{403, "AccessDeniedException", "The role defined for the function cannot be assumed by Lambda."}
	for _, how := range []string{"deleted", "without trust"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			r := server.newRole(t, trustLambda)
			f := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Role = &r.arn })
			if how == "deleted" {
				must(root.iam.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: &r.name}))(t)
			} else {
				must(root.iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
					RoleName: &r.name, PolicyDocument: document(trust(`{"Service":"ec2.amazonaws.com"}`)),
				}))(t)
			}
			_, err := root.invoke(t, f.name, "{}")
			check(t, err, denied)
		})
	}
}

// A trust policy can be narrowed to one function.
func TestExecutionRoleTrustForOneFunction(t *testing.T) {
	t.Parallel()
	root, name := server.as(server.root), unique("function")
	r := server.newRole(t, trustLambda)
	must(root.iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &r.name, PolicyDocument: document(
		trust(trustLambda, `{"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:*:function:`+name+`"},"StringEquals":{"aws:SourceAccount":"`+account+`"}}`),
	)}))(t)
	f := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Role, in.FunctionName = &r.arn, &name })
	if got, err := root.invoke(t, f.name, "1"); err != nil || got != "1" {
		t.Errorf("the function that is named: got %s, %v", got, err)
	}
	_, err := root.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String(server.newFunction(t, echo).name), Role: &r.arn,
	})
	check(t, err, failure{400, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."})
}
