package lambda

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/registry"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/bundle"
)

var (
	firstDigest  = "sha256:" + strings.Repeat("1", 64)
	secondDigest = "sha256:" + strings.Repeat("2", 64)
)

func (h *harness) newImageFunction(name string) *sdk.CreateFunctionInput {
	h.images = map[string]registry.Image{
		"host/app:v1": {Digest: firstDigest, Resolved: "host/app@" + firstDigest},
		"host/app:v2": {Digest: secondDigest, Resolved: "host/app@" + secondDigest},
	}
	return &sdk.CreateFunctionInput{
		FunctionName: aws.String(name), Role: aws.String(role), PackageType: types.PackageTypeImage,
		Code: &types.FunctionCode{ImageUri: aws.String("host/app:v1")},
	}
}

func TestImageFunction(t *testing.T) {
	h := newHarness(t)
	in := h.newImageFunction("f")
	in.ImageConfig = &types.ImageConfig{
		EntryPoint: []string{"/entry"}, Command: []string{"app.handler", "-v"}, WorkingDirectory: aws.String("/work"),
	}
	in.Architectures = []types.Architecture{types.ArchitectureArm64}
	created := must[sdk.CreateFunctionOutput](h, in)
	if created.PackageType != types.PackageTypeImage || created.Runtime != "" || created.Handler != nil || created.RuntimeVersionConfig != nil ||
		created.CodeSize != 0 || *created.CodeSha256 != strings.Repeat("1", 64) || created.Layers != nil {
		t.Errorf("created: got %+v", created)
	}
	equal(t, "image settings", created.ImageConfigResponse, &types.ImageConfigResponse{ImageConfig: in.ImageConfig})
	get := func() *sdk.GetFunctionOutput {
		t.Helper()
		return must[sdk.GetFunctionOutput](h, &sdk.GetFunctionInput{FunctionName: aws.String("f")})
	}
	equal(t, "code", get().Code, &types.FunctionCodeLocation{
		ImageUri: aws.String("host/app:v1"), ResolvedImageUri: aws.String("host/app@" + firstDigest), RepositoryType: aws.String("ECR"),
	})

	// The digest is that of the moment; updating with the same name finds the new one.
	h.images["host/app:v1"] = h.images["host/app:v2"]
	if got := get(); *got.Code.ResolvedImageUri != "host/app@"+firstDigest {
		t.Errorf("pushing changed the function: %s", *got.Code.ResolvedImageUri)
	}
	update := &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ImageUri: aws.String("host/app:v1"), DryRun: true}
	if dry := must[sdk.UpdateFunctionCodeOutput](h, update); *dry.CodeSha256 != strings.Repeat("2", 64) || *get().Code.ResolvedImageUri != "host/app@"+firstDigest {
		t.Errorf("dry run: got %s", *dry.CodeSha256)
	}
	update.DryRun = false
	update.Architectures = []types.Architecture{types.ArchitectureX8664}
	updated := must[sdk.UpdateFunctionCodeOutput](h, update)
	if *updated.CodeSha256 != strings.Repeat("2", 64) || updated.Architectures[0] != types.ArchitectureX8664 || *updated.RevisionId == *created.RevisionId ||
		updated.ImageConfigResponse == nil {
		t.Errorf("updated: got %+v", updated)
	}
	changed := must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) {
		in.ImageConfig = &types.ImageConfig{}
	}))
	if changed.ImageConfigResponse != nil || *changed.CodeSha256 != *updated.CodeSha256 {
		t.Errorf("without image settings: got %+v", changed)
	}
	refuse[sdk.InvokeOutput](h, &sdk.InvokeInput{FunctionName: aws.String("f")}, "NotImplemented", 501,
		"licet does not implement PackageType=Image of the operation Invoke of lambda.")
	if err := h.lambda.Sweep(t.Context()); err != nil {
		t.Errorf("sweep: %v", err)
	}
}

func TestImageFunctionRefused(t *testing.T) {
	h := newHarness(t)
	const bad = "InvalidParameterValueException"
	const noRuntime = "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
	const noSource = "Please provide ImageUri when creating a function with packageType Image."
	uri := func(name string) func(*sdk.CreateFunctionInput) {
		return func(in *sdk.CreateFunctionInput) { in.Code.ImageUri = aws.String(name) }
	}
	for _, c := range []struct {
		name          string
		change        func(*sdk.CreateFunctionInput)
		code, message string
	}{
		{"runtime", func(in *sdk.CreateFunctionInput) { in.Runtime = types.RuntimePython312 }, bad, noRuntime},
		{"handler", func(in *sdk.CreateFunctionInput) { in.Handler = aws.String("app.handler") }, bad, noRuntime},
		{"zip", func(in *sdk.CreateFunctionInput) { in.Code.ZipFile = []byte("zip") }, bad, noSource},
		{"object", func(in *sdk.CreateFunctionInput) { in.Code.S3Key = aws.String("key") }, bad, noSource},
		{"no image", func(in *sdk.CreateFunctionInput) { in.Code.ImageUri = nil }, bad, noSource},
		{"key", func(in *sdk.CreateFunctionInput) { in.Code.SourceKMSKeyArn = aws.String(keyARN) }, bad,
			"Please don't provide SourceKMSKeyArn when creating a function with packageType Image."},
		{"SnapStart", func(in *sdk.CreateFunctionInput) {
			in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
		}, bad, "ContainerImage is not supported for SnapStart enabled functions."},
		{"missing", uri("host/app:v3"), bad, "Source image host/app:v3 does not exist. Provide a valid source image."},
		{"name", uri(registry.ErrName.Error()), bad, "Source image " + registry.ErrName.Error() + " is not valid. Provide a valid source image."},
		{"index", uri(registry.ErrKind.Error()), bad,
			"The image manifest, config or layer media type for the source image " + registry.ErrKind.Error() + " is not supported."},
		{"unreachable", uri("unreachable"), bad, "The registry of the source image unreachable could not be reached."},
		{"zip function", func(in *sdk.CreateFunctionInput) {
			in.PackageType, in.Runtime, in.Handler = types.PackageTypeZip, types.RuntimePython312, aws.String("a.b")
		}, bad, "Please don't provide ImageUri when creating a function with packageType Zip."},
		{"no package type", func(in *sdk.CreateFunctionInput) { in.PackageType = "" }, bad,
			"Runtime and Handler are mandatory parameters for functions created with deployment packages."},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := h.newImageFunction("f")
			c.change(in)
			refuse[sdk.CreateFunctionOutput](h, in, c.code, 400, c.message)
		})
	}
	in := h.newImageFunction("f")
	in.Code.ImageUri = aws.String(registry.ErrDenied.Error())
	refuse[sdk.CreateFunctionOutput](h, in, "AccessDeniedException", 403,
		"Lambda does not have permission to access the ECR image. Check the ECR permissions.")
	h.lambda.Images = nil
	refuse[sdk.CreateFunctionOutput](h, h.newImageFunction("f"), "NotImplemented", 501,
		"licet does not implement Code.ImageUri of the operation CreateFunction of lambda.")
	h.lambda.Images = h

	must[sdk.CreateFunctionOutput](h, h.newImageFunction("f"))
	for message, in := range map[string]*sdk.UpdateFunctionCodeInput{
		"Please provide ImageUri when updating a function with packageType Image.": {ZipFile: zipOf(t, map[string]string{"a": "b"})},
		"Source image x does not exist. Provide a valid source image.":             {ImageUri: aws.String("x")},
	} {
		in.FunctionName = aws.String("f")
		refuse[sdk.UpdateFunctionCodeOutput](h, in, bad, 400, message)
	}
	for _, change := range []func(*sdk.UpdateFunctionConfigurationInput){
		func(in *sdk.UpdateFunctionConfigurationInput) { in.Handler = aws.String("a.b") },
		func(in *sdk.UpdateFunctionConfigurationInput) { in.Runtime = types.RuntimePython312 },
	} {
		refuse[sdk.UpdateFunctionConfigurationOutput](h, h.update(change), bad, 400, noRuntime)
	}
}

// bucket is an Objects with one object.
type bucket struct {
	zip []byte
	err error
}

func (b bucket) Object(_ context.Context, _ *service.Call, name, key, version string) ([]byte, error) {
	switch {
	case b.err != nil:
		return nil, b.err
	case name+"/"+key+"/"+version != "bucket/code.zip/v1":
		return nil, awserr.New("NoSuchKey", 404, "The specified key does not exist.")
	}
	return b.zip, nil
}

func TestCodeFromS3(t *testing.T) {
	h := newHarness(t)
	zip := zipOf(t, map[string]string{"app.py": "from S3"})
	h.lambda.Objects = bucket{zip: zip}
	in := h.newFunction("f")
	in.Code = &types.FunctionCode{
		S3Bucket: aws.String("bucket"), S3Key: aws.String("code.zip"), S3ObjectVersion: aws.String("v1"), SourceKMSKeyArn: aws.String(keyARN),
		S3ObjectStorageMode: types.S3ObjectStorageModeCopy,
	}
	out := must[sdk.CreateFunctionOutput](h, in)
	if *out.CodeSha256 != bundle.SHA256(bundle.Name(zip)) || out.CodeSize != int64(len(zip)) {
		t.Errorf("got %+v", out)
	}
	got := must[sdk.GetFunctionOutput](h, &sdk.GetFunctionInput{FunctionName: aws.String("f")})
	equal(t, "key", aws.ToString(got.Code.SourceKMSKeyArn), keyARN)
	if out := must[sdk.InvokeOutput](h, &sdk.InvokeInput{FunctionName: aws.String("f")}); string(out.Payload) != `"from S3"` {
		t.Errorf("ran %s", out.Payload)
	}
	update := func(key string) *sdk.UpdateFunctionCodeInput {
		return &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), S3Bucket: aws.String("bucket"), S3Key: aws.String(key)}
	}
	refuse[sdk.UpdateFunctionCodeOutput](h, update("other"), "InvalidParameterValueException", 400,
		"Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.")
	h.lambda.Objects = bucket{err: errors.New("disk")}
	if _, err := do[sdk.UpdateFunctionCodeOutput](h, update("code.zip")); err == nil || !strings.Contains(err.Error(), "read s3://bucket/code.zip: disk") {
		t.Errorf("got %v", err)
	}
	missing := update("code.zip")
	missing.S3Key = nil
	refuse[sdk.UpdateFunctionCodeOutput](h, missing, "InvalidParameterValueException", 400, "Please provide a source for function code.")
}

// TestNotRunnable: what cannot be run as it is configured is not run otherwise.
func TestNotRunnable(t *testing.T) {
	h := newHarness(t)
	h.ready()
	efs, s3 := h.newFunction("efs"), h.newFunction("s3")
	efs.VpcConfig, efs.FileSystemConfigs = attached(), files(accessPointARN)
	s3.VpcConfig, s3.FileSystemConfigs = attached(), files(s3FilesARN)
	must[sdk.CreateFunctionOutput](h, efs)
	must[sdk.CreateFunctionOutput](h, s3)
	java := h.newFunction("java")
	java.Runtime = types.RuntimeJava21
	must[sdk.CreateFunctionOutput](h, java)
	h.lambda.Runtimes = func(r types.Runtime) bool { return r != types.RuntimeJava21 }

	for name, want := range map[string]struct {
		code, message string
		status        int
	}{
		"efs": {"EFSMountFailureException", "The function couldn't mount the file system with access point " + accessPointARN +
			": licet has no file systems.", 403},
		"s3": {"S3FilesMountFailureException", "The function couldn't mount the file system with access point " + s3FilesARN +
			": licet has no file systems.", 403},
		"java": {"InvalidRuntimeException", "The runtime java21 is not supported here.", 502},
	} {
		refuse[sdk.InvokeOutput](h, &sdk.InvokeInput{FunctionName: aws.String(name)}, want.code, want.status, want.message)
		dry := must[sdk.InvokeOutput](h, &sdk.InvokeInput{FunctionName: aws.String(name), InvocationType: types.InvocationTypeDryRun})
		equal(t, "dry run", dry.StatusCode, int32(204))
	}
	equal(t, "runs", len(h.runner.invocations), 0)
}

// TestUpdateOfAnotherFunction: code that was checked for one function does not become that of a function of another type, which was made
// under its name meanwhile.
func TestUpdateOfAnotherFunction(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.lambda.Objects = meanwhile(func() []byte {
		must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f")})
		must[sdk.CreateFunctionOutput](h, h.newImageFunction("f"))
		return zipOf(t, map[string]string{"app.py": "late"})
	})
	refuse[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{
		FunctionName: aws.String("f"), S3Bucket: aws.String("bucket"), S3Key: aws.String("key"),
	}, "ResourceConflictException", 409, "The operation cannot be performed at this time. An update is in progress for resource: "+arnOfF)
}

// meanwhile is an Objects that does something first.
type meanwhile func() []byte

func (m meanwhile) Object(context.Context, *service.Call, string, string, string) ([]byte, error) {
	return m(), nil
}

// TestShownIsFresh: what is shown from the cache follows every change.
func TestShownIsFresh(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	for i := range int32(3) {
		h.now = h.now.Add(time.Second)
		h.read("f")
		out := must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Timeout = aws.Int32(10 + i) }))
		got := h.read("f")
		if *out.Timeout != 10+i || *got.Timeout != 10+i || *got.RevisionId != *out.RevisionId || *got.LastModified != *out.LastModified ||
			out.LastUpdateStatus != types.LastUpdateStatusInProgress || got.LastUpdateStatus != types.LastUpdateStatusSuccessful {
			t.Errorf("update %d: got %d, then %d", i, *out.Timeout, *got.Timeout)
		}
		qualified := must[sdk.GetFunctionConfigurationOutput](h, &sdk.GetFunctionConfigurationInput{FunctionName: aws.String("f:$LATEST")})
		if *qualified.FunctionArn != arnOfF+":$LATEST" || *h.read("f").FunctionArn != arnOfF {
			t.Errorf("got %s, %s", *qualified.FunctionArn, *h.read("f").FunctionArn)
		}
	}
}
