package iam

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/service"
)

var profileTypes = cmpopts.IgnoreUnexported(types.InstanceProfile{}, types.Role{}, types.Tag{})

// The shapes are recorded: GetInstanceProfile has Tags even when there are none, CreateInstanceProfile only those given, lists none.
func TestInstanceProfile(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.role("r", trustEC2)
	created := must[sdk.CreateInstanceProfileOutput](w, &sdk.CreateInstanceProfileInput{InstanceProfileName: s("P"), Path: s("/x/")}).InstanceProfile
	want := &types.InstanceProfile{
		Arn: s("arn:aws:iam::111122223333:instance-profile/x/P"), CreateDate: aws.Time(w.now.Truncate(1e9)), Path: s("/x/"),
		InstanceProfileId: created.InstanceProfileId, InstanceProfileName: s("P"), Roles: []types.Role{},
	}
	if diff := cmp.Diff(created, want, profileTypes); diff != "" {
		t.Errorf("CreateInstanceProfile (-got +want):\n%s", diff)
	}
	if id := *created.InstanceProfileId; len(id) != 21 || id[:4] != "AIPA" {
		t.Errorf("got id %s", id)
	}

	must[sdk.AddRoleToInstanceProfileOutput](w, &sdk.AddRoleToInstanceProfileInput{InstanceProfileName: s("P"), RoleName: s("r")})
	role := must[sdk.GetRoleOutput](w, &sdk.GetRoleInput{RoleName: s("r")}).Role
	role.MaxSessionDuration, role.RoleLastUsed = nil, nil
	want.Roles = []types.Role{*role}
	for name, got := range map[string][]types.InstanceProfile{
		"ListInstanceProfiles":        must[sdk.ListInstanceProfilesOutput](w, &sdk.ListInstanceProfilesInput{PathPrefix: s("/x/")}).InstanceProfiles,
		"ListInstanceProfilesForRole": must[sdk.ListInstanceProfilesForRoleOutput](w, &sdk.ListInstanceProfilesForRoleInput{RoleName: s("r")}).InstanceProfiles,
	} {
		if diff := cmp.Diff(got, []types.InstanceProfile{*want}, profileTypes); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
	}
	want.Tags = []types.Tag{}
	got := must[sdk.GetInstanceProfileOutput](w, &sdk.GetInstanceProfileInput{InstanceProfileName: s("P")}).InstanceProfile
	if diff := cmp.Diff(got, want, profileTypes); diff != "" {
		t.Errorf("GetInstanceProfile (-got +want):\n%s", diff)
	}

	must[sdk.RemoveRoleFromInstanceProfileOutput](w, &sdk.RemoveRoleFromInstanceProfileInput{InstanceProfileName: s("P"), RoleName: s("r")})
	must[sdk.DeleteRoleOutput](w, &sdk.DeleteRoleInput{RoleName: s("r")})
	must[sdk.DeleteInstanceProfileOutput](w, &sdk.DeleteInstanceProfileInput{InstanceProfileName: s("P")})
	if n := len(must[sdk.ListInstanceProfilesOutput](w, &sdk.ListInstanceProfilesInput{}).InstanceProfiles); n != 0 {
		t.Errorf("got %d instance profiles, want none", n)
	}
}

func TestInstanceProfileErrors(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.role("r", trustEC2)
	w.role("other", trustEC2)
	for _, name := range []string{"p", "empty"} {
		must[sdk.CreateInstanceProfileOutput](w, &sdk.CreateInstanceProfileInput{InstanceProfileName: &name})
	}
	must[sdk.AddRoleToInstanceProfileOutput](w, &sdk.AddRoleToInstanceProfileInput{InstanceProfileName: s("p"), RoleName: s("r")})
	quota, conflict := "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
		"Cannot delete entity, must remove roles from instance profile first."
	missing, missingRole := "Instance Profile none cannot be found.", "The role with name none cannot be found."
	for _, tt := range []struct {
		in            any
		code, message string
	}{
		{&sdk.CreateInstanceProfileInput{InstanceProfileName: s("P")}, "EntityAlreadyExists", "Instance Profile P already exists."},
		{&sdk.CreateInstanceProfileInput{InstanceProfileName: s("a b")}, "ValidationError", "The specified value for instanceProfileName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"},
		{&sdk.GetInstanceProfileInput{InstanceProfileName: s("none")}, "NoSuchEntity", missing},
		{&sdk.GetInstanceProfileInput{InstanceProfileName: s("P")}, "NoSuchEntity", "Instance Profile P cannot be found."},
		{&sdk.DeleteInstanceProfileInput{InstanceProfileName: s("none")}, "NoSuchEntity", missing},
		{&sdk.DeleteInstanceProfileInput{InstanceProfileName: s("p")}, "DeleteConflict", conflict},
		{&sdk.DeleteRoleInput{RoleName: s("r")}, "DeleteConflict", conflict},
		{&sdk.AddRoleToInstanceProfileInput{InstanceProfileName: s("none"), RoleName: s("r")}, "NoSuchEntity", missing},
		{&sdk.AddRoleToInstanceProfileInput{InstanceProfileName: s("empty"), RoleName: s("none")}, "NoSuchEntity", missingRole},
		{&sdk.AddRoleToInstanceProfileInput{InstanceProfileName: s("p"), RoleName: s("r")}, "LimitExceeded", quota},
		{&sdk.AddRoleToInstanceProfileInput{InstanceProfileName: s("p"), RoleName: s("other")}, "LimitExceeded", quota},
		{&sdk.RemoveRoleFromInstanceProfileInput{InstanceProfileName: s("none"), RoleName: s("r")}, "NoSuchEntity", missing},
		{&sdk.RemoveRoleFromInstanceProfileInput{InstanceProfileName: s("p"), RoleName: s("none")}, "NoSuchEntity", missingRole},
		{&sdk.RemoveRoleFromInstanceProfileInput{InstanceProfileName: s("empty"), RoleName: s("r")}, "NoSuchEntity", "Role r in Instance Profile empty cannot be found."},
		{&sdk.RemoveRoleFromInstanceProfileInput{InstanceProfileName: s("p")}, "ValidationError", "1 validation error detected: Value at 'roleName' failed to satisfy constraint: Member must not be null"},
		{&sdk.ListInstanceProfilesForRoleInput{RoleName: s("none")}, "NoSuchEntity", missingRole},
		{&sdk.TagInstanceProfileInput{InstanceProfileName: s("none")}, "NoSuchEntity", missing},
		{&sdk.UntagInstanceProfileInput{InstanceProfileName: s("none"), TagKeys: []string{"k"}}, "NoSuchEntity", missing},
		{&sdk.ListInstanceProfileTagsInput{InstanceProfileName: s("none")}, "NoSuchEntity", missing},
	} {
		_, err := w.do(tt.in)
		wantError(t, err, tt.code, tt.message)
	}
}

// Who adds a role to an instance profile passes it to whatever runs there.
func TestInstanceProfileNeeds(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	tag := []types.Tag{{Key: s("Team"), Value: s("blue")}}
	must[sdk.CreateRoleOutput](w, &sdk.CreateRoleInput{RoleName: s("r"), Path: s("/y/"), AssumeRolePolicyDocument: s(trustEC2), Tags: tag})
	must[sdk.CreateInstanceProfileOutput](w, &sdk.CreateInstanceProfileInput{InstanceProfileName: s("p"), Path: s("/x/"), Tags: tag})
	profile := "arn:aws:iam::111122223333:instance-profile/"
	pass := []string{"iam:AssociatedResourceArn=[arn:aws:ec2:*:111122223333:instance/*]", "iam:PassedToService=[ec2.amazonaws.com]"}
	for _, tt := range []struct {
		in   any
		want []string
	}{
		{
			&sdk.AddRoleToInstanceProfileInput{InstanceProfileName: s("p"), RoleName: s("r")},
			append([]string{
				"iam:AddRoleToInstanceProfile " + profile + "x/p", "aws:ResourceTag/Team=[blue]",
				"iam:PassRole arn:aws:iam::111122223333:role/y/r",
			}, pass...),
		},
		{
			&sdk.AddRoleToInstanceProfileInput{InstanceProfileName: s("none"), RoleName: s("none")},
			append([]string{
				"iam:AddRoleToInstanceProfile " + profile + "none", "iam:PassRole arn:aws:iam::111122223333:role/none",
			}, pass...),
		},
		{
			&sdk.CreateInstanceProfileInput{InstanceProfileName: s("q"), Tags: tag},
			[]string{
				"iam:CreateInstanceProfile " + profile + "q", "aws:RequestTag/Team=[blue]", "aws:ResourceTag/Team=[blue]", "aws:TagKeys=[Team] multi",
				"iam:TagInstanceProfile " + profile + "q", "aws:RequestTag/Team=[blue]", "aws:ResourceTag/Team=[blue]", "aws:TagKeys=[Team] multi",
			},
		},
		{&sdk.ListInstanceProfilesInput{}, []string{"iam:ListInstanceProfiles " + profile}},
		{&sdk.ListInstanceProfilesForRoleInput{RoleName: s("x")}, []string{"iam:ListInstanceProfilesForRole arn:aws:iam::111122223333:role/x"}},
	} {
		needs, err := w.ops[operationOf(tt.in)].Needs(t.Context(), &service.Call{Caller: w.root, Account: account}, tt.in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(describe(needs), tt.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", operationOf(tt.in), diff)
		}
	}
}
