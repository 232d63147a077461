package compat

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// These tests make the calls of Terraform's AWS provider (internal/service/lambda of hashicorp/terraform-provider-aws) for resources
// that configure a function's concurrency and invocation: create, wait, read back, update, read back, delete, gone.

// aws_lambda_function with reserved_concurrent_executions: it is put after the creation, and taken away with -1.
func TestTerraformReservedConcurrency(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, echo)
	c, ctx := server.as(server.root).lambda, t.Context()
	put := func(n int32) {
		t.Helper()
		out := must(c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
			FunctionName: &f.name, ReservedConcurrentExecutions: &n,
		}))(t)
		if *out.ReservedConcurrentExecutions != n {
			t.Errorf("put %d: got %d", n, *out.ReservedConcurrentExecutions)
		}
	}
	reads := func(want *int32) {
		t.Helper()
		got := must(c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &f.name}))(t).Concurrency
		if want == nil {
			if got != nil {
				t.Errorf("got %+v, want nothing", *got)
			}
			return
		}
		if got == nil || *got.ReservedConcurrentExecutions != *want {
			t.Errorf("got %v, want %d", got, *want)
		}
		own := must(c.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &f.name}))(t)
		if *own.ReservedConcurrentExecutions != *want {
			t.Errorf("GetFunctionConcurrency: got %d, want %d", *own.ReservedConcurrentExecutions, *want)
		}
	}
	reads(nil)
	put(5)
	reads(aws.Int32(5))
	put(0)
	reads(aws.Int32(0))
	must(c.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: &f.name}))(t)
	reads(nil)
	must(c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &f.name}))(t)
	_, err := c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &f.name})
	check(t, err, failure{404, "ResourceNotFoundException", "Function not found: " + f.arn})
}

// eventInvoke is what aws_lambda_function_event_invoke_config reads.
type eventInvoke struct {
	ARN, OnSuccess, OnFailure string
	MaxAge, Retries           int32
}

// aws_lambda_function_event_invoke_config: every change is a Put, which is tried again while the role lacks a permission.
func TestTerraformEventInvokeConfig(t *testing.T) {
	t.Parallel()
	r := server.newRole(t, trustLambda)
	f := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.Role = &r.arn })
	target := server.newFunction(t, echo)
	c, ctx := server.as(server.root).lambda, t.Context()
	get := &lambda.GetFunctionEventInvokeConfigInput{FunctionName: &f.name}
	gone := failure{404, "ResourceNotFoundException", "The function " + f.arn + ":$LATEST doesn't have an EventInvokeConfig"}
	_, err := c.GetFunctionEventInvokeConfig(ctx, get)
	check(t, err, gone)

	queue := sqsOf("letters")
	put := &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: &f.name, MaximumEventAgeInSeconds: aws.Int32(60), MaximumRetryAttempts: aws.Int32(0),
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: &queue}},
	}
	_, err = c.PutFunctionEventInvokeConfig(ctx, put)
	check(t, err, failure{400, "InvalidParameterValueException",
		"The function execution role does not have permissions to call SendMessage on " + queue})
	server.permitRole(t, r, allow("sqs:SendMessage", queue), allow("lambda:InvokeFunction", target.arn))
	must(c.PutFunctionEventInvokeConfig(ctx, put))(t)
	reads := func(want eventInvoke) {
		t.Helper()
		out := must(c.GetFunctionEventInvokeConfig(ctx, get))(t)
		got := eventInvoke{
			*out.FunctionArn, aws.ToString(out.DestinationConfig.OnSuccess.Destination),
			aws.ToString(out.DestinationConfig.OnFailure.Destination),
			aws.ToInt32(out.MaximumEventAgeInSeconds), aws.ToInt32(out.MaximumRetryAttempts),
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
		if time.Since(*out.LastModified).Abs() > time.Hour {
			t.Errorf("got %v, want now", *out.LastModified)
		}
	}
	reads(eventInvoke{f.arn + ":$LATEST", "", queue, 60, 0})
	must(c.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: &f.arn, MaximumRetryAttempts: aws.Int32(2),
		DestinationConfig: &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: &target.arn}},
	}))(t)
	reads(eventInvoke{f.arn + ":$LATEST", target.arn, "", 0, 2})
	list := must(c.ListFunctionEventInvokeConfigs(ctx, &lambda.ListFunctionEventInvokeConfigsInput{FunctionName: &f.name}))(t)
	if n := len(list.FunctionEventInvokeConfigs); n != 1 || *list.FunctionEventInvokeConfigs[0].FunctionArn != f.arn+":$LATEST" {
		t.Errorf("got %d configurations, want one", n)
	}
	must(c.DeleteFunctionEventInvokeConfig(ctx, &lambda.DeleteFunctionEventInvokeConfigInput{FunctionName: &f.name}))(t)
	_, err = c.GetFunctionEventInvokeConfig(ctx, get)
	check(t, err, gone)
}

// aws_lambda_function_recursion_config: its end is the default.
func TestTerraformRecursionConfig(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, echo)
	c, ctx := server.as(server.root).lambda, t.Context()
	for _, loop := range []types.RecursiveLoop{types.RecursiveLoopAllow, types.RecursiveLoopTerminate} {
		must(c.PutFunctionRecursionConfig(ctx, &lambda.PutFunctionRecursionConfigInput{FunctionName: &f.name, RecursiveLoop: loop}))(t)
		out := must(c.GetFunctionRecursionConfig(ctx, &lambda.GetFunctionRecursionConfigInput{FunctionName: &f.name}))(t)
		if out.RecursiveLoop != loop {
			t.Errorf("got %s, want %s", out.RecursiveLoop, loop)
		}
	}
	gone := "no" + f.name
	_, err := c.GetFunctionRecursionConfig(ctx, &lambda.GetFunctionRecursionConfigInput{FunctionName: &gone})
	check(t, err, failure{404, "ResourceNotFoundException", "Function not found: " + strings.Replace(f.arn, f.name, gone, 1)})
}

// aws_lambda_runtime_management_config: its end is Auto.
func TestTerraformRuntimeManagementConfig(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, echo)
	c, ctx := server.as(server.root).lambda, t.Context()
	config := must(c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &f.name}))(t)
	runtime := config.RuntimeVersionConfig.RuntimeVersionArn
	for _, step := range []struct {
		on  types.UpdateRuntimeOn
		arn *string
	}{
		{types.UpdateRuntimeOnFunctionUpdate, nil},
		{types.UpdateRuntimeOnManual, runtime},
		{types.UpdateRuntimeOnAuto, nil},
	} {
		must(c.PutRuntimeManagementConfig(ctx, &lambda.PutRuntimeManagementConfigInput{
			FunctionName: &f.name, UpdateRuntimeOn: step.on, RuntimeVersionArn: step.arn,
		}))(t)
		out := must(c.GetRuntimeManagementConfig(ctx, &lambda.GetRuntimeManagementConfigInput{FunctionName: &f.name}))(t)
		if out.UpdateRuntimeOn != step.on || aws.ToString(out.RuntimeVersionArn) != aws.ToString(step.arn) || *out.FunctionArn != f.arn {
			t.Errorf("got %s %s of %s, want %s %s", out.UpdateRuntimeOn, aws.ToString(out.RuntimeVersionArn), *out.FunctionArn, step.on,
				aws.ToString(step.arn))
		}
	}
}
