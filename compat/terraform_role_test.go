package compat

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// These tests make the calls that Terraform's AWS provider makes for a resource (internal/service/iam of hashicorp/terraform-provider-aws):
// create, read back, update, read back, delete. What is read must be what was written.

// same compares what was read with what was written.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(got, want, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
		t.Errorf("%s: -got +want:\n%s", what, diff)
	}
}

// made checks id and date of something new: dates have whole seconds.
func made(t *testing.T, prefix string, id *string, date *time.Time) {
	t.Helper()
	if !strings.HasPrefix(*id, prefix) || len(*id) != 21 || strings.Trim(*id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		t.Errorf("got id %s, want %s and 17 capital letters and digits", *id, prefix)
	}
	if date.Nanosecond() != 0 || time.Since(*date).Abs() > time.Hour {
		t.Errorf("got date %v, want now, to the second", date)
	}
}

func tagsOf(pairs ...string) []types.Tag {
	tags := []types.Tag{}
	for pair := range slices.Chunk(pairs, 2) {
		tags = append(tags, types.Tag{Key: &pair[0], Value: &pair[1]})
	}
	return tags
}

// aws_iam_role with inline_policy, managed_policy_arns, permissions_boundary, force_detach_policies.
func TestTerraformRole(t *testing.T) {
	t.Parallel()
	c, ctx, name, s := server.as(server.root).iam, t.Context(), unique("Role"), aws.String
	boundary, managed := server.newPolicy(t, allow("*", "*")), server.newPolicy(t, allow("s3:*", "*"))
	trusted := s("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [" + trust(trustLambda) + "]\n}")
	tags := tagsOf("Name", "first", "team", "blue")
	created := must(c.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &name, Path: s("/tf/"), AssumeRolePolicyDocument: trusted, Description: s("made by ü"), MaxSessionDuration: aws.Int32(7200),
		PermissionsBoundary: &boundary, Tags: tags,
	}))(t).Role
	made(t, "AROA", created.RoleId, created.CreateDate)
	inline := document(allow("sqs:*", "*"))
	must(c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: s("in.line"), PolicyDocument: inline}))(t)
	must(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: &managed}))(t)

	want := &types.Role{
		Arn: s(arnPrefix + "role/tf/" + name), AssumeRolePolicyDocument: created.AssumeRolePolicyDocument, CreateDate: created.CreateDate,
		Description: s("made by ü"), MaxSessionDuration: aws.Int32(7200), Path: s("/tf/"), RoleId: created.RoleId, RoleName: &name, Tags: tags,
		PermissionsBoundary: &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: &boundary, PermissionsBoundaryType: "Policy"},
		RoleLastUsed:        &types.RoleLastUsed{},
	}
	read := func() *types.Role {
		t.Helper()
		return must(c.GetRole(ctx, &iam.GetRoleInput{RoleName: &name}))(t).Role
	}
	same(t, "role", read(), want)
	if got := decode(t, created.AssumeRolePolicyDocument); got != *trusted {
		t.Errorf("got trust policy %s, want %s", got, *trusted)
	}
	same(t, "inline policies", must(c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &name}))(t).PolicyNames, []string{"in.line"})
	policy := must(c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: s("in.line")}))(t)
	if got := decode(t, policy.PolicyDocument); got != *inline || *policy.RoleName != name || *policy.PolicyName != "in.line" {
		t.Errorf("got %s of %s: %s", *policy.PolicyName, *policy.RoleName, got)
	}
	attached := must(c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &name}))(t).AttachedPolicies
	same(t, "attached policies", attached, []types.AttachedPolicy{{PolicyArn: &managed, PolicyName: s(managed[strings.LastIndex(managed, "/")+1:])}})

	trusted = document(trust(`{"Service":"ec2.amazonaws.com"}`))
	must(c.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: trusted}))(t)
	must(c.UpdateRoleDescription(ctx, &iam.UpdateRoleDescriptionInput{RoleName: &name, Description: s("")}))(t)
	must(c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: &name, MaxSessionDuration: aws.Int32(43200)}))(t)
	must(c.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: &name}))(t)
	must(c.UntagRole(ctx, &iam.UntagRoleInput{RoleName: &name, TagKeys: []string{"team"}}))(t)
	must(c.TagRole(ctx, &iam.TagRoleInput{RoleName: &name, Tags: tagsOf("Name", "second")}))(t)
	got := read()
	if decode(t, got.AssumeRolePolicyDocument) != *trusted {
		t.Errorf("got trust policy %s, want %s", decode(t, got.AssumeRolePolicyDocument), *trusted)
	}
	want.AssumeRolePolicyDocument, want.Description, want.MaxSessionDuration = got.AssumeRolePolicyDocument, nil, aws.Int32(43200)
	want.PermissionsBoundary, want.Tags = nil, tagsOf("Name", "second")
	same(t, "updated role", got, want)

	for _, p := range must(c.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: &name}))(t).InstanceProfiles {
		t.Errorf("got instance profile %s, want none", *p.InstanceProfileName)
	}
	must(c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: &managed}))(t)
	must(c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: s("in.line")}))(t)
	must(c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name}))(t)
	_, err := c.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	check(t, err, failure{404, "NoSuchEntity", "The role with name " + name + " cannot be found."})
}

// aws_iam_instance_profile.
func TestTerraformInstanceProfile(t *testing.T) {
	t.Parallel()
	c, ctx, name, s := server.as(server.root).iam, t.Context(), unique("Profile"), aws.String
	first, second := server.newRole(t, `{"Service":"ec2.amazonaws.com"}`), server.newRole(t, `{"Service":"ec2.amazonaws.com"}`)
	created := must(c.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{
		InstanceProfileName: &name, Path: s("/tf/"), Tags: tagsOf("b", "2", "a", "1"),
	}))(t).InstanceProfile
	made(t, "AIPA", created.InstanceProfileId, created.CreateDate)
	read := func() *types.InstanceProfile {
		t.Helper()
		return must(c.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name}))(t).InstanceProfile
	}
	want := &types.InstanceProfile{
		Arn: s(arnPrefix + "instance-profile/tf/" + name), CreateDate: created.CreateDate, InstanceProfileId: created.InstanceProfileId,
		InstanceProfileName: &name, Path: s("/tf/"), Roles: []types.Role{}, Tags: tagsOf("a", "1", "b", "2"),
	}
	same(t, "instance profile", read(), want)
	for _, r := range []role{first, second} {
		must(c.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &r.name}))(t)
		got := read()
		if len(got.Roles) != 1 || *got.Roles[0].RoleName != r.name || *got.Roles[0].Arn != r.arn {
			t.Errorf("got roles %v, want %s", got.Roles, r.name)
		}
		of := must(c.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: &r.name}))(t).InstanceProfiles
		if len(of) != 1 || *of[0].InstanceProfileId != *created.InstanceProfileId {
			t.Errorf("got instance profiles %v of the role", of)
		}
		must(c.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: &name, RoleName: &r.name}))(t)
	}
	must(c.UntagInstanceProfile(ctx, &iam.UntagInstanceProfileInput{InstanceProfileName: &name, TagKeys: []string{"b"}}))(t)
	must(c.TagInstanceProfile(ctx, &iam.TagInstanceProfileInput{InstanceProfileName: &name, Tags: tagsOf("a", "3")}))(t)
	same(t, "tags", must(c.ListInstanceProfileTags(ctx, &iam.ListInstanceProfileTagsInput{InstanceProfileName: &name}))(t).Tags, tagsOf("a", "3"))
	must(c.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: &name}))(t)
	_, err := c.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
	check(t, err, failure{404, "NoSuchEntity", "Instance Profile " + name + " cannot be found."})
}

// aws_iam_service_linked_role, with a suffix so that tests do not meet.
func TestTerraformServiceLinkedRole(t *testing.T) {
	t.Parallel()
	c, ctx, suffix, s := server.as(server.root).iam, t.Context(), unique("tf"), aws.String
	created := must(c.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{
		AWSServiceName: s("autoscaling.amazonaws.com"), CustomSuffix: &suffix, Description: s("first"),
	}))(t).Role
	made(t, "AROA", created.RoleId, created.CreateDate)
	name := created.RoleName
	must(c.TagRole(ctx, &iam.TagRoleInput{RoleName: name, Tags: tagsOf("a", "1")}))(t)
	want := &types.Role{
		Arn:                      s(arnPrefix + "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_" + suffix),
		AssumeRolePolicyDocument: created.AssumeRolePolicyDocument, CreateDate: created.CreateDate, Description: s("first"),
		MaxSessionDuration: aws.Int32(3600), Path: s("/aws-service-role/autoscaling.amazonaws.com/"), RoleId: created.RoleId,
		RoleName: s("AWSServiceRoleForAutoScaling_" + suffix), RoleLastUsed: &types.RoleLastUsed{}, Tags: tagsOf("a", "1"),
	}
	read := func() *types.Role { t.Helper(); return must(c.GetRole(ctx, &iam.GetRoleInput{RoleName: name}))(t).Role }
	same(t, "role", read(), want)
	if got, want := decode(t, created.AssumeRolePolicyDocument), *document(trust(`{"Service":"autoscaling.amazonaws.com"}`)); got != want {
		t.Errorf("got trust policy %s, want %s", got, want)
	}
	must(c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: name, Description: s("second")}))(t)
	want.Description = s("second")
	same(t, "updated role", read(), want)
	_, err := c.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: s("autoscaling.amazonaws.com"), CustomSuffix: &suffix})
	check(t, err, failure{400, "InvalidInput", "Service role name " + *name + " has been taken in this account, please try a different suffix."})
	_, err = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	check(t, err, failure{400, "UnmodifiableEntity", "Cannot perform the operation on the protected role '" + *name + "' - this role is only modifiable by AWS"})

	task := must(c.DeleteServiceLinkedRole(ctx, &iam.DeleteServiceLinkedRoleInput{RoleName: name}))(t).DeletionTaskId
	status := must(c.GetServiceLinkedRoleDeletionStatus(ctx, &iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task}))(t)
	if status.Status != types.DeletionTaskStatusTypeSucceeded {
		t.Errorf("got status %s", status.Status)
	}
	_, err = c.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
	check(t, err, failure{404, "NoSuchEntity", "The role with name " + *name + " cannot be found."})
}

// Who may make service-linked roles is often held to certain services by iam:AWSServiceName.
func TestServiceLinkedRoleForOneService(t *testing.T) {
	t.Parallel()
	p, s, suffix := server.newUser(t, allow("iam:CreateServiceLinkedRole", "*", `{"StringEquals":{"iam:AWSServiceName":"lexv2.amazonaws.com"}}`)),
		aws.String, unique("x")
	_, err := p.iam.CreateServiceLinkedRole(t.Context(), &iam.CreateServiceLinkedRoleInput{AWSServiceName: s("lexv2.amazonaws.com"), CustomSuffix: &suffix})
	check(t, err, failure{})
	_, err = p.iam.CreateServiceLinkedRole(t.Context(), &iam.CreateServiceLinkedRoleInput{AWSServiceName: s("connect.amazonaws.com"), CustomSuffix: &suffix})
	check(t, err, iamDenied(p.arn, "iam:CreateServiceLinkedRole",
		arnPrefix+"role/aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect_"+suffix, "identity-based policy"))
}

// data "aws_iam_roles".
func TestTerraformRoles(t *testing.T) {
	t.Parallel()
	c, ctx, path := server.as(server.root).iam, t.Context(), "/"+unique("roles")+"/"
	var want []string
	for _, name := range []string{"b", "a", "c"} {
		name = unique(name)
		must(c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, Path: &path, AssumeRolePolicyDocument: document(trust(trustLambda))}))(t)
		want = append(want, name)
	}
	slices.Sort(want)
	var got []string
	for p := iam.NewListRolesPaginator(c, &iam.ListRolesInput{PathPrefix: &path, MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		for _, r := range must(p.NextPage(ctx))(t).Roles {
			got = append(got, *r.RoleName)
		}
	}
	same(t, "roles", got, want)
}

// A call of a session is the last use of its role.
func TestIAMRoleLastUsed(t *testing.T) {
	t.Parallel()
	c, ctx, p := server.as(server.root).iam, t.Context(), server.newUser(t)
	r := server.newRole(t, `{"AWS":"`+p.arn+`"}`)
	get := func() *types.RoleLastUsed {
		t.Helper()
		return must(c.GetRole(ctx, &iam.GetRoleInput{RoleName: &r.name}))(t).Role.RoleLastUsed
	}
	session := server.assume(t, p.clients, &sts.AssumeRoleInput{RoleArn: &r.arn})
	same(t, "before the first use", get(), &types.RoleLastUsed{})
	before := time.Now().Truncate(time.Second)
	must(session.sts.GetCallerIdentity(ctx, nil))(t)
	if u := get(); u.LastUsedDate == nil || u.LastUsedDate.Before(before) || u.LastUsedDate.Nanosecond() != 0 || aws.ToString(u.Region) != "us-east-1" {
		t.Errorf("after a call: %+v", u)
	}
}
