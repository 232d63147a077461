package compat

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// nodeEcho is echo for Node.
const nodeEcho = `export const handler = async (event) => event;`

// program is a bootstrap in Go that answers each event with itself.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bootstrap")
	if err := build("../bench/bootstrap", path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A function of each family of runtimes lives, is changed, and dies.
func TestFunctionLife(t *testing.T) {
	t.Parallel()
	script := "#!/bin/sh\nexec \"$LAMBDA_TASK_ROOT/program\"\n"
	tests := []struct {
		runtime types.Runtime
		handler string
		files   []file
	}{
		{types.RuntimePython311, "code.handler", []file{{name: "code.py", text: echo}}},
		{types.RuntimeNodejs20x, "index.handler", []file{{name: "index.mjs", text: nodeEcho}}},
		{types.RuntimeProvidedal2023, "any", []file{{name: "bootstrap", text: script, mode: 0o100755}, {name: "program",
			text: program(t), mode: 0o100755}}},
	}
	for _, tt := range tests {
		t.Run(string(tt.runtime), func(t *testing.T) {
			t.Parallel()
			live(t, tt.runtime, tt.handler, archive(t, tt.files...))
		})
	}
}

func live(t *testing.T, runtime types.Runtime, handler string, code []byte) {
	c, ctx, name := server.as(server.root), t.Context(), unique("life")
	r := server.newRole(t, trustLambda)
	arn := "arn:aws:lambda:us-east-1:" + account + ":function:" + name
	sum := sha256.Sum256(code)
	made := must(c.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Runtime: runtime, Handler: &handler, Role: &r.arn, Code: &types.FunctionCode{ZipFile: code},
		Description: aws.String("first"), Timeout: aws.Int32(20), MemorySize: aws.Int32(256), Tags: map[string]string{"a": "b"},
	}))(t)
	type shape struct {
		ARN, Description, SHA256, Role string
		Size                           int64
		Timeout, Memory                int32
	}
	if diff := cmp.Diff(
		shape{*made.FunctionArn, *made.Description, *made.CodeSha256, *made.Role, made.CodeSize, *made.Timeout, *made.MemorySize},
		shape{arn, "first", base64.StdEncoding.EncodeToString(sum[:]), r.arn, int64(len(code)), 20, 256}); diff != "" {
		t.Errorf("CreateFunction: -got +want:\n%s", diff)
	}
	waiter := lambda.NewFunctionActiveV2Waiter(c.lambda)
	if err := waiter.Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		t.Error(err)
	}
	got := must(c.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &arn}))(t)
	if diff := cmp.Diff(got.Tags, map[string]string{"a": "b"}); diff != "" {
		t.Errorf("tags: -got +want:\n%s", diff)
	}
	if downloaded := download(t, *got.Code.Location); !bytes.Equal(downloaded, code) {
		t.Errorf("Code.Location gives %d bytes, want the %d that were uploaded", len(downloaded), len(code))
	}
	answer, err := c.invoke(t, name, `{"n":[1,"two"]}`)
	if err != nil || !sameJSON(answer, `{"n":[1,"two"]}`) {
		t.Errorf("invoke: got %s, %v", answer, err)
	}

	changed := must(c.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: &name, Description: aws.String("second"), Timeout: aws.Int32(10),
	}))(t)
	if *changed.Description != "second" || *changed.Timeout != 10 || *changed.MemorySize != 256 || *changed.RevisionId == *made.RevisionId {
		t.Errorf("UpdateFunctionConfiguration: got %q, %d s, %d MB", *changed.Description, *changed.Timeout, *changed.MemorySize)
	}
	if err := lambda.NewFunctionUpdatedV2Waiter(c.lambda).Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name},
		time.Minute); err != nil {
		t.Error(err)
	}
	_, err = c.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: code[:20]})
	check(t, err, failure{400, "InvalidParameterValueException",
		"Could not unzip uploaded file. Please check your file, then try to upload again."})
	_, err = c.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: code,
		RevisionId: made.RevisionId})
	check(t, err, failure{412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. " +
		"Call the GetFunction/GetAlias API to retrieve the latest Revision Id"})
	must(c.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: code,
		RevisionId: changed.RevisionId}))(t)
	if answer, err := c.invoke(t, name, `"again"`); err != nil || answer != `"again"` {
		t.Errorf("invoke after the update: got %s, %v", answer, err)
	}

	must(c.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &name}))(t)
	check(t, c.getFunction(t, name), failure{404, "ResourceNotFoundException", "Function not found: " + arn})
	_, err = c.invoke(t, name, `{}`)
	check(t, err, failure{404, "ResourceNotFoundException", "Function not found: " + arn + ":$LATEST"})
}

// download fetches a link without credentials.
func download(t *testing.T, link string) []byte {
	t.Helper()
	resp, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("got %s, %v", resp.Status, err)
	}
	return b
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && cmp.Equal(x, y)
}

// New code runs with the next invocation.
func TestFunctionNewCode(t *testing.T) {
	t.Parallel()
	c := server.as(server.root)
	f := server.newFunction(t, "def handler(event, context):\n    return 'old'\n")
	if got, err := c.invoke(t, f.name, "{}"); got != `"old"` {
		t.Errorf("got %s, %v", got, err)
	}
	must(c.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{
		FunctionName: &f.name, ZipFile: archive(t, file{name: "code.py", text: "def handler(event, context):\n    return 'new'\n"}),
	}))(t)
	if got, err := c.invoke(t, f.name, "{}"); got != `"new"` {
		t.Errorf("got %s, %v", got, err)
	}
	dry := must(c.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{
		FunctionName: &f.name, ZipFile: archive(t, file{name: "code.py", text: echo}), DryRun: true,
	}))(t)
	if got, err := c.invoke(t, f.name, "{}"); got != `"new"` {
		t.Errorf("after a dry run to %s: got %s, %v", *dry.CodeSha256, got, err)
	}
}

// What a Python handler sees: its environment, its context, its globals from the invocation before.
func TestFunctionInside(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, `import json, os
count = 0
def handler(event, context):
    global count
    count += 1
    return {
        "count": count,
        "variables": {k: os.environ.get(k) for k in event.get("variables", [])},
        "arn": context.invoked_function_arn, "name": context.function_name, "version": context.function_version,
        "memory": context.memory_limit_in_mb, "remaining": 0 < context.get_remaining_time_in_millis() <= 30000,
        "group": context.log_group_name,
        "client": context.client_context and [context.client_context.custom, context.client_context.env,
	context.client_context.client.app_title],
    }
`, func(in *lambda.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{"STAGE": "test ü", "AWS_ENDPOINT_URL_S3": "x"}}
	})
	c := server.as(server.root)
	event := `{"variables":["STAGE","_HANDLER","AWS_REGION","AWS_LAMBDA_FUNCTION_NAME","AWS_LAMBDA_FUNCTION_MEMORY_SIZE","AWS_EXECUTION_ENV","AWS_LAMBDA_INITIALIZATION_TYPE","LICET_DATA"]}`
	out := must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: &f.name, Payload: []byte(event), LogType: types.LogTypeTail, // the answer comes when the environment is free again
		ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"client":{"app_title":"t"},"custom":{"k":"v"},"env":{"e":"f"}}`))),
	}))(t)
	want := map[string]any{
		"count": 1.0, "arn": f.arn, "name": f.name, "version": "$LATEST", "memory": "512", "remaining": true, "group": "/aws/lambda/" + f.name,
		"client": []any{map[string]any{"k": "v"}, map[string]any{"e": "f"}, "t"},
		"variables": map[string]any{
			"STAGE": "test ü", "_HANDLER": "code.handler", "AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": f.name,
			"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
			"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "LICET_DATA": nil,
		},
	}
	var got map[string]any
	if err := json.Unmarshal(out.Payload, &got); err != nil {
		t.Fatalf("%v in %s", err, out.Payload)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	if *out.ExecutedVersion != "$LATEST" || out.StatusCode != 200 {
		t.Errorf("got version %s, status %d", *out.ExecutedVersion, out.StatusCode)
	}
	if again, err := c.invoke(t, f.name, `{}`); err != nil || !strings.Contains(again, `"count": 2`) {
		t.Errorf("second invocation: got %s, %v, want count 2", again, err)
	}
	// A changed configuration means a new environment.
	must(c.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: &f.name,
		MemorySize: aws.Int32(256)}))(t)
	if again, err := c.invoke(t, f.name, `{}`); err != nil || !strings.Contains(again, `"count": 1`) {
		t.Errorf("after the update: got %s, %v, want count 1", again, err)
	}
}

// DryRun is judged and runs nothing.
func TestFunctionDryRun(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, "raise Exception('must not run')\n")
	p := server.newUser(t)
	call := func() error {
		out, err := p.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f.name, InvocationType: types.InvocationTypeDryRun})
		if err == nil && (out.StatusCode != 204 || len(out.Payload) > 0) {
			t.Errorf("got status %d with %s", out.StatusCode, out.Payload)
		}
		return err
	}
	check(t, call(), lambdaDenied(p.arn, "lambda:InvokeFunction", f.arn, "identity-based policy"))
	server.permit(t, p, allow("lambda:InvokeFunction", f.arn))
	check(t, call(), failure{})
}

// The last lines of the log come with the answer, to who asks for them.
func TestFunctionLogTail(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, "import sys\ndef handler(event, context):\n    print('on stdout')\n    print('on stderr', file=sys.stderr)\n")
	out := must(server.as(server.root).lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f.name,
		LogType: types.LogTypeTail}))(t)
	tail, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, want := range []string{"START RequestId: ", "on stdout\n", "on stderr\n", "END RequestId: ", "REPORT RequestId: ",
		"Memory Size: 512 MB"} {
		i := strings.Index(string(tail[at:]), want)
		if i < 0 {
			t.Fatalf("got no %q in its place in\n%s", want, tail)
		}
		at += i
	}
	if string(out.Payload) != "null" {
		t.Errorf("got %s, want null", out.Payload)
	}
}

// The CLI's waiters and its way to write blobs to files.
func TestFunctionByCLI(t *testing.T) {
	t.Parallel()
	dir, name, r := t.TempDir(), unique("cli"), server.newRole(t, trustLambda)
	if err := os.WriteFile(filepath.Join(dir, "code.zip"), archive(t, file{name: "code.py", text: echo}), 0o600); err != nil {
		t.Fatal(err)
	}
	aws := func(args ...string) string {
		t.Helper()
		out, err := server.command(t, server.root, "/usr/bin/env", append([]string{
			"-u", "AWS_SESSION_TOKEN", "/usr/bin/aws", "--endpoint-url", server.url, "--output", "json",
		}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	aws("lambda", "create-function", "--function-name", name, "--runtime", "python3.11", "--handler", "code.handler", "--role", r.arn,
		"--zip-file", "fileb://"+dir+"/code.zip")
	aws("lambda", "wait", "function-active-v2", "--function-name", name)
	aws("lambda", "wait", "function-updated", "--function-name", name)
	aws("lambda", "wait", "function-exists", "--function-name", name)
	out := aws("lambda", "invoke", "--function-name", name, "--cli-binary-format", "raw-in-base64-out", "--payload",
		`{"by":"cli"}`, dir+"/out")
	if !sameJSON(out, `{"StatusCode":200,"ExecutedVersion":"$LATEST"}`) {
		t.Errorf("got %s", out)
	}
	if got, err := os.ReadFile(dir + "/out"); err != nil || !sameJSON(string(got), `{"by":"cli"}`) {
		t.Errorf("got %s, %v", got, err)
	}
	if out := aws("lambda", "add-permission", "--function-name", name, "--statement-id", "x", "--action", "lambda:InvokeFunction",
		"--principal", "s3.amazonaws.com"); !strings.Contains(out, `s3.amazonaws.com`) {
		t.Errorf("got %s", out)
	}
	aws("lambda", "delete-function", "--function-name", name)
}

// Every function is on some page of the list, once.
func TestFunctionList(t *testing.T) {
	t.Parallel()
	c, want := server.as(server.root), map[string]int{}
	for range 3 {
		want[server.newFunction(t, echo).name] = 1
	}
	got := map[string]int{}
	for p := lambda.NewListFunctionsPaginator(c.lambda, &lambda.ListFunctionsInput{MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		page := must(p.NextPage(t.Context()))(t)
		if len(page.Functions) > 2 {
			t.Errorf("got a page of %d functions, want at most 2", len(page.Functions))
		}
		for _, f := range page.Functions {
			if want[*f.FunctionName] > 0 { // other tests have theirs
				got[*f.FunctionName]++
			}
		}
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// Invocations at one time have an environment each, with a log stream each.
func TestFunctionConcurrency(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, `import os, time
def handler(event, context):
    time.sleep(2)
    return os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
`)
	const n = 4
	streams := make(chan string, n)
	for range n {
		go func() {
			stream, err := server.as(server.root).invoke(t, f.name, "{}")
			if err != nil {
				stream = err.Error()
			}
			streams <- stream
		}()
	}
	different := map[string]bool{}
	for range n {
		s := <-streams
		if !strings.Contains(s, "/[$LATEST]") {
			t.Errorf("got %s", s)
		}
		different[s] = true
	}
	if len(different) != n {
		t.Errorf("got %d streams for %d invocations at one time", len(different), n)
	}
}

// Code sees neither the server's data nor a network, beside its own way to AWS's services.
func TestFunctionCannotSeeServer(t *testing.T) {
	t.Parallel()
	if !isolated() {
		t.Skip("the process sandbox isolates nothing")
	}
	f := server.newFunction(t, `import os, socket
def attempt(f, *args):
    try:
        return repr(f(*args))
    except OSError as e:
        return "refused"
def handler(event, context):
    host, port = event["address"].split(":")
    return [
        attempt(os.listdir, event["data"]), attempt(open, event["data"] + "/key"), attempt(open, "/var/task/new", "w"),
        attempt(socket.create_connection, (host, int(port)), 1), attempt(os.setuid, 0), os.getuid() == 0,
        attempt(open, "/proc/1/environ") != "refused" and "LICET" in open("/proc/1/environ").read(),
    ]
`)
	event := fmt.Sprintf(`{"data":%q,"address":%q}`, server.data, strings.TrimPrefix(server.url, "http://"))
	got, err := server.as(server.root).invoke(t, f.name, event)
	if err != nil || !sameJSON(got, `["refused","refused","refused","refused","refused",false,false]`) {
		t.Errorf("got %s, %v", got, err)
	}
}
