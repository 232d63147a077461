package compat

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// waitProvisioned reads the configuration until it is not IN_PROGRESS, as Terraform's provider does.
func waitProvisioned(t *testing.T, c *lambda.Client, name, qualifier string) *lambda.GetProvisionedConcurrencyConfigOutput {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		out := must(c.GetProvisionedConcurrencyConfig(t.Context(), &lambda.GetProvisionedConcurrencyConfigInput{
			FunctionName: &name, Qualifier: &qualifier,
		}))(t)
		if out.Status != types.ProvisionedConcurrencyStatusEnumInProgress {
			return out
		}
		if time.Now().After(deadline) {
			t.Fatalf("still in progress: %+v", out)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

const initializationType = `import os, time
def handler(event, context):
    time.sleep(event)
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] + " " + context.function_version
`

// newAlias publishes a version of a function and makes an alias of it.
func newAlias(t *testing.T, c *lambda.Client, f function, name string) (version string) {
	t.Helper()
	published := must(c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: &f.name}))(t)
	must(c.CreateAlias(t.Context(), &lambda.CreateAliasInput{
		FunctionName: &f.name, Name: &name, FunctionVersion: published.Version,
	}))(t)
	return *published.Version
}

// aws_lambda_provisioned_concurrency_config of an alias: put, wait until READY, read, put another number, wait, read, delete, gone. The
// environments are there.
func TestTerraformProvisionedConcurrency(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, initializationType)
	c, ctx := server.as(server.root).lambda, t.Context()
	version, live := newAlias(t, c, f, "live"), aws.String("live")
	for _, n := range []int32{2, 1} {
		put := must(c.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{
			FunctionName: &f.name, Qualifier: live, ProvisionedConcurrentExecutions: &n,
		}))(t)
		if put.Status != types.ProvisionedConcurrencyStatusEnumInProgress || *put.RequestedProvisionedConcurrentExecutions != n {
			t.Errorf("put %d: got %s %d", n, put.Status, *put.RequestedProvisionedConcurrentExecutions)
		}
		got := waitProvisioned(t, c, f.name, *live)
		if got.Status != types.ProvisionedConcurrencyStatusEnumReady || *got.RequestedProvisionedConcurrentExecutions != n ||
			*got.AllocatedProvisionedConcurrentExecutions != n || *got.AvailableProvisionedConcurrentExecutions != n {
			t.Errorf("want %d: got %s, requested %d, allocated %d, available %d", n, got.Status, *got.RequestedProvisionedConcurrentExecutions,
				*got.AllocatedProvisionedConcurrentExecutions, *got.AvailableProvisionedConcurrentExecutions)
		}
		list := must(c.ListProvisionedConcurrencyConfigs(ctx, &lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: &f.name}))(t)
		if all := list.ProvisionedConcurrencyConfigs; len(all) != 1 || *all[0].FunctionArn != f.arn+":live" {
			t.Errorf("got %d configurations, want one", len(all))
		}
		if got, want := initializations(t, f.name+":live"), n; strings.Count(got, "provisioned-concurrency "+version) != int(want) ||
			strings.Count(got, "on-demand "+version) != 3-int(want) {
			t.Errorf("with %d: got %s", n, got)
		}
	}
	// A version has one configuration, and what is not published has none.
	put := func(qualifier string) error {
		_, err := c.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{
			FunctionName: &f.name, Qualifier: &qualifier, ProvisionedConcurrentExecutions: aws.Int32(1),
		})
		return err
	}
	check(t, put(version), failure{409, "ResourceConflictException", "Version is pointed by a Provisioned Concurrency alias"})
	check(t, put("$LATEST"), failure{400, "InvalidParameterValueException",
		"Provisioned Concurrency Configs cannot be applied to unpublished function versions."})

	remove := &lambda.DeleteProvisionedConcurrencyConfigInput{FunctionName: &f.name, Qualifier: live}
	must(c.DeleteProvisionedConcurrencyConfig(ctx, remove))(t)
	get := &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: &f.name, Qualifier: live}
	gone := failure{404, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function"}
	_, err := c.GetProvisionedConcurrencyConfig(ctx, get)
	check(t, err, gone)

	// What is configured for an alias goes with it.
	check(t, put("live"), failure{})
	must(c.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: &f.name, Name: live}))(t)
	must(c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &f.name, Name: live, FunctionVersion: &version}))(t)
	_, err = c.GetProvisionedConcurrencyConfig(ctx, get)
	check(t, err, gone)
}

// initializations lets three invocations run at a time and tells what they answered, in order. With the tail of the log, an answer comes
// when the environment is available again.
func initializations(t *testing.T, name string) string {
	t.Helper()
	var mu sync.Mutex
	var all []string
	var calls sync.WaitGroup
	for range 3 {
		calls.Go(func() {
			out, err := server.as(server.root).lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name,
				Payload: []byte("2"), LogType: types.LogTypeTail})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, string(out.Payload))
		})
	}
	calls.Wait()
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// A function that cannot be initialized cannot be provisioned, and what was provisioned is so again after a restart.
func TestProvisionedConcurrencyAfterRestart(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	c, ctx := l.as(l.root).lambda, t.Context()
	f, broken := l.newFunction(t, initializationType), l.newFunction(t, "raise Exception('no')\n")
	for _, one := range []function{f, broken} {
		version := newAlias(t, c, one, "live")
		must(c.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{
			FunctionName: &one.name, Qualifier: &version, ProvisionedConcurrentExecutions: aws.Int32(2),
		}))(t)
	}
	looks := func() {
		t.Helper()
		c := l.as(l.root).lambda
		if got := waitProvisioned(t, c, f.name, "1"); got.Status != "READY" || *got.AllocatedProvisionedConcurrentExecutions != 2 {
			t.Errorf("got %s, %d allocated", got.Status, *got.AllocatedProvisionedConcurrentExecutions)
		}
		got := waitProvisioned(t, c, broken.name, "1")
		if got.Status != "FAILED" || aws.ToString(got.StatusReason) != "FUNCTION_ERROR_INIT_FAILURE" ||
			*got.AllocatedProvisionedConcurrentExecutions != 0 {
			t.Errorf("broken: got %s %s, %d allocated", got.Status, aws.ToString(got.StatusReason), *got.AllocatedProvisionedConcurrentExecutions)
		}
	}
	looks()
	l.end(t)
	l.start(t)
	looks()
	if got, err := l.as(l.root).invoke(t, f.name+":live", "0"); err != nil || got != `"provisioned-concurrency 1"` {
		t.Errorf("got %s, %v", got, err)
	}
}
