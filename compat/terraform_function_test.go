package compat

import (
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// The calls of Terraform's aws_lambda_function (internal/service/lambda/function.go of hashicorp/terraform-provider-aws), without publish,
// reserved_concurrent_executions and code_signing_config_arn.

// terraformed is a function in the hands of Terraform.
type terraformed struct {
	t    *testing.T
	c    *lambda.Client
	name string
}

// created waits as Terraform does after CreateFunction: for the function, then for its state.
func (f terraformed) created() {
	f.t.Helper()
	f.read()
	err := lambda.NewFunctionActiveV2Waiter(f.c).Wait(f.t.Context(), &lambda.GetFunctionInput{FunctionName: &f.name}, time.Minute)
	if err != nil {
		f.t.Fatal(err)
	}
}

// configure makes an update and waits for it.
func (f terraformed) configure(in *lambda.UpdateFunctionConfigurationInput) {
	f.t.Helper()
	in.FunctionName = &f.name
	must(f.c.UpdateFunctionConfiguration(f.t.Context(), in))(f.t)
	f.updated()
}

func (f terraformed) updated() {
	f.t.Helper()
	in := &lambda.GetFunctionConfigurationInput{FunctionName: &f.name}
	if err := lambda.NewFunctionUpdatedWaiter(f.c).Wait(f.t.Context(), in, time.Minute); err != nil {
		f.t.Fatal(err)
	}
}

func (f terraformed) read() *lambda.GetFunctionOutput {
	f.t.Helper()
	out := must(f.c.GetFunction(f.t.Context(), &lambda.GetFunctionInput{FunctionName: &f.name}))(f.t)
	versions := must(f.c.ListVersionsByFunction(f.t.Context(), &lambda.ListVersionsByFunctionInput{FunctionName: &f.name}))(f.t).Versions
	if len(versions) != 1 || *versions[0].Version != "$LATEST" || *versions[0].FunctionArn != *out.Configuration.FunctionArn+":$LATEST" {
		f.t.Errorf("versions: got %+v", versions)
	}
	if out.Configuration.PackageType == types.PackageTypeZip {
		in := &lambda.GetFunctionCodeSigningConfigInput{FunctionName: &f.name}
		if got := must(f.c.GetFunctionCodeSigningConfig(f.t.Context(), in))(f.t).CodeSigningConfigArn; got != nil {
			f.t.Errorf("code signing configuration: got %s", *got)
		}
	}
	return out
}

// destroy deletes the function and looks that it is gone.
func (f terraformed) destroy() {
	f.t.Helper()
	must(f.c.DeleteFunction(f.t.Context(), &lambda.DeleteFunctionInput{FunctionName: &f.name}))(f.t)
	_, err := f.c.GetFunction(f.t.Context(), &lambda.GetFunctionInput{FunctionName: &f.name})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		f.t.Errorf("after destroy: got %v, want ResourceNotFoundException", err)
	}
}

// compare compares the members of what was read with those that were written, by name.
func compare(t *testing.T, when string, read *types.FunctionConfiguration, want map[string]any) {
	t.Helper()
	for member, value := range want {
		same(t, when+": "+member, reflect.ValueOf(read).Elem().FieldByName(member).Interface(), value)
	}
}

const (
	someQueue   = "arn:aws:sqs:us-east-1:" + account + ":dead"
	someTopic   = "arn:aws:sns:us-east-1:" + account + ":dead"
	someKey     = "arn:aws:kms:us-east-1:" + account + ":key/01234567-89ab-cdef-0123-456789abcdef"
	otherKey    = "arn:aws:kms:us-east-1:" + account + ":key/11111111-89ab-cdef-0123-456789abcdef"
	accessPoint = "arn:aws:elasticfilesystem:us-east-1:" + account + ":access-point/fsap-0123456789abcdef0"
	mountedS3   = "arn:aws:s3files:us-east-1:" + account + ":file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0"
)

// withSubnets is a server that knows subnets.
func withSubnets(t *testing.T) *licet {
	t.Helper()
	return newServer(t, "--subnet", "subnet-1=vpc-1,subnet-2=vpc-1", "--subnet", "subnet-3=vpc-2")
}

// anywhere lets an execution role be in a VPC and send dead letters.
func anywhere() []string {
	return []string{allow("ec2:*", "*"), allow("sqs:SendMessage", someQueue), allow("sns:Publish", someTopic)}
}

func TestTerraformFunction(t *testing.T) {
	t.Parallel()
	l := withSubnets(t)
	s := aws.String
	f := terraformed{t, l.as(l.root).lambda, unique("function")}
	first, second := l.newRole(t, trustLambda, anywhere()...), l.newRole(t, trustLambda, anywhere()...)
	tags := map[string]string{"Name": "first"}
	must(f.c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &f.name, Role: &first.arn, PackageType: types.PackageTypeZip, Runtime: types.RuntimePython312, Handler: s("code.handler"),
		Code:        &types.FunctionCode{ZipFile: archive(t, file{name: "code.py", text: echo}), SourceKMSKeyArn: s(someKey)},
		Description: s("made by ü"), MemorySize: aws.Int32(256), Timeout: aws.Int32(30), Tags: tags,
		Architectures:     []types.Architecture{types.ArchitectureArm64},
		DeadLetterConfig:  &types.DeadLetterConfig{TargetArn: s(someQueue)},
		Environment:       &types.Environment{Variables: map[string]string{"STAGE": "dev"}},
		EphemeralStorage:  &types.EphemeralStorage{Size: aws.Int32(512)},
		FileSystemConfigs: []types.FileSystemConfig{{Arn: s(accessPoint), LocalMountPath: s("/mnt/data")}},
		KMSKeyArn:         s(someKey),
		LoggingConfig: &types.LoggingConfig{
			LogFormat: types.LogFormatJson, LogGroup: s("/own/group"), ApplicationLogLevel: types.ApplicationLogLevelWarn,
			SystemLogLevel: types.SystemLogLevelDebug,
		},
		TracingConfig: &types.TracingConfig{Mode: types.TracingModeActive},
		VpcConfig: &types.VpcConfig{
			Ipv6AllowedForDualStack: aws.Bool(true), SecurityGroupIds: []string{"sg-1", "sg-2"}, SubnetIds: []string{"subnet-1", "subnet-2"},
		},
		TenancyConfig: &types.TenancyConfig{TenantIsolationMode: types.TenantIsolationModePerTenant},
	}))(t)
	f.created()
	got := f.read()
	same(t, "tags", got.Tags, tags)
	same(t, "source_kms_key_arn", got.Code.SourceKMSKeyArn, s(someKey))
	compare(t, "created", got.Configuration, map[string]any{
		"Architectures": []types.Architecture{types.ArchitectureArm64}, "PackageType": types.PackageTypeZip, "Role": &first.arn,
		"Runtime": types.RuntimePython312, "Handler": s("code.handler"), "Description": s("made by ü"), "MemorySize": aws.Int32(256),
		"Timeout": aws.Int32(30), "DeadLetterConfig": &types.DeadLetterConfig{TargetArn: s(someQueue)},
		"Environment":       &types.EnvironmentResponse{Variables: map[string]string{"STAGE": "dev"}},
		"EphemeralStorage":  &types.EphemeralStorage{Size: aws.Int32(512)},
		"FileSystemConfigs": []types.FileSystemConfig{{Arn: s(accessPoint), LocalMountPath: s("/mnt/data")}},
		"KMSKeyArn":         s(someKey),
		"LoggingConfig": &types.LoggingConfig{
			LogFormat: types.LogFormatJson, LogGroup: s("/own/group"), ApplicationLogLevel: types.ApplicationLogLevelWarn,
			SystemLogLevel: types.SystemLogLevelDebug,
		},
		"TracingConfig": &types.TracingConfigResponse{Mode: types.TracingModeActive},
		"VpcConfig": &types.VpcConfigResponse{
			Ipv6AllowedForDualStack: aws.Bool(true), SecurityGroupIds: []string{"sg-1", "sg-2"}, SubnetIds: []string{"subnet-1", "subnet-2"},
			VpcId: s("vpc-1"),
		},
		"SnapStart": &types.SnapStartResponse{
			ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff,
		},
		"TenancyConfig": &types.TenancyConfig{TenantIsolationMode: types.TenantIsolationModePerTenant},
		"Layers":        []types.Layer(nil), "ImageConfigResponse": (*types.ImageConfigResponse)(nil),
	})

	f.configure(&lambda.UpdateFunctionConfigurationInput{
		Role: &second.arn, Runtime: types.RuntimePython313, Handler: s("code.other"), Description: s(""), MemorySize: aws.Int32(128),
		Timeout: aws.Int32(3), DeadLetterConfig: &types.DeadLetterConfig{TargetArn: s(someTopic)},
		Environment: &types.Environment{Variables: map[string]string{"STAGE": "test"}}, KMSKeyArn: s(otherKey),
		EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(1024)},
		FileSystemConfigs: []types.FileSystemConfig{{
			Arn: s(mountedS3), LocalMountPath: s("/mnt/s3"), S3FilesConfig: &types.S3FilesConfig{DirectS3Read: types.DirectS3ReadDisabled},
		}},
		LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: s("/other/group")},
		TracingConfig: &types.TracingConfig{Mode: types.TracingModePassThrough},
		VpcConfig: &types.VpcConfig{
			Ipv6AllowedForDualStack: aws.Bool(false), SecurityGroupIds: []string{"sg-3"}, SubnetIds: []string{"subnet-3"},
		},
	})
	compare(t, "updated", f.read().Configuration, map[string]any{
		"Role": &second.arn, "Runtime": types.RuntimePython313, "Handler": s("code.other"), "Description": s(""), "MemorySize": aws.Int32(128),
		"Timeout": aws.Int32(3), "DeadLetterConfig": &types.DeadLetterConfig{TargetArn: s(someTopic)},
		"Environment": &types.EnvironmentResponse{Variables: map[string]string{"STAGE": "test"}}, "KMSKeyArn": s(otherKey),
		"EphemeralStorage": &types.EphemeralStorage{Size: aws.Int32(1024)},
		"FileSystemConfigs": []types.FileSystemConfig{{
			Arn: s(mountedS3), LocalMountPath: s("/mnt/s3"), S3FilesConfig: &types.S3FilesConfig{DirectS3Read: types.DirectS3ReadDisabled},
		}},
		"LoggingConfig": &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: s("/other/group")},
		"TracingConfig": &types.TracingConfigResponse{Mode: types.TracingModePassThrough},
		"VpcConfig": &types.VpcConfigResponse{
			Ipv6AllowedForDualStack: aws.Bool(false), SecurityGroupIds: []string{"sg-3"}, SubnetIds: []string{"subnet-3"}, VpcId: s("vpc-2"),
		},
	})

	// What is removed from the configuration is removed by these values.
	f.configure(&lambda.UpdateFunctionConfigurationInput{
		DeadLetterConfig: &types.DeadLetterConfig{TargetArn: s("")}, Environment: &types.Environment{Variables: map[string]string{}},
		KMSKeyArn: s(""), FileSystemConfigs: []types.FileSystemConfig{}, Layers: []string{},
		VpcConfig: &types.VpcConfig{
			Ipv6AllowedForDualStack: aws.Bool(false), SecurityGroupIds: []string{}, SubnetIds: []string{},
		},
	})
	compare(t, "emptied", f.read().Configuration, map[string]any{
		"DeadLetterConfig": (*types.DeadLetterConfig)(nil), "Environment": &types.EnvironmentResponse{Variables: map[string]string{}},
		"KMSKeyArn": (*string)(nil), "FileSystemConfigs": []types.FileSystemConfig(nil),
		"VpcConfig": &types.VpcConfigResponse{
			Ipv6AllowedForDualStack: aws.Bool(false), SecurityGroupIds: []string{}, SubnetIds: []string{}, VpcId: s(""),
		},
	})

	must(f.c.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{
		FunctionName: &f.name, ZipFile: archive(t, file{name: "code.py", text: "other = 1\n"}),
		Architectures: []types.Architecture{types.ArchitectureX8664},
	}))(t)
	f.updated()
	before, after := got, f.read()
	compare(t, "new code", after.Configuration, map[string]any{"Architectures": []types.Architecture{types.ArchitectureX8664}})
	if *after.Configuration.CodeSha256 == *before.Configuration.CodeSha256 || after.Code.SourceKMSKeyArn != nil {
		t.Errorf("code did not change: %+v", after.Code)
	}
	f.destroy()
}

func TestTerraformSnapStart(t *testing.T) {
	t.Parallel()
	f := terraformed{t, server.as(server.root).lambda, ""}
	f.name = server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) {
		in.Runtime = types.RuntimeJava21 // there is none here: it can be configured all the same
		in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
	}).name
	f.created()
	compare(t, "created", f.read().Configuration, map[string]any{"Runtime": types.RuntimeJava21, "SnapStart": &types.SnapStartResponse{
		ApplyOn: types.SnapStartApplyOnPublishedVersions, OptimizationStatus: types.SnapStartOptimizationStatusOff,
	}})
	_, err := f.c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f.name})
	check(t, err, failure{502, "InvalidRuntimeException", "The runtime java21 is not supported here."})
	f.configure(&lambda.UpdateFunctionConfigurationInput{SnapStart: &types.SnapStart{ApplyOn: types.SnapStartApplyOnNone}})
	compare(t, "updated", f.read().Configuration, map[string]any{"SnapStart": &types.SnapStartResponse{
		ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff,
	}})
	f.destroy()
}

// repository is a repository of a registry in this process.
func repository(t *testing.T) string {
	t.Helper()
	r := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(r.Close)
	return strings.TrimPrefix(r.URL, "http://") + "/team/app"
}

// push makes an image and gives its digest.
func push(t *testing.T, image string) string {
	t.Helper()
	made, err := random.Image(128, 1)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, made); err != nil {
		t.Fatal(err)
	}
	digest, err := made.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func TestTerraformImageFunction(t *testing.T) {
	t.Parallel()
	s := aws.String
	images := repository(t)
	first, second := push(t, images+":first"), push(t, images+":second")
	f := terraformed{t, server.as(server.root).lambda, unique("function")}
	settings := &types.ImageConfig{EntryPoint: []string{"/entry"}, Command: []string{"app.handler"}, WorkingDirectory: s("/work")}
	in := &lambda.CreateFunctionInput{
		FunctionName: &f.name, Role: s(server.newRole(t, trustLambda).arn), PackageType: types.PackageTypeImage, ImageConfig: settings,
		Code: &types.FunctionCode{ImageUri: s(images + ":first")}, Description: s(""), MemorySize: aws.Int32(128), Timeout: aws.Int32(3),
	}
	must(f.c.CreateFunction(t.Context(), in))(t)
	f.created()
	code := func(tag, digest string) *types.FunctionCodeLocation {
		return &types.FunctionCodeLocation{
			ImageUri: s(images + ":" + tag), ResolvedImageUri: s(images + "@" + digest), RepositoryType: s("ECR"),
		}
	}
	got := f.read()
	same(t, "created code", got.Code, code("first", first))
	compare(t, "created", got.Configuration, map[string]any{
		"PackageType": types.PackageTypeImage, "Runtime": types.Runtime(""), "Handler": (*string)(nil), "CodeSize": int64(0),
		"CodeSha256":          s(strings.TrimPrefix(first, "sha256:")),
		"ImageConfigResponse": &types.ImageConfigResponse{ImageConfig: settings},
		"Architectures":       []types.Architecture{types.ArchitectureX8664}, "VpcConfig": (*types.VpcConfigResponse)(nil),
	})

	f.configure(&lambda.UpdateFunctionConfigurationInput{ImageConfig: &types.ImageConfig{}})
	compare(t, "updated", f.read().Configuration, map[string]any{"ImageConfigResponse": (*types.ImageConfigResponse)(nil)})
	must(f.c.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: &f.name, ImageUri: s(images + ":second")}))(t)
	f.updated()
	same(t, "updated code", f.read().Code, code("second", second))

	_, err := f.c.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: &f.name, ImageUri: s(images + ":third")})
	check(t, err, failure{400, "InvalidParameterValueException", "Source image " + images + ":third does not exist. Provide a valid source image."})
	_, err = f.c.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: &f.name, ZipFile: archive(t, file{name: "a"})})
	check(t, err, failure{400, "InvalidParameterValueException", "Please provide ImageUri when updating a function with packageType Image."})
	out, err := f.c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f.name})
	if isolated() {
		if err != nil || !strings.Contains(string(out.Payload), "Runtime.InvalidEntrypoint") { // the image has no program
			t.Errorf("got %+v, %v", out, err)
		}
	} else {
		check(t, err, failure{501, "NotImplemented", "licet does not implement PackageType=Image of the operation Invoke of lambda."})
	}
	f.destroy()
}

// TestFunctionNetwork: who may attach functions to which VPC is said by lambda's condition keys, what subnets there are by ec2's actions, and
// what the function's role must be able to do by its own policies.
func TestFunctionNetwork(t *testing.T) {
	t.Parallel()
	l := withSubnets(t)
	ec2 := allow("ec2:Describe*", "*")
	pass := allow("iam:PassRole", "*")
	in := &types.VpcConfig{SubnetIds: []string{"subnet-1"}, SecurityGroupIds: []string{"sg-1"}}
	create := func(p person, role, function string, network *types.VpcConfig) error {
		_, err := p.lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
			FunctionName: &function, Role: &role, Runtime: types.RuntimePython312, Handler: aws.String("code.handler"),
			Code: &types.FunctionCode{ZipFile: archive(t, file{name: "code.py", text: echo})}, VpcConfig: network,
		})
		return err
	}
	able, unable := l.newRole(t, trustLambda, anywhere()...), l.newRole(t, trustLambda, allow("ec2:CreateNetworkInterface", "*"))
	onlyVPC1 := l.newUser(t, pass, ec2, allow("lambda:CreateFunction", "*", `{"StringEquals":{"lambda:VpcIds":"vpc-1"}}`))
	blind := l.newUser(t, pass, allow("lambda:CreateFunction", "*"))
	prefix := "arn:aws:lambda:us-east-1:" + account + ":function:"

	check(t, create(onlyVPC1, able.arn, "in", in), failure{})
	check(t, create(onlyVPC1, able.arn, "other", &types.VpcConfig{SubnetIds: []string{"subnet-3"}, SecurityGroupIds: []string{"sg-1"}}),
		lambdaDenied(onlyVPC1.arn, "lambda:CreateFunction", prefix+"other", "identity-based policy"))
	check(t, create(onlyVPC1, able.arn, "none", nil),
		lambdaDenied(onlyVPC1.arn, "lambda:CreateFunction", prefix+"none", "identity-based policy"))
	check(t, create(blind, able.arn, "blind", in), failure{403, "AccessDeniedException",
		"Your access has been denied by EC2, please make sure your request credentials have permission to DescribeSecurityGroups for sg-1. " +
			"EC2 Error Code: UnauthorizedOperation. EC2 Error Message: You are not authorized to perform this operation."})
	check(t, create(onlyVPC1, unable.arn, "unable", in), failure{400, "InvalidParameterValueException",
		"The provided execution role does not have permissions to call DescribeNetworkInterfaces on EC2"})
	anyone := l.newUser(t, pass, ec2, allow("lambda:*", "*"))
	check(t, create(anyone, able.arn, "unknown", &types.VpcConfig{SubnetIds: []string{"subnet-9"}, SecurityGroupIds: []string{"sg-1"}}),
		failure{400, "InvalidParameterValueException", "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. " +
			"EC2 Error Message: The subnet ID 'subnet-9' does not exist"})
}

// TestFunctionKey: variables under a key are seen by those who may decrypt with it, and a key is set by those who may grant its use.
func TestFunctionKey(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) {
		in.KMSKeyArn = aws.String(someKey)
		in.Environment = &types.Environment{Variables: map[string]string{"PASSWORD": "secret"}}
	})
	get := &lambda.GetFunctionConfigurationInput{FunctionName: &f.name}
	reader := server.newUser(t, allow("lambda:*", f.arn))
	shown := must(reader.lambda.GetFunctionConfiguration(t.Context(), get))(t).Environment
	if shown.Variables != nil || shown.Error == nil || *shown.Error.ErrorCode != "AccessDeniedException" {
		t.Errorf("without kms:Decrypt: got %+v", shown)
	}
	trusted := server.newUser(t, allow("lambda:*", f.arn),
		allow("kms:Decrypt", someKey, `{"StringEquals":{"kms:ViaService":"lambda.us-east-1.amazonaws.com","kms:EncryptionContext:aws:lambda:FunctionArn":"`+f.arn+`"}}`))
	same(t, "with kms:Decrypt", must(trusted.lambda.GetFunctionConfiguration(t.Context(), get))(t).Environment,
		&types.EnvironmentResponse{Variables: map[string]string{"PASSWORD": "secret"}})
	change := &lambda.UpdateFunctionConfigurationInput{FunctionName: &f.name, KMSKeyArn: aws.String(otherKey)}
	_, err := trusted.lambda.UpdateFunctionConfiguration(t.Context(), change)
	check(t, err, failure{400, "InvalidParameterValueException", "Lambda was unable to configure access to your environment variables because " +
		"the KMS key is invalid for CreateGrant. Please check your KMS key settings. KMS Exception: AccessDeniedException"})
	grant := allow("kms:CreateGrant", otherKey, `{"Bool":{"kms:GrantIsForAWSResource":"true"}}`)
	server.permit(t, trusted, allow("lambda:*", f.arn), grant) // who takes the old key away would see what was under it
	_, err = trusted.lambda.UpdateFunctionConfiguration(t.Context(), change)
	check(t, err, lambdaDenied(trusted.arn, "kms:Decrypt", someKey, "identity-based policy"))
	server.permit(t, trusted, allow("lambda:*", f.arn), grant, allow("kms:Decrypt", someKey))
	must(trusted.lambda.UpdateFunctionConfiguration(t.Context(), change))(t)
}

// TestDeadLettersAndRole: the execution role must be able to send, when the target or the role is set.
func TestDeadLettersAndRole(t *testing.T) {
	t.Parallel()
	c := server.as(server.root).lambda
	f := server.newFunction(t, echo)
	for target, text := range map[string]string{someQueue: "SendMessage on SQS", someTopic: "Publish on SNS"} {
		_, err := c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
			FunctionName: &f.name, DeadLetterConfig: &types.DeadLetterConfig{TargetArn: &target},
		})
		check(t, err, failure{400, "InvalidParameterValueException", "The provided execution role does not have permissions to call " + text})
	}
	able := server.newRole(t, trustLambda, anywhere()...)
	must(c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: &f.name, Role: &able.arn, DeadLetterConfig: &types.DeadLetterConfig{TargetArn: aws.String(someQueue)},
	}))(t)
}
