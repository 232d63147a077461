package compat

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"
)

// AddPermission, GetPolicy and RemovePermission in AWS's words.
func TestFunctionPolicy(t *testing.T) {
	t.Parallel()
	c, ctx, f, user := server.as(server.root).lambda, t.Context(), server.newFunction(t, echo), server.newUser(t)
	missing := failure{404, "ResourceNotFoundException", "The resource you requested does not exist."}
	getPolicy := func() (*lambda.GetPolicyOutput, error) {
		return c.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &f.name})
	}
	_, err := getPolicy()
	check(t, err, missing)
	s := aws.String
	adds := []struct {
		in   lambda.AddPermissionInput
		want string
	}{
		{
			lambda.AddPermissionInput{StatementId: s("s3"), Action: s("lambda:InvokeFunction"), Principal: s("s3.amazonaws.com"),
				SourceArn: s("arn:aws:s3:::b"), SourceAccount: s("123456789012")},
			`{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + f.arn + `","Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}`,
		},
		{
			lambda.AddPermissionInput{StatementId: s("account"), Action: s("lambda:*"), Principal: s("123456789012")},
			`{"Sid":"account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"lambda:*","Resource":"` + f.arn + `"}`,
		},
		{
			lambda.AddPermissionInput{StatementId: s("user"), Action: s("lambda:GetFunction"), Principal: &user.arn},
			`{"Sid":"user","Effect":"Allow","Principal":{"AWS":"` + user.arn + `"},"Action":"lambda:GetFunction","Resource":"` + f.arn + `"}`,
		},
		{
			lambda.AddPermissionInput{StatementId: s("org"), Action: s("lambda:InvokeFunction"), Principal: s("*"),
				PrincipalOrgID: s("o-abcdefghij")},
			`{"Sid":"org","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + f.arn + `","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}}`,
		},
	}
	var statements []string
	for _, a := range adds {
		a.in.FunctionName = &f.name
		out := must(c.AddPermission(ctx, &a.in))(t)
		if diff := cmp.Diff(*out.Statement, a.want); diff != "" {
			t.Errorf("AddPermission %s: -got +want:\n%s", *a.in.StatementId, diff)
		}
		statements = append(statements, a.want)
	}
	policy := must(getPolicy())(t)
	if diff := cmp.Diff(*policy.Policy, `{"Version":"2012-10-17","Id":"default","Statement":[`+strings.Join(statements,
		",")+`]}`); diff != "" {
		t.Errorf("GetPolicy: -got +want:\n%s", diff)
	}

	add := func(change func(*lambda.AddPermissionInput)) error {
		in := &lambda.AddPermissionInput{FunctionName: &f.name, StatementId: s("new"), Action: s("lambda:InvokeFunction"),
			Principal: s("s3.amazonaws.com")}
		change(in)
		_, err := c.AddPermission(ctx, in)
		return err
	}
	check(t, add(func(in *lambda.AddPermissionInput) { in.StatementId = s("s3") }), failure{409, "ResourceConflictException",
		"The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement."})
	check(t, add(func(in *lambda.AddPermissionInput) { in.StatementId = s("example.com") }), failure{400, "ValidationException",
		"1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"})
	check(t, add(func(in *lambda.AddPermissionInput) {
		in.Principal = s("arn:aws:iam::" + account + ":user/" + unique("none"))
	}),
		failure{400, "InvalidParameterValueException", "The provided principal was invalid. Please check the principal and try again."})
	check(t, add(func(in *lambda.AddPermissionInput) { in.Qualifier = s("$LATEST") }),
		failure{400, "InvalidParameterValueException", "We currently do not support adding policies for $LATEST."})
	check(t, add(func(in *lambda.AddPermissionInput) { in.Qualifier = s("live") }),
		failure{404, "ResourceNotFoundException", "Cannot find alias arn: " + f.arn + ":live"})
	check(t, add(func(in *lambda.AddPermissionInput) { in.Qualifier = s("42") }), failure{404, "ResourceNotFoundException",
		"Function not found: " + f.arn + ":42"})
	check(t, add(func(in *lambda.AddPermissionInput) { in.RevisionId = s("00000000-0000-0000-0000-000000000000") }),
		failure{412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id"})

	remove := func(sid string) error {
		_, err := c.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &f.name, StatementId: &sid})
		return err
	}
	check(t, remove("none"), failure{404, "ResourceNotFoundException", "Statement none is not found in resource policy."})
	for _, a := range adds {
		check(t, remove(*a.in.StatementId), failure{})
	}
	_, err = getPolicy()
	check(t, err, missing)
	check(t, remove("s3"), failure{404, "ResourceNotFoundException", "No policy is associated with the given resource."})
}
