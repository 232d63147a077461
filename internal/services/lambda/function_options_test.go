package lambda

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/store"
)

func TestRecursionConfig(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	get := func(name string) *sdk.GetFunctionRecursionConfigInput {
		return &sdk.GetFunctionRecursionConfigInput{FunctionName: aws.String(name)}
	}
	put := func(name string, loop types.RecursiveLoop) *sdk.PutFunctionRecursionConfigInput {
		return &sdk.PutFunctionRecursionConfigInput{FunctionName: aws.String(name), RecursiveLoop: loop}
	}
	for _, loop := range []types.RecursiveLoop{"", types.RecursiveLoopAllow, types.RecursiveLoopTerminate} {
		want := loop
		if loop == "" {
			want = types.RecursiveLoopTerminate
		} else if got := must[sdk.PutFunctionRecursionConfigOutput](h, put(arnOfF, loop)).RecursiveLoop; got != want {
			t.Errorf("put %q: got %s", loop, got)
		}
		if got := must[sdk.GetFunctionRecursionConfigOutput](h, get("f")).RecursiveLoop; got != want {
			t.Errorf("get after %q: got %s, want %s", loop, got, want)
		}
	}
	const missing = "Function not found: arn:aws:lambda:eu-central-1:111122223333:function:missing"
	refuse[sdk.GetFunctionRecursionConfigOutput](h, get("missing"), "ResourceNotFoundException", 404, missing)
	refuse[sdk.PutFunctionRecursionConfigOutput](h, put("missing", types.RecursiveLoopAllow), "ResourceNotFoundException", 404, missing)
	refuse[sdk.PutFunctionRecursionConfigOutput](h, put("f", "Sometimes"), "ValidationException", 400, "1 validation error detected: "+
		"Value 'Sometimes' at 'recursiveLoop' failed to satisfy constraint: Member must satisfy enum value set: [Allow, Terminate]")
	refuse[sdk.PutFunctionRecursionConfigOutput](h, put("f", ""), "ValidationException", 400, "1 validation error detected: "+
		"Value null at 'recursiveLoop' failed to satisfy constraint: Member must not be null")
	refuse[sdk.GetFunctionRecursionConfigOutput](h, get("f:1"), "ValidationException", 400, "1 validation error detected: "+
		"Value 'f:1' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: "+
		`(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)`)
}

func TestRuntimeManagementConfig(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.keepVersion("f", "1")
	h.keepAlias("f", alias{Name: "live", Version: "1"})
	runtime := *must[sdk.GetFunctionConfigurationOutput](h, &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("f")}).
		RuntimeVersionConfig.RuntimeVersionArn
	get := func(name string) *sdk.GetRuntimeManagementConfigInput {
		return &sdk.GetRuntimeManagementConfigInput{FunctionName: aws.String(name)}
	}
	put := func(name string, on types.UpdateRuntimeOn, arn string) *sdk.PutRuntimeManagementConfigInput {
		in := &sdk.PutRuntimeManagementConfigInput{FunctionName: aws.String(name), UpdateRuntimeOn: on}
		if arn != "" {
			in.RuntimeVersionArn = aws.String(arn)
		}
		return in
	}
	shows := func(name, arn string, on types.UpdateRuntimeOn, version *string) {
		t.Helper()
		sameJSON(t, must[sdk.GetRuntimeManagementConfigOutput](h, get(name)), &sdk.GetRuntimeManagementConfigOutput{
			FunctionArn: aws.String(arn), UpdateRuntimeOn: on, RuntimeVersionArn: version,
		})
	}
	shows("f", arnOfF, types.UpdateRuntimeOnAuto, nil)
	sameJSON(t, must[sdk.PutRuntimeManagementConfigOutput](h, put("f", types.UpdateRuntimeOnManual, runtime)),
		&sdk.PutRuntimeManagementConfigOutput{
			FunctionArn: aws.String(arnOfF), UpdateRuntimeOn: types.UpdateRuntimeOnManual, RuntimeVersionArn: &runtime,
		})
	shows("f", arnOfF, types.UpdateRuntimeOnManual, &runtime)
	shows("f:$LATEST", arnOfF+":$LATEST", types.UpdateRuntimeOnManual, &runtime)
	shows("f:1", arnOfF+":1", types.UpdateRuntimeOnAuto, nil)
	must[sdk.PutRuntimeManagementConfigOutput](h, put("f:1", types.UpdateRuntimeOnFunctionUpdate, ""))
	shows("f:1", arnOfF+":1", types.UpdateRuntimeOnFunctionUpdate, nil)
	must[sdk.PutRuntimeManagementConfigOutput](h, put("f", types.UpdateRuntimeOnAuto, ""))
	shows("f", arnOfF, types.UpdateRuntimeOnAuto, nil)

	const invalid = "InvalidParameterValueException"
	other := "arn:aws:lambda:eu-central-1::runtime:" + strings.Repeat("0", 64)
	for _, c := range []struct {
		in      any
		code    string
		status  int
		message string
	}{
		{put("f", types.UpdateRuntimeOnManual, ""), invalid, 400, "RuntimeVersionArn is required when UpdateRuntimeOn is Manual."},
		{put("f", types.UpdateRuntimeOnAuto, runtime), invalid, 400,
			"RuntimeVersionArn can only be specified when UpdateRuntimeOn is Manual."},
		{put("f", types.UpdateRuntimeOnManual, other), invalid, 400,
			"The runtime version " + other + " is not one of the runtime python3.12."},
		{put("f:live", types.UpdateRuntimeOnAuto, ""), invalid, 400,
			"The runtime of an alias cannot be managed. Specify $LATEST or a published version."},
		{get("f:live"), invalid, 400, "The runtime of an alias cannot be managed. Specify $LATEST or a published version."},
		{get("f:9"), "ResourceNotFoundException", 404, "Function not found: " + arnOfF + ":9"},
		{put("f:9", types.UpdateRuntimeOnAuto, ""), "ResourceNotFoundException", 404, "Function not found: " + arnOfF + ":9"},
		{put("f", "Never", ""), "ValidationException", 400, "1 validation error detected: Value 'Never' at 'updateRuntimeOn' failed to " +
			"satisfy constraint: Member must satisfy enum value set: [Auto, Manual, FunctionUpdate]"},
		{put("f", types.UpdateRuntimeOnManual, "arn:aws:lambda:eu-central-1:1:runtime:x"), "ValidationException", 400,
			"1 validation error detected: Value 'arn:aws:lambda:eu-central-1:1:runtime:x' at 'runtimeVersionArn' failed to satisfy " +
				`constraint: Member must satisfy regular expression pattern: ` +
				`arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\d{1}::runtime:.+`},
		{&sdk.PutRuntimeManagementConfigInput{FunctionName: aws.String("f")}, "ValidationException", 400,
			"1 validation error detected: Value null at 'updateRuntimeOn' failed to satisfy constraint: Member must not be null"},
	} {
		_, err := h.attempt(c.in)
		wantError(t, err, c.code, c.status, c.message)
	}
}

func TestFunctionScalingConfig(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.keepVersion("f", "1")
	put := func(qualifier string, most int32) *sdk.PutFunctionScalingConfigInput {
		return &sdk.PutFunctionScalingConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String(qualifier),
			FunctionScalingConfig: &types.FunctionScalingConfig{MaxExecutionEnvironments: &most}}
	}
	const no = "The function provided by the arn does not contain a capacity provider configuration"
	for _, c := range []struct {
		in      any
		code    string
		status  int
		message string
	}{
		{put("1", 2), "AccessDeniedException", 403, no},
		{&sdk.GetFunctionScalingConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")}, "AccessDeniedException", 403, no},
		{put("9", 2), "ResourceNotFoundException", 404, "Function not found: " + arnOfF + ":9"},
		{put("$LATEST.PUBLISHED", 2), "ResourceNotFoundException", 404, "Function not found: " + arnOfF + ":$LATEST.PUBLISHED"},
		{put("1", 15001), "ValidationException", 400, "1 validation error detected: Value '15001' at " +
			"'functionScalingConfig.maxExecutionEnvironments' failed to satisfy constraint: " +
			"Member must have value less than or equal to 15000"},
		{put("live", 1), "ValidationException", 400, "1 validation error detected: Value 'live' at 'qualifier' failed to satisfy " +
			`constraint: Member must satisfy regular expression pattern: (\$LATEST\.PUBLISHED|[0-9]+)`},
		{&sdk.GetFunctionScalingConfigInput{FunctionName: aws.String("f")}, "ValidationException", 400,
			"1 validation error detected: Value null at 'qualifier' failed to satisfy constraint: Member must not be null"},
	} {
		_, err := h.attempt(c.in)
		wantError(t, err, c.code, c.status, c.message)
	}
	if _, err := h.attempt(put("1", 2)); err == nil {
		t.Error("got no error")
	}
}

func TestAccountSettings(t *testing.T) {
	h := newHarness(t)
	get := func() *sdk.GetAccountSettingsOutput {
		t.Helper()
		return must[sdk.GetAccountSettingsOutput](h, &sdk.GetAccountSettingsInput{})
	}
	want := &sdk.GetAccountSettingsOutput{
		AccountLimit: &types.AccountLimit{
			TotalCodeSize: 322122547200, CodeSizeUnzipped: 262144000, CodeSizeZipped: 52428800, ConcurrentExecutions: 1000,
			UnreservedConcurrentExecutions: aws.Int32(1000),
		},
		AccountUsage: &types.AccountUsage{},
	}
	sameJSON(t, get(), want)
	if need := h.lastNeeds[0]; need.Target.ARN != "*" {
		t.Errorf("judged on %s", need.Target.ARN)
	}
	size := h.create("f").CodeSize
	h.keepVersion("f", "1")
	h.keepVersion("f", "2")
	h.create("g")
	h.create("g2") // whose versions are not g's
	h.keepVersion("g2", "1")
	must[sdk.PutFunctionConcurrencyOutput](h, reserve("f", 100))
	want.AccountUsage = &types.AccountUsage{FunctionCount: 3, TotalCodeSize: 6 * size}
	want.AccountLimit.UnreservedConcurrentExecutions = aws.Int32(900)
	sameJSON(t, get(), want)

	h.lambda.codeUsages = append(h.lambda.codeUsages, func(_ store.Reader, a, r string) (int64, error) {
		if a != account || r != region {
			t.Errorf("asked for %s in %s", a, r)
		}
		return 5, nil
	})
	want.AccountUsage.TotalCodeSize += 5
	sameJSON(t, get(), want)
	h.account = stranger
	want = &sdk.GetAccountSettingsOutput{AccountLimit: want.AccountLimit, AccountUsage: &types.AccountUsage{TotalCodeSize: 0}}
	want.AccountLimit.UnreservedConcurrentExecutions = aws.Int32(1000)
	h.lambda.codeUsages = nil
	sameJSON(t, get(), want)
}

// What a function's policy may grant to callers of other accounts (lambda.md 1.5), of the operations on concurrency, asynchronous
// invocation and runtimes.
func TestGrantableOptions(t *testing.T) {
	h := newHarness(t)
	for _, op := range h.lambda.concurrencyOperations() {
		want := strings.HasSuffix(op.Name, "FunctionConcurrency") || strings.Contains(op.Name, "ProvisionedConcurrencyConfig") ||
			strings.Contains(op.Name, "EventInvokeConfig")
		if got := grantable("lambda:" + op.Name); got != want {
			t.Errorf("%s: got %v, want %v", op.Name, got, want)
		}
	}
}
