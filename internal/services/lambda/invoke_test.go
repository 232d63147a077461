package lambda

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/archive"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/execution"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/lambda/request"
)

func invokeInput(name string) *sdk.InvokeInput {
	return &sdk.InvokeInput{FunctionName: aws.String(name), Payload: []byte(`{"a":1}`)}
}

// What LoggingConfig says reaches the environment; levels are for JSON alone.
func TestInvokeLogging(t *testing.T) {
	h := newHarness(t)
	in := h.fullSettings("f")
	in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, SystemLogLevel: types.SystemLogLevelWarn}
	must[sdk.CreateFunctionOutput](h, in)
	must[sdk.InvokeOutput](h, invokeInput("f"))
	must[sdk.UpdateFunctionConfigurationOutput](h, &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"),
		LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormatText}})
	must[sdk.InvokeOutput](h, invokeInput("f"))
	for i, want := range []string{"true INFO WARN", "false  "} {
		f := h.runner.functions[i]
		if got := fmt.Sprint(f.JSONLogs, " ", f.ApplicationLogLevel, " ", f.SystemLogLevel); got != want {
			t.Errorf("invocation %d: got %q, want %q", i, got, want)
		}
	}
}

func TestInvoke(t *testing.T) {
	h := newHarness(t)
	f := must[sdk.CreateFunctionOutput](h, h.fullSettings("f"))
	in := invokeInput("f:$LATEST")
	in.LogType = types.LogTypeTail
	in.ClientContext = aws.String(base64.StdEncoding.EncodeToString([]byte(`{"custom":{"k":"v"}}`)))
	out := must[sdk.InvokeOutput](h, in)
	if out.StatusCode != 200 || *out.ExecutedVersion != "$LATEST" || out.FunctionError != nil || string(out.Payload) != `"first"` {
		t.Errorf("got %+v with payload %s", out, out.Payload)
	}
	if tail, err := base64.StdEncoding.DecodeString(*out.LogResult); err != nil || string(tail) != "END "+
		"8f1b2a52-7f2e-4b42-a1bb-6f3b7f6a0f10" {
		t.Errorf("log: got %s, %v", tail, err)
	}
	got := h.runner.functions[0]
	want := execution.Function{
		ARN: arnOfF, Account: account, Region: region, Name: "f", Version: "$LATEST", Revision: *f.RevisionId, Role: role,
		Runtime: "python3.12", Handler: "app.handler", Timeout: 900 * time.Second, MemoryMB: 10240, EphemeralMB: 10240,
		Env: map[string]string{"STAGE": "dev & <test>"}, LogGroup: "/own/group",
		CodeDir: filepath.Join(h.lambda.CodeDir, string(h.lambdaCode("f"))),
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("function, got - want +:\n%s", diff)
	}
	wantInvocation := execution.Invocation{
		RequestID: "8f1b2a52-7f2e-4b42-a1bb-6f3b7f6a0f10", InvokedARN: arnOfF + ":$LATEST", Payload: []byte(`{"a":1}`),
		ClientContext: `{"custom":{"k":"v"}}`, LogTail: true, TraceID: madeUp,
	}
	if diff := cmp.Diff(h.runner.invocations[0], wantInvocation); diff != "" {
		t.Errorf("invocation, got - want +:\n%s", diff)
	}
	must[sdk.InvokeOutput](h, &sdk.InvokeInput{FunctionName: aws.String("f")})
	if got := string(h.runner.invocations[1].Payload); got != "{}" {
		t.Errorf("no payload: got %s, want {}", got)
	}
	must[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: zipOf(t,
		map[string]string{"app.py": "second"})})
	if out := must[sdk.InvokeOutput](h, invokeInput("f")); string(out.Payload) != `"second"` {
		t.Errorf("after the update: got %s", out.Payload)
	}
	h.runner.outcome = &execution.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"x"}`)}
	if out := must[sdk.InvokeOutput](h,
		invokeInput("f")); *out.FunctionError != "Unhandled" || out.StatusCode != 200 || out.LogResult != nil {
		t.Errorf("failed function: got %+v", out)
	}
	before := len(h.runner.invocations)
	dry := invokeInput("f")
	dry.InvocationType = types.InvocationTypeDryRun
	if out := must[sdk.InvokeOutput](h, dry); out.StatusCode != 204 || len(h.runner.invocations) != before {
		t.Errorf("dry run: got %+v, ran %d", out, len(h.runner.invocations)-before)
	}
	if got := h.lastNeeds; len(got) != 1 || got[0].Action != "lambda:InvokeFunction" {
		t.Errorf("dry run needs %+v", got)
	}
}

func (h *harness) lambdaCode(name string) string {
	f, err := h.lambda.find(h.t.Context(), request.Function{Account: account, Region: region, Name: name})
	if err != nil {
		h.t.Fatal(err)
	}
	return string(f.version.Code)
}

func TestInvokeRefused(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	const noJSON = "Could not parse request body into json: Could not parse payload into json: "
	for _, c := range []struct {
		change  func(*sdk.InvokeInput)
		code    string
		status  int
		message string
	}{
		{func(in *sdk.InvokeInput) { in.FunctionName = aws.String("g") }, "ResourceNotFoundException", 404,
			"Function not found: arn:aws:lambda:eu-central-1:111122223333:function:g:$LATEST"},
		{func(in *sdk.InvokeInput) { in.Qualifier = aws.String("live") }, "ResourceNotFoundException", 404,
			"Function not found: " + arnOfF + ":live"},
		{func(in *sdk.InvokeInput) { in.Payload = []byte(`{"a":`) }, "InvalidRequestContentException", 400,
			noJSON + "unexpected end of JSON input"},
		{func(in *sdk.InvokeInput) { in.Payload = []byte("\"\xa7\"") }, "InvalidRequestContentException", 400,
			noJSON + "Invalid UTF-8 start byte 0xa7"},
		{func(in *sdk.InvokeInput) { in.Payload = make([]byte, 6291457) }, "RequestEntityTooLargeException", 413,
			"Request must be smaller than 6291456 bytes for the InvokeFunction operation"},
		{func(in *sdk.InvokeInput) { in.ClientContext = aws.String("{}") }, "InvalidRequestContentException", 400,
			"Client context must be a valid Base64-encoded JSON object."},
		{func(in *sdk.InvokeInput) { in.ClientContext = aws.String("bnVsbA==") }, "InvalidRequestContentException", 400,
			"Client context must be a valid Base64-encoded JSON object."},
		{func(in *sdk.InvokeInput) { in.ClientContext = aws.String(strings.Repeat("A", 3584)) }, "InvalidRequestContentException", 400,
			"Client context must be no more than 3583 bytes of Base64-encoded data."},
		{func(in *sdk.InvokeInput) { in.LogType = "All" }, "ValidationException", 400,
			"1 validation error detected: Value 'All' at 'logType' " +
				"failed to satisfy constraint: Member must satisfy enum value set: [None, Tail]"},
	} {
		in := invokeInput("f")
		c.change(in)
		refuse[sdk.InvokeOutput](h, in, c.code, c.status, c.message)
	}
	if len(h.runner.invocations) != 0 {
		t.Errorf("%d refused invocations ran", len(h.runner.invocations))
	}

	h.runner.fail = execution.ErrThrottled{Reason: "ConcurrentInvocationLimitExceeded"}
	_, err := do[sdk.InvokeOutput](h, invokeInput("f"))
	wantError(t, err, "TooManyRequestsException", 429, "Rate Exceeded.")
	if e := err.(*awserr.Error); e.Members["Reason"] != "ConcurrentInvocationLimitExceeded" {
		t.Errorf("reason: got %v", e.Members)
	}
	h.runner.fail = execution.ErrRole{Role: role, Err: errors.New("deleted")}
	refuse[sdk.InvokeOutput](h, invokeInput("f"), "AccessDeniedException", 403,
		"The role defined for the function cannot be assumed by Lambda.")
	h.runner.fail = execution.ErrSnapStart{}
	refuse[sdk.InvokeOutput](h, invokeInput("f"), "SnapStartException", 400,
		"The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs.")
	h.runner.fail = execution.ErrSnapStart{Timeout: true}
	refuse[sdk.InvokeOutput](h, invokeInput("f"), "SnapStartTimeoutException", 408,
		"Lambda couldn't restore the snapshot within the timeout limit.")
	h.runner.fail = execution.ErrClosed
	if _, err := do[sdk.InvokeOutput](h, invokeInput("f")); !errors.Is(err, execution.ErrClosed) || errors.As(err,
		new(*awserr.Error)) {
		t.Errorf("got %v, want an internal failure", err)
	}
}

// TestWarmInvoke: after the first, an invocation reads no store and no code, and has the same policy document.
func TestWarmInvoke(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	must[sdk.AddPermissionOutput](h, permissionInput("f", "s", "*"))
	must[sdk.InvokeOutput](h, invokeInput("f"))
	document := h.lastNeeds[0].Target.Policy.Document
	views := h.db.views.Load()
	must[sdk.InvokeOutput](h, invokeInput("f"))
	if got := h.db.views.Load(); got != views {
		t.Errorf("the store was read %d times", got-views)
	}
	if h.lastNeeds[0].Target.Policy.Document != document {
		t.Error("the policy was parsed again")
	}
	must[sdk.AddPermissionOutput](h, permissionInput("f", "s2", "*"))
	must[sdk.InvokeOutput](h, invokeInput("f"))
	if got := h.lastNeeds[0].Target.Policy.Document; got == document || len(got.Statements) != 2 {
		t.Error("a change of the policy was not seen")
	}
}

func TestUnpackOnce(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.create("g") // the same code
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if _, err := do[sdk.InvokeOutput](h.quiet(), invokeInput([]string{"f", "g"}[i%2])); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if dirs := h.unpacked(); len(dirs) != 1 {
		t.Errorf("unpacked code: got %v, want one directory", dirs)
	}
}

// quiet is a harness for use beside others: it shares everything but what do notes.
func (h *harness) quiet() *harness {
	c := *h
	return &c
}

func TestDamagedCode(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	dir := h.lambdaCode("f")
	name, _, err := h.lambda.Blobs.Put(t.Context(), strings.NewReader("no zip"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.lambda.code.Directory(t.Context(), bundle.NewSet(name))
	wantError(t, err, "InvalidZipFileException", 502, "Lambda could not unzip the deployment package.")
	if !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("cause: got %v", err)
	}
	// A failure is not kept.
	if _, err = h.lambda.code.Directory(t.Context(), bundle.NewSet(name)); err == nil {
		t.Error("second try succeeded")
	}
	if _, err := os.Stat(filepath.Join(h.lambda.CodeDir, dir)); err == nil {
		t.Error("code of f was unpacked before its first use")
	}
}

func TestSweep(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	in := h.newFunction("old")
	in.Code.ZipFile = zipOf(t, map[string]string{"app.py": "old"})
	must[sdk.CreateFunctionOutput](h, in)
	must[sdk.InvokeOutput](h, invokeInput("f"))
	must[sdk.InvokeOutput](h, invokeInput("old"))
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("old")})
	if err := os.Mkdir(filepath.Join(h.lambda.CodeDir, archive.TemporaryPrefix+"1"), 0o700); err != nil {
		t.Fatal(err)
	}
	if left := h.sweep(); len(left) != 1 || left[0] != h.lambdaCode("f") {
		t.Errorf("left: got %v, want the code of f", left)
	}
	// Files are not synced when code is unpacked: a machine that has lost power may have lost them.
	h.lambda.bootID = func() string { return "the next boot" }
	if left := h.sweep(); len(left) != 0 {
		t.Errorf("left after the machine was started again: %v", left)
	}
}

// idleRunner runs nothing.
type idleRunner struct{}

func (idleRunner) Invoke(context.Context, execution.Function, execution.Invocation) (execution.Result, error) {
	return execution.Result{}, nil
}

func (idleRunner) Retire(string, string) {}

func (idleRunner) Expect(string) {}

func (idleRunner) Directories() map[string]bool { return nil }

func (idleRunner) Provision([]execution.Provision) {}

func (idleRunner) Provisioned(string, string) (execution.Provisioned, bool) {
	return execution.Provisioned{}, false
}

// BenchmarkInvokeWarm is what an invocation costs before and after the function's own environment.
func BenchmarkInvokeWarm(b *testing.B) {
	h := newHarness(b)
	must[sdk.CreateFunctionOutput](h, h.fullSettings("f"))
	must[sdk.AddPermissionOutput](h, permissionInput("f", "s", "*"))
	h.lambda.Runner = idleRunner{}
	op, in, c := h.operation("Invoke"), invokeInput("f"), h.newCall("Invoke")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := op.Needs(b.Context(), c, in); err != nil {
			b.Fatal(err)
		}
		if _, err := op.Handle(b.Context(), c, in); err != nil {
			b.Fatal(err)
		}
	}
}
