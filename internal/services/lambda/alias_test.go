package lambda

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/services/lambda/request"
)

const notPublished = "Current operation does not support versions other than $LATEST"

// newAlias is the input for an alias of f.
func newAlias(name, version string) *sdk.CreateAliasInput {
	return &sdk.CreateAliasInput{FunctionName: aws.String("f"), Name: &name, FunctionVersion: &version}
}

func weights(version string, weight float64) *types.AliasRoutingConfiguration {
	return &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{version: weight}}
}

// newVersions makes f with versions 1 and 2, which answer "first" and "second"; $LATEST answers "third".
func (h *harness) newVersions() {
	h.t.Helper()
	h.create("f")
	h.publish("f")
	h.setCode("f", "second")
	h.publish("f")
	h.setCode("f", "third")
}

var ignoreAlias = cmp.Options{
	cmpopts.IgnoreUnexported(sdk.CreateAliasOutput{}, sdk.GetAliasOutput{}, sdk.UpdateAliasOutput{}, types.AliasConfiguration{},
		types.AliasRoutingConfiguration{}),
	cmpopts.IgnoreFields(sdk.GetAliasOutput{}, "ResultMetadata"),
}

var ignoreConfiguration = cmp.Options{ignoreUnexported, cmpopts.IgnoreFields(sdk.GetFunctionConfigurationOutput{}, "ResultMetadata")}

// The recorded life of aliases: TestLambdaAlias::test_alias_lifecycle of LocalStack, run against AWS.
func TestAlias(t *testing.T) {
	h := newHarness(t)
	h.newVersions()
	in := newAlias("one", "1")
	in.Description, in.RoutingConfig = aws.String("custom"), weights("2", 0.2)
	made := must[sdk.CreateAliasOutput](h, in)
	if got := h.lastNeeds; len(got) != 1 || got[0].Action != "lambda:CreateAlias" || got[0].Target.ARN != arnOfF {
		t.Errorf("needs: got %+v", got)
	}
	get := &sdk.GetAliasInput{FunctionName: aws.String(arnOfF), Name: aws.String("one")}
	want := &sdk.GetAliasOutput{
		AliasArn: aws.String(arnOfF + ":one"), Description: aws.String("custom"), FunctionVersion: aws.String("1"),
		Name: aws.String("one"), RevisionId: made.RevisionId, RoutingConfig: weights("2", 0.2),
	}
	if diff := cmp.Diff(must[sdk.GetAliasOutput](h, get), want, ignoreAlias); diff != "" {
		t.Errorf("alias, got - want +:\n%s", diff)
	}
	if got := h.lastNeeds[0]; got.Action != "lambda:GetAlias" || got.Target.ARN != arnOfF {
		t.Errorf("needs: got %+v", got)
	}
	// The function by the alias: the version's configuration, under the alias's ARN.
	version, shown := h.configuration("f", "1"), h.configuration("f", "one")
	version.FunctionArn = aws.String(arnOfF + ":one")
	if diff := cmp.Diff(shown, version, ignoreConfiguration); diff != "" {
		t.Errorf("function by alias, got - want +:\n%s", diff)
	}
	if got := h.lastNeeds[0].Target.ARN; got != arnOfF+":one" {
		t.Errorf("judged on %s", got)
	}

	updated := must[sdk.UpdateAliasOutput](h, &sdk.UpdateAliasInput{
		FunctionName: aws.String("f"), Name: aws.String("one"), RevisionId: made.RevisionId, RoutingConfig: &types.AliasRoutingConfiguration{},
	})
	want.RevisionId, want.RoutingConfig = updated.RevisionId, nil
	if *updated.RevisionId == *made.RevisionId || updated.RoutingConfig != nil || *updated.Description != "custom" {
		t.Errorf("updated: %+v", updated)
	}
	if diff := cmp.Diff(must[sdk.GetAliasOutput](h, get), want, ignoreAlias); diff != "" {
		t.Errorf("updated alias, got - want +:\n%s", diff)
	}
	refuse[sdk.UpdateAliasOutput](h, &sdk.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("one"), RevisionId: made.RevisionId},
		"PreconditionFailedException", 412, "The Revision Id provided does not match the latest Revision Id. "+
			"Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	must[sdk.UpdateAliasOutput](h, &sdk.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("one"),
		Description: aws.String(""), FunctionVersion: aws.String("2")})
	if got := must[sdk.GetAliasOutput](h, get); *got.Description != "" || *got.FunctionVersion != "2" {
		t.Errorf("updated twice: %+v", got)
	}

	must[sdk.AddPermissionOutput](h, permissionInput("f:one", "s", "s3.amazonaws.com"))
	must[sdk.CreateFunctionUrlConfigOutput](h, &sdk.CreateFunctionUrlConfigInput{
		FunctionName: aws.String("f"), Qualifier: aws.String("one"), AuthType: types.FunctionUrlAuthTypeAwsIam,
	})
	for range 2 { // the second time it is not there
		must[sdk.DeleteAliasOutput](h, &sdk.DeleteAliasInput{FunctionName: aws.String("f"), Name: aws.String("one")})
	}
	refuse[sdk.GetAliasOutput](h, get, "ResourceNotFoundException", 404, "Cannot find alias arn: "+arnOfF+":one")
	// A new alias of the name inherits neither policy nor URL.
	must[sdk.CreateAliasOutput](h, newAlias("one", "$LATEST"))
	refuse[sdk.GetFunctionUrlConfigOutput](h, &sdk.GetFunctionUrlConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("one")},
		"ResourceNotFoundException", 404, "The resource you requested does not exist.")
	refuse[sdk.GetPolicyOutput](h, &sdk.GetPolicyInput{FunctionName: aws.String("f"), Qualifier: aws.String("one")},
		"ResourceNotFoundException", 404, "The resource you requested does not exist.")
	must[sdk.DeleteFunctionOutput](h, &sdk.DeleteFunctionInput{FunctionName: aws.String("f")})
	h.create("f")
	if got := must[sdk.ListAliasesOutput](h, &sdk.ListAliasesInput{FunctionName: aws.String("f")}); len(got.Aliases) != 0 {
		t.Errorf("aliases of the old function: %+v", got.Aliases)
	}
}

// Most are recorded: TestLambdaAlias::test_notfound_and_invalid_routingconfigs.
func TestCreateAliasRefused(t *testing.T) {
	h := newHarness(t)
	h.newVersions()
	must[sdk.CreateAliasOutput](h, newAlias("taken", "1"))
	const badValue, badParameter, notFound = "ValidationException", "InvalidParameterValueException", "ResourceNotFoundException"
	const routing = "' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: "
	const values = "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, " +
		"Member must have value greater than or equal to 0.0, Member must not be null]"
	const keys = "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, " +
		"Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]"
	name := func(n string) func(*sdk.CreateAliasInput) { return func(in *sdk.CreateAliasInput) { in.Name = &n } }
	version := func(n string) func(*sdk.CreateAliasInput) {
		return func(in *sdk.CreateAliasInput) { in.FunctionVersion = &n }
	}
	function := func(n string) func(*sdk.CreateAliasInput) {
		return func(in *sdk.CreateAliasInput) { in.FunctionName = &n }
	}
	route := func(c *types.AliasRoutingConfiguration) func(*sdk.CreateAliasInput) {
		return func(in *sdk.CreateAliasInput) { in.RoutingConfig = c }
	}
	long := strings.Repeat("n", 129)
	for _, c := range []struct {
		change  func(*sdk.CreateAliasInput)
		code    string
		status  int
		message string
	}{
		{func(in *sdk.CreateAliasInput) { *in = sdk.CreateAliasInput{} }, badValue, 400,
			"3 validation errors detected: Value null at 'functionName' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'name' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'functionVersion' failed to satisfy constraint: Member must not be null"},
		{name("7651210"), badValue, 400, "1 validation error detected: Value '7651210' at 'name' failed to satisfy constraint: " +
			"Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"},
		{name("$LATEST"), badValue, 400, "1 validation error detected: Value '$LATEST' at 'name' failed to satisfy constraint: " +
			"Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"},
		{name(long), badValue, 400, "1 validation error detected: Value '" + long + "' at 'name' failed to satisfy constraint: " +
			"Member must have length less than or equal to 128"},
		{version("live"), badValue, 400, "1 validation error detected: Value 'live' at 'functionVersion' failed to satisfy constraint: " +
			`Member must satisfy regular expression pattern: (\$LATEST(\.PUBLISHED)?|[0-9]+)`},
		{version("10"), notFound, 404, "Function not found: " + arnOfF + ":10"},
		{version("01"), notFound, 404, "Function not found: " + arnOfF + ":01"},
		{version("$LATEST.PUBLISHED"), notFound, 404, "Function not found: " + arnOfF + ":$LATEST.PUBLISHED"},
		{function("f-unknown"), notFound, 404, "Function not found: " + arnOfF + "-unknown:1"},
		{func(in *sdk.CreateAliasInput) {
			in.FunctionName, in.RoutingConfig = aws.String("f-unknown"), weights("2", 0.5)
		}, notFound, 404, "Function not found: " + arnOfF + "-unknown:1"},
		{function("f:1"), badParameter, 400, notPublished},
		{name("taken"), "ResourceConflictException", 409, "Alias already exists: " + arnOfF + ":taken"},
		{route(weights("10", 0.5)), notFound, 404, "Function not found: " + arnOfF + ":10"},
		{route(weights("1", 0.5)), badParameter, 400,
			"Invalid function version 1. Function version 1 is already included in routing configuration."},
		{route(&types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"1": 0.3, "2": 0.2}}), badParameter, 400,
			"Number of items in AdditionalVersionWeights cannot be greater than 1"},
		{route(weights("2", 2)), badValue, 400, "1 validation error detected: Value '{2=2.0}" + routing + values},
		{route(weights("2", -1)), badValue, 400, "1 validation error detected: Value '{2=-1.0}" + routing + values},
		{route(weights("2", 1.5)), badValue, 400, "1 validation error detected: Value '{2=1.5}" + routing + values},
		{route(weights("2", math.NaN())), badValue, 400, "1 validation error detected: Value '{2=NaN}" + routing + values},
		{route(weights("$LATEST", 0.5)), badValue, 400, "1 validation error detected: Value '{$LATEST=0.5}" + routing + keys},
		{route(&types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"x": 3, "2": 0.25}}), badValue, 400,
			"2 validation errors detected: Value '{2=0.25, x=3.0}" + routing + keys + "; Value '{2=0.25, x=3.0}" + routing + values},
	} {
		in := newAlias("a", "1")
		c.change(in)
		refuse[sdk.CreateAliasOutput](h, in, c.code, c.status, c.message)
	}
	for _, in := range []*sdk.CreateAliasInput{newAlias("two", "2"), newAlias("latest", "$LATEST")} {
		in.RoutingConfig = weights("1", 1)
		_, err := do[sdk.CreateAliasOutput](h, in)
		if *in.Name == "two" {
			if err != nil {
				t.Errorf("weight 1.0: %v", err)
			}
			continue
		}
		e, ok := errors.AsType[*awserr.Error](err)
		if !ok || e.Code != badParameter || e.Message != "$LATEST is not supported for an alias pointing to more than 1 version" ||
			len(e.Members) != 0 {
			t.Errorf("$LATEST with weights: got %v, want it without a member Type", err)
		}
	}
	in := newAlias("none", "1")
	in.RoutingConfig = &types.AliasRoutingConfiguration{}
	if got := must[sdk.CreateAliasOutput](h, in); got.RoutingConfig != nil {
		t.Errorf("empty routing: got %+v", got.RoutingConfig)
	}
}

func TestUpdateAliasRefused(t *testing.T) {
	h := newHarness(t)
	h.newVersions()
	in := newAlias("live", "1")
	in.RoutingConfig = weights("2", 0.5)
	must[sdk.CreateAliasOutput](h, in)
	before := must[sdk.GetAliasOutput](h, &sdk.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
	for _, c := range []struct {
		in      sdk.UpdateAliasInput
		code    string
		status  int
		message string
	}{
		{sdk.UpdateAliasInput{Name: aws.String("other")}, "ResourceNotFoundException", 404, "Cannot find alias arn: " + arnOfF + ":other"},
		{sdk.UpdateAliasInput{FunctionName: aws.String("g")}, "ResourceNotFoundException", 404,
			"Cannot find alias arn: arn:aws:lambda:eu-central-1:111122223333:function:g:live"},
		{sdk.UpdateAliasInput{FunctionName: aws.String("f:live")}, "InvalidParameterValueException", 400, notPublished},
		{sdk.UpdateAliasInput{FunctionVersion: aws.String("7")}, "ResourceNotFoundException", 404, "Function not found: " + arnOfF + ":7"},
		// The weights that it keeps.
		{sdk.UpdateAliasInput{FunctionVersion: aws.String("2")}, "InvalidParameterValueException", 400,
			"Invalid function version 2. Function version 2 is already included in routing configuration."},
		{sdk.UpdateAliasInput{RoutingConfig: weights("1", 0.5)}, "InvalidParameterValueException", 400,
			"Invalid function version 1. Function version 1 is already included in routing configuration."},
		{sdk.UpdateAliasInput{FunctionVersion: aws.String("x")}, "ValidationException", 400, "1 validation error detected: Value 'x' at " +
			`'functionVersion' failed to satisfy constraint: Member must satisfy regular expression pattern: (\$LATEST(\.PUBLISHED)?|[0-9]+)`},
	} {
		if c.in.FunctionName == nil {
			c.in.FunctionName = aws.String("f")
		}
		if c.in.Name == nil {
			c.in.Name = aws.String("live")
		}
		refuse[sdk.UpdateAliasOutput](h, &c.in, c.code, c.status, c.message)
	}
	after := must[sdk.GetAliasOutput](h, &sdk.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
	if diff := cmp.Diff(after, before, ignoreAlias); diff != "" {
		t.Errorf("a refused update changed it, got - want +:\n%s", diff)
	}
	refuse[sdk.DeleteAliasOutput](h, &sdk.DeleteAliasInput{FunctionName: aws.String("g"), Name: aws.String("live")},
		"ResourceNotFoundException", 404, "Function not found: arn:aws:lambda:eu-central-1:111122223333:function:g")
	refuse[sdk.DeleteAliasOutput](h, &sdk.DeleteAliasInput{FunctionName: aws.String("f:1"), Name: aws.String("live")},
		"InvalidParameterValueException", 400, notPublished)
	refuse[sdk.GetAliasOutput](h, &sdk.GetAliasInput{FunctionName: aws.String("f:1"), Name: aws.String("live")},
		"InvalidParameterValueException", 400, notPublished)
}

// An alias takes its provisioned concurrency along, to where that can be.
func TestMoveProvisionedAlias(t *testing.T) {
	h := newHarness(t)
	h.newVersions()
	must[sdk.CreateAliasOutput](h, newAlias("live", "1"))
	must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", "live", 2))
	move := func(version string) *sdk.UpdateAliasInput {
		return &sdk.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: &version}
	}
	must[sdk.UpdateAliasOutput](h, move("2"))
	must[sdk.UpdateAliasOutput](h, &sdk.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), RoutingConfig: weights("1", 0.1)})
	must[sdk.UpdateAliasOutput](h, &sdk.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"),
		RoutingConfig: &types.AliasRoutingConfiguration{}})
	must[sdk.PutProvisionedConcurrencyConfigOutput](h, provision("f", "1", 1))
	refuse[sdk.UpdateAliasOutput](h, move("1"), "ResourceConflictException", 409,
		"Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
	refuse[sdk.UpdateAliasOutput](h, move("$LATEST"), "InvalidParameterValueException", 400,
		"Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	if got := must[sdk.GetAliasOutput](h, &sdk.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")}); *got.FunctionVersion != "2" {
		t.Errorf("got version %s", *got.FunctionVersion)
	}
}

func TestListAliases(t *testing.T) {
	h := newHarness(t)
	h.newVersions()
	for _, a := range []struct{ name, version string }{{"b", "2"}, {"a", "1"}, {"d", "1"}, {"c", "$LATEST"}, {"e", "1"}} {
		must[sdk.CreateAliasOutput](h, newAlias(a.name, a.version))
	}
	must[sdk.UpdateAliasOutput](h, &sdk.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("a"), RoutingConfig: weights("2", 0.5)})
	for version, want := range map[string]string{"": "abcde", "1": "ade", "2": "b", "$LATEST": "c", "3": ""} {
		for n := int32(1); n <= 6; n++ {
			got := ""
			in := &sdk.ListAliasesInput{FunctionName: aws.String("f"), MaxItems: &n}
			if version != "" {
				in.FunctionVersion = &version
			}
			for {
				out := must[sdk.ListAliasesOutput](h, in)
				for _, a := range out.Aliases {
					got += *a.Name
					if *a.AliasArn != arnOfF+":"+*a.Name || (a.RoutingConfig != nil) != (*a.Name == "a") {
						t.Errorf("listed: %+v", a)
					}
				}
				if in.Marker = out.NextMarker; in.Marker == nil {
					break
				}
			}
			if got != want {
				t.Errorf("aliases of version %q by pages of %d: got %s, want %s", version, n, got, want)
			}
		}
	}
	refuse[sdk.ListAliasesOutput](h, &sdk.ListAliasesInput{FunctionName: aws.String("g")}, "ResourceNotFoundException", 404,
		"Function not found: arn:aws:lambda:eu-central-1:111122223333:function:g")
	refuse[sdk.ListAliasesOutput](h, &sdk.ListAliasesInput{FunctionName: aws.String("f:1")}, "InvalidParameterValueException", 400, notPublished)
	refuse[sdk.ListAliasesOutput](h, &sdk.ListAliasesInput{FunctionName: aws.String("f"), Marker: aws.String("%")},
		"InvalidParameterValueException", 400, "Invalid Marker: %")
}

// Each invocation of an alias with weights gets either version; the caller's ARN is what the function and the decision see.
func TestInvokeAlias(t *testing.T) {
	h := newHarness(t)
	h.newVersions()
	in := newAlias("live", "1")
	in.RoutingConfig = weights("2", 0.25)
	must[sdk.CreateAliasOutput](h, in)
	must[sdk.CreateAliasOutput](h, newAlias("newest", "$LATEST"))
	must[sdk.AddPermissionOutput](h, permissionInput("f:live", "s", "s3.amazonaws.com"))
	for _, c := range []struct {
		name                  string
		random                float64
		answer, version, asks string
	}{
		{"f:live", 0, "second", "2", ":live"},
		{"f:live", 0.2499, "second", "2", ":live"},
		{"f:live", 0.25, "first", "1", ":live"},
		{"f:live", 0.9999, "first", "1", ":live"},
		{"f:newest", 0, "third", "$LATEST", ":newest"},
		{"f:1", 0, "first", "1", ":1"},
		{"f:2", 0.9, "second", "2", ":2"},
		{"f", 0, "third", "$LATEST", ""},
		{"f:$LATEST", 0, "third", "$LATEST", ":$LATEST"},
	} {
		h.random = c.random
		out := must[sdk.InvokeOutput](h, invokeInput(c.name))
		var answer string
		if err := json.Unmarshal(out.Payload, &answer); err != nil {
			t.Fatal(err)
		}
		f, i := h.runner.functions[len(h.runner.functions)-1], h.runner.invocations[len(h.runner.invocations)-1]
		need := h.lastNeeds[0]
		if answer != c.answer || *out.ExecutedVersion != c.version || f.Version != c.version || f.ARN != arnOfF ||
			i.InvokedARN != arnOfF+c.asks || need.Action != "lambda:InvokeFunction" || need.Target.ARN != arnOfF+c.asks {
			t.Errorf("%s at %v: %s of version %s, environment of %s of %s, invoked as %s, judged as %s on %s", c.name, c.random, answer,
				*out.ExecutedVersion, f.Version, f.ARN, i.InvokedARN, need.Action, need.Target.ARN)
		}
		// The alias has a policy of its own; its versions do not share it, nor the function (lambda.md 1.4).
		if (need.Target.Policy != nil) != (c.name == "f:live") {
			t.Errorf("%s: policy %v", c.name, need.Target.Policy)
		}
	}
	for _, missing := range []string{":3", ":dead"} {
		refuse[sdk.InvokeOutput](h, invokeInput("f"+missing), "ResourceNotFoundException", 404, "Function not found: "+arnOfF+missing)
	}
	// Weights of nothing and of all.
	for weight, want := range map[float64]string{0: "1", 1: "2"} {
		must[sdk.UpdateAliasOutput](h, &sdk.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), RoutingConfig: weights("2", weight)})
		for _, h.random = range []float64{0, 0.5, 0.9999} {
			if got := must[sdk.InvokeOutput](h, invokeInput("f:live")); *got.ExecutedVersion != want {
				t.Errorf("weight %v at %v: got version %s, want %s", weight, h.random, *got.ExecutedVersion, want)
			}
		}
	}
}

// The function's tags count for versions and aliases, and for operations on these (lambda.md 2.6).
func TestTagsOfVersionsAndAliases(t *testing.T) {
	h := newHarness(t)
	must[sdk.CreateFunctionOutput](h, h.fullSettings("f"))
	h.publish("f")
	must[sdk.CreateAliasOutput](h, newAlias("live", "1"))
	for _, in := range []any{
		invokeInput("f:1"), invokeInput("f:live"), invokeInput("f:absent"), newAlias("other", "1"),
		&sdk.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")},
		&sdk.ListAliasesInput{FunctionName: aws.String("f")},
		&sdk.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")},
		&sdk.DeleteAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")},
		&sdk.PublishVersionInput{FunctionName: aws.String("f")},
		&sdk.ListVersionsByFunctionInput{FunctionName: aws.String("f")},
		&sdk.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")},
	} {
		needs, err := h.needs(operationOf(in), in)
		if err != nil || len(needs) != 1 || keysOf(needs[0].Target.Keys) != "aws:ResourceTag/team=a" {
			t.Errorf("%T: %v, %+v", in, err, needs)
		}
	}
}

// Another account's caller is judged by the function's policy, too, for the actions that it may grant (lambda.md 1.5).
func TestVersionsAcrossAccounts(t *testing.T) {
	h := newHarness(t)
	h.create("f")
	h.publish("f")
	must[sdk.CreateAliasOutput](h, newAlias("live", "1"))
	must[sdk.AddPermissionOutput](h, permissionInput("f", "s", stranger))
	h.account = stranger
	function, live := aws.String(arnOfF), aws.String("live")
	for _, in := range []any{
		&sdk.CreateAliasInput{FunctionName: function, Name: live, FunctionVersion: aws.String("1")},
		&sdk.GetAliasInput{FunctionName: function, Name: live}, &sdk.ListAliasesInput{FunctionName: function},
		&sdk.UpdateAliasInput{FunctionName: function, Name: live}, &sdk.DeleteAliasInput{FunctionName: function, Name: live},
		&sdk.PublishVersionInput{FunctionName: function}, &sdk.ListVersionsByFunctionInput{FunctionName: function},
	} {
		needs, err := h.needs(operationOf(in), in)
		if err != nil || len(needs) != 1 || needs[0].Target.ARN != arnOfF || needs[0].Target.Account != account || needs[0].Target.Policy == nil {
			t.Errorf("%T: %v, %+v", in, err, needs)
		}
	}
	if got := must[sdk.GetAliasOutput](h, &sdk.GetAliasInput{FunctionName: function, Name: live}); *got.AliasArn != arnOfF+":live" {
		t.Errorf("got %s", *got.AliasArn)
	}
	refuse[sdk.GetAliasOutput](h, &sdk.GetAliasInput{FunctionName: aws.String("f"), Name: live}, "ResourceNotFoundException", 404,
		"Cannot find alias arn: arn:aws:lambda:eu-central-1:"+stranger+":function:f:live")
}

func FuzzAliasName(f *testing.F) {
	for _, s := range []string{"", "1", "a", "2024-01-01", "01a", "-", "_", "$LATEST", "a\n", "é", "1a1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		valid := s != ""
		digits := true
		for _, r := range s {
			valid = valid && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
			digits = digits && r >= '0' && r <= '9'
		}
		if got := request.AliasName.Pattern.Matches(s); got != (valid && !digits) {
			t.Errorf("%q: got %v", s, got)
		}
	})
}
