package lambda

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/store"
)

var ignoreUnexported = cmpopts.IgnoreUnexported(
	sdk.CreateFunctionOutput{}, sdk.GetFunctionConfigurationOutput{}, types.FunctionConfiguration{}, types.EphemeralStorage{},
	types.LoggingConfig{}, types.RuntimeVersionConfig{}, types.SnapStartResponse{}, types.TracingConfigResponse{},
	types.EnvironmentResponse{}, types.VpcConfigResponse{}, types.DeadLetterConfig{}, types.FileSystemConfig{}, types.TenancyConfig{},
	types.ImageConfig{}, types.ImageConfigResponse{}, types.FunctionCodeLocation{},
)

func TestCreateFunctionDefaults(t *testing.T) {
	h := newHarness(t)
	in := h.newFunction("f")
	out := must[sdk.CreateFunctionOutput](h, in)
	want := &sdk.CreateFunctionOutput{
		Architectures:        []types.Architecture{types.ArchitectureX8664},
		CodeSha256:           aws.String(bundle.SHA256(bundle.Name(in.Code.ZipFile))),
		CodeSize:             int64(len(in.Code.ZipFile)),
		Description:          aws.String(""),
		EphemeralStorage:     &types.EphemeralStorage{Size: aws.Int32(512)},
		FunctionArn:          aws.String(arnOfF),
		FunctionName:         aws.String("f"),
		Handler:              aws.String("app.handler"),
		LastModified:         aws.String("2026-11-23T12:00:00.007+0000"),
		LoggingConfig:        &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: aws.String("/aws/lambda/f")},
		MemorySize:           aws.Int32(128),
		PackageType:          types.PackageTypeZip,
		RevisionId:           out.RevisionId,
		Role:                 aws.String(role),
		Runtime:              types.RuntimePython312,
		RuntimeVersionConfig: out.RuntimeVersionConfig, // of our own making
		SnapStart: &types.SnapStartResponse{
			ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff,
		},
		State:           types.StatePending,
		StateReason:     aws.String("The function is being created."),
		StateReasonCode: types.StateReasonCodeCreating,
		Timeout:         aws.Int32(3),
		TracingConfig:   &types.TracingConfigResponse{Mode: types.TracingModePassThrough},
		Version:         aws.String("$LATEST"),
	}
	if diff := cmp.Diff(out, want, ignoreUnexported, cmpopts.IgnoreFields(sdk.CreateFunctionOutput{},
		"ResultMetadata")); diff != "" {
		t.Errorf("created, got - want +:\n%s", diff)
	}
	if len(*out.RevisionId) != 36 {
		t.Errorf("RevisionId: got %s, want a UUID", *out.RevisionId)
	}

	got := must[sdk.GetFunctionOutput](h, &sdk.GetFunctionInput{FunctionName: aws.String("f")})
	if c := got.Configuration; c.State != types.StateActive || c.StateReason != nil ||
		c.LastUpdateStatus != types.LastUpdateStatusSuccessful || *c.RevisionId != *out.RevisionId {
		t.Errorf("read: got state %s, update %s, revision %s", c.State, c.LastUpdateStatus, *c.RevisionId)
	}
	if want := "http://localhost:4566/code/" + string(bundle.Name(in.Code.ZipFile)); *got.Code.Location != want || *got.Code.RepositoryType != "S3" {
		t.Errorf("code: got %s in %s, want %s", *got.Code.Location, *got.Code.RepositoryType, want)
	}
	refuse[sdk.CreateFunctionOutput](h, in, "ResourceConflictException", 409, "Function already exist: f")
}

// fullSettings is a function with every member that is kept.
func (h *harness) fullSettings(name string) *sdk.CreateFunctionInput {
	in := h.newFunction(name)
	in.Description = aws.String("what it does")
	in.Timeout, in.MemorySize = aws.Int32(900), aws.Int32(10240)
	in.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(10240)}
	in.Environment = &types.Environment{Variables: map[string]string{"STAGE": "dev & <test>"}}
	in.TracingConfig = &types.TracingConfig{Mode: types.TracingModeActive}
	in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: aws.String("/own/group")}
	in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnNone}
	in.Tags = map[string]string{"team": "a"}
	in.Architectures = []types.Architecture{types.ArchitectureX8664}
	in.PackageType = types.PackageTypeZip
	in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("")}
	in.VpcConfig = &types.VpcConfig{SubnetIds: []string{}, SecurityGroupIds: []string{}}
	in.KMSKeyArn = aws.String("")
	in.Layers = []string{}
	return in
}

func TestCreateFunctionKeepsSettings(t *testing.T) {
	h := newHarness(t)
	must[sdk.CreateFunctionOutput](h, h.fullSettings("f"))
	out := must[sdk.GetFunctionConfigurationOutput](h, &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	if *out.Description != "what it does" || *out.Timeout != 900 || *out.MemorySize != 10240 || *out.EphemeralStorage.Size != 10240 ||
		out.Environment.Variables["STAGE"] != "dev & <test>" || out.TracingConfig.Mode != types.TracingModeActive ||
		*out.LoggingConfig.LogGroup != "/own/group" {
		t.Errorf("got %+v", out)
	}
	err := h.db.View(t.Context(), func(r store.Reader) error {
		item, err := r.Get("lambda/111122223333/eu-central-1/function/f")
		if err != nil {
			return err
		}
		if bytes.Contains(item.Value, []byte("STAGE")) || bytes.Contains(item.Value, []byte("dev")) {
			t.Errorf("environment is in the clear: %s", item.Value)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCreateFunctionRefused(t *testing.T) {
	h := newHarness(t)
	const badValue = "ValidationException"
	const badParameter = "InvalidParameterValueException"
	long := strings.Repeat("n", 65)
	manyTags := make(map[string]string)
	for i := range 51 {
		manyTags[fmt.Sprint("k", i)] = ""
	}
	for _, c := range []struct {
		name    string
		change  func(*sdk.CreateFunctionInput)
		code    string
		status  int
		message string
	}{
		{"nothing", func(in *sdk.CreateFunctionInput) { *in = sdk.CreateFunctionInput{} }, badValue, 400,
			"3 validation errors detected: Value null at 'functionName' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'role' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'code' failed to satisfy constraint: Member must not be null"},
		{"long name", func(in *sdk.CreateFunctionInput) { in.FunctionName = &long }, badParameter, 400,
			"1 validation error detected: Value '" + long + "' at 'functionName' failed to satisfy constraint: Member must have " +
				"length less than or equal to 64"},
		{"qualifier", func(in *sdk.CreateFunctionInput) { in.FunctionName = aws.String("g:1") }, badParameter, 400,
			"The name of a new function must not have a qualifier: g:1"},
		{"role pattern", func(in *sdk.CreateFunctionInput) { in.Role = aws.String("app") }, badValue, 400,
			"1 validation error detected: Value 'app' at 'role' failed to satisfy constraint: " +
				`Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`},
		{"role", func(in *sdk.CreateFunctionInput) { in.Role = aws.String(role + "-other") }, badParameter, 400,
			"The role defined for the function cannot be assumed by Lambda."},
		{"role of another account", func(in *sdk.CreateFunctionInput) { in.Role = aws.String("arn:aws:iam::444455556666:role/app") },
			"AccessDeniedException", 403, "Cross-account pass role is not allowed."},
		{"timeout", func(in *sdk.CreateFunctionInput) { in.Timeout = aws.Int32(901) }, badValue, 400,
			"1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value less " +
				"than or equal to 900"},
		{"memory", func(in *sdk.CreateFunctionInput) { in.MemorySize = aws.Int32(127) }, badValue, 400,
			"1 validation error detected: Value '127' at 'memorySize' failed to satisfy constraint: Member must have value " +
				"greater than or equal to 128"},
		{"storage", func(in *sdk.CreateFunctionInput) { in.EphemeralStorage = &types.EphemeralStorage{} }, badValue, 400,
			"1 validation error detected: Value null at 'ephemeralStorage.size' failed to satisfy constraint: Member must not be null"},
		{"package type", func(in *sdk.CreateFunctionInput) { in.PackageType = "Tar" }, badValue, 400,
			"1 validation error detected: Value 'Tar' at 'packageType' failed to satisfy constraint: Member must satisfy enum " +
				"value set: [Zip, Image]"},
		{"architecture", func(in *sdk.CreateFunctionInput) { in.Architectures = []types.Architecture{"mips"} }, badValue, 400,
			"1 validation error detected: Value '[mips]' at 'architectures' failed to satisfy constraint: Member must satisfy " +
				"constraint: " +
				"[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"},
		{"architectures", func(in *sdk.CreateFunctionInput) { in.Architectures = []types.Architecture{"x86_64", "arm64"} },
			badValue, 400,
			"1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must " +
				"have length less than or equal to 1"},
		{"variable name", func(in *sdk.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"1A": "x"}}
		}, badValue, 400, "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map " +
			"keys must satisfy constraint: " +
			"[Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"},
		{"layer pattern", func(in *sdk.CreateFunctionInput) { in.Layers = []string{"x"} }, badValue, 400,
			"1 validation error detected: Value '[x]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: " +
				"[Member must have length less than or equal to 140, Member must have length greater than or equal to 1, " +
				`Member must satisfy regular expression pattern: arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+, Member must not be null]`},
		{"layer", func(in *sdk.CreateFunctionInput) {
			in.Layers = []string{"arn:aws:lambda:eu-central-1:111122223333:layer:l:1"}
		}, badParameter, 400, "Layer version arn:aws:lambda:eu-central-1:111122223333:layer:l:1 does not exist."},
		{"six layers", func(in *sdk.CreateFunctionInput) {
			for range 6 {
				in.Layers = append(in.Layers, "arn:aws:lambda:eu-central-1:111122223333:layer:l:1")
			}
		}, badParameter, 400, "Cannot reference more than 5 layers."},
		{"reserved variables", func(in *sdk.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"AWS_REGION": "x", "AWS_ACCESS_KEY_ID": "y", "OK": "z"}}
		}, badParameter, 400, "Lambda was unable to configure your environment variables because the environment variables " +
			"you have provided " +
			"contains reserved keys that are currently not supported for modification. Reserved keys used in this request: " +
			"AWS_ACCESS_KEY_ID, AWS_REGION"},
		{"variables over 4 KB", func(in *sdk.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"LARGE": strings.Repeat("<", 4085)}}
		}, badParameter, 400, "Lambda was unable to configure your environment variables because the environment variables " +
			"you have provided " +
			`exceeded the 4KB limit. String measured: {"LARGE":"` + strings.Repeat("<", 4085) + `"}`},
		{"no runtime", func(in *sdk.CreateFunctionInput) { in.Runtime = "" }, badParameter, 400,
			"Runtime and Handler are mandatory parameters for functions created with deployment packages."},
		{"no handler", func(in *sdk.CreateFunctionInput) { in.Handler = nil }, badParameter, 400,
			"Runtime and Handler are mandatory parameters for functions created with deployment packages."},
		{"no code", func(in *sdk.CreateFunctionInput) { in.Code = &types.FunctionCode{} }, badParameter, 400,
			"Please provide a source for function code."},
		{"no zip", func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = []byte("text") }, badParameter, 400,
			"Could not unzip uploaded file. Please check your file, then try to upload again."},
		{"empty zip", func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = zipOf(t, nil) }, badParameter, 400,
			"Uploaded file must be a non-empty zip"},
		{"zip with a way out", func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = zipOf(t, map[string]string{"../x": ""}) },
			badParameter, 400,
			"Could not unzip uploaded file. Please check your file, then try to upload again."},
		{"large zip", func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = make([]byte, bundle.MaxZipped+1) },
			"RequestEntityTooLargeException", 413,
			"Zipped size must be smaller than 52428800 bytes"},
		{"very large zip", func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = make([]byte, bundle.MaxZipped+1<<18) },
			"RequestEntityTooLargeException", 413,
			"Request must be smaller than 70167211 bytes for the CreateFunction operation"},
		{"many tags", func(in *sdk.CreateFunctionInput) { in.Tags = manyTags }, badParameter, 400,
			"Number of tags exceeds resource tag limit."},
		{"tags that differ in case", func(in *sdk.CreateFunctionInput) { in.Tags = map[string]string{"a": "", "A": ""} }, badParameter, 400,
			"The tag keys A and a differ only in case."},
		{"reserved tag", func(in *sdk.CreateFunctionInput) { in.Tags = map[string]string{"AWS:x": ""} }, badParameter, 400,
			"aws: prefixed tag key names are not allowed for external use."},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := h.newFunction("f")
			c.change(in)
			refuse[sdk.CreateFunctionOutput](h, in, c.code, c.status, c.message)
		})
	}
	in := h.newFunction("f")
	in.Runtime = "cobol"
	_, err := do[sdk.CreateFunctionOutput](h, in)
	if err == nil || !strings.Contains(err.Error(),
		"Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [") ||
		!strings.HasSuffix(err.Error(), "] or be a valid ARN") {
		t.Errorf("unknown runtime: got %v", err)
	}
	if out := must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{}); len(out.Functions) != 0 {
		t.Errorf("refused functions are there: %v", out.Functions)
	}
}

func TestUnzippedSize(t *testing.T) {
	if testing.Short() {
		t.Skip("inflates 250 MB")
	}
	h := newHarness(t)
	in := h.newFunction("f")
	in.Code.ZipFile = zipOf(t, map[string]string{"zeros": strings.Repeat("\x00", bundle.MaxUnpacked)})
	refuse[sdk.CreateFunctionOutput](h, in, "InvalidParameterValueException", 400,
		"Unzipped size must be smaller than 262144000 bytes")
}

func TestNotImplementedMembers(t *testing.T) {
	h := newHarness(t)
	bucket, key := aws.String("bucket"), aws.String("key")
	for member, change := range map[string]func(*sdk.CreateFunctionInput){
		"Code.S3Bucket": func(in *sdk.CreateFunctionInput) { in.Code = &types.FunctionCode{S3Bucket: bucket, S3Key: key} },
		"Code.S3ObjectStorageMode=REFERENCE": func(in *sdk.CreateFunctionInput) {
			in.Code = &types.FunctionCode{S3Bucket: bucket, S3Key: key, S3ObjectStorageMode: types.S3ObjectStorageModeReference}
		},
		"PublishTo":              func(in *sdk.CreateFunctionInput) { in.PublishTo = "LATEST_PUBLISHED" },
		"DurableConfig":          func(in *sdk.CreateFunctionInput) { in.DurableConfig = &types.DurableConfig{} },
		"CapacityProviderConfig": func(in *sdk.CreateFunctionInput) { in.CapacityProviderConfig = &types.CapacityProviderConfig{} },
	} {
		in := h.newFunction("f")
		change(in)
		refuse[sdk.CreateFunctionOutput](h, in, "NotImplemented", 501,
			"licet does not implement "+member+" of the operation CreateFunction of lambda.")
	}
}

func TestCreateFunctionNeeds(t *testing.T) {
	h := newHarness(t)
	in := h.fullSettings("f")
	in.Layers = []string{"arn:aws:lambda:eu-central-1:444455556666:layer:l:1"}
	in.VpcConfig.SubnetIds = []string{"subnet-1", "subnet-2"}
	in.CodeSigningConfigArn = aws.String("arn:aws:lambda:eu-central-1:111122223333:code-signing-config:csc-0123456789abcdefg")
	needs, err := h.needs("CreateFunction", in)
	if err != nil {
		t.Fatal(err)
	}
	type need struct{ Action, ARN, Account, Keys string }
	var got []need
	for _, n := range needs {
		got = append(got, need{n.Action, n.Target.ARN, n.Target.Account, keysOf(n.Target.Keys)})
	}
	want := []need{
		{"lambda:CreateFunction", arnOfF, account, "aws:RequestTag/team=a\naws:ResourceTag/team=a\naws:TagKeys=team\n" +
			"lambda:CodeSigningConfigArn=arn:aws:lambda:eu-central-1:111122223333:code-signing-config:csc-0123456789abcdefg\n" +
			"lambda:Layer=arn:aws:lambda:eu-central-1:444455556666:layer:l:1\nlambda:SecurityGroupIds=\nlambda:SubnetIds=subnet-1,subnet-2"},
		{"iam:PassRole", role, account, "iam:AssociatedResourceArn=" + arnOfF + "\niam:PassedToService=lambda.amazonaws.com"},
		{"lambda:GetLayerVersion", "arn:aws:lambda:eu-central-1:444455556666:layer:l:1", stranger, ""},
		{"ec2:DescribeSubnets", "*", "", "ec2:Region=eu-central-1"},
		{"ec2:DescribeVpcs", "*", "", "ec2:Region=eu-central-1"},
		{"lambda:TagResource", arnOfF, account, "aws:RequestTag/team=a\naws:ResourceTag/team=a\naws:TagKeys=team"},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("needs, got - want +:\n%s", diff)
	}
	in.Role = aws.String("arn:aws:iam::444455556666:role/app")
	if needs, err = h.needs("CreateFunction", in); err != nil {
		t.Fatal(err)
	}
	wantError(t, needs[1].Denied(authz.Decision{}), "AccessDeniedException", 403, "Cross-account pass role is not allowed.")
}

func TestUpdateFunctionCode(t *testing.T) {
	h := newHarness(t)
	first := h.create("f")
	h.now = h.now.Add(time.Minute)
	in := &sdk.UpdateFunctionCodeInput{
		FunctionName: aws.String(arnOfF), ZipFile: zipOf(t, map[string]string{"app.py": "second"}), RevisionId: first.RevisionId,
		DryRun: true,
	}
	dry := must[sdk.UpdateFunctionCodeOutput](h, in)
	if want := bundle.SHA256(bundle.Name(in.ZipFile)); *dry.CodeSha256 != want || *dry.RevisionId != *first.RevisionId {
		t.Errorf("dry run: got %s %s", *dry.CodeSha256, *dry.RevisionId)
	}
	if _, err := h.lambda.Blobs.Open(t.Context(), bundle.Name(in.ZipFile)); err == nil {
		t.Error("dry run stored the code")
	}
	get := &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("f")}
	if got := must[sdk.GetFunctionConfigurationOutput](h, get); *got.CodeSha256 != *first.CodeSha256 || len(h.runner.retired) != 0 {
		t.Error("dry run changed the function")
	}

	in.DryRun = false
	out := must[sdk.UpdateFunctionCodeOutput](h, in)
	if *out.CodeSha256 != *dry.CodeSha256 || out.CodeSize != int64(len(in.ZipFile)) || *out.RevisionId == *first.RevisionId ||
		out.State != types.StateActive || out.LastUpdateStatus != types.LastUpdateStatusInProgress ||
		*out.LastUpdateStatusReason != "The function is being created." || out.LastUpdateStatusReasonCode != "Creating" ||
		*out.LastModified != "2026-11-23T12:01:00.007+0000" {
		t.Errorf("updated: got %+v", out)
	}
	got := must[sdk.GetFunctionConfigurationOutput](h, get)
	if *got.CodeSha256 != *out.CodeSha256 || got.LastUpdateStatus != types.LastUpdateStatusSuccessful || *got.RevisionId != *out.RevisionId {
		t.Errorf("read: got %+v", got)
	}
	if diff := cmp.Diff(h.runner.retired, []string{arnOfF + " $LATEST"}); diff != "" {
		t.Errorf("retired, got - want +:\n%s", diff)
	}

	refuse[sdk.UpdateFunctionCodeOutput](h, in, "PreconditionFailedException", 412,
		"The Revision Id provided does not match the latest "+
			"Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	for message, in := range map[string]*sdk.UpdateFunctionCodeInput{
		"Please provide a source for function code.":                                       {},
		"Please don't provide ImageUri when updating a function with packageType Zip.":     {ImageUri: aws.String("i")},
		"Could not unzip uploaded file. Please check your file, then try to upload again.": {ZipFile: []byte("x")},
	} {
		in.FunctionName = aws.String("f")
		refuse[sdk.UpdateFunctionCodeOutput](h, in, "InvalidParameterValueException", 400, message)
	}
	for member, in := range map[string]*sdk.UpdateFunctionCodeInput{
		"PublishTo": {PublishTo: "LATEST_PUBLISHED"}, "S3Bucket": {S3Bucket: aws.String("bucket"), S3Key: aws.String("k")},
	} {
		in.FunctionName = aws.String("f")
		refuse[sdk.UpdateFunctionCodeOutput](h, in, "NotImplemented", 501,
			"licet does not implement "+member+" of the operation UpdateFunctionCode of lambda.")
	}
	refuse[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: make([]byte,
		bundle.MaxZipped+1)},
		"RequestEntityTooLargeException", 413, "Request must be smaller than 69905067 bytes for the UpdateFunctionCode operation")
	for name, want := range map[string]string{"g": "function:g", "f:1": "function:f:1"} {
		refuse[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String(name), ZipFile: in.ZipFile},
			"ResourceNotFoundException", 404, "Function not found: arn:aws:lambda:eu-central-1:111122223333:"+want)
	}
}

func TestUpdateFunctionConfiguration(t *testing.T) {
	h := newHarness(t)
	first := must[sdk.CreateFunctionOutput](h, h.fullSettings("f"))
	out := must[sdk.UpdateFunctionConfigurationOutput](h, &sdk.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("f"), MemorySize: aws.Int32(256), RevisionId: first.RevisionId,
	})
	if *out.MemorySize != 256 || *out.Description != "what it does" || out.Environment.Variables["STAGE"] == "" || *out.Timeout != 900 ||
		out.LastUpdateStatus != types.LastUpdateStatusInProgress || *out.RevisionId == *first.RevisionId || *out.CodeSha256 != *first.CodeSha256 {
		t.Errorf("got %+v", out)
	}
	if got := h.lastNeeds; len(got) != 1 { // iam:PassRole only when Role is given: lambda.md 2.2
		t.Errorf("needs without Role: got %+v", got)
	}
	h.trusted[role+"2"] = true
	out = must[sdk.UpdateFunctionConfigurationOutput](h, &sdk.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("f"), Role: aws.String(role + "2"), Runtime: types.RuntimePython313,
		Handler:     aws.String("new.handler"),
		Environment: &types.Environment{}, Timeout: aws.Int32(5), Description: aws.String(""),
	})
	if *out.Role != role+"2" || out.Runtime != types.RuntimePython313 || *out.Handler != "new.handler" || len(out.Environment.Variables) != 0 ||
		*out.Description != "" {
		t.Errorf("got %+v", out)
	}
	if got := h.lastNeeds; len(got) != 2 || got[1].Action != "iam:PassRole" || got[1].Target.ARN != role+"2" {
		t.Errorf("needs with Role: got %+v", got)
	}
	if got := keysOf(h.lastNeeds[0].Target.Keys); got != "aws:ResourceTag/team=a" {
		t.Errorf("keys: got %s", got)
	}
	if got := len(h.runner.retired); got != 2 {
		t.Errorf("retired %d times, want 2", got)
	}
	update := func(change func(*sdk.UpdateFunctionConfigurationInput)) *sdk.UpdateFunctionConfigurationInput {
		in := &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("f")}
		change(in)
		return in
	}
	refuse[sdk.UpdateFunctionConfigurationOutput](h,
		update(func(in *sdk.UpdateFunctionConfigurationInput) { in.RevisionId = first.RevisionId }),
		"PreconditionFailedException", 412, "The Revision Id provided does not match the latest Revision Id. "+
			"Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	refuse[sdk.UpdateFunctionConfigurationOutput](h,
		update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Role = aws.String(role + "3") }),
		"InvalidParameterValueException", 400, "The role defined for the function cannot be assumed by Lambda.")
	refuse[sdk.UpdateFunctionConfigurationOutput](h,
		update(func(in *sdk.UpdateFunctionConfigurationInput) { in.FunctionName = aws.String("g") }),
		"ResourceNotFoundException", 404, "Function not found: arn:aws:lambda:eu-central-1:111122223333:function:g")
}

func TestDeleteFunction(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	must[sdk.AddPermissionOutput](h, permissionInput("f", "s3", "s3.amazonaws.com"))
	del := func(name string) *sdk.DeleteFunctionInput {
		return &sdk.DeleteFunctionInput{FunctionName: aws.String(name)}
	}
	refuse[sdk.DeleteFunctionOutput](h, del("f:$LATEST"), "InvalidParameterValueException", 400,
		"$LATEST version cannot be deleted without deleting the function.")
	refuse[sdk.DeleteFunctionOutput](h, del("f:live"), "InvalidParameterValueException", 400,
		"Deletion of aliases is not currently supported.")
	must[sdk.DeleteFunctionOutput](h, del("f:1221"))
	refuse[sdk.DeleteFunctionOutput](h, del("g:1221"), "ResourceNotFoundException", 404,
		"Function not found: arn:aws:lambda:eu-central-1:111122223333:function:g")
	if got := must[sdk.DeleteFunctionOutput](h, del("f")).StatusCode; got != 204 {
		t.Errorf("got status %d, want 204", got)
	}
	if diff := cmp.Diff(h.runner.retired, []string{arnOfF + " 1221", arnOfF + " "}); diff != "" {
		t.Errorf("retired, got - want +:\n%s", diff)
	}
	refuse[sdk.DeleteFunctionOutput](h, del("f"), "ResourceNotFoundException", 404, "Function not found: "+arnOfF)
	// A new function of the name does not inherit the policy.
	h.create("f")
	refuse[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f")}, "ResourceNotFoundException", 404,
		"The resource you requested does not exist.")
}

func TestListFunctions(t *testing.T) {
	h := newHarness(t)
	for _, name := range []string{"a", "b", "c"} {
		h.create(name)
	}
	h.account = stranger
	if got := must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{}); len(got.Functions) != 0 {
		t.Errorf("another account sees %v", got.Functions)
	}
	h.account = account
	var names []string
	in := &sdk.ListFunctionsInput{MaxItems: aws.Int32(2)}
	for range 5 {
		out := must[sdk.ListFunctionsOutput](h, in)
		for _, f := range out.Functions {
			names = append(names, *f.FunctionArn)
			if f.State != "" || f.LastUpdateStatus != "" || f.RuntimeVersionConfig != nil {
				t.Errorf("listed with state: %+v", f)
			}
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	const prefix = "arn:aws:lambda:eu-central-1:111122223333:function:"
	if diff := cmp.Diff(names, []string{prefix + "a", prefix + "b", prefix + "c"}); diff != "" {
		t.Errorf("got - want +:\n%s", diff)
	}
	if got := h.lastNeeds[0].Target; got.ARN != "*" {
		t.Errorf("judged on %s, want *", got.ARN)
	}
	all := must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll,
		MaxItems: aws.Int32(3)})
	if len(all.Functions) != 3 || *all.Functions[0].FunctionArn != prefix+"a:$LATEST" || all.NextMarker != nil {
		t.Errorf("all versions: got %+v", all)
	}
	refuse[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{FunctionVersion: "SOME"}, "ValidationException", 400,
		"1 validation error detected: "+
			"Value 'SOME' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]")
	refuse[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{Marker: aws.String("%")}, "InvalidParameterValueException", 400,
		"Invalid Marker: %")
}

// TestOutput: every output has the fields of a configuration.
func TestOutput(t *testing.T) {
	c := types.FunctionConfiguration{FunctionName: aws.String("f"), CodeSize: 7}
	if got := output[sdk.CreateFunctionOutput](c); *got.FunctionName != "f" || got.CodeSize != 7 {
		t.Errorf("got %+v", got)
	}
	output[sdk.GetFunctionConfigurationOutput](c)
	output[sdk.UpdateFunctionCodeOutput](c)
	output[sdk.UpdateFunctionConfigurationOutput](c)
}
