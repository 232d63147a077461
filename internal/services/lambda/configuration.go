package lambda

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/services/lambda/code"
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

// configuration is what the operations show of a version. With a qualifier the ARN is qualified.
func (f found) configuration(qualifier string, when moment) types.FunctionConfiguration {
	r, v := f.function.reference, f.version
	r.Qualifier = qualifier
	c := types.FunctionConfiguration{
		Architectures:    []types.Architecture{v.Architecture},
		CodeSha256:       aws.String(code.SHA256(v.Code)),
		CodeSize:         v.CodeSize,
		Description:      aws.String(v.Description),
		EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(v.Ephemeral)},
		FunctionArn:      aws.String(r.ARN()),
		FunctionName:     aws.String(f.function.Name),
		Handler:          aws.String(v.Handler),
		LastModified:     aws.String(v.LastModified.UTC().Format("2006-01-02T15:04:05.000+0000")),
		LoggingConfig:    &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: aws.String(v.LogGroup)},
		MemorySize:       aws.Int32(v.MemorySize),
		PackageType:      types.PackageTypeZip,
		RevisionId:       aws.String(v.RevisionID),
		Role:             aws.String(v.Role),
		Runtime:          v.Runtime,
		SnapStart: &types.SnapStartResponse{
			ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff,
		},
		Timeout:       aws.Int32(v.Timeout),
		TracingConfig: &types.TracingConfigResponse{Mode: v.TracingMode},
		Version:       aws.String(v.Number),
	}
	for _, l := range v.Layers {
		c.Layers = append(c.Layers, types.Layer{Arn: aws.String(l.ARN), CodeSize: l.CodeSize})
	}
	if v.Environment != nil {
		c.Environment = &types.EnvironmentResponse{Variables: v.Environment}
	}
	if when != listed {
		c.RuntimeVersionConfig = &types.RuntimeVersionConfig{RuntimeVersionArn: aws.String(f.runtimeVersionARN())}
	}
	setState(&c, when)
	return c
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

// output is a configuration as an operation's output: the SDK has one struct for each operation, with the same fields.
func output[Out any](c types.FunctionConfiguration) *Out {
	out := new(Out)
	from, to := reflect.ValueOf(c), reflect.ValueOf(out).Elem()
	for i := range from.NumField() {
		field := from.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		target := to.FieldByName(field.Name)
		if !target.IsValid() {
			panic(fmt.Sprintf("lambda: %T has no field %s", out, field.Name)) // a test calls this for every output
		}
		target.Set(from.Field(i))
	}
	return out
}
