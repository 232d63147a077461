package compat

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// counter tells its tenant, and how many events its environment has had.
const counter = `count = 0
def handler(event, context):
    global count
    count += 1
    return [context.tenant_id, count]
`

// Each tenant has environments of its own, and a function that has them is not run for nobody.
func TestTenants(t *testing.T) {
	t.Parallel()
	f := server.newFunction(t, counter, func(in *lambda.CreateFunctionInput) {
		in.TenancyConfig = &types.TenancyConfig{TenantIsolationMode: types.TenantIsolationModePerTenant}
	})
	c := server.as(server.root).lambda
	for _, step := range []struct{ tenant, want string }{
		{"blue", `["blue", 1]`}, {"green", `["green", 1]`}, {"blue", `["blue", 2]`}, {"a/b: c", `["a/b: c", 1]`}, {"green", `["green", 2]`},
	} {
		// With the tail, the answer comes when the tenant's environment is free again.
		out := must(c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f.name, TenantId: &step.tenant, LogType: types.LogTypeTail}))(t)
		if string(out.Payload) != step.want {
			t.Errorf("%s: got %s, want %s", step.tenant, out.Payload, step.want)
		}
	}
	_, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f.name})
	check(t, err, failure{400, "InvalidParameterValueException",
		"The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again."})
	other := server.newFunction(t, counter)
	_, err = c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &other.name, TenantId: aws.String("blue")})
	check(t, err, failure{400, "InvalidParameterValueException",
		"The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again."})
}

// A function is updated again and again while clients call it: no call fails, each runs code and variables of one moment, and what is
// called after an update sees it.
func TestUpdateUnderLoad(t *testing.T) {
	t.Parallel()
	const source = "import os, time\ndef handler(event, context):\n    time.sleep(0.02)\n    return [%d, int(os.environ['STEP'])]\n"
	const updates, callers = 6, 4
	f := server.newFunction(t, fmt.Sprintf(source, 0), func(in *lambda.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{"STEP": "0"}}
	})
	c, ctx := server.as(server.root), t.Context()
	// The updates that are done, of the code and of the variable: a call sees at least what was done before it, and never more than one
	// step of what has begun.
	var code, variable atomic.Int32
	var ended atomic.Bool
	var calls sync.WaitGroup
	var ran atomic.Int32
	for range callers {
		calls.Go(func() {
			for !ended.Load() {
				leastCode, leastVariable := code.Load(), variable.Load()
				out, err := c.invoke(t, f.name, "{}")
				mostCode, mostVariable := code.Load()+1, variable.Load()+1
				var got [2]int32
				if err == nil {
					err = json.Unmarshal([]byte(out), &got)
				}
				if err != nil || got[0] < leastCode || got[0] > mostCode || got[1] < leastVariable || got[1] > mostVariable {
					t.Errorf("got %s, %v; want [%d to %d, %d to %d]", out, err, leastCode, mostCode, leastVariable, mostVariable)
					return
				}
				ran.Add(1)
			}
		})
	}
	for n := int32(1); n <= updates; n++ {
		must(c.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &f.name,
			ZipFile: archive(t, file{name: "code.py", text: fmt.Sprintf(source, n)})}))(t)
		code.Store(n)
		must(c.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &f.name,
			Environment: &types.Environment{Variables: map[string]string{"STEP": fmt.Sprint(n)}}}))(t)
		variable.Store(n)
		for before := ran.Load(); ran.Load() < before+callers && !t.Failed(); {
			time.Sleep(time.Millisecond)
		}
	}
	ended.Store(true)
	calls.Wait()
}

// A function that has another role runs in new environments, as that role.
func TestRoleGivesNewEnvironments(t *testing.T) {
	t.Parallel()
	f, r := newCaller(t)
	identity := `{"service":"sts","operation":"get_caller_identity","member":"Arn"}`
	if diff := cmp.Diff(call(t, f, identity), answer{Answer: r.sessionARN(f.name)}); diff != "" {
		t.Errorf("before: -got +want:\n%s", diff)
	}
	next := server.newRole(t, trustLambda)
	must(server.as(server.root).lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: &f.name, Role: &next.arn,
	}))(t)
	if diff := cmp.Diff(call(t, f, identity), answer{Answer: next.sessionARN(f.name)}); diff != "" {
		t.Errorf("after: -got +want:\n%s", diff)
	}
}

// A function cannot tell by its environment that its runtime was started before it.
func TestStartedBeforehand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		runtime types.Runtime
		source  file
		usual   string // a variable that makes the runtime start with the function
	}{
		"python": {types.RuntimePython311, file{name: "code.py", text: `import os, sys, logging
def handler(event, context):
    files, handlers = sorted(os.listdir("/var/task")), len(logging.getLogger().handlers)
    return [sorted(os.environ), os.getcwd(), sys.path, sys.argv, os.environ["HELLO"], handlers, files]
`}, "PYTHONHASHSEED"},
		"node": {types.RuntimeNodejs18x, file{name: "code.js", text: `exports.handler = async () => {
  const files = require("fs").readdirSync("/var/task").sort();
  return [Object.keys(process.env).sort(), process.cwd(), module.paths, process.argv, process.env.HELLO, files];
};
`}, "NODE_NO_WARNINGS"},
	} {
		t.Run(name, func(t *testing.T) {
			var answers [2][]any
			for i := range answers {
				f := server.newFunction(t, "", func(in *lambda.CreateFunctionInput) {
					in.Runtime, in.Code.ZipFile = c.runtime, archive(t, c.source)
					in.Environment = &types.Environment{Variables: map[string]string{"HELLO": "World"}}
					if i == 1 {
						in.Environment.Variables[c.usual] = "1"
					}
				})
				out, err := server.as(server.root).invoke(t, f.name, "{}")
				if err == nil {
					err = json.Unmarshal([]byte(out), &answers[i])
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			var names []any
			for _, n := range answers[1][0].([]any) {
				if n != c.usual {
					names = append(names, n)
				}
			}
			answers[1][0] = names
			if diff := cmp.Diff(answers[0], answers[1]); diff != "" {
				t.Errorf("-started beforehand +usual:\n%s", diff)
			}
		})
	}
}
