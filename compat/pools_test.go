package compat

import (
	"encoding/json"
	"testing"

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
		out := must(c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &f.name, TenantId: &step.tenant}))(t)
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
