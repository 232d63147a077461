package compat

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// publishLayer makes a layer version of the files and gives its name and ARN.
func publishLayer(t *testing.T, c clients, files ...file) (name, arn string) {
	t.Helper()
	name = unique("layer")
	out := must(c.lambda.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{
		LayerName: &name, Content: &types.LayerVersionContentInput{ZipFile: archive(t, files...)},
	}))(t)
	return name, *out.LayerVersionArn
}

// Functions of each family of runtimes import from two layers, the second over the first.
func TestLayersInside(t *testing.T) {
	t.Parallel()
	c := server.as(server.root)
	script := "#!/bin/sh\nexec /opt/bin/program\n"
	tests := []struct {
		runtime       types.Runtime
		handler       string
		code          file
		first, second []file
		want          string
	}{
		{types.RuntimePython311, "code.handler", file{name: "code.py", text: `import os, subprocess, both, deep, only
def handler(event, context):
    tool = subprocess.run(["tool"], capture_output=True, text=True).stdout.strip()
    try:
        open("/opt/new", "w")
    except OSError as error:
        written = type(error).__name__
    return [both.name, only.name, deep.name, tool, written, oct(os.stat("/opt/bin/tool").st_mode & 0o777)]
`}, []file{
			{name: "python/both.py", text: "name = 'first'"},
			{name: "python/only.py", text: "name = 'only'"},
			{name: "bin/tool", text: "#!/bin/sh\necho first", mode: 0o100755},
		}, []file{
			{name: "python/both.py", text: "name = 'second'"},
			{name: "python/lib/python3.11/site-packages/deep.py", text: "name = 'deep'"},
			{name: "bin/tool", text: "#!/bin/sh\necho second", mode: 0o100755},
		}, `["second","only","deep","second","OSError","0o555"]`},
		{types.RuntimeNodejs20x, "index.handler", file{name: "index.js", text: `
const both = require("both"), only = require("only"), exact = require("exact");
exports.handler = async () => [both, only, exact];
`}, []file{
			{name: "nodejs/node_modules/both/index.js", text: "module.exports = 'first'"},
			{name: "nodejs/node_modules/only/index.js", text: "module.exports = 'only'"},
			{name: "nodejs/node_modules/exact/index.js", text: "module.exports = 'any version'"},
		}, []file{
			{name: "nodejs/node_modules/both/index.js", text: "module.exports = 'second'"},
			{name: "nodejs/node20/node_modules/exact/index.js", text: "module.exports = 'node20'"},
		}, `["second","only","node20"]`},
		// The code has no bootstrap: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html.
		{types.RuntimeProvidedal2023, "any", file{name: "data.txt", text: "x"}, []file{
			{name: "bootstrap", text: script, mode: 0o100755},
			{name: "bin/program", text: "#!/bin/sh\nexit 1", mode: 0o100755},
		}, []file{
			{name: "bin/program", text: program(t), mode: 0o100755},
		}, `{"a":1}`},
	}
	for _, tt := range tests {
		t.Run(string(tt.runtime), func(t *testing.T) {
			t.Parallel()
			one, first := publishLayer(t, c, tt.first...)
			_, second := publishLayer(t, c, tt.second...)
			f := server.newFunction(t, "", func(in *lambda.CreateFunctionInput) {
				in.Runtime, in.Handler, in.Layers = tt.runtime, &tt.handler, []string{first, second}
				in.Code.ZipFile = archive(t, tt.code)
			})
			if got, err := c.invoke(t, f.name, `{"a":1}`); err != nil || !sameJSON(got, tt.want) {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
			// It runs on without the layer version, in new environments too.
			must(c.lambda.DeleteLayerVersion(t.Context(), &lambda.DeleteLayerVersionInput{LayerName: &one, VersionNumber: aws.Int64(1)}))(t)
			updated := must(c.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
				FunctionName: &f.name, Description: aws.String("changed"),
			}))(t)
			if len(updated.Layers) != 2 || *updated.Layers[0].Arn != first || *updated.Layers[1].Arn != second || updated.Layers[0].CodeSize == 0 {
				t.Errorf("layers: got %+v", updated.Layers)
			}
			if got, err := c.invoke(t, f.name, `{"a":1}`); err != nil || !sameJSON(got, tt.want) {
				t.Errorf("after the deletion: got %s, %v, want %s", got, err, tt.want)
			}
			// Without its layers it does not run.
			must(c.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
				FunctionName: &f.name, Layers: []string{},
			}))(t)
			if got, err := c.invoke(t, f.name, `{"a":1}`); err == nil || !strings.Contains(err.Error(), "function error") {
				t.Errorf("without layers: got %s, %v", got, err)
			}
		})
	}
}

// Another account uses a layer version as its policy says, and keeps what it has.
func TestCrossAccountLayer(t *testing.T) {
	t.Parallel()
	a, b, ctx := server.newAccount(t), server.newAccount(t), t.Context()
	arn, user := server.userOf(t, a, allow("lambda:*", "*"), allow("iam:PassRole", "*"))
	name, layer := publishLayer(t, b.clients, file{name: "python/shared.py", text: "name = 'shared'"})
	unversioned := strings.TrimSuffix(layer, ":1")
	own := roleOf(t, a, trustLambda)
	create := func(c clients) (*lambda.CreateFunctionOutput, error) {
		return c.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: aws.String(unique("function")), Runtime: types.RuntimePython311, Handler: aws.String("code.handler"), Role: &own,
			Code:   &types.FunctionCode{ZipFile: archive(t, file{name: "code.py", text: "import shared\ndef handler(e, c):\n    return shared.name\n"})},
			Layers: []string{layer}, Timeout: aws.Int32(30),
		})
	}
	denied := lambdaDenied(arn, "lambda:GetLayerVersion", layer, "resource-based policy")
	_, err := create(user)
	check(t, err, denied)
	_, err = user.lambda.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: &layer})
	check(t, err, denied)
	_, err = user.lambda.GetLayerVersion(ctx, &lambda.GetLayerVersionInput{LayerName: &unversioned, VersionNumber: aws.Int64(1)})
	check(t, err, denied)

	granted := must(b.lambda.AddLayerVersionPermission(ctx, &lambda.AddLayerVersionPermissionInput{
		LayerName: &name, VersionNumber: aws.Int64(1), StatementId: aws.String("a"), Action: aws.String("lambda:GetLayerVersion"), Principal: &a.id,
	}))(t)
	if want := `{"Sid":"a","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + a.id + `:root"},"Action":"lambda:GetLayerVersion","Resource":"` +
		layer + `"}`; *granted.Statement != want {
		t.Errorf("statement:\ngot  %s\nwant %s", *granted.Statement, want)
	}
	out := must(user.lambda.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: &layer}))(t)
	if got := download(t, *out.Content.Location); int64(len(got)) != out.Content.CodeSize {
		t.Errorf("downloaded %d bytes of %d", len(got), out.Content.CodeSize)
	}
	f := must(create(user))(t)
	if got, err := user.invoke(t, *f.FunctionName, "{}"); err != nil || got != `"shared"` {
		t.Errorf("got %s, %v", got, err)
	}
	// The grant is for the account, whose users need a permission of their own; and it is for getting the version, nothing else.
	_, idle := server.userOf(t, a, allow("lambda:CreateFunction", "*"), allow("iam:PassRole", "*"))
	if _, err := create(idle); code(err) != "AccessDeniedException" {
		t.Errorf("a caller without lambda:GetLayerVersion: got %v", err)
	}
	_, err = user.lambda.ListLayerVersions(ctx, &lambda.ListLayerVersionsInput{LayerName: &unversioned})
	check(t, err, lambdaDenied(arn, "lambda:ListLayerVersions", unversioned, "resource-based policy"))
	_, err = user.lambda.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: &unversioned, VersionNumber: aws.Int64(1)})
	check(t, err, lambdaDenied(arn, "lambda:DeleteLayerVersion", layer, "resource-based policy"))
	_, err = user.lambda.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{
		LayerName: &unversioned, Content: &types.LayerVersionContentInput{ZipFile: archive(t, file{name: "a"})},
	})
	check(t, err, lambdaDenied(arn, "lambda:PublishLayerVersion", unversioned, "resource-based policy"))
	if mine := must(user.lambda.ListLayers(ctx, &lambda.ListLayersInput{}))(t); len(mine.Layers) != 0 {
		t.Errorf("layers of another account are listed: %v", mine.Layers)
	}

	must(b.lambda.RemoveLayerVersionPermission(ctx, &lambda.RemoveLayerVersionPermissionInput{
		LayerName: &name, VersionNumber: aws.Int64(1), StatementId: aws.String("a"),
	}))(t)
	_, err = create(user)
	check(t, err, denied)
	must(user.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: f.FunctionName, MemorySize: aws.Int32(256),
	}))(t)
	if got, err := user.invoke(t, *f.FunctionName, "{}"); err != nil || got != `"shared"` {
		t.Errorf("after the grant was revoked: got %s, %v", got, err)
	}
	_, err = user.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: f.FunctionName, Layers: []string{layer},
	})
	check(t, err, denied)
}

// A policy bounds which layers may be used (https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html).
func TestLayerCondition(t *testing.T) {
	t.Parallel()
	root, ctx := server.as(server.root), t.Context()
	good, goodARN := publishLayer(t, root, file{name: "a"})
	_, bad := publishLayer(t, root, file{name: "a"})
	own := server.newRole(t, trustLambda)
	user := server.newUser(t, allow("iam:PassRole", "*"), allow("lambda:GetLayerVersion", "*"), allow("lambda:CreateFunction", "*",
		`{"ForAllValues:StringLike":{"lambda:Layer":["arn:aws:lambda:us-east-1:`+account+`:layer:`+good+`:*"]}}`))
	for _, c := range []struct {
		layers []string
		code   string
	}{
		{[]string{goodARN}, ""}, {nil, ""}, {[]string{bad}, "AccessDeniedException"}, {[]string{goodARN, bad}, "AccessDeniedException"},
		// It matches the condition, but names no version.
		{[]string{strings.TrimSuffix(goodARN, "1") + "01"}, "InvalidParameterValueException"},
	} {
		_, err := user.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: aws.String(unique("function")), Runtime: types.RuntimePython311, Handler: aws.String("code.handler"), Role: &own.arn,
			Code: &types.FunctionCode{ZipFile: archive(t, file{name: "code.py", text: echo})}, Layers: c.layers,
		})
		if err == nil && c.code != "" || err != nil && code(err) != c.code {
			t.Errorf("%v: got %v, want %q", c.layers, err, c.code)
		}
	}
}
