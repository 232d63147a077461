package compat

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// ricBootstrap starts npm's aws-lambda-ric. Without its native part it asks for events by Node's HTTP client.
const ricBootstrap = `#!/bin/sh
export AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1=true
cd "$LAMBDA_TASK_ROOT"
exec /usr/bin/node --require ./rapid_client.cjs ./ric/bin/index.mjs "$_HANDLER"
`

const ricHandler = `exports.handler = async (event, context) => {
  if (event === "fail") throw new RangeError("as told");
  console.log("a line");
  return {event, custom: context.clientContext?.custom, id: context.awsRequestId.length, name: context.functionName, version: context.functionVersion,
    arn: context.invokedFunctionArn.split(":").pop(), memory: context.memoryLimitInMB, left: context.getRemainingTimeInMillis() > 1000};
};
exports.streaming = awslambda.streamifyResponse(async (event, stream) => {
  stream.write("one ");
  if (event === "late") throw new RangeError("late");
  stream.end("two");
});
`

// newRIC makes a function that runs by npm's aws-lambda-ric.
func newRIC(t *testing.T, handler string) function {
	t.Helper()
	files := []file{{name: "bootstrap", text: ricBootstrap, mode: 0o100755}, {name: "code.cjs", text: ricHandler}}
	for name, from := range map[string]string{
		"ric/package.json": "node_modules/aws-lambda-ric/package.json", "ric/bin/index.mjs": "node_modules/aws-lambda-ric/bin/index.mjs",
		"ric/dist/index.mjs": "node_modules/aws-lambda-ric/dist/index.mjs", "rapid_client.cjs": "testdata/rapid_client.cjs",
	} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file{name: name, text: string(text)})
	}
	return server.newFunction(t, "", func(in *lambda.CreateFunctionInput) {
		in.Runtime, in.Handler = types.RuntimeProvidedal2023, &handler
		in.Code = &types.FunctionCode{ZipFile: archive(t, files...)}
	})
}

// npm's aws-lambda-ric, by which container images of Node.js functions run, is a peer of the Runtime API: events, answers, errors of
// handlers, of initialization, and in streams.
func TestRIC(t *testing.T) {
	t.Parallel()
	f := newRIC(t, "code.handler")
	c := server.as(server.root)
	for range 2 {
		out := must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{
			FunctionName: aws.String(f.name + ":$LATEST"), Payload: []byte(`{"n":1}`), LogType: types.LogTypeTail,
			ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"custom":{"k":"v"}}`))),
		}))(t)
		var got any
		if err := json.Unmarshal(out.Payload, &got); err != nil {
			t.Fatalf("%v in %s", err, out.Payload)
		}
		want := map[string]any{"event": map[string]any{"n": 1.0}, "custom": map[string]any{"k": "v"}, "id": 36.0, "name": f.name,
			"version": "$LATEST", "arn": "$LATEST", "memory": "512", "left": true}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		tail, err := base64.StdEncoding.DecodeString(*out.LogResult)
		if err != nil || !strings.Contains(string(tail), "INFO\ta line\n") {
			t.Errorf("got the log %s, %v", tail, err)
		}
	}
	out := must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f.name, Payload: []byte(`"fail"`)}))(t)
	var failed struct {
		ErrorType, ErrorMessage string
		Trace                   []string
	}
	if err := json.Unmarshal(out.Payload, &failed); err != nil || aws.ToString(out.FunctionError) != "Unhandled" ||
		failed.ErrorType != "RangeError" || failed.ErrorMessage != "as told" || len(failed.Trace) < 2 {
		t.Errorf("got %s, %v", out.Payload, err)
	}

	missing := newRIC(t, "code.nothing")
	out = must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &missing.name, Payload: []byte(`{}`)}))(t)
	if aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), `"Runtime.HandlerNotFound"`) {
		t.Errorf("got %s", out.Payload)
	}
}

// The same client streams what a handler writes, and an error that comes after a part of it.
func TestRICStream(t *testing.T) {
	t.Parallel()
	f := newRIC(t, "code.streaming")
	for payload, want := range map[string]answered{
		`{}`: {Text: "one two"}, `"late"`: {Text: "one ", ErrorCode: "RangeError", Details: true},
	} {
		got, err := server.as(server.root).stream(t, &lambda.InvokeWithResponseStreamInput{FunctionName: &f.name, Payload: []byte(payload)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", payload, diff)
		}
	}
}
