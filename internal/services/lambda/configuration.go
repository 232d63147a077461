package lambda

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/services/lambda/request"
)

// moment is when a configuration is shown. Code and configuration are complete and durable before an operation answers, so that a
// function is ready at once; yet the answers of the operations that change one say that it is not ready, as AWS's do (lambda.md 7.4):
// clients wait for the change, and the next read shows it.
type moment int

const (
	settled moment = iota
	created
	updated
	// listed configurations have no states (recorded from ListFunctions).
	listed
)

// updateReason is the text for updates, too (lambda.md 7.4).
const updateReason = "The function is being created."

// configuration is what the operations show of a version. With a qualifier the ARN is qualified. Variables under a KMS key are hidden: see
// show. What it points to may be shared, and must not be changed.
func (f found) configuration(qualifier string, when moment) types.FunctionConfiguration {
	var c types.FunctionConfiguration
	if shown := f.function.shown; shown != nil && f.version == &f.function.Latest {
		c = *shown
	} else {
		c = f.describe()
	}
	if qualifier != "" {
		r := f.function.reference
		r.Qualifier = qualifier
		c.FunctionArn = aws.String(r.ARN())
	}
	if when == listed {
		c.RuntimeVersionConfig = nil
	}
	setState(&c, when)
	return c
}

// describe is the configuration of a version at any moment, with the function's ARN.
func (f found) describe() types.FunctionConfiguration {
	v := f.version
	c := types.FunctionConfiguration{
		Architectures:    []types.Architecture{v.Architecture},
		CodeSha256:       aws.String(v.codeSHA256()),
		CodeSize:         v.CodeSize,
		Description:      aws.String(v.Description),
		EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(v.Ephemeral)},
		FunctionArn:      aws.String(f.function.reference.FunctionARN()),
		FunctionName:     aws.String(f.function.Name),
		LastModified:     aws.String(v.LastModified.UTC().Format("2006-01-02T15:04:05.000+0000")),
		LoggingConfig:    v.loggingConfig(),
		MemorySize:       aws.Int32(v.MemorySize),
		RevisionId:       aws.String(v.RevisionID),
		Role:             aws.String(v.Role),
		SnapStart:        v.snapStart(),
		Timeout:          aws.Int32(v.Timeout),
		TracingConfig:    &types.TracingConfigResponse{Mode: v.TracingMode},
		Version:          aws.String(v.Number),
		VpcConfig:        v.Network,
	}
	switch {
	case v.Environment == nil:
	case v.KMSKey != "":
		c.Environment = hiddenVariables()
	default:
		c.Environment = &types.EnvironmentResponse{Variables: v.Environment}
	}
	if v.KMSKey != "" {
		c.KMSKeyArn = aws.String(v.KMSKey)
	}
	if v.DeadLetter != "" {
		c.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String(v.DeadLetter)}
	}
	for _, l := range v.Layers {
		shown := types.Layer{Arn: aws.String(l.ARN), CodeSize: l.CodeSize}
		if l.SigningProfile != "" {
			shown.SigningProfileVersionArn, shown.SigningJobArn = aws.String(l.SigningProfile), aws.String(l.SigningJob)
		}
		c.Layers = append(c.Layers, shown)
	}
	if len(v.FileSystems) > 0 {
		c.FileSystemConfigs = v.FileSystems
	}
	if v.Tenancy != "" {
		c.TenancyConfig = &types.TenancyConfig{TenantIsolationMode: v.Tenancy}
	}
	f.describePackage(&c)
	return c
}

// describePackage adds what one package type has and the other has not.
func (f found) describePackage(c *types.FunctionConfiguration) {
	v := f.version
	if v.Image == nil {
		c.PackageType, c.Runtime, c.Handler = types.PackageTypeZip, v.Runtime, aws.String(v.Handler)
		c.RuntimeVersionConfig = &types.RuntimeVersionConfig{RuntimeVersionArn: aws.String(f.runtimeVersionARN())}
		if v.SigningProfile != "" {
			c.SigningProfileVersionArn, c.SigningJobArn = aws.String(v.SigningProfile), aws.String(v.SigningJob)
		}
		return
	}
	c.PackageType = types.PackageTypeImage
	if i := v.ImageConfig; i != nil && (len(i.Command) > 0 || len(i.EntryPoint) > 0 || isSet(i.WorkingDirectory)) {
		c.ImageConfigResponse = &types.ImageConfigResponse{ImageConfig: i}
	}
}

// snapStart: a published version has a snapshot if it was to have one, $LATEST never.
func (v *version) snapStart() *types.SnapStartResponse {
	r := &types.SnapStartResponse{
		ApplyOn:            cmp.Or(v.SnapStart, types.SnapStartApplyOnNone),
		OptimizationStatus: types.SnapStartOptimizationStatusOff,
	}
	if v.Number != request.Latest && r.ApplyOn == types.SnapStartApplyOnPublishedVersions {
		r.OptimizationStatus = types.SnapStartOptimizationStatusOn
	}
	return r
}

// codeSHA256 is the member of that name: of a deployment package its hash, of an image that of its manifest, in hexadecimal.
func (v *version) codeSHA256() string {
	if v.Image != nil {
		return strings.TrimPrefix(v.Image.Digest, "sha256:")
	}
	return bundle.SHA256(v.Code)
}

func setState(c *types.FunctionConfiguration, when moment) {
	switch when {
	case listed:
	case created:
		c.State = types.StatePending
		c.StateReason = aws.String("The function is being created.")
		c.StateReasonCode = types.StateReasonCodeCreating
	case updated:
		c.State = types.StateActive
		c.LastUpdateStatus = types.LastUpdateStatusInProgress
		c.LastUpdateStatusReason = aws.String(updateReason)
		c.LastUpdateStatusReasonCode = "Creating" // recorded; the SDK has no name for it
	default:
		c.State = types.StateActive
		c.LastUpdateStatus = types.LastUpdateStatusSuccessful
	}
}

// runtimeVersionARN has AWS's form. AWS names a build of its runtime; there is one per runtime here.
func (f found) runtimeVersionARN() string {
	sum := sha256.Sum256([]byte(f.version.Runtime))
	return "arn:" + f.function.Partition + ":lambda:" + f.function.Region + "::runtime:" + hex.EncodeToString(sum[:])
}

// output is a configuration, of a function or of an alias, as an operation's output: the SDK has one struct for each operation, with the
// same fields.
func output[Out, Configuration any](c Configuration) *Out { return outputs[Out, Configuration]()(&c) }

// outputs makes a function that does the same many times: it knows where the fields are.
func outputs[Out, Configuration any]() func(*Configuration) *Out {
	from, to := reflect.TypeFor[Configuration](), reflect.TypeFor[Out]()
	var pairs [][2]int
	for i := range from.NumField() {
		field := from.Field(i)
		if !field.IsExported() {
			continue
		}
		same, ok := to.FieldByName(field.Name)
		if !ok {
			panic(fmt.Sprintf("lambda: %s has no field %s", to, field.Name)) // a test calls this for every output
		}
		pairs = append(pairs, [2]int{i, same.Index[0]})
	}
	return func(c *Configuration) *Out {
		out := new(Out)
		from, to := reflect.ValueOf(c).Elem(), reflect.ValueOf(out).Elem()
		for _, p := range pairs {
			to.Field(p[1]).Set(from.Field(p[0]))
		}
		return out
	}
}
