package compat

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// hookedInPython tells in which order its hooks ran, and fails in one if it is to. Without SnapStart none runs.
const hookedInPython = `import os
from snapshot_restore_py import register_after_restore, register_before_snapshot
ran = ["init"]

@register_before_snapshot
def before():
    print("before the snapshot")
    ran.append("before")

def after(word, fail):
    print("after the restore")
    ran.append(word)
    if fail == "error":
        raise ValueError("as told")

register_after_restore(after, "after", fail=os.environ.get("FAIL"))

def handler(event, context):
    return ran + [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], context.log_stream_name]
`

// newSnapStart publishes a version of a function with hooks, which is restored before it is invoked.
func newSnapStart(t *testing.T, c *lambda.Client, change func(*lambda.CreateFunctionInput)) (name string) {
	t.Helper()
	f := server.newFunction(t, hookedInPython, func(in *lambda.CreateFunctionInput) {
		in.Runtime, in.Role, in.SnapStart = types.RuntimePython312, logging(t), &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
		change(in)
	})
	version := must(c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: &f.name}))(t)
	if got := version.SnapStart.OptimizationStatus; *version.Version != "1" || got != types.SnapStartOptimizationStatusOn {
		t.Errorf("got version %s with SnapStart %s", *version.Version, got)
	}
	return f.name
}

var durations = regexp.MustCompile(`[0-9.]+ ms`)

// A version with SnapStart runs its hooks, and tells of its restore as AWS does; $LATEST does neither.
func TestSnapStart(t *testing.T) {
	t.Parallel()
	c := server.as(server.root)
	name := newSnapStart(t, c.lambda, func(*lambda.CreateFunctionInput) {})
	for range 2 { // with the tail, the environment is free for the second when the first has its answer
		if got, _ := c.invokeTailed(t, name+":1", "1"); string(got.Payload) != `["init", "before", "after", "snap-start", null]` {
			t.Errorf("version: got %s", got.Payload)
		}
	}
	var got []string
	if !eventually(t, func() bool { got = events(t, name); return len(got) >= 12 }) {
		t.Fatalf("got the log %q", got)
	}
	for i, line := range got {
		line, _, _ = strings.Cut(durations.ReplaceAllString(line, "N ms"), "Memory Size")
		line, _, _ = strings.Cut(line, "Runtime Version")
		line, _, _ = strings.Cut(line, "RequestId")
		if _, restored, ok := strings.Cut(got[i], "\tRestore Duration: "); ok {
			line += "and Restore Duration: " + durations.ReplaceAllString(restored, "N ms")
		}
		got[i] = strings.TrimSpace(line)
	}
	if diff := cmp.Diff(got, []string{"INIT_START", "before the snapshot", "INIT_REPORT Init Duration: N ms", "RESTORE_START", "after the restore",
		"RESTORE_REPORT Restore Duration: N ms", "START", "END", "REPORT and Restore Duration: N ms\tBilled Restore Duration: N ms",
		"START", "END", "REPORT"}); diff != "" {
		t.Errorf("log (-got +want):\n%s", diff)
	}
	if got := must(c.invoke(t, name, "1"))(t); !strings.HasPrefix(got, `["init", "on-demand", "2`) {
		t.Errorf("$LATEST: got %s", got)
	}
}

// A hook that fails after the restore is the caller's SnapStartException, and the log says why.
func TestSnapStartFails(t *testing.T) {
	t.Parallel()
	c := server.as(server.root)
	name := newSnapStart(t, c.lambda, func(in *lambda.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{"FAIL": "error"}}
		in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson}
	})
	_, err := c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(name + ":1")})
	check(t, err, failure{400, "SnapStartException",
		"The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs."})
	var got []string
	if !eventually(t, func() bool {
		got = events(t, name)
		return slices.ContainsFunc(got, func(line string) bool {
			return strings.Contains(line, `"type":"platform.restoreReport","record":{"status":"error","errorType":"Runtime.AfterRestoreError","metrics":{`)
		})
	}) {
		t.Errorf("the failure is not in the log %q", got)
	}
	if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, `"errorMessage": "as told"`) }) {
		t.Errorf("the error is not in the log %q", got)
	}
}
