package lambda

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
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

// configuration is what the operations show of a function. With a qualifier the ARN is qualified.
func (f *function) configuration(qualifier string, when moment) types.FunctionConfiguration {
	r := f.reference
	r.qualifier = qualifier
	c := types.FunctionConfiguration{
		Architectures:    []types.Architecture{f.Architecture},
		CodeSha256:       aws.String(codeSHA256(f.Code)),
		CodeSize:         f.CodeSize,
		Description:      aws.String(f.Description),
		EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(f.Ephemeral)},
		FunctionArn:      aws.String(r.arn()),
		FunctionName:     aws.String(f.Name),
		Handler:          aws.String(f.Handler),
		LastModified:     aws.String(f.LastModified.UTC().Format("2006-01-02T15:04:05.000+0000")),
		LoggingConfig:    &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: aws.String(f.LogGroup)},
		MemorySize:       aws.Int32(f.MemorySize),
		PackageType:      types.PackageTypeZip,
		RevisionId:       aws.String(f.RevisionID),
		Role:             aws.String(f.Role),
		Runtime:          f.Runtime,
		SnapStart: &types.SnapStartResponse{
			ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff,
		},
		Timeout:       aws.Int32(f.Timeout),
		TracingConfig: &types.TracingConfigResponse{Mode: f.TracingMode},
		Version:       aws.String(latest),
	}
	if f.Environment != nil {
		c.Environment = &types.EnvironmentResponse{Variables: f.Environment}
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
func (f *function) runtimeVersionARN() string {
	sum := sha256.Sum256([]byte(f.Runtime))
	return "arn:" + f.Partition + ":lambda:" + f.Region + "::runtime:" + hex.EncodeToString(sum[:])
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
