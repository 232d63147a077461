package compat

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// agentInPython is an external extension. It prints what it is told, and fails as the function's variable FAIL says.
const agentInPython = `#!/usr/bin/python3
import json, os, sys, urllib.request
base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension/"
def call(path, body=None, **headers):
    r = urllib.request.Request(base + path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    with urllib.request.urlopen(r) as answer:
        return answer.headers, json.load(answer)
headers, about = call("register", b'{"events": ["INVOKE", "SHUTDOWN"]}', Lambda_Extension_Name="agent.py",
    Lambda_Extension_Accept_Feature="accountId")
who = headers["Lambda-Extension-Identifier"]
print("agent registered:", json.dumps(about, sort_keys=True), flush=True)
if os.environ.get("FAIL") == "init":
    call("init/error", b"{}", Lambda_Extension_Identifier=who, Lambda_Extension_Function_Error_Type="Extension.NoConfig")
    sys.exit(7)
while True:
    _, event = call("event/next", Lambda_Extension_Identifier=who)
    print("agent got:", event["eventType"], event.get("shutdownReason", event.get("requestId")), flush=True)
    if event["eventType"] == "SHUTDOWN":
        break
`

// agentFile is the extension in a layer's archive.
var agentFile = file{name: "extensions/agent.py", text: agentInPython, mode: 0o100755}

// invokeTailed runs a function and gives its answer and the tail of its log.
func (c clients) invokeTailed(t *testing.T, name, event string) (*lambda.InvokeOutput, string) {
	t.Helper()
	out := must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(event),
		LogType: types.LogTypeTail}))(t)
	tail, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil {
		t.Fatal(err)
	}
	return out, string(tail)
}

// External extensions in a layer see each invocation.
func TestExtensionInLayer(t *testing.T) {
	t.Parallel()
	c := server.as(server.root)
	agents := []file{agentFile, {name: "extensions/agent", text: built(t, "./extension"), mode: 0o100755}}
	for _, agent := range agents {
		t.Run(agent.name, func(t *testing.T) {
			t.Parallel()
			_, layer := publishLayer(t, c, agent)
			f := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Layers = []string{layer} })
			for n := range 2 {
				out, tail := c.invokeTailed(t, f.name, `{"a":1}`)
				if out.FunctionError != nil || !sameJSON(string(out.Payload), `{"a":1}`) {
					t.Fatalf("got %s, log %s", out.Payload, tail)
				}
				_, id, _ := strings.Cut(tail, "START RequestId: ")
				id, _, _ = strings.Cut(id, " ")
				if want := "agent got: INVOKE " + id + "\n"; !strings.Contains(tail, want) {
					t.Errorf("got no %q in the log of invocation %d:\n%s", want, n, tail)
				}
			}
		})
	}
}

// built is a program of this repository as it is built for functions.
func built(t *testing.T, pkg string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := build(pkg, path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// An extension that fails makes its function fail.
func TestExtensionFailures(t *testing.T) {
	t.Parallel()
	c := server.as(server.root)
	tests := []struct {
		name, fail string
		file       file
		want       string
	}{
		{"init error", "init", agentFile, `"errorType":"Extension.InitError"`},
		{"exit", "", file{name: "extensions/x", text: "#!/bin/sh\nexit 3\n", mode: 0o100755}, `"errorType":"Extension.Crash"`},
		{"not executable", "", file{name: "extensions/x", text: "text\n"}, `"errorType":"Extension.LaunchError"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, layer := publishLayer(t, c, tt.file)
			f := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) {
				in.Layers, in.Environment = []string{layer}, &types.Environment{Variables: map[string]string{"FAIL": tt.fail}}
			})
			out, tail := c.invokeTailed(t, f.name, `{}`)
			if aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), tt.want) {
				t.Errorf("got %s %s, want %s; log %s", aws.ToString(out.FunctionError), out.Payload, tt.want, tail)
			}
		})
	}
}

// The reset after a timeout tells the extension why.
func TestExtensionAfterTimeout(t *testing.T) {
	t.Parallel()
	c := server.as(server.root)
	_, layer := publishLayer(t, c, agentFile)
	f := server.newFunction(t, "import time\ndef handler(event, context):\n    time.sleep(event)\n    return event\n",
		func(in *lambda.CreateFunctionInput) { in.Layers, in.Timeout = []string{layer}, aws.Int32(3) }) // of which the next Init phase has its part
	out, tail := c.invokeTailed(t, f.name, `60`)
	if !strings.Contains(string(out.Payload), "Task timed out after 3.00 seconds") ||
		!strings.Contains(tail, "agent got: SHUTDOWN timeout\n") {
		t.Errorf("got %s, log %s", out.Payload, tail)
	}
	if out, tail := c.invokeTailed(t, f.name, `0`); out.FunctionError != nil || !strings.Contains(tail, "agent registered: ") {
		t.Errorf("got %s after the reset, log %s", out.Payload, tail)
	}
}

// The official Go runtime, which registers an internal extension to be told of its end.
func TestOfficialGoRuntime(t *testing.T) {
	t.Parallel()
	c := server.as(server.root)
	f := server.newFunction(t, "", func(in *lambda.CreateFunctionInput) {
		in.Runtime, in.Timeout = types.RuntimeProvidedal2023, aws.Int32(2)
		in.Code.ZipFile = archive(t, file{name: "bootstrap", text: built(t, "./bootstrap"), mode: 0o100755})
	})
	tests := []struct{ event, want, log string }{
		{"hello", `"hello"`, ""},
		{"fail", `{"errorMessage":"failed as told","errorType":"errorString"}`, ""},
		{"panic", `"errorMessage":"panicked as told","errorType":"string"`, "Error Type: Runtime.ExitError"},
		{"exit", `Error: Runtime exited with error: exit status 5`, "Error Type: Runtime.ExitError"},
		{"sleep", `Task timed out after 2.00 seconds`, "told to end\n"},
		{"again", `"again"`, ""},
		{"id", f.arn, ""},
	}
	for _, tt := range tests {
		out, tail := c.invokeTailed(t, f.name, fmt.Sprintf("%q", tt.event))
		if !strings.Contains(string(out.Payload), tt.want) || !strings.Contains(tail, tt.log) {
			t.Errorf("%s: got %s, want %s; log %s", tt.event, out.Payload, tt.want, tail)
		}
	}
}
