package lambda

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
)

const (
	keyARN         = "arn:aws:kms:eu-central-1:111122223333:key/k"
	queueARN       = "arn:aws:sqs:eu-central-1:111122223333:q"
	topicARN       = "arn:aws:sns:eu-central-1:111122223333:t"
	accessPointARN = "arn:aws:elasticfilesystem:eu-central-1:111122223333:access-point/fsap-0123456789abcdef0"
	s3FilesARN     = "arn:aws:s3files:eu-central-1:111122223333:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0"
	interfacesARN  = "arn:aws:ec2:eu-central-1:111122223333:*/*"
)

// ready lets the execution role do what configurations need of it, and makes subnets.
func (h *harness) ready() {
	h.vpcs = map[string]string{"subnet-1": "vpc-1", "subnet-2": "vpc-1", "subnet-3": "vpc-2"}
	for _, may := range []string{
		"ec2:CreateNetworkInterface " + interfacesARN, "ec2:DescribeNetworkInterfaces *", "ec2:DeleteNetworkInterface " + interfacesARN,
		"sqs:SendMessage " + queueARN, "sns:Publish " + topicARN,
	} {
		h.allowed[may] = true
	}
}

func network(subnets, groups []string) *types.VpcConfig {
	return &types.VpcConfig{SubnetIds: subnets, SecurityGroupIds: groups}
}

func attached() *types.VpcConfig { return network([]string{"subnet-1", "subnet-2"}, []string{"sg-1"}) }

func files(arn string) []types.FileSystemConfig {
	return []types.FileSystemConfig{{Arn: aws.String(arn), LocalMountPath: aws.String("/mnt/data")}}
}

func (h *harness) update(change func(*sdk.UpdateFunctionConfigurationInput)) *sdk.UpdateFunctionConfigurationInput {
	in := &sdk.UpdateFunctionConfigurationInput{FunctionName: aws.String("f")}
	change(in)
	return in
}

func (h *harness) read(name string) *sdk.GetFunctionConfigurationOutput {
	h.t.Helper()
	return must[sdk.GetFunctionConfigurationOutput](h, &sdk.GetFunctionConfigurationInput{FunctionName: aws.String(name)})
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(got, want, ignoreUnexported); diff != "" {
		t.Errorf("%s, got - want +:\n%s", what, diff)
	}
}

// TestSettingsAreKept: what is given is read back, changed by what an update gives, and removed by what is empty.
func TestSettingsAreKept(t *testing.T) {
	h := newHarness(t)
	h.ready()
	h.decrypts = true
	in := h.newFunction("f")
	in.VpcConfig = attached()
	in.VpcConfig.Ipv6AllowedForDualStack = aws.Bool(true)
	in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String(queueARN)}
	in.FileSystemConfigs = files(accessPointARN)
	in.KMSKeyArn = aws.String(keyARN)
	in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, ApplicationLogLevel: types.ApplicationLogLevelDebug}
	in.Environment = &types.Environment{Variables: map[string]string{"KEY": "value"}}
	in.TenancyConfig = &types.TenancyConfig{TenantIsolationMode: types.TenantIsolationModePerTenant}
	in.Architectures = []types.Architecture{types.ArchitectureArm64}
	must[sdk.CreateFunctionOutput](h, in)

	got := h.read("f")
	equal(t, "network", got.VpcConfig, &types.VpcConfigResponse{
		SubnetIds: []string{"subnet-1", "subnet-2"}, SecurityGroupIds: []string{"sg-1"}, VpcId: aws.String("vpc-1"),
		Ipv6AllowedForDualStack: aws.Bool(true),
	})
	equal(t, "dead letters", got.DeadLetterConfig, in.DeadLetterConfig)
	equal(t, "file systems", got.FileSystemConfigs, in.FileSystemConfigs)
	equal(t, "key", got.KMSKeyArn, in.KMSKeyArn)
	equal(t, "logging", got.LoggingConfig, &types.LoggingConfig{
		LogFormat: types.LogFormatJson, ApplicationLogLevel: types.ApplicationLogLevelDebug, SystemLogLevel: types.SystemLogLevelInfo,
		LogGroup: aws.String("/aws/lambda/f"),
	})
	equal(t, "variables", got.Environment.Variables, in.Environment.Variables)
	equal(t, "tenancy", got.TenancyConfig, in.TenancyConfig)
	equal(t, "architecture", got.Architectures, in.Architectures)

	out := must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) {
		in.VpcConfig = network([]string{"subnet-3"}, nil)
		in.FileSystemConfigs = files(s3FilesARN)
		in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String(topicARN)}
		in.LoggingConfig = &types.LoggingConfig{SystemLogLevel: types.SystemLogLevelWarn}
	}))
	equal(t, "changed network", out.VpcConfig, &types.VpcConfigResponse{
		SubnetIds: []string{"subnet-3"}, SecurityGroupIds: []string{"sg-1"}, VpcId: aws.String("vpc-2"), Ipv6AllowedForDualStack: aws.Bool(true),
	})
	equal(t, "changed dead letters", *out.DeadLetterConfig.TargetArn, topicARN)
	equal(t, "changed file systems", out.FileSystemConfigs, files(s3FilesARN))
	equal(t, "changed logging", out.LoggingConfig, &types.LoggingConfig{
		LogFormat: types.LogFormatJson, ApplicationLogLevel: types.ApplicationLogLevelDebug, SystemLogLevel: types.SystemLogLevelWarn,
		LogGroup: aws.String("/aws/lambda/f"),
	})

	must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) {
		in.VpcConfig = network([]string{}, []string{})
		in.FileSystemConfigs = []types.FileSystemConfig{}
		in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("")}
		in.KMSKeyArn = aws.String("")
		in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatText}
	}))
	got = h.read("f")
	equal(t, "detached network", got.VpcConfig, &types.VpcConfigResponse{
		SubnetIds: []string{}, SecurityGroupIds: []string{}, VpcId: aws.String(""), Ipv6AllowedForDualStack: aws.Bool(true),
	})
	equal(t, "plain logging", got.LoggingConfig, &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: aws.String("/aws/lambda/f")})
	if got.DeadLetterConfig != nil || got.FileSystemConfigs != nil || got.KMSKeyArn != nil || got.TenancyConfig == nil {
		t.Errorf("removed: got %+v", got)
	}
}

func TestSettingsRefused(t *testing.T) {
	h := newHarness(t)
	const bad, invalid = "InvalidParameterValueException", "ValidationException"
	const violation = "1 validation error detected: Value "
	subnets := make([]string, 17)
	for i := range subnets {
		subnets[i] = "subnet-1"
	}
	listed := strings.Join(subnets, ", ")
	long := strings.Repeat("w", 1001)
	for _, c := range []struct {
		name    string
		change  func(*harness, *sdk.CreateFunctionInput)
		code    string
		message string
	}{
		{"unknown subnet", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.VpcConfig = network([]string{"subnet-9"}, []string{"sg-1"})
		}, bad,
			"Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID 'subnet-9' does not exist"},
		{"two VPCs", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.VpcConfig = network([]string{"subnet-1", "subnet-3"}, []string{"sg-1"})
		}, bad, "The subnets of a function must be in one VPC. subnet-3 is not in vpc-1."},
		{"no groups", func(_ *harness, in *sdk.CreateFunctionInput) { in.VpcConfig = network([]string{"subnet-1"}, nil) }, bad,
			"SubnetIds and SecurityIds must coexist or be both empty list."},
		{"no subnets", func(_ *harness, in *sdk.CreateFunctionInput) { in.VpcConfig = network(nil, []string{"sg-1"}) }, bad,
			"SubnetIds and SecurityIds must coexist or be both empty list."},
		{"subnet's name", func(_ *harness, in *sdk.CreateFunctionInput) { in.VpcConfig = network([]string{"x"}, []string{"sg-1"}) }, invalid,
			violation + "'[x]' at 'vpcConfig.subnetIds' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less " +
				"than or equal to 1024, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: " +
				"^subnet-[0-9a-z]*$, Member must not be null]"},
		{"many subnets", func(_ *harness, in *sdk.CreateFunctionInput) { in.VpcConfig = network(subnets, []string{"sg-1"}) }, invalid,
			violation + "'[" + listed + "]' at 'vpcConfig.subnetIds' failed to satisfy constraint: Member must have length less than or equal to 16"},
		{"many groups", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.VpcConfig = network([]string{"subnet-1"}, []string{"sg-1", "sg-2", "sg-3", "sg-4", "sg-5", "sg-6"})
		}, invalid, violation + "'[sg-1, sg-2, sg-3, sg-4, sg-5, sg-6]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: " +
			"Member must have length less than or equal to 5"},
		{"role without interfaces", func(h *harness, in *sdk.CreateFunctionInput) {
			in.VpcConfig = attached()
			delete(h.allowed, "ec2:CreateNetworkInterface "+interfacesARN)
		}, bad, "The provided execution role does not have permissions to call CreateNetworkInterface on EC2"},
		{"role that cannot describe", func(h *harness, in *sdk.CreateFunctionInput) {
			in.VpcConfig = attached()
			delete(h.allowed, "ec2:DescribeNetworkInterfaces *")
		}, bad, "The provided execution role does not have permissions to call DescribeNetworkInterfaces on EC2"},
		{"role that cannot delete", func(h *harness, in *sdk.CreateFunctionInput) {
			in.VpcConfig = attached()
			delete(h.allowed, "ec2:DeleteNetworkInterface "+interfacesARN)
		}, bad, "The provided execution role does not have permissions to call DeleteNetworkInterface on EC2"},
		{"role without queue", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String(queueARN + "2")}
		}, bad, "The provided execution role does not have permissions to call SendMessage on SQS"},
		{"role without topic", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String(topicARN + "2")}
		}, bad, "The provided execution role does not have permissions to call Publish on SNS"},
		{"FIFO queue", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String(queueARN + ".fifo")}
		}, bad, "The target of a dead letter queue must be a standard SQS queue or SNS topic: " + queueARN + ".fifo"},
		{"dead letters to a bucket", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:s3:::b")}
		}, bad, "The target of a dead letter queue must be a standard SQS queue or SNS topic: arn:aws:s3:::b"},
		{"dead letters to no ARN", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("q")}
		}, invalid, violation + "'q' at 'deadLetterConfig.targetArn' failed to satisfy constraint: Member must satisfy regular expression pattern: " +
			resourceText.Pattern.Source},
		{"file system outside a VPC", func(_ *harness, in *sdk.CreateFunctionInput) { in.FileSystemConfigs = files(accessPointARN) }, bad,
			"Function must be configured to execute in a VPC to reference access point " + accessPointARN + "."},
		{"S3 options of EFS", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.VpcConfig, in.FileSystemConfigs = attached(), files(accessPointARN)
			in.FileSystemConfigs[0].S3FilesConfig = &types.S3FilesConfig{DirectS3Read: types.DirectS3ReadAuto}
		}, bad, "S3FilesConfig is for access points of Amazon S3 Files: " + accessPointARN},
		{"two file systems", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.FileSystemConfigs = append(files(accessPointARN), files(accessPointARN)...)
		}, invalid, violation + "'[2 file systems]' at 'fileSystemConfigs' failed to satisfy constraint: Member must have length less than or equal to 1"},
		{"mount path", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.FileSystemConfigs = files(accessPointARN)
			in.FileSystemConfigs[0].LocalMountPath = aws.String("/data")
		}, invalid, violation + "'/data' at 'fileSystemConfigs.1.member.localMountPath' failed to satisfy constraint: " +
			"Member must satisfy regular expression pattern: /mnt/[a-zA-Z0-9-_.]+"},
		{"no mount path", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.FileSystemConfigs = files(accessPointARN)
			in.FileSystemConfigs[0].LocalMountPath = nil
		}, invalid, violation + "null at 'fileSystemConfigs.1.member.localMountPath' failed to satisfy constraint: Member must not be null"},
		{"no key", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.KMSKeyArn = aws.String("arn:aws:kms:eu-central-1:111122223333:alias/a")
		}, bad,
			invalidKey + " KMS Exception: NotFoundException"},
		{"level of text", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.LoggingConfig = &types.LoggingConfig{SystemLogLevel: types.SystemLogLevelInfo}
		}, bad, "ApplicationLogLevel and SystemLogLevel are for functions whose LogFormat is JSON."},
		{"tenancy", func(_ *harness, in *sdk.CreateFunctionInput) { in.TenancyConfig = &types.TenancyConfig{} }, invalid,
			violation + "null at 'tenancyConfig.tenantIsolationMode' failed to satisfy constraint: Member must not be null"},
		{"image settings of a zip", func(_ *harness, in *sdk.CreateFunctionInput) { in.ImageConfig = &types.ImageConfig{} }, bad,
			"Please don't provide ImageConfig when the intended function PackageType is Zip."},
		{"working directory", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.ImageConfig = &types.ImageConfig{WorkingDirectory: &long}
		}, invalid,
			violation + "'" + long + "' at 'imageConfig.workingDirectory' failed to satisfy constraint: Member must have length less than or equal to 1000"},
		{"SnapStart of Node", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.Runtime = types.RuntimeNodejs22x
			in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
		}, bad, "nodejs22.x is not supported for SnapStart enabled functions."},
		{"SnapStart of large storage", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(513)}
			in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
		}, bad, "Ephemeral storage larger than 512 MB is not supported for SnapStart enabled functions."},
		{"SnapStart of file systems", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.VpcConfig, in.FileSystemConfigs = attached(), files(accessPointARN)
			in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
		}, bad, "A file system is not supported for SnapStart enabled functions."},
		{"withdrawn runtime", func(_ *harness, in *sdk.CreateFunctionInput) { in.Runtime = types.RuntimeNodejs14x }, bad,
			"The runtime parameter of nodejs14.x is no longer supported for creating or updating AWS Lambda functions. " +
				"We recommend you use the new runtime (nodejs24.x) while creating or updating functions."},
		{"bucket", func(_ *harness, in *sdk.CreateFunctionInput) {
			in.Code = &types.FunctionCode{S3Bucket: aws.String("b.")}
		}, invalid,
			"2 validation errors detected: Value 'b.' at 'code.s3Bucket' failed to satisfy constraint: Member must satisfy regular expression " +
				`pattern: [0-9A-Za-z\.\-_]*[0-9A-Za-z\-_]; Value 'b.' at 'code.s3Bucket' failed to satisfy constraint: Member must have length ` +
				"greater than or equal to 3"},
		{"zip and object", func(_ *harness, in *sdk.CreateFunctionInput) { in.Code.S3Key = aws.String("key") }, bad,
			"Please do not provide other FunctionCode parameters when providing a ZipFile."},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.ready() // again: a case may take something away
			in := h.newFunction("f")
			c.change(h, in)
			refuse[sdk.CreateFunctionOutput](h, in, c.code, 400, c.message)
		})
	}
	if out := must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{}); len(out.Functions) != 0 {
		t.Errorf("refused functions are there: %v", out.Functions)
	}
}

// TestUpdateRefused: what a function has counts as if it were given.
func TestUpdateRefused(t *testing.T) {
	h := newHarness(t)
	h.ready()
	in := h.newFunction("f")
	in.VpcConfig, in.FileSystemConfigs = attached(), files(accessPointARN)
	in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String(queueARN)}
	must[sdk.CreateFunctionOutput](h, in)
	const bad = "InvalidParameterValueException"
	for message, change := range map[string]func(*sdk.UpdateFunctionConfigurationInput){
		"Function VPC configuration cannot be removed with access point " + accessPointARN + " referenced.": func(in *sdk.UpdateFunctionConfigurationInput) {
			in.VpcConfig = network([]string{}, []string{})
		},
		"A file system is not supported for SnapStart enabled functions.": func(in *sdk.UpdateFunctionConfigurationInput) {
			in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
		},
		"The runtime parameter of python3.6 is no longer supported for creating or updating AWS Lambda functions. " +
			"We recommend you use the new runtime (python3.14) while creating or updating functions.": func(in *sdk.UpdateFunctionConfigurationInput) {
			in.Runtime = types.RuntimePython36
		},
		"Please don't provide ImageConfig when the intended function PackageType is Zip.": func(in *sdk.UpdateFunctionConfigurationInput) {
			in.ImageConfig = &types.ImageConfig{}
		},
	} {
		refuse[sdk.UpdateFunctionConfigurationOutput](h, h.update(change), bad, 400, message)
	}
	// A new role must be able to do what the old one could; without a new role nothing is simulated.
	h.trusted[role+"2"] = true
	clear(h.allowed)
	newRole := h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Role = aws.String(role + "2") })
	refuse[sdk.UpdateFunctionConfigurationOutput](h, newRole, bad, 400,
		"The provided execution role does not have permissions to call CreateNetworkInterface on EC2")
	h.ready()
	delete(h.allowed, "sqs:SendMessage "+queueARN)
	refuse[sdk.UpdateFunctionConfigurationOutput](h, newRole, bad, 400,
		"The provided execution role does not have permissions to call SendMessage on SQS")
	clear(h.allowed)
	must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Timeout = aws.Int32(9) }))
	if got := h.read("f"); *got.Role != role || *got.VpcConfig.VpcId != "vpc-1" || *got.Timeout != 9 {
		t.Errorf("got %+v", got)
	}
}

// TestFrozenRuntime: a function whose runtime was withdrawn can be updated only by giving it another one.
func TestFrozenRuntime(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.setRuntime("f", types.RuntimePython36)
	const text = "The runtime parameter of python3.6 is no longer supported for creating or updating AWS Lambda functions. " +
		"We recommend you use the new runtime (python3.14) while creating or updating functions."
	refuse[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Timeout = aws.Int32(9) }),
		"InvalidParameterValueException", 400, text)
	refuse[sdk.UpdateFunctionCodeOutput](h, &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: zipOf(t, map[string]string{"a": "b"})},
		"InvalidParameterValueException", 400, text)
	must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Runtime = types.RuntimePython314 }))
	h.setRuntime("f", types.RuntimePython37) // withdrawn, not frozen
	must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Timeout = aws.Int32(9) }))
}

func (h *harness) setRuntime(name string, runtime types.Runtime) {
	h.t.Helper()
	r, err := createFunctionReference(h.newCall("CreateFunction"), h.newFunction(name))
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.lambda.updateFunction(h.t.Context(), r, func(f *function) error { f.Latest.Runtime = runtime; return nil }); err != nil {
		h.t.Fatal(err)
	}
}

func TestSnapStart(t *testing.T) {
	h := newHarness(t)
	in := h.newFunction("f")
	in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
	out := must[sdk.CreateFunctionOutput](h, in)
	want := &types.SnapStartResponse{ApplyOn: types.SnapStartApplyOnPublishedVersions, OptimizationStatus: types.SnapStartOptimizationStatusOff}
	equal(t, "$LATEST", out.SnapStart, want)
	published := version{Number: "1", SnapStart: types.SnapStartApplyOnPublishedVersions}
	want.OptimizationStatus = types.SnapStartOptimizationStatusOn
	equal(t, "a version", published.snapStart(), want)
	updated := must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) {
		in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnNone}
	}))
	equal(t, "none", updated.SnapStart,
		&types.SnapStartResponse{ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff})
}

// TestHiddenVariables: who may not decrypt with a function's key does not see its variables, wherever they are shown.
func TestHiddenVariables(t *testing.T) {
	h := newHarness(t)
	in := h.newFunction("f")
	in.KMSKeyArn = aws.String(keyARN)
	in.Environment = &types.Environment{Variables: map[string]string{"KEY": "value"}}
	created := must[sdk.CreateFunctionOutput](h, in).Environment
	update := h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Timeout = aws.Int32(9) })
	code := &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: in.Code.ZipFile}
	for _, decrypts := range []bool{false, true} {
		h.decrypts, h.asked = decrypts, nil
		shown := map[string]*types.EnvironmentResponse{
			"GetFunctionConfiguration":    h.read("f").Environment,
			"GetFunction":                 must[sdk.GetFunctionOutput](h, &sdk.GetFunctionInput{FunctionName: aws.String("f")}).Configuration.Environment,
			"ListFunctions":               must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{}).Functions[0].Environment,
			"UpdateFunctionConfiguration": must[sdk.UpdateFunctionConfigurationOutput](h, update).Environment,
			"UpdateFunctionCode":          must[sdk.UpdateFunctionCodeOutput](h, code).Environment,
		}
		if !decrypts {
			shown["CreateFunction"] = created
		}
		for operation, e := range shown {
			if !decrypts && (e.Error == nil || *e.Error.ErrorCode != "AccessDeniedException" || e.Variables != nil) ||
				decrypts && (e.Error != nil || e.Variables["KEY"] != "value") {
				t.Errorf("%s, decrypts %v: got %+v", operation, decrypts, e)
			}
		}
		equal(t, "asked", len(h.asked), 5)
		asked := h.asked[0]
		equal(t, "asked", []string{asked.Action, asked.Target.ARN, asked.Target.Account, keysOf(asked.Target.Keys)}, []string{
			"kms:Decrypt", keyARN, account, "kms:CallerAccount=111122223333\nkms:EncryptionContext:aws:lambda:FunctionArn=" + arnOfF +
				"\nkms:EncryptionContextKeys=aws:lambda:FunctionArn\nkms:ViaService=lambda.eu-central-1.amazonaws.com",
		})
	}
}

// TestChangedKeyNeedsTheOldOne: variables that stay would be seen under another key, or none, by who may not decrypt them now.
func TestChangedKeyNeedsTheOldOne(t *testing.T) {
	h := newHarness(t)
	in := h.newFunction("f")
	in.KMSKeyArn = aws.String(keyARN)
	in.Environment = &types.Environment{Variables: map[string]string{"KEY": "value"}}
	must[sdk.CreateFunctionOutput](h, in)
	for _, tt := range []struct {
		key         *string
		environment *types.Environment
		want        bool
	}{
		{aws.String(""), nil, true},
		{aws.String(keyARN + "2"), nil, true},
		{aws.String(keyARN), nil, false},
		{nil, nil, false},
		{aws.String(""), &types.Environment{}, false},
	} {
		needs, err := h.needs("UpdateFunctionConfiguration", &sdk.UpdateFunctionConfigurationInput{
			FunctionName: aws.String("f"), KMSKeyArn: tt.key, Environment: tt.environment,
		})
		if err != nil {
			t.Fatal(err)
		}
		got := slices.ContainsFunc(needs, func(n service.Need) bool { return n.Action == "kms:Decrypt" && n.Target.ARN == keyARN })
		if got != tt.want {
			t.Errorf("key %v, environment %v: decryption is needed: %v", tt.key, tt.environment, got)
		}
	}
}

// TestSettingsNeeds: what a caller must be allowed, and what it is told otherwise.
func TestSettingsNeeds(t *testing.T) {
	h := newHarness(t)
	h.ready()
	type need struct{ Action, ARN, Account, Keys, Denial string }
	list := func(operation string, in any) []need {
		t.Helper()
		needs, err := h.needs(operation, in)
		if err != nil {
			t.Fatal(err)
		}
		var got []need
		for _, n := range needs[1:] {
			one := need{n.Action, n.Target.ARN, n.Target.Account, strings.ReplaceAll(keysOf(n.Target.Keys), "\n", " "), ""}
			if n.Denied != nil {
				one.Denial = n.Denied(authz.Decision{}).Error()
			}
			got = append(got, one)
		}
		return got
	}
	const ec2 = "ec2:Region=eu-central-1"
	const via = "kms:CallerAccount=111122223333"
	const viaService = "kms:ViaService=lambda.eu-central-1.amazonaws.com"
	denied := func(action, id string) string {
		return "AccessDeniedException: Your access has been denied by EC2, please make sure your request credentials have permission to " + action +
			" for " + id + ". EC2 Error Code: UnauthorizedOperation. EC2 Error Message: You are not authorized to perform this operation."
	}
	settings := []need{
		{"ec2:DescribeSecurityGroups", "*", "", ec2, denied("DescribeSecurityGroups", "sg-1")},
		{"ec2:DescribeSubnets", "*", "", ec2, denied("DescribeSubnets", "subnet-1")},
		{"ec2:DescribeVpcs", "*", "", ec2, denied("DescribeVpcs", "subnet-1")},
		{"elasticfilesystem:DescribeMountTargets", accessPointARN, account, "", ""},
		{"kms:CreateGrant", keyARN, account, via + " kms:GrantIsForAWSResource=true " + viaService,
			"InvalidParameterValueException: " + invalidKey + " KMS Exception: AccessDeniedException"},
	}
	in := h.update(func(in *sdk.UpdateFunctionConfigurationInput) {
		in.VpcConfig, in.FileSystemConfigs, in.KMSKeyArn = attached(), files(accessPointARN), aws.String(keyARN)
	})
	equal(t, "configuration", list("UpdateFunctionConfiguration", in), settings)
	needs, err := h.needs("UpdateFunctionConfiguration", in)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "keys", keysOf(needs[0].Target.Keys), "lambda:SecurityGroupIds=sg-1\nlambda:SubnetIds=subnet-1,subnet-2\nlambda:VpcIds=vpc-1")

	object := &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), S3Bucket: aws.String("bucket"), S3Key: aws.String("a/b.zip")}
	s3Denied := func(action string) string {
		return "AccessDeniedException: Your access has been denied by S3, please make sure your request credentials have permission to " + action +
			" for bucket/a/b.zip. S3 Error Code: AccessDenied. S3 Error Message: Access Denied"
	}
	equal(t, "object", list("UpdateFunctionCode", object), []need{{"s3:GetObject", "arn:aws:s3:::bucket/a/b.zip", "", "", s3Denied("GetObject")}})
	object.S3ObjectVersion, object.SourceKMSKeyArn = aws.String("v1"), aws.String(keyARN)
	equal(t, "object's version", list("UpdateFunctionCode", object), []need{
		{"s3:GetObjectVersion", "arn:aws:s3:::bucket/a/b.zip", "", "s3:VersionId=v1", s3Denied("GetObjectVersion")},
		{"kms:GenerateDataKey", keyARN, account, via + " " + viaService, ""}, {"kms:Decrypt", keyARN, account, via + " " + viaService, ""},
	})
	const repository = "arn:aws:ecr:us-east-1:444455556666:repository/team/app"
	const noImage = "AccessDeniedException: Lambda does not have permission to access the ECR image. Check the ECR permissions."
	for _, suffix := range []string{"", ":v1", "@sha256:" + strings.Repeat("0", 64)} {
		pushed := &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"),
			ImageUri: aws.String("444455556666.dkr.ecr.us-east-1.amazonaws.com/team/app" + suffix)}
		equal(t, "image", list("UpdateFunctionCode", pushed), []need{
			{"ecr:BatchGetImage", repository, stranger, "", noImage}, {"ecr:GetDownloadUrlForLayer", repository, stranger, "", noImage},
		})
	}
	elsewhere := &sdk.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ImageUri: aws.String("127.0.0.1:5000/app")}
	equal(t, "image elsewhere", list("UpdateFunctionCode", elsewhere), []need(nil))
}

// TestUpdateConflict: a change is refused where another one came between its check and its writing.
func TestUpdateConflict(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.trusted[role+"2"] = true
	h.onCanAssume = func() {
		h.onCanAssume = nil
		must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Timeout = aws.Int32(9) }))
	}
	in := h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Role = aws.String(role + "2") })
	refuse[sdk.UpdateFunctionConfigurationOutput](h, in, "ResourceConflictException", 409,
		"The operation cannot be performed at this time. An update is in progress for resource: "+arnOfF)
	if got := h.read("f"); *got.Timeout != 9 || *got.Role != role {
		t.Errorf("got timeout %d, role %s", *got.Timeout, *got.Role)
	}
	must[sdk.UpdateFunctionConfigurationOutput](h, in)
}

// TestListFromMemory: a list that was read before reads no store, and decodes nothing.
func TestListFromMemory(t *testing.T) {
	h := newHarness(t)
	in := h.newFunction("f")
	in.Environment = &types.Environment{Variables: map[string]string{"KEY": "value"}}
	must[sdk.CreateFunctionOutput](h, in)
	must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{})
	before := h.db.views.Load()
	out := must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{})
	if got := h.db.views.Load() - before; got != 0 {
		t.Errorf("a list reads %d times", got)
	}
	if out.Functions[0].Environment.Variables["KEY"] != "value" {
		t.Errorf("got %+v", out.Functions[0].Environment)
	}
	// It follows every change.
	must[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) { in.Timeout = aws.Int32(9) }))
	h.create("g")
	out = must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{})
	if len(out.Functions) != 2 || *out.Functions[0].Timeout != 9 || *out.Functions[1].FunctionName != "g" {
		t.Errorf("changed: got %+v", out.Functions)
	}
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f")})
	if out := must[sdk.ListFunctionsOutput](h, &sdk.ListFunctionsInput{}); len(out.Functions) != 1 || *out.Functions[0].FunctionName != "g" {
		t.Errorf("deleted: got %+v", out.Functions)
	}
}

// What a refused update has looked at is what it was: others read it meanwhile, from memory.
func TestRefusedUpdateChangesNothing(t *testing.T) {
	h := newHarness(t)
	h.ready()
	in := h.newFunction("f")
	in.VpcConfig = attached()
	must[sdk.CreateFunctionOutput](h, in)
	before := *h.read("f").VpcConfig
	h.vpcs["subnet-1"], h.vpcs["subnet-2"] = "vpc-9", "vpc-9"
	refuse[sdk.UpdateFunctionConfigurationOutput](h, h.update(func(in *sdk.UpdateFunctionConfigurationInput) {
		in.Description, in.RevisionId = aws.String("new"), aws.String("other")
	}), "PreconditionFailedException", 412,
		"The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	equal(t, "network", h.read("f").VpcConfig, &before)
}
