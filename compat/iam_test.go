package compat

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

// must stops the test on an error. It gives the value of a call that has one.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestIAMUserLife(t *testing.T) {
	t.Parallel()
	c, ctx, name := server.as(server.root).iam, t.Context(), unique("Alice")
	user := must(c.CreateUser(ctx, &iam.CreateUserInput{
		UserName: &name, Path: aws.String("/team/"), Tags: []types.Tag{{Key: aws.String("stage"), Value: aws.String("test")}},
	}))(t).User
	if got, want := *user.Arn, arnPrefix+"user/team/"+name; got != want {
		t.Errorf("got ARN %s, want %s", got, want)
	}
	if !strings.HasPrefix(*user.UserId, "AIDA") || user.CreateDate.IsZero() {
		t.Errorf("got id %s, created %v", *user.UserId, user.CreateDate)
	}
	got := must(c.GetUser(ctx, &iam.GetUserInput{UserName: &name}))(t).User
	if diff := cmp.Diff(*got, *user, cmp.AllowUnexported(types.User{}, types.Tag{})); diff != "" {
		t.Errorf("GetUser against CreateUser: -got +want:\n%s", diff)
	}

	renamed := unique("alicia")
	must(c.UpdateUser(ctx, &iam.UpdateUserInput{UserName: &name, NewUserName: &renamed, NewPath: aws.String("/")}))(t)
	got = must(c.GetUser(ctx, &iam.GetUserInput{UserName: &renamed}))(t).User
	if *got.UserId != *user.UserId || *got.Arn != arnPrefix+"user/"+renamed {
		t.Errorf("got %s with id %s, want the same user under its new name", *got.Arn, *got.UserId)
	}
	_, err := c.GetUser(ctx, &iam.GetUserInput{UserName: &name})
	check(t, err, failure{404, "NoSuchEntity", "The user with name " + name + " cannot be found."})

	must(c.TagUser(ctx, &iam.TagUserInput{UserName: &renamed, Tags: []types.Tag{
		{Key: aws.String("stage"), Value: aws.String("production")}, {Key: aws.String("team"), Value: aws.String("red")},
	}}))(t)
	must(c.UntagUser(ctx, &iam.UntagUserInput{UserName: &renamed, TagKeys: []string{"team"}}))(t)
	tags := must(c.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: &renamed}))(t).Tags
	if len(tags) != 1 || *tags[0].Key != "stage" || *tags[0].Value != "production" {
		t.Errorf("got tags %v", tags)
	}
	must(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &renamed}))(t)
	_, err = c.GetUser(ctx, &iam.GetUserInput{UserName: &renamed})
	check(t, err, failure{404, "NoSuchEntity", "The user with name " + renamed + " cannot be found."})
}

// A user with anything left is not deleted; each answer names what must go first.
func TestIAMDeleteConflicts(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).iam, t.Context()
	p, group, managed := server.newUser(t, allow("lambda:*", "*")), unique("group"), server.newPolicy(t, allow("s3:*", "*"))
	must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &group}))(t)
	must(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &group, UserName: &p.name}))(t)
	must(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &p.name, PolicyArn: &managed}))(t)

	deleteUser := func() error {
		_, err := c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &p.name})
		return err
	}
	conflict := func(text string) failure { return failure{409, "DeleteConflict", text} }
	check(t, deleteUser(), conflict("Cannot delete entity, must remove users from group first."))
	_, err := c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: &group})
	check(t, err, conflict("Cannot delete entity, must remove users from group first."))
	must(c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: &group, UserName: &p.name}))(t)
	check(t, deleteUser(), conflict("Cannot delete entity, must delete access keys first."))
	must(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &p.name, AccessKeyId: &p.credentials.AccessKeyID}))(t)
	check(t, deleteUser(), conflict("Cannot delete entity, must detach all policies first."))
	_, err = c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &managed})
	check(t, err, conflict("Cannot delete a policy attached to entities."))
	must(c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: &p.name, PolicyArn: &managed}))(t)
	check(t, deleteUser(), conflict("Cannot delete entity, must delete policies first."))
	must(c.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &p.name, PolicyName: aws.String("own")}))(t)
	check(t, deleteUser(), failure{})
	_, err = c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &managed})
	check(t, err, failure{})
	_, err = c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: &group})
	check(t, err, failure{})
}

func TestIAMGroupLife(t *testing.T) {
	t.Parallel()
	c, ctx, name := server.as(server.root).iam, t.Context(), unique("group")
	must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &name, Path: aws.String("/g/")}))(t)
	p, q := server.newUser(t), server.newUser(t)
	for _, u := range []person{p, q, p} { // twice is once
		must(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &name, UserName: &u.name}))(t)
	}
	var members []string
	for _, u := range must(c.GetGroup(ctx, &iam.GetGroupInput{GroupName: &name}))(t).Users {
		members = append(members, *u.UserName)
	}
	want := []string{p.name, q.name}
	slices.Sort(want)
	slices.Sort(members)
	if diff := cmp.Diff(members, want); diff != "" {
		t.Errorf("members: -got +want:\n%s", diff)
	}
	groups := must(c.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: &p.name}))(t).Groups
	if len(groups) != 1 || *groups[0].Arn != arnPrefix+"group/g/"+name {
		t.Errorf("got groups %v", groups)
	}
	must(c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{
		GroupName: &name, PolicyName: aws.String("in"), PolicyDocument: document(allow("s3:*", "*")),
	}))(t)
	names := must(c.ListGroupPolicies(ctx, &iam.ListGroupPoliciesInput{GroupName: &name}))(t).PolicyNames
	if diff := cmp.Diff(names, []string{"in"}); diff != "" {
		t.Errorf("policies: -got +want:\n%s", diff)
	}
}

func TestIAMRoleLife(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).iam, t.Context()
	user, name := server.newUser(t), unique("role")
	direct := document(trust(`{"AWS":"` + user.arn + `"}`))
	r := must(c.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &name, Path: aws.String("/service/"), AssumeRolePolicyDocument: direct, Description: aws.String("does things"),
		MaxSessionDuration: aws.Int32(7200),
	}))(t).Role
	if *r.Arn != arnPrefix+"role/service/"+name || !strings.HasPrefix(*r.RoleId, "AROA") {
		t.Errorf("got %s with id %s", *r.Arn, *r.RoleId)
	}
	r = must(c.GetRole(ctx, &iam.GetRoleInput{RoleName: &name}))(t).Role
	if *r.Description != "does things" || *r.MaxSessionDuration != 7200 || decode(t, r.AssumeRolePolicyDocument) != *direct {
		t.Errorf("got %q for %d s with %s", *r.Description, *r.MaxSessionDuration, *r.AssumeRolePolicyDocument)
	}
	must(c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: &name, Description: aws.String("does more"),
		MaxSessionDuration: aws.Int32(3600)}))(t)
	must(c.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name,
		PolicyDocument: document(trust(trustLambda))}))(t)
	r = must(c.GetRole(ctx, &iam.GetRoleInput{RoleName: &name}))(t).Role
	if *r.Description != "does more" || *r.MaxSessionDuration != 3600 || decode(t,
		r.AssumeRolePolicyDocument) != *document(trust(trustLambda)) {
		t.Errorf("got %q for %d s with %s", *r.Description, *r.MaxSessionDuration, *r.AssumeRolePolicyDocument)
	}
	must(c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name}))(t)
	_, err := c.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	check(t, err, failure{404, "NoSuchEntity", "The role with name " + name + " cannot be found."})
}

// decode reads a document as IAM answers it: percent-encoded.
func decode(t *testing.T, text *string) string {
	t.Helper()
	plain, err := url.QueryUnescape(aws.ToString(text))
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// A trust policy keeps the user, not the name: one who is deleted shows as an id, and a new user of that name is not trusted.
func TestIAMTrustOutlivesNobody(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).iam, t.Context()
	name := unique("gone")
	user := must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))(t).User
	r := server.newRole(t, `{"AWS":"`+*user.Arn+`"}`)
	must(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name}))(t)
	must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))(t)
	got := must(c.GetRole(ctx, &iam.GetRoleInput{RoleName: &r.name}))(t).Role.AssumeRolePolicyDocument
	if want := *document(trust(`{"AWS":"` + *user.UserId + `"}`)); decode(t, got) != want {
		t.Errorf("got %s, want %s", decode(t, got), want)
	}
}

func TestIAMAccessKeys(t *testing.T) {
	t.Parallel()
	user := server.newUser(t, allow("iam:*AccessKey*", "arn:aws:iam::*:user/${aws:username}"))
	ctx := t.Context()
	second := must(user.iam.CreateAccessKey(ctx, nil))(t).AccessKey // for the caller
	if *second.UserName != user.name || !strings.HasPrefix(*second.AccessKeyId, "AKIA") || len(*second.SecretAccessKey) != 40 {
		t.Errorf("got key %s of %s", *second.AccessKeyId, *second.UserName)
	}
	_, err := user.iam.CreateAccessKey(ctx, nil)
	check(t, err, failure{409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"})
	keys := must(user.iam.ListAccessKeys(ctx, nil))(t).AccessKeyMetadata
	if len(keys) != 2 {
		t.Errorf("got %d keys, want 2", len(keys))
	}
	must(user.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{AccessKeyId: second.AccessKeyId}))(t)
	_, err = server.as(aws.Credentials{AccessKeyID: *second.AccessKeyId,
		SecretAccessKey: *second.SecretAccessKey}).sts.GetCallerIdentity(ctx, nil)
	check(t, err, failure{403, "InvalidClientTokenId", "The security token included in the request is invalid."})
	other := server.newUser(t)
	_, err = user.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &other.name})
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(user.arn, "iam:ListAccessKeys", byName(other.arn), "identity-based policy")})
}

func TestIAMPolicyVersions(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).iam, t.Context()
	arn := server.newPolicy(t, allow("s3:GetObject", "*"))
	for i := range 4 {
		must(c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
			PolicyArn: &arn, PolicyDocument: document(allow(fmt.Sprint("s3:Get", i), "*")), SetAsDefault: i == 1,
		}))(t)
	}
	_, err := c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: document(allow("s3:*", "*"))})
	check(t, err, failure{409, "LimitExceeded", "A managed policy can have up to 5 versions. " +
		"Before you create a new version, you must delete an existing version."})
	var got []string
	for _, v := range must(c.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: &arn}))(t).Versions {
		got = append(got, fmt.Sprint(*v.VersionId, " ", v.IsDefaultVersion))
	}
	if diff := cmp.Diff(got, []string{"v5 false", "v4 false", "v3 true", "v2 false", "v1 false"}); diff != "" {
		t.Errorf("versions: -got +want:\n%s", diff)
	}
	_, err = c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: aws.String("v3")})
	check(t, err, failure{409, "DeleteConflict", "Cannot delete the default version of a policy."})
	must(c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: aws.String("v1")}))(t)
	must(c.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: aws.String("v5")}))(t)
	v := must(c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: aws.String("v5")}))(t).PolicyVersion
	if !v.IsDefaultVersion || decode(t, v.Document) != *document(allow("s3:Get3", "*")) {
		t.Errorf("got default %v, %s", v.IsDefaultVersion, *v.Document)
	}
	// A number is never used again.
	v = must(c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: document(allow("s3:*",
		"*"))}))(t).PolicyVersion
	if *v.VersionId != "v6" {
		t.Errorf("got version %s, want v6", *v.VersionId)
	}
}

func TestIAMBoundary(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).iam, t.Context()
	user, boundary := server.newUser(t), server.newPolicy(t, allow("s3:*", "*"))
	must(c.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: &user.name,
		PermissionsBoundary: &boundary}))(t)
	got := must(c.GetUser(ctx, &iam.GetUserInput{UserName: &user.name}))(t).User.PermissionsBoundary
	if got == nil || *got.PermissionsBoundaryArn != boundary || got.PermissionsBoundaryType != "Policy" {
		t.Errorf("got boundary %v", got)
	}
	_, err := c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &boundary})
	check(t, err, failure{409, "DeleteConflict", "Cannot delete a policy attached to entities."})
	must(c.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: &user.name}))(t)
	if got := must(c.GetUser(ctx, &iam.GetUserInput{UserName: &user.name}))(t).User.PermissionsBoundary; got != nil {
		t.Errorf("got boundary %v, want none", got)
	}
}

// Pages of two users, by hand and by the SDK's paginator, while other tests make users under other paths.
func TestIAMPages(t *testing.T) {
	t.Parallel()
	c, ctx, path := server.as(server.root).iam, t.Context(), "/"+unique("pages")+"/"
	var want []string
	for i := range 5 {
		name := unique(fmt.Sprint("page", i))
		must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: &name, Path: &path}))(t)
		want = append(want, name)
	}
	first := must(c.ListUsers(ctx, &iam.ListUsersInput{PathPrefix: &path, MaxItems: aws.Int32(2)}))(t)
	if len(first.Users) != 2 || !first.IsTruncated || aws.ToString(first.Marker) == "" {
		t.Errorf("got %d users, truncated %v, marker %q", len(first.Users), first.IsTruncated, aws.ToString(first.Marker))
	}
	var got []string
	pages := 0
	for p := iam.NewListUsersPaginator(c, &iam.ListUsersInput{PathPrefix: &path, MaxItems: aws.Int32(2)}); p.HasMorePages(); pages++ {
		for _, u := range must(p.NextPage(ctx))(t).Users {
			got = append(got, *u.UserName)
		}
	}
	if diff := cmp.Diff(got, want); diff != "" || pages != 3 {
		t.Errorf("%d pages: -got +want:\n%s", pages, diff)
	}
	_, err := c.ListUsers(ctx, &iam.ListUsersInput{Marker: aws.String("?")})
	check(t, err, failure{400, "ValidationError", "Invalid Marker."})
}

// A document comes back as it was written, with its spaces and its order, in each place where one can be.
func TestIAMDocumentsComeBack(t *testing.T) {
	t.Parallel()
	c, ctx, user := server.as(server.root).iam, t.Context(), server.newUser(t)
	text := "{ \"Statement\" : [\n\t{\"Resource\":\"arn:aws:s3:::a+b%20c/ü*\",\r\n \"Action\":[\"s3:Get*\"], \"Effect\":\"Allow\", \"Sid\":\"X1\"} ],\n" +
		"\"Version\":\"2012-10-17\" }"
	must(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &user.name, PolicyName: aws.String("p+q"), PolicyDocument: &text}))(t)
	inline := must(c.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: &user.name,
		PolicyName: aws.String("p+q")}))(t).PolicyDocument
	managed := must(c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String(unique("policy")),
		PolicyDocument: &text}))(t).Policy.Arn
	version := must(c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: managed,
		VersionId: aws.String("v1")}))(t).PolicyVersion.Document
	for place, got := range map[string]*string{"inline policy": inline, "policy version": version} {
		if diff := cmp.Diff(decode(t, got), text); diff != "" {
			t.Errorf("%s: -got +want:\n%s", place, diff)
		}
	}
	// boto3 decodes documents itself, and gives objects.
	out, err := server.command(t, server.root, "/usr/bin/python3", "-c", `import boto3, os, sys, json
iam = boto3.client("iam", endpoint_url=os.environ["AWS_ENDPOINT_URL"], aws_session_token=None)
print(json.dumps(iam.get_user_policy(UserName=sys.argv[1], PolicyName="p+q")["PolicyDocument"], ensure_ascii=False))`, user.name)
	want := `{"Statement": [{"Resource": "arn:aws:s3:::a+b%20c/ü*", "Action": ["s3:Get*"], "Effect": "Allow", "Sid": "X1"}], "Version": "2012-10-17"}`
	if err != nil || strings.TrimSpace(out) != want {
		t.Errorf("boto3: got %s, %v, want %s", out, err, want)
	}
}

// AWS's own managed policies are there, can be attached and allow; they cannot be changed.
func TestIAMManagedByAWS(t *testing.T) {
	t.Parallel()
	c, ctx, user := server.as(server.root).iam, t.Context(), server.newUser(t)
	for _, arn := range []string{
		"arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
		"arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/IAMFullAccess",
	} {
		p := must(c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn}))(t).Policy
		v := must(c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: p.DefaultVersionId}))(t).PolicyVersion
		if !strings.Contains(decode(t, v.Document), `"2012-10-17"`) {
			t.Errorf("%s: got %s", arn, decode(t, v.Document))
		}
		_, err := c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &arn})
		if f := failureOf(err); f.Status != 403 || f.Code != "AccessDenied" {
			t.Errorf("delete %s: got %+v", arn, f)
		}
	}
	_, err := user.lambda.ListFunctions(ctx, nil)
	check(t, err, lambdaDenied(user.arn, "lambda:ListFunctions", "*", "identity-based policy"))
	readOnly := aws.String("arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess")
	must(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &user.name, PolicyArn: readOnly}))(t)
	_, err = user.lambda.ListFunctions(ctx, nil)
	check(t, err, failure{})
	must(c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: &user.name, PolicyArn: readOnly}))(t)
	_, err = user.lambda.ListFunctions(ctx, nil)
	check(t, err, lambdaDenied(user.arn, "lambda:ListFunctions", "*", "identity-based policy"))
}

// Of many who make the same user at the same time, one succeeds.
func TestIAMOneNameOnce(t *testing.T) {
	t.Parallel()
	c, name, codes := server.as(server.root).iam, unique("race"), make(chan string)
	const n = 8
	for range n {
		go func() {
			_, err := c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name})
			codes <- code(err)
		}()
	}
	got := map[string]int{}
	for range n {
		got[<-codes]++
	}
	if diff := cmp.Diff(got, map[string]int{"no error": 1, "EntityAlreadyExists": n - 1}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
