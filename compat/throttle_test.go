package compat

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

func once(o *lambda.Options) { o.RetryMaxAttempts = 1 }

// A function that may run once at a time may run ten times a second: of many calls one after the other some are too many.
func TestThrottleRate(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, "def handler(event, context):\n    return event\n")
	c, ctx := server.as(server.root).lambda, t.Context()
	one := int32(1)
	must(c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &f.name, ReservedConcurrentExecutions: &one}))(t)
	began, passed := time.Now(), 0
	for reason := types.ThrottleReason(""); reason != types.ThrottleReasonReservedFunctionInvocationRateLimitExceeded; {
		_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, Payload: []byte("0")}, once)
		if e, ok := errors.AsType[*types.TooManyRequestsException](err); ok {
			reason = e.Reason
		} else if err != nil {
			t.Fatal(err)
		} else {
			passed++
		}
		if most := 10 + 10*time.Since(began).Seconds(); float64(passed) > most+1 {
			t.Fatalf("%d invocations in %v", passed, time.Since(began))
		}
		if passed > 500 {
			t.Fatalf("500 invocations in %v, and none is too many", time.Since(began))
		}
	}
	if passed < 10 {
		t.Errorf("%d invocations, and then one is too many; want ten", passed)
	}
}

// Reserved concurrency has its effect at once: 0 stops a function, 1 lets one invocation at a time through.
func TestThrottle(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, "import time\ndef handler(event, context):\n    time.sleep(event)\n    return event\n")
	c, ctx := server.as(server.root).lambda, t.Context()
	reserve := func(n int32) {
		t.Helper()
		must(c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
			FunctionName: &f.name, ReservedConcurrentExecutions: &n,
		}))(t)
	}
	throttled := func() bool {
		t.Helper()
		// With the tail, the answer comes when the environment is free again: what follows does not run beside it.
		_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, Payload: []byte("0"), LogType: types.LogTypeTail}, once)
		e, ok := errors.AsType[*types.TooManyRequestsException](err)
		if err != nil && !ok {
			t.Fatal(err)
		}
		if ok && (e.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded ||
			e.ErrorMessage() != "Rate Exceeded." || aws.ToString(e.RetryAfterSeconds) != "1" || aws.ToString(e.Type) != "User") {
			t.Errorf("got %+v", e)
		}
		return ok
	}
	if throttled() {
		t.Error("throttled without a limit")
	}
	reserve(0)
	if !throttled() {
		t.Error("not throttled with a concurrency of 0")
	}
	out, err := server.command(t, server.root, "/usr/bin/python3", "throttled.py", f.name)
	if err != nil {
		t.Fatal(err)
	}
	type seen struct {
		Status                                  int
		Code, Message, Reason, Type, RetryAfter string
	}
	var got seen
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if diff := cmp.Diff(got, seen{
		429, "TooManyRequestsException", "Rate Exceeded.", "ReservedFunctionConcurrentInvocationLimitExceeded", "User", "1",
	}); diff != "" {
		t.Errorf("boto3: -got +want:\n%s", diff)
	}

	reserve(1)
	if throttled() {
		t.Error("throttled although nothing runs")
	}
	var calls sync.WaitGroup
	results := make(chan bool, 2)
	for range 2 { // both take two seconds, and only one of them can have begun first
		calls.Go(func() {
			_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, Payload: []byte("2")}, once)
			_, ok := errors.AsType[*types.TooManyRequestsException](err)
			if err != nil && !ok {
				t.Error(err)
			}
			results <- ok
		})
	}
	calls.Wait()
	if first, second := <-results, <-results; first == second {
		t.Errorf("got throttled: %v and %v of two invocations at a time, want one", first, second)
	}
	must(c.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: &f.name}))(t)
	if throttled() {
		t.Error("throttled after the limit was taken away")
	}
}

// What functions have for themselves is nobody else's, and some must be left.
func TestAccountSettings(t *testing.T) {
	t.Parallel()
	l := newServer(t) // whose functions are this test's alone
	f := l.newFunction(t, echo)
	c, ctx := l.as(l.root).lambda, t.Context()
	size := must(c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &f.name}))(t).CodeSize
	reserve := func(n int32) error {
		_, err := c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
			FunctionName: &f.name, ReservedConcurrentExecutions: &n,
		})
		return err
	}
	check(t, reserve(901), failure{400, "InvalidParameterValueException", "Specified ReservedConcurrentExecutions for function decreases " +
		"account's UnreservedConcurrentExecution below its minimum value of [100]."})
	check(t, reserve(900), failure{})
	out := must(c.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{}))(t)
	same(t, "limits", out.AccountLimit, &types.AccountLimit{
		TotalCodeSize: 322122547200, CodeSizeUnzipped: 262144000, CodeSizeZipped: 52428800, ConcurrentExecutions: 1000,
		UnreservedConcurrentExecutions: aws.Int32(100),
	})
	same(t, "usage", out.AccountUsage, &types.AccountUsage{FunctionCount: 1, TotalCodeSize: size})
}
