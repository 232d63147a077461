package compat

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// What Terraform calls for aws_iam_access_key: create, read (list), set the status, read, delete.
func TestTerraformAccessKey(t *testing.T) {
	t.Parallel()
	c, ctx, name := server.as(server.root).iam, t.Context(), unique("user")
	must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))(t)
	key := must(c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name}))(t).AccessKey
	read := func(want types.StatusType) {
		t.Helper()
		list := must(c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &name}))(t).AccessKeyMetadata
		if len(list) != 1 || *list[0].AccessKeyId != *key.AccessKeyId || !list[0].CreateDate.Equal(*key.CreateDate) ||
			*list[0].UserName != name || list[0].Status != want {
			t.Errorf("got %+v, want the key, %s", list, want)
		}
	}
	read(types.StatusTypeActive)
	must(c.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
		UserName: &name, AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive,
	}))(t)
	read(types.StatusTypeInactive)
	must(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: key.AccessKeyId}))(t)
	must(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name}))(t)
}

func TestAccessKeyLastUsed(t *testing.T) {
	t.Parallel()
	c, ctx, p := server.as(server.root).iam, t.Context(), server.newUser(t)
	get := func() *iam.GetAccessKeyLastUsedOutput {
		t.Helper()
		return must(c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &p.credentials.AccessKeyID}))(t)
	}
	out := get()
	if u := out.AccessKeyLastUsed; u.LastUsedDate != nil || *u.Region != "N/A" || *u.ServiceName != "N/A" || *out.UserName != p.name {
		t.Errorf("before the first use: %+v", u)
	}
	before := time.Now().Truncate(time.Minute)
	must(p.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))(t)
	if u := get().AccessKeyLastUsed; u.LastUsedDate == nil || u.LastUsedDate.Before(before) || *u.ServiceName != "sts" {
		t.Errorf("after a call of STS: %+v", u)
	}
	_, err := p.lambda.ListFunctions(ctx, &lambda.ListFunctionsInput{})
	if err == nil {
		t.Error("the user may list functions")
	}
	if u := get().AccessKeyLastUsed; *u.ServiceName != "lambda" || *u.Region != "us-east-1" {
		t.Errorf("after a denied call: %+v", u)
	}
	_, err = c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: aws.String("AKIAIOSFODNN7EXAMPLE")})
	check(t, err, failure{403, "AccessDenied", "User: " + arnPrefix + "root is not authorized to perform " +
		"iam:GetAccessKeyLastUsed on resource: access key AKIAIOSFODNN7EXAMPLE"})
	_, err = p.iam.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &p.credentials.AccessKeyID})
	check(t, err, failure{403, "AccessDenied", "User: " + p.arn + " is not authorized to perform: iam:GetAccessKeyLastUsed on resource: " +
		p.arn + " because no identity-based policy allows the iam:GetAccessKeyLastUsed action"})
}

// A use is there after the server was started anew.
func TestAccessKeyLastUsedOutlivesTheServer(t *testing.T) {
	t.Parallel()
	l := newServer(t)
	p := l.newUser(t)
	must(p.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))(t)
	l.end(t)
	l.start(t)
	used := must(l.as(l.root).iam.GetAccessKeyLastUsed(t.Context(), &iam.GetAccessKeyLastUsedInput{
		AccessKeyId: &p.credentials.AccessKeyID,
	}))(t).AccessKeyLastUsed
	if used.LastUsedDate == nil || *used.ServiceName != "sts" {
		t.Errorf("got %+v", used)
	}
}
