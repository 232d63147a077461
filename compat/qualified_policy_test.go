package compat

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// newQualified makes a function with version 1 and the alias "live" for it.
func newQualified(t *testing.T) function {
	t.Helper()
	c, f := server.as(server.root).lambda, server.newFunction(t, echo)
	must(c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: &f.name}))(t)
	must(c.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: &f.name, Name: aws.String("live"), FunctionVersion: aws.String("1")}))(t)
	return f
}

// A grant is for the ARN that it was made for: not for the versions and aliases of a function, nor for the version behind an alias
// (lambda.md 1.4).
func TestDecisionQualifiedPolicies(t *testing.T) {
	t.Parallel()
	f, root, ctx := newQualified(t), server.as(server.root), t.Context()
	const action = "lambda:GetFunction"
	names := []string{f.arn, f.arn + ":1", f.arn + ":live", f.arn + ":$LATEST"}
	granted := func(when string, p person, want ...string) {
		t.Helper()
		for _, name := range names {
			expected := lambdaDenied(p.arn, action, name, "identity-based policy")
			for _, w := range want {
				if w == name {
					expected = failure{}
				}
			}
			if got := failureOf(p.getFunction(t, name)); got != expected {
				t.Errorf("%s: %s: got %+v, want %+v", when, name, got, expected)
			}
		}
	}
	for _, qualifier := range []string{"", "1", "live"} {
		p := server.newUser(t)
		name, q := f.arn, aws.String(qualifier)
		if qualifier == "" {
			q = nil
		} else {
			name += ":" + qualifier
		}
		in := &lambda.AddPermissionInput{FunctionName: &f.name, Qualifier: q, StatementId: &p.name, Action: aws.String(action), Principal: &p.arn}
		must(root.lambda.AddPermission(ctx, in))(t)
		granted("AddPermission of "+name, p, name)
		must(root.lambda.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &name, StatementId: &p.name}))(t)
		granted("RemovePermission of "+name, p)

		must(root.putPolicy(t, name, grants("Allow", `{"AWS":"`+p.arn+`"}`, f.arn+"*", `"Action":"`+action+`"`)))(t)
		if qualifier == "" { // its Resource decides
			granted("PutResourcePolicy of "+name, p, names...)
		} else {
			granted("PutResourcePolicy of "+name, p, name)
		}
		must(root.lambda.DeleteResourcePolicy(ctx, &lambda.DeleteResourcePolicyInput{ResourceArn: &name}))(t)
		granted("DeleteResourcePolicy of "+name, p)
	}

	// What an alias grants, its function's whole policy denies.
	p := server.newUser(t)
	must(root.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: &f.name, Qualifier: aws.String("live"), StatementId: aws.String("s"), Action: aws.String(action), Principal: &p.arn,
	}))(t)
	must(root.putPolicy(t, f.arn, grants("Deny", `{"AWS":"`+p.arn+`"}`, f.arn+":1", `"Action":"`+action+`"`)))(t)
	check(t, p.getFunction(t, f.arn+":live"), failure{}) // the ARN as requested counts
	must(root.putPolicy(t, f.arn, grants("Deny", `{"AWS":"`+p.arn+`"}`, f.arn+":*", `"Action":"`+action+`"`)))(t)
	check(t, p.getFunction(t, f.arn+":live"), byResourcePolicy(p.arn, action, f.arn+":live"))
	must(root.lambda.DeleteResourcePolicy(ctx, &lambda.DeleteResourcePolicyInput{ResourceArn: &f.arn}))(t)
	check(t, p.getFunction(t, f.arn+":live"), failure{})

	// An alias that is made again under its name inherits neither the policy nor the URL.
	must(root.lambda.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{
		FunctionName: &f.name, Qualifier: aws.String("live"), AuthType: types.FunctionUrlAuthTypeAwsIam,
	}))(t)
	must(root.lambda.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: &f.name, Name: aws.String("live")}))(t)
	must(root.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &f.name, Name: aws.String("live"), FunctionVersion: aws.String("1")}))(t)
	granted("an alias that was made again", p)
	missing := failure{404, "ResourceNotFoundException", "The resource you requested does not exist."}
	_, err := root.lambda.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: &f.name, Qualifier: aws.String("live")})
	check(t, err, missing)
	_, err = root.lambda.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &f.name, Qualifier: aws.String("live")})
	check(t, err, missing)
}

// aws_lambda_permission and aws_lambda_function_url with a qualifier.
func TestTerraformQualifiedPermission(t *testing.T) {
	t.Parallel()
	c, ctx, f, s := server.as(server.root), t.Context(), newQualified(t), aws.String
	for _, qualifier := range []string{"live", "1"} {
		must(c.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
			FunctionName: &f.name, Qualifier: &qualifier, StatementId: s("AllowFromEvents"), Action: s("lambda:InvokeFunction"),
			Principal: s("events.amazonaws.com"), SourceArn: s("arn:aws:events:us-east-1:" + account + ":rule/r"),
		}))(t)
		same(t, qualifier, c.terraformPermission(t, f.name, &qualifier, "AllowFromEvents"), &terraformStatement{
			Sid: "AllowFromEvents", Action: "lambda:InvokeFunction", Resource: f.arn + ":" + qualifier,
			Principal: map[string]any{"Service": "events.amazonaws.com"},
			Condition: map[string]map[string]string{"ArnLike": {"AWS:SourceArn": "arn:aws:events:us-east-1:" + account + ":rule/r"}},
		})
	}
	for _, qualifier := range []string{"live", "1"} {
		must(c.lambda.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &f.name, Qualifier: &qualifier, StatementId: s("AllowFromEvents")}))(t)
		if got := c.terraformPermission(t, f.name, &qualifier, "AllowFromEvents"); got != nil {
			t.Errorf("got %+v", got)
		}
	}
	created := must(c.lambda.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{
		FunctionName: &f.name, Qualifier: s("live"), AuthType: types.FunctionUrlAuthTypeAwsIam,
	}))(t)
	read := must(c.lambda.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: &f.name, Qualifier: s("live")}))(t)
	same(t, "URL", []string{*read.FunctionArn, *read.FunctionUrl}, []string{f.arn + ":live", *created.FunctionUrl})
	must(c.lambda.DeleteFunctionUrlConfig(ctx, &lambda.DeleteFunctionUrlConfigInput{FunctionName: &f.name, Qualifier: s("live")}))(t)
	_, err := c.lambda.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: &f.name, Qualifier: s("live")})
	check(t, err, failure{404, "ResourceNotFoundException", "The resource you requested does not exist."})
}
