package compat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// listenerInPython is an external extension that subscribes to telemetry, as those of AWS's guide do, and prints what it gets.
const listenerInPython = `#!/usr/bin/python3
import http.server, json, os, threading, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"]
def call(method, path, body=None, **headers):
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    r = urllib.request.Request(api + path, body and json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(r) as answer:
        return answer.headers, json.load(answer)
class Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        for event in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            print("telemetry:", event["type"], json.dumps(event["record"]), flush=True)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args):
        pass
listener = http.server.HTTPServer(("sandbox.localdomain", 8080), Listener)
threading.Thread(target=listener.serve_forever, daemon=True).start()
headers, _ = call("POST", "/2020-01-01/extension/register", {"events": ["INVOKE", "SHUTDOWN"]}, Lambda_Extension_Name="listener.py")
who = headers["Lambda-Extension-Identifier"]
_, answer = call("PUT", "/2022-07-01/telemetry", {"schemaVersion": "2022-12-13", "types": ["platform", "function"],
    "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8080"}}, Lambda_Extension_Identifier=who)
print("subscribed:", answer, flush=True)
while True:
    _, event = call("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=who)
    if event["eventType"] == "SHUTDOWN":
        break
`

// logging lets functions write their log.
func logging(t *testing.T) *string {
	return aws.String(server.newRole(t, trustLambda, allow("logs:*", "*")).arn)
}

// An extension in a layer is told what happens in its environment, over the network of its sandbox.
func TestTelemetryInLayer(t *testing.T) {
	t.Parallel()
	c := server.as(server.root)
	_, layer := publishLayer(t, c, file{name: "extensions/listener.py", text: listenerInPython, mode: 0o100755})
	f := server.newFunction(t, "def handler(event, context):\n    print('hello')\n    return event\n",
		func(in *lambda.CreateFunctionInput) { in.Layers, in.Role = []string{layer}, logging(t) })
	if _, err := c.invoke(t, f.name, `{}`); err != nil {
		t.Fatal(err)
	}
	var log string
	eventually(t, func() bool {
		log = strings.Join(events(t, f.name), "")
		return strings.Contains(log, "telemetry: platform.report")
	})
	if !strings.Contains(log, "subscribed: OK\n") ||
		!strings.Contains(log, "TELEMETRY\tName: listener.py\tState: Subscribed\tTypes: [Platform, Function]\n") ||
		!strings.Contains(log, "EXTENSION\tName: listener.py\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n") {
		t.Errorf("the subscription is not in the log:\n%s", log)
	}
	var got []string
	for line := range strings.Lines(log) {
		if event, ok := strings.CutPrefix(line, "telemetry: "); ok {
			kind, _, _ := strings.Cut(event, " ")
			got = append(got, kind)
		}
	}
	// The runtime and the extension start side by side: either may be done first.
	if at := slices.Index(got, "platform.telemetrySubscription"); at != 1 && at != 2 {
		t.Errorf("the subscription is event %d of %q", at, got)
	} else {
		got = slices.Delete(got, at, at+1)
	}
	want := []string{"platform.initStart", "platform.initRuntimeDone", "platform.extension", "platform.initReport", "platform.start",
		"function", "platform.runtimeDone", "platform.report"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("telemetry (-got +want):\n%s\n%s", diff, log)
	}
}

const pythonLogger = `import logging
def handler(event, context):
    logging.debug("not shown")
    logging.warning("careful %s", "now", extra={"order": 7})
    print("plain")
    if event.get("fail"):
        raise ValueError("as told")
    return event
`

const nodeLogger = `export const handler = async (event) => {
	console.debug("not shown");
	console.warn({order: 7});
	process.stdout.write("plain\n");
	if (event.fail) throw new RangeError("as told");
	return event;
};`

// readLog prints the messages of a log group with boto3.
const readLog = `import json, os, sys, boto3
if not os.environ["AWS_SESSION_TOKEN"]:
    del os.environ["AWS_SESSION_TOKEN"]
logs = boto3.client("logs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
for stream in logs.describe_log_streams(logGroupName=sys.argv[1])["logStreams"]:
    for event in logs.get_log_events(logGroupName=sys.argv[1], logStreamName=stream["logStreamName"], startFromHead=True)["events"]:
        print(json.dumps([stream["logStreamName"], event["message"]]))
`

// jsonLine is a line of a JSON log, of the platform or of a function.
type jsonLine struct {
	Type   string
	Record struct{ Status string }
	Level  string
	// Message is a string, or what was logged.
	Message                            any
	Order                              int
	RequestID, ErrorType, ErrorMessage string
	StackTrace                         []string
}

func (l jsonLine) String() string {
	if l.Type != "" {
		return strings.TrimSpace(l.Type + " " + l.Record.Status)
	}
	return fmt.Sprint(l.Level, " ", l.Message, " ", l.Order, " ", l.ErrorType, " ", l.ErrorMessage, " ", len(l.RequestID),
		" ", len(l.StackTrace) > 0)
}

// Functions that log in JSON, to a group of their own, as boto3 reads it.
func TestJSONLogs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		runtime types.Runtime
		handler string
		code    file
		want    []string
	}{
		{types.RuntimePython311, "code.handler", file{name: "code.py", text: pythonLogger}, []string{
			"platform.initStart", "platform.start", "WARNING careful now 7   36 false", "plain", "platform.report success",
			"platform.start", "WARNING careful now 7   36 false", "plain", "ERROR <nil> 0 ValueError as told 36 true",
			"platform.report success"}},
		{types.RuntimeNodejs20x, "index.handler", file{name: "index.mjs", text: nodeLogger}, []string{
			"platform.initStart", "platform.start", "WARN map[order:7] 0   36 false", "plain", "platform.report success",
			"platform.start", "WARN map[order:7] 0   36 false", "plain",
			"ERROR map[errorMessage:as told errorType:RangeError] 0   36 false", "platform.report success"}},
	}
	for _, tt := range tests {
		t.Run(string(tt.runtime), func(t *testing.T) {
			t.Parallel()
			c, group := server.as(server.root), "/own/"+unique("group")
			f := server.newFunction(t, "", func(in *lambda.CreateFunctionInput) {
				in.Runtime, in.Handler, in.Code.ZipFile, in.Role = tt.runtime, &tt.handler, archive(t, tt.code), logging(t)
				in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, LogGroup: &group}
			})
			// With the tail, the environment is free for the second when the first has its answer.
			if out, _ := c.invokeTailed(t, f.name, `{}`); out.FunctionError != nil {
				t.Fatalf("%s", out.Payload)
			}
			if _, err := c.invoke(t, f.name, `{"fail": true}`); err == nil || !strings.Contains(err.Error(), "as told") {
				t.Errorf("got %v, want the function's error", err)
			}
			got, stream := jsonLog(t, group)
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("log (-got +want):\n%s", diff)
			}
			if !strings.Contains(stream, "/"+f.name+"[$LATEST]") {
				t.Errorf("got stream %s, want the function's name in it", stream)
			}
		})
	}
}

// jsonLog reads a log with two reports in it.
func jsonLog(t *testing.T, group string) (lines []string, stream string) {
	t.Helper()
	var out string
	eventually(t, func() bool {
		var err error
		out, err = server.command(t, server.root, "/usr/bin/python3", "-c", readLog, group)
		return err == nil && strings.Count(out, "platform.report") == 2
	})
	for line := range strings.Lines(out) {
		var event [2]string
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatal(err)
		}
		stream = event[0]
		var l jsonLine
		if err := json.Unmarshal([]byte(event[1]), &l); err != nil {
			lines = append(lines, strings.TrimSpace(event[1]))
			continue
		}
		if m, ok := l.Message.(map[string]any); ok {
			delete(m, "stackTrace")
		}
		lines = append(lines, l.String())
	}
	return lines, stream
}
