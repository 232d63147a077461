package compat

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// sends is a function that sends a message to the queue whose URL is its event.
const sends = `import boto3
sqs = boto3.client("sqs")
def handler(event, context):
    try:
        sqs.send_message(QueueUrl=event, MessageBody="a")
        return "sent"
    except sqs.exceptions.ClientError as e:
        return e.response["Error"]["Code"]
`

// answersPage is a function whose URL answers a page with the cookies that it was sent, and allows that page all that it can.
const answersPage = `def handler(event, context):
    return {"statusCode": 200, "headers": {"Content-Type": "text/html", "Cross-Origin-Opener-Policy": "same-origin",
        "Content-Security-Policy": "default-src * 'unsafe-inline'"}, "body": "<p>cookies: " + (" ".join(event.get("cookies", [])) or "none")}
`

// TestConsole clicks through the console in Chromium, as a person would (console.mjs).
func TestConsole(t *testing.T) {
	t.Parallel()
	l := newServer(t) // a matrix of all that other tests make would be long
	root := l.as(l.root)
	q := l.newQueue(t)
	r := l.newRole(t, trustLambda, allow("logs:*", "*"))
	f := l.newFunction(t, sends, func(in *lambda.CreateFunctionInput) { in.Role = &r.arn })
	_, err := root.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{FunctionName: &f.name, StatementId: aws.String("uploads"),
		Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("s3.amazonaws.com"),
		SourceArn: aws.String("arn:aws:s3:::uploads"), SourceAccount: aws.String(account)})
	check(t, err, failure{})
	if got := must(root.invoke(t, f.name, `"`+q.url+`"`))(t); got != `"AccessDenied"` {
		t.Fatalf("got %s", got)
	}
	trap := l.newFunction(t, answersPage)
	made, err := root.lambda.CreateFunctionUrlConfig(t.Context(), &lambda.CreateFunctionUrlConfigInput{
		FunctionName: &trap.name, AuthType: types.FunctionUrlAuthTypeNone})
	check(t, err, failure{})
	for _, action := range []string{"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"} {
		in := &lambda.AddPermissionInput{FunctionName: &trap.name, StatementId: aws.String(strings.TrimPrefix(action, "lambda:")), Action: &action,
			Principal: aws.String("*")}
		if action == "lambda:InvokeFunctionUrl" {
			in.FunctionUrlAuthType = types.FunctionUrlAuthTypeNone
		} else {
			in.InvokedViaFunctionUrl = aws.Bool(true)
		}
		_, err := root.lambda.AddPermission(t.Context(), in)
		check(t, err, failure{})
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(*made.FunctionUrl, "http://"), ".")
	u := l.newUser(t, allow("lambda:ListFunctions", "*"), deny("iam:ListUsers", "*"))
	shots := t.TempDir()
	if keep := os.Getenv("LICET_SCREENSHOTS"); keep != "" { // to look at them
		shots = keep
	}
	about, err := json.Marshal(map[string]any{
		"url": l.url, "chromium": "/usr/bin/chromium", "shots": shots, "account": account, "name": f.name, "arn": f.arn, "role": r.name,
		"queue": q.url, "trap": id, "queueArn": q.arn, "user": u.name,
		"rootKey": l.root.AccessKeyID, "rootSecret": l.root.SecretAccessKey, "userKey": u.credentials.AccessKeyID, "userSecret": u.credentials.SecretAccessKey,
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := l.command(t, l.root, "/usr/bin/node", "console.mjs", string(about))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.HasSuffix(out, "all done\n") {
		t.Errorf("got %s", out)
	}
	if found, err := filepath.Glob(filepath.Join(shots, "*.png")); err != nil || len(found) < 12 {
		t.Errorf("got %d screenshots, %v", len(found), err)
	}
}
