package compat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/middleware"
)

// told answers with what a function knows of itself. born differs from environment to environment.
const told = `import uuid
born = str(uuid.uuid4())
def handler(event, context):
    return {"Code": "CODE", "Version": context.function_version, "ARN": context.invoked_function_arn, "Stream": context.log_stream_name,
            "Born": born}
`

// telling is the answer of told.
type telling struct{ Code, Version, ARN, Stream, Born string }

func tell(t *testing.T, c clients, name string) telling {
	t.Helper()
	out := must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte("{}")}))(t)
	var a telling
	if err := json.Unmarshal(out.Payload, &a); err != nil || out.FunctionError != nil {
		t.Fatalf("%s: %v, %s", name, err, out.Payload)
	}
	if *out.ExecutedVersion != a.Version {
		t.Errorf("%s: X-Amz-Executed-Version %s, the function says %s", name, *out.ExecutedVersion, a.Version)
	}
	return a
}

func toldCode(t *testing.T, code string) []byte {
	return archive(t, file{name: "code.py", text: strings.Replace(told, "CODE", code, 1)})
}

// newVersions makes a function with versions 1 and 2, whose code says "first" and "second"; $LATEST says "third".
func newVersions(t *testing.T) function {
	t.Helper()
	c, ctx := server.as(server.root).lambda, t.Context()
	f := server.newFunction(t, strings.Replace(told, "CODE", "first", 1), func(in *lambda.CreateFunctionInput) { in.Publish = true })
	must(c.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &f.name, ZipFile: toldCode(t, "second"), Publish: true}))(t)
	must(c.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &f.name, ZipFile: toldCode(t, "third")}))(t)
	return f
}

// Two versions run behind an alias, each in environments of its own.
func TestAliasWithWeights(t *testing.T) {
	t.Parallel()
	root, ctx := server.as(server.root), t.Context()
	f := newVersions(t)
	must(root.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{
		FunctionName: &f.name, Name: aws.String("live"), FunctionVersion: aws.String("1"),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.5}},
	}))(t)
	codes := map[string]string{"1": "first", "2": "second"}
	seen := map[string][]string{} // environments, by version
	for i := 0; len(seen) < 2 || i < 10; i++ {
		if i == 100 {
			t.Fatalf("only %v answered 100 calls", seen)
		}
		a := tell(t, root, f.name+":live")
		if a.Code != codes[a.Version] || a.ARN != f.arn+":live" || !strings.Contains(a.Stream, "["+a.Version+"]") {
			t.Errorf("got %+v", a)
		}
		seen[a.Version] = append(seen[a.Version], a.Born)
	}
	// The versions by themselves are the same environments; a change of $LATEST leaves them.
	latest := tell(t, root, f.name)
	if latest.Code != "third" || latest.Version != "$LATEST" || latest.ARN != f.arn || !strings.Contains(latest.Stream, "[$LATEST]") {
		t.Errorf("$LATEST: %+v", latest)
	}
	must(root.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &f.name, ZipFile: toldCode(t, "fourth")}))(t)
	must(root.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &f.name, Timeout: aws.Int32(9)}))(t)
	if a := tell(t, root, f.arn+":$LATEST"); a.Code != "fourth" || a.Born == latest.Born || a.ARN != f.arn+":$LATEST" {
		t.Errorf("changed $LATEST: %+v", a)
	}
	for version, environments := range seen {
		if !eventually(t, func() bool { // one that is still busy is not used again at once
			a := tell(t, root, f.name+":"+version)
			if a.ARN != f.arn+":"+version || a.Code != codes[version] {
				t.Errorf("version %s: got %+v", version, a)
			}
			return slices.Contains(environments, a.Born)
		}) {
			t.Errorf("the environments of version %s are gone", version)
		}
	}
	// What a version is made from does not change.
	if got := must(root.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &f.name,
		Qualifier: aws.String("live")}))(t); *got.Timeout != 30 || *got.FunctionArn != f.arn+":live" || *got.Version != "1" {
		t.Errorf("by alias: %+v", got)
	}
	must(root.lambda.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: &f.name, Name: aws.String("live")}))(t)
	_, err := root.invoke(t, f.name+":live", "{}")
	check(t, err, failure{404, "ResourceNotFoundException", "Function not found: " + f.arn + ":live"})
}

// The log of a version is in a stream with its number.
func TestVersionLogStreams(t *testing.T) {
	t.Parallel()
	root, ctx := server.as(server.root), t.Context()
	r := server.newRole(t, trustLambda, allow("logs:*", "*"))
	f := server.newFunction(t, told, func(in *lambda.CreateFunctionInput) { in.Role, in.Publish = &r.arn, true })
	group := "/aws/lambda/" + f.name
	for _, name := range []string{f.name, f.name + ":1"} {
		want := tell(t, root, name).Stream
		if !eventually(t, func() bool {
			streams, err := root.logs.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: &group, LogStreamNamePrefix: &want})
			return err == nil && len(streams.LogStreams) == 1
		}) {
			t.Errorf("%s: no stream %s", name, want)
		}
	}
}

// The ARN that is called is the ARN that is judged: lambda.md 1.4 and 7.4.
func TestQualifiedDecision(t *testing.T) {
	t.Parallel()
	root, ctx := server.as(server.root).lambda, t.Context()
	f := newVersions(t)
	must(root.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &f.name, Name: aws.String("live"), FunctionVersion: aws.String("1")}))(t)
	arns := []string{f.arn, f.arn + ":1", f.arn + ":2", f.arn + ":live", f.arn + ":$LATEST"}
	for _, granted := range arns {
		u := server.newUser(t, allow("lambda:InvokeFunction", granted))
		for _, arn := range arns {
			_, err := u.invoke(t, arn, "{}")
			want := lambdaDenied(u.arn, "lambda:InvokeFunction", arn, "identity-based policy")
			if arn == granted {
				want = failure{}
			}
			check(t, err, want)
		}
	}
	// A policy of the alias is that of the alias alone. It goes with it.
	u := server.newUser(t)
	must(root.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: &f.name, Qualifier: aws.String("live"), StatementId: aws.String("s"),
		Action: aws.String("lambda:InvokeFunction"), Principal: &u.arn}))(t)
	must(u.invoke(t, f.arn+":live", "{}"))(t)
	for _, arn := range []string{f.arn, f.arn + ":1", f.arn + ":$LATEST"} {
		_, err := u.invoke(t, arn, "{}")
		check(t, err, lambdaDenied(u.arn, "lambda:InvokeFunction", arn, "identity-based policy"))
	}
	must(root.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: &f.name, Name: aws.String("live")}))(t)
	must(root.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &f.name, Name: aws.String("live"), FunctionVersion: aws.String("2")}))(t)
	_, err := u.invoke(t, f.arn+":live", "{}")
	check(t, err, lambdaDenied(u.arn, "lambda:InvokeFunction", f.arn+":live", "identity-based policy"))

	// Operations on aliases and versions are judged on the function, and its tags.
	must(root.TagResource(ctx, &lambda.TagResourceInput{Resource: &f.arn, Tags: map[string]string{"team": "blue"}}))(t)
	blue := server.newUser(t, allow("lambda:*", f.arn, `{"StringEquals":{"aws:ResourceTag/team":"blue"}}`),
		allow("lambda:InvokeFunction", f.arn+":*", `{"StringEquals":{"aws:ResourceTag/team":"blue"}}`))
	must(blue.lambda.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &f.name}))(t)
	must(blue.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &f.name, Name: aws.String("live")}))(t)
	must(blue.invoke(t, f.arn+":live", "{}"))(t)
	must(root.UntagResource(ctx, &lambda.UntagResourceInput{Resource: &f.arn, TagKeys: []string{"team"}}))(t)
	_, err = blue.lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: &f.name, Name: aws.String("live")})
	check(t, err, lambdaDenied(blue.arn, "lambda:UpdateAlias", f.arn, "identity-based policy"))
	_, err = blue.invoke(t, f.arn+":live", "{}")
	check(t, err, lambdaDenied(blue.arn, "lambda:InvokeFunction", f.arn+":live", "identity-based policy"))
}

// aws_lambda_function with publish = true (internal/service/lambda/function.go of the provider): the qualified ARN and the version are
// those of the last of ListVersionsByFunction.
func TestTerraformPublishedFunction(t *testing.T) {
	t.Parallel()
	c, ctx, name := server.as(server.root).lambda, t.Context(), unique("published")
	r := server.newRole(t, trustLambda)
	arn := "arn:aws:lambda:us-east-1:" + account + ":function:" + name
	active, changed := lambda.NewFunctionActiveV2Waiter(c), lambda.NewFunctionUpdatedV2Waiter(c)
	ready := lambda.NewPublishedVersionActiveWaiter(c)
	read := func(wantVersion string) types.FunctionConfiguration {
		t.Helper()
		out := must(c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name}))(t)
		if *out.Configuration.FunctionArn != arn || out.Configuration.State != types.StateActive {
			t.Errorf("read: %+v", out.Configuration)
		}
		var last types.FunctionConfiguration
		pages := lambda.NewListVersionsByFunctionPaginator(c, &lambda.ListVersionsByFunctionInput{FunctionName: &name, MaxItems: aws.Int32(10000)})
		for pages.HasMorePages() {
			versions := must(pages.NextPage(ctx))(t).Versions
			last = versions[len(versions)-1]
		}
		if *last.Version != wantVersion || *last.FunctionArn != arn+":"+wantVersion {
			t.Errorf("version %s, qualified ARN %s, want %s", *last.Version, *last.FunctionArn, wantVersion)
		}
		return last
	}
	must(c.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Role: &r.arn, Runtime: types.RuntimePython311, Handler: aws.String("code.handler"), Publish: true,
		Code: &types.FunctionCode{ZipFile: toldCode(t, "first")}, MemorySize: aws.Int32(128), Timeout: aws.Int32(3),
	}))(t)
	if err := active.Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	first := read("1")
	publish := func(want string) {
		t.Helper()
		out := must(c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &name}))(t)
		got := must(c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: out.FunctionArn, Qualifier: out.Version}))(t)
		if *out.Version != want || got.LastUpdateStatus != types.LastUpdateStatusSuccessful || *got.FunctionArn != arn+":"+want {
			t.Errorf("published %s as %s: %s", *out.Version, *got.FunctionArn, got.LastUpdateStatus)
		}
		if err := ready.Wait(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name, Qualifier: &want}, time.Minute); err != nil {
			t.Error(err)
		}
	}
	must(c.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: toldCode(t, "second")}))(t)
	if err := changed.Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	publish("2")
	if second := read("2"); *second.CodeSha256 == *first.CodeSha256 {
		t.Error("version 2 has the code of version 1")
	}
	must(c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &name, Timeout: aws.Int32(9)}))(t)
	publish("3")
	publish("3") // nothing has changed
	third := read("3")
	if *third.Timeout != 9 || *first.Timeout != 3 {
		t.Errorf("got timeouts %d and %d", *third.Timeout, *first.Timeout)
	}
	must(c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &name}))(t)
	for _, qualifier := range []*string{nil, aws.String("1")} {
		_, err := c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name, Qualifier: qualifier})
		if code(err) != "ResourceNotFoundException" {
			t.Errorf("deleted: got %v", err)
		}
	}
}

// aws_lambda_alias (internal/service/lambda/alias.go of the provider): create, read, update the weights, end them, read, delete.
func TestTerraformAlias(t *testing.T) {
	t.Parallel()
	c, ctx, f, name := server.as(server.root).lambda, t.Context(), newVersions(t), aws.String("blue-green_1")
	read := func() *lambda.GetAliasOutput {
		t.Helper()
		out := must(c.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &f.arn, Name: name}))(t)
		out.ResultMetadata = middleware.Metadata{}
		return out
	}
	made := must(c.CreateAlias(ctx, &lambda.CreateAliasInput{
		FunctionName: &f.arn, Name: name, FunctionVersion: aws.String("1"), Description: aws.String(""),
		RoutingConfig: &types.AliasRoutingConfiguration{},
	}))(t)
	want := &lambda.GetAliasOutput{
		AliasArn: aws.String(f.arn + ":" + *name), Name: name, Description: aws.String(""), FunctionVersion: aws.String("1"),
		RevisionId: made.RevisionId,
	}
	same(t, "alias", read(), want)
	update := func(routing *types.AliasRoutingConfiguration) *lambda.UpdateAliasOutput {
		t.Helper()
		return must(c.UpdateAlias(ctx, &lambda.UpdateAliasInput{
			FunctionName: &f.arn, Name: name, FunctionVersion: aws.String("2"), Description: aws.String("shift ü"), RoutingConfig: routing,
		}))(t)
	}
	shifted := update(&types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"1": 0.05}})
	want.FunctionVersion, want.Description, want.RevisionId = aws.String("2"), aws.String("shift ü"), shifted.RevisionId
	want.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"1": 0.05}}
	same(t, "shifting alias", read(), want)
	_, err := c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &f.name, Qualifier: aws.String("1")})
	check(t, err, failure{409, "ResourceConflictException", "Unable to delete version because the following aliases reference it: [" + *name + "]"})
	want.RevisionId, want.RoutingConfig = update(&types.AliasRoutingConfiguration{}).RevisionId, nil
	same(t, "shifted alias", read(), want)
	must(c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &f.name, Qualifier: aws.String("1")}))(t)
	must(c.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: &f.arn, Name: name}))(t)
	_, err = c.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &f.arn, Name: name})
	check(t, err, failure{404, "ResourceNotFoundException", "Cannot find alias arn: " + f.arn + ":" + *name})
}

// paginate lists with boto3 what an operation of a function has, in pages of two.
const paginate = `import json, os, sys, boto3
client = boto3.client("lambda", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
operation, key, name = sys.argv[1:4]
pages = client.get_paginator(operation).paginate(FunctionName=name, PaginationConfig={"PageSize": 2})
print(json.dumps([item[key] for page in pages for item in page[sys.argv[4]]]))
`

// The waiters of the AWS CLI, and the paginators of boto3.
func TestVersionClients(t *testing.T) {
	t.Parallel()
	c, ctx, f := server.as(server.root).lambda, t.Context(), newVersions(t)
	for _, alias := range []string{"a", "b", "c", "d", "e"} {
		must(c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &f.name, Name: &alias, FunctionVersion: aws.String("1")}))(t)
	}
	for _, args := range [][]string{
		{"function-active-v2"}, {"function-updated-v2"}, {"published-version-active", "--qualifier", "2"},
		{"published-version-active", "--qualifier", "a"}, {"function-active-v2", "--qualifier", "1"},
	} {
		args = slices.Concat([]string{"--endpoint-url", server.url, "lambda", "wait", args[0], "--function-name", f.name}, args[1:])
		if _, err := server.command(t, server.root, "/usr/bin/aws", args...); err != nil {
			t.Error(err)
		}
	}
	for _, tt := range []struct{ operation, key, list, want string }{
		{"list_versions_by_function", "Version", "Versions", `["$LATEST", "1", "2"]`},
		{"list_aliases", "Name", "Aliases", `["a", "b", "c", "d", "e"]`},
	} {
		out, err := server.command(t, server.root, "/usr/bin/python3", "-c", paginate, tt.operation, tt.key, f.name, tt.list)
		if err != nil || strings.TrimSpace(out) != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.operation, out, err, tt.want)
		}
	}
	// All versions of all functions: this one's stand together, in order.
	var versions []string
	pages := lambda.NewListFunctionsPaginator(c, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll, MaxItems: aws.Int32(3)})
	for pages.HasMorePages() {
		for _, v := range must(pages.NextPage(ctx))(t).Functions {
			if *v.FunctionName == f.name {
				versions = append(versions, *v.FunctionArn)
			}
		}
	}
	if want := []string{f.arn + ":$LATEST", f.arn + ":1", f.arn + ":2"}; !slices.Equal(versions, want) {
		t.Errorf("got %v, want %v", versions, want)
	}
	// A number is not used again by a function of the same name.
	must(c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &f.name}))(t)
	again := server.newFunction(t, echo, func(in *lambda.CreateFunctionInput) { in.FunctionName, in.Publish = &f.name, true })
	if got := must(c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &again.name, Qualifier: aws.String("3")}))(t); *got.Version != "3" {
		t.Errorf("got %s", *got.Version)
	}
	_, err := c.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &f.name, Name: aws.String("a")})
	check(t, err, failure{404, "ResourceNotFoundException", fmt.Sprintf("Cannot find alias arn: %s:a", f.arn)})
}
