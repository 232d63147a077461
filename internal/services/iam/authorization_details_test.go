package iam

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/request"
)

var detailTypes = cmpopts.IgnoreUnexported(
	types.UserDetail{}, types.GroupDetail{}, types.RoleDetail{}, types.ManagedPolicyDetail{}, types.PolicyDetail{}, types.PolicyVersion{},
	types.AttachedPolicy{}, types.AttachedPermissionsBoundary{}, types.InstanceProfile{}, types.Role{}, types.RoleLastUsed{}, types.Tag{},
)

// fullWorld has one of everything that the details tell of: alice has all there is, bob nothing.
func fullWorld(t *testing.T) *world {
	w := newWorld(t)
	s := aws.String
	tags := []types.Tag{{Key: s("b"), Value: s("2")}, {Key: s("a"), Value: s("1")}}
	own := w.policy("own")
	must[sdk.CreatePolicyVersionOutput](w, &sdk.CreatePolicyVersionInput{PolicyArn: &own, PolicyDocument: s(allowAll), SetAsDefault: true})
	must[sdk.CreateUserOutput](w, &sdk.CreateUserInput{UserName: s("alice"), Tags: tags, PermissionsBoundary: s(readOnly)})
	w.user("bob")
	w.group("zoo")
	w.group("admins")
	for _, g := range []string{"zoo", "admins"} {
		must[sdk.AddUserToGroupOutput](w, &sdk.AddUserToGroupInput{GroupName: &g, UserName: s("alice")})
	}
	must[sdk.PutUserPolicyOutput](w, &sdk.PutUserPolicyInput{UserName: s("alice"), PolicyName: s("in"), PolicyDocument: s(allowAll)})
	must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: s("alice"), PolicyArn: &own})
	must[sdk.PutGroupPolicyOutput](w, &sdk.PutGroupPolicyInput{GroupName: s("zoo"), PolicyName: s("in"), PolicyDocument: s(allowAll)})
	id := w.role("r", trustEC2)
	must[sdk.TagRoleOutput](w, &sdk.TagRoleInput{RoleName: s("r"), Tags: tags})
	must[sdk.AttachRolePolicyOutput](w, &sdk.AttachRolePolicyInput{RoleName: s("r"), PolicyArn: s(basicRole)})
	must[sdk.CreateInstanceProfileOutput](w, &sdk.CreateInstanceProfileInput{InstanceProfileName: s("p"), Tags: tags})
	must[sdk.AddRoleToInstanceProfileOutput](w, &sdk.AddRoleToInstanceProfileInput{InstanceProfileName: s("p"), RoleName: s("r")})
	w.note(principal.Caller{Session: &principal.Session{RoleID: id}}, w.now, "lambda")
	return w
}

func TestAuthorizationDetails(t *testing.T) {
	w := fullWorld(t)
	s := aws.String
	out := must[sdk.GetAccountAuthorizationDetailsOutput](w, &sdk.GetAccountAuthorizationDetailsInput{})
	created := aws.Time(w.now.Truncate(1e9))
	own := "arn:aws:iam::111122223333:policy/own"
	tags := []types.Tag{{Key: s("a"), Value: s("1")}, {Key: s("b"), Value: s("2")}}
	inline := []types.PolicyDetail{{PolicyName: s("in"), PolicyDocument: encodeDocument(allowAll)}}
	users := []types.UserDetail{
		{
			Arn: s("arn:aws:iam::111122223333:user/alice"), CreateDate: created, Path: s("/"), UserId: out.UserDetailList[0].UserId,
			UserName: s("alice"), AttachedManagedPolicies: []types.AttachedPolicy{{PolicyArn: &own, PolicyName: s("own")}},
			GroupList: []string{"admins", "zoo"}, Tags: tags, UserPolicyList: inline,
			PermissionsBoundary: &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: s(readOnly), PermissionsBoundaryType: "Policy"},
		},
		{
			Arn: s("arn:aws:iam::111122223333:user/bob"), CreateDate: created, Path: s("/"), UserId: out.UserDetailList[1].UserId,
			UserName: s("bob"), AttachedManagedPolicies: []types.AttachedPolicy{}, GroupList: []string{}, Tags: []types.Tag{},
		},
	}
	if diff := cmp.Diff(out.UserDetailList, users, detailTypes); diff != "" {
		t.Errorf("users (-got +want):\n%s", diff)
	}
	groups := []types.GroupDetail{
		{
			Arn: s("arn:aws:iam::111122223333:group/admins"), CreateDate: created, Path: s("/"), GroupId: out.GroupDetailList[0].GroupId,
			GroupName: s("admins"), AttachedManagedPolicies: []types.AttachedPolicy{}, GroupPolicyList: []types.PolicyDetail{},
		},
		{
			Arn: s("arn:aws:iam::111122223333:group/zoo"), CreateDate: created, Path: s("/"), GroupId: out.GroupDetailList[1].GroupId,
			GroupName: s("zoo"), AttachedManagedPolicies: []types.AttachedPolicy{}, GroupPolicyList: inline,
		},
	}
	if diff := cmp.Diff(out.GroupDetailList, groups, detailTypes); diff != "" {
		t.Errorf("groups (-got +want):\n%s", diff)
	}
	roles := []types.RoleDetail{{
		Arn: s("arn:aws:iam::111122223333:role/r"), CreateDate: created, Path: s("/"), RoleId: out.RoleDetailList[0].RoleId, RoleName: s("r"),
		AssumeRolePolicyDocument: encodeDocument(trustEC2), RolePolicyList: []types.PolicyDetail{}, Tags: tags,
		AttachedManagedPolicies: []types.AttachedPolicy{{PolicyArn: s(basicRole), PolicyName: s("AWSLambdaBasicExecutionRole")}},
		InstanceProfileList:     must[sdk.ListInstanceProfilesOutput](w, &sdk.ListInstanceProfilesInput{}).InstanceProfiles,
		RoleLastUsed:            &types.RoleLastUsed{LastUsedDate: created, Region: s("eu-west-1")},
	}}
	if diff := cmp.Diff(out.RoleDetailList, roles, detailTypes); diff != "" {
		t.Errorf("roles (-got +want):\n%s", diff)
	}
	if len(out.Policies) != 3 { // the account's own, and AWS's two that are in use
		t.Fatalf("got %d policies, want 3", len(out.Policies))
	}
	version := func(id string, isDefault bool) types.PolicyVersion {
		return types.PolicyVersion{CreateDate: created, Document: encodeDocument(allowAll), IsDefaultVersion: isDefault, VersionId: &id}
	}
	policy := types.ManagedPolicyDetail{
		Arn: &own, AttachmentCount: aws.Int32(1), CreateDate: created, DefaultVersionId: s("v2"), IsAttachable: true, Path: s("/"),
		PermissionsBoundaryUsageCount: aws.Int32(0), PolicyId: out.Policies[0].PolicyId, PolicyName: s("own"), UpdateDate: created,
		PolicyVersionList: []types.PolicyVersion{version("v2", true), version("v1", false)},
	}
	if diff := cmp.Diff(out.Policies[0], policy, detailTypes); diff != "" {
		t.Errorf("policy (-got +want):\n%s", diff)
	}
	for i, want := range []string{"ReadOnlyAccess 0 1 v9", "AWSLambdaBasicExecutionRole 1 0 v1"} {
		p := out.Policies[i+1]
		got := fmt.Sprint(*p.PolicyName, " ", *p.AttachmentCount, *p.PermissionsBoundaryUsageCount, " ", *p.PolicyVersionList[0].VersionId)
		if got != want || *p.PolicyVersionList[0].Document != *encodeDocument(allowAll) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// detailNames gives the names of an answer's entries in order.
func detailNames(out *sdk.GetAccountAuthorizationDetailsOutput) []string {
	var names []string
	for _, d := range out.UserDetailList {
		names = append(names, *d.UserName)
	}
	for _, d := range out.GroupDetailList {
		names = append(names, *d.GroupName)
	}
	for _, d := range out.RoleDetailList {
		names = append(names, *d.RoleName)
	}
	for _, d := range out.Policies {
		names = append(names, *d.PolicyName)
	}
	return names
}

// Pages of every size run through all kinds, and through those that are asked for.
func TestAuthorizationDetailsPages(t *testing.T) {
	w := fullWorld(t)
	for filter, want := range map[string][]string{
		"":                                    {"alice", "bob", "admins", "zoo", "r", "own", "ReadOnlyAccess", "AWSLambdaBasicExecutionRole"},
		"User":                                {"alice", "bob"},
		"AWSManagedPolicy Group":              {"admins", "zoo", "ReadOnlyAccess", "AWSLambdaBasicExecutionRole"},
		"Role LocalManagedPolicy Role":        {"r", "own"},
		"User Group Role LocalManagedPolicy ": {"alice", "bob", "admins", "zoo", "r", "own"},
	} {
		in := &sdk.GetAccountAuthorizationDetailsInput{}
		for _, f := range strings.Fields(filter) {
			in.Filter = append(in.Filter, types.EntityType(f))
		}
		for size := 1; size <= len(want)+1; size++ {
			in.MaxItems, in.Marker = aws.Int32(int32(size)), nil
			var got []string
			pages := 0
			for more := true; more; pages++ {
				out := must[sdk.GetAccountAuthorizationDetailsOutput](w, in)
				got = append(got, detailNames(out)...)
				if more = out.IsTruncated; more != (out.Marker != nil) {
					t.Fatalf("%q, pages of %d: truncated %v with marker %v", filter, size, more, out.Marker)
				}
				in.Marker = out.Marker
			}
			if diff := cmp.Diff(got, want); diff != "" || pages != (len(want)+size-1)/size {
				t.Errorf("%q, %d pages of %d (-got +want):\n%s", filter, pages, size, diff)
			}
		}
	}
}

// A policy that AWS has withdrawn can be attached still; that must not keep the rest from being read.
func TestAuthorizationDetailsOfWithdrawnPolicy(t *testing.T) {
	w := fullWorld(t)
	w.linked("autoscaling.amazonaws.com", nil) // whose policy is not in this catalogue
	names := detailNames(must[sdk.GetAccountAuthorizationDetailsOutput](w, &sdk.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{types.EntityTypeRole, types.EntityTypeAWSManagedPolicy},
	}))
	if diff := cmp.Diff(names, []string{"AWSServiceRoleForAutoScaling", "r", "ReadOnlyAccess", "AWSLambdaBasicExecutionRole"}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestAuthorizationDetailsErrors(t *testing.T) {
	w := fullWorld(t)
	first := must[sdk.GetAccountAuthorizationDetailsOutput](w, &sdk.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(1)})
	for _, tt := range []struct {
		in      *sdk.GetAccountAuthorizationDetailsInput
		message string
	}{
		{
			&sdk.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{"Robot"}},
			"1 validation error detected: Value at 'filter' failed to satisfy constraint: Member must satisfy constraint: " +
				"[Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]]",
		},
		{&sdk.GetAccountAuthorizationDetailsInput{Marker: aws.String("?")}, "Invalid Marker."},
		{&sdk.GetAccountAuthorizationDetailsInput{Marker: request.NewMarker("Robot/x")}, "Invalid Marker."},
		{&sdk.GetAccountAuthorizationDetailsInput{Marker: first.Marker, Filter: []types.EntityType{types.EntityTypeRole}}, "Invalid Marker."},
		{
			&sdk.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(0)},
			"1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1",
		},
	} {
		_, err := w.do(tt.in)
		wantError(t, err, "ValidationError", tt.message)
	}
	if got := detailNames(first); len(got) != 1 {
		t.Errorf("got %v, want one entry", got)
	}
}
