package compat

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// aws_iam_user with permissions_boundary and tags; destroyed as with force_destroy.
func TestTerraformUser(t *testing.T) {
	t.Parallel()
	c, ctx, name, s := server.as(server.root).iam, t.Context(), unique("User"), aws.String
	boundary, group := server.newPolicy(t, allow("*", "*")), unique("group")
	created := must(c.CreateUser(ctx, &iam.CreateUserInput{
		UserName: &name, Path: s("/tf/"), PermissionsBoundary: &boundary, Tags: tagsOf("a", "1", "b", ""),
	}))(t).User
	made(t, "AIDA", created.UserId, created.CreateDate)
	want := &types.User{
		Arn: s(arnPrefix + "user/tf/" + name), CreateDate: created.CreateDate, Path: s("/tf/"), UserId: created.UserId, UserName: &name,
		PermissionsBoundary: &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: &boundary, PermissionsBoundaryType: "Policy"},
		Tags:                tagsOf("a", "1", "b", ""),
	}
	read := func() *types.User {
		t.Helper()
		return must(c.GetUser(ctx, &iam.GetUserInput{UserName: &name}))(t).User
	}
	same(t, "created user", created, want)
	same(t, "user", read(), want)

	renamed := unique("Other")
	must(c.UpdateUser(ctx, &iam.UpdateUserInput{UserName: &name, NewUserName: &renamed, NewPath: s("/")}))(t)
	name = renamed
	must(c.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: &name}))(t)
	must(c.UntagUser(ctx, &iam.UntagUserInput{UserName: &name, TagKeys: []string{"b"}}))(t)
	must(c.TagUser(ctx, &iam.TagUserInput{UserName: &name, Tags: tagsOf("a", "2")}))(t)
	want.Arn, want.Path, want.UserName, want.PermissionsBoundary, want.Tags = s(arnPrefix+"user/"+name), s("/"), &name, nil, tagsOf("a", "2")
	same(t, "updated user", read(), want)

	must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &group}))(t)
	must(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &group, UserName: &name}))(t)
	must(c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name}))(t)
	for _, g := range must(c.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: &name}))(t).Groups {
		must(c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: g.GroupName, UserName: &name}))(t)
	}
	for _, k := range must(c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &name}))(t).AccessKeyMetadata {
		must(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{AccessKeyId: k.AccessKeyId, UserName: &name}))(t)
	}
	must(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name}))(t)
	_, err := c.GetUser(ctx, &iam.GetUserInput{UserName: &name})
	check(t, err, failure{404, "NoSuchEntity", "The user with name " + name + " cannot be found."})
}

// aws_iam_group.
func TestTerraformGroup(t *testing.T) {
	t.Parallel()
	c, ctx, name, s := server.as(server.root).iam, t.Context(), unique("Group"), aws.String
	created := must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &name, Path: s("/tf/")}))(t).Group
	made(t, "AGPA", created.GroupId, created.CreateDate)
	want := &types.Group{Arn: s(arnPrefix + "group/tf/" + name), CreateDate: created.CreateDate, GroupId: created.GroupId, GroupName: &name, Path: s("/tf/")}
	same(t, "created group", created, want)
	same(t, "group", must(c.GetGroup(ctx, &iam.GetGroupInput{GroupName: &name}))(t).Group, want)
	renamed := unique("Other")
	must(c.UpdateGroup(ctx, &iam.UpdateGroupInput{GroupName: &name, NewGroupName: &renamed, NewPath: s("/")}))(t)
	want.Arn, want.GroupName, want.Path = s(arnPrefix+"group/"+renamed), &renamed, s("/")
	same(t, "renamed group", must(c.GetGroup(ctx, &iam.GetGroupInput{GroupName: &renamed}))(t).Group, want)
	must(c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: &renamed}))(t)
	_, err := c.GetGroup(ctx, &iam.GetGroupInput{GroupName: &renamed})
	check(t, err, failure{404, "NoSuchEntity", "The group with name " + renamed + " cannot be found."})
}

// aws_iam_group_membership and aws_iam_user_group_membership: the same memberships from both sides.
func TestTerraformMembership(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).iam, t.Context()
	var users, groups []string
	for range 3 {
		user, group := unique("user"), unique("group")
		must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: &user}))(t)
		must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &group}))(t)
		users, groups = append(users, user), append(groups, group)
	}
	slices.Sort(users)
	slices.Sort(groups)
	members := func(group string) []string {
		t.Helper()
		names := []string{}
		for p := iam.NewGetGroupPaginator(c, &iam.GetGroupInput{GroupName: &group, MaxItems: aws.Int32(2)}); p.HasMorePages(); {
			for _, u := range must(p.NextPage(ctx))(t).Users {
				names = append(names, *u.UserName)
			}
		}
		return names
	}
	memberships := func(user string) []string {
		t.Helper()
		names := []string{}
		for p := iam.NewListGroupsForUserPaginator(c, &iam.ListGroupsForUserInput{UserName: &user, MaxItems: aws.Int32(2)}); p.HasMorePages(); {
			for _, g := range must(p.NextPage(ctx))(t).Groups {
				names = append(names, *g.GroupName)
			}
		}
		return names
	}
	add := func(user, group string) {
		t.Helper()
		must(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &group, UserName: &user}))(t)
	}
	for _, user := range users {
		add(user, groups[0])
	}
	for _, group := range groups[1:] {
		add(users[0], group)
	}
	same(t, "members", members(groups[0]), users)
	same(t, "memberships", memberships(users[0]), groups)
	must(c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: &groups[0], UserName: &users[0]}))(t)
	same(t, "members that are left", members(groups[0]), users[1:])
	same(t, "memberships that are left", memberships(users[0]), groups[1:])
	for _, group := range groups[1:] {
		must(c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: &group, UserName: &users[0]}))(t)
	}
	same(t, "no memberships", memberships(users[0]), []string{})
}
