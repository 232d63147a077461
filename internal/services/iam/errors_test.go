package iam

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/request"
)

func typeName(v any) string { return reflect.TypeOf(v).String() }

// settled is a world with users alice (in group devs, with key, inline and attached policy) and bob, role deploy, policies p and
// q.
func settled(t *testing.T) *world {
	w := newWorld(t)
	w.user("alice")
	w.user("bob")
	w.group("devs")
	w.group("ops")
	w.role("deploy", trustEC2)
	p := w.policy("p")
	w.policy("q")
	w.key("alice")
	must[sdk.AddUserToGroupOutput](w, &sdk.AddUserToGroupInput{UserName: aws.String("alice"), GroupName: aws.String("devs")})
	must[sdk.AttachRolePolicyOutput](w, &sdk.AttachRolePolicyInput{RoleName: aws.String("deploy"), PolicyArn: &p})
	must[sdk.PutGroupPolicyOutput](w, &sdk.PutGroupPolicyInput{
		GroupName: aws.String("ops"), PolicyName: aws.String("in"), PolicyDocument: aws.String(allowAll),
	})
	must[sdk.CreatePolicyVersionOutput](w, &sdk.CreatePolicyVersionInput{PolicyArn: aws.String("arn:aws:iam::111122223333:policy/q"), PolicyDocument: aws.String(allowAll)})
	return w
}

func TestErrors(t *testing.T) {
	s := aws.String
	p, gone := "arn:aws:iam::111122223333:policy/p", "arn:aws:iam::111122223333:policy/gone"
	long := strings.Repeat("x", 129)
	tests := []struct {
		in      any
		status  int
		code    string
		message string
	}{
		{&sdk.GetUserInput{UserName: s("nobody")}, 404, "NoSuchEntity", "The user with name nobody cannot be found."},
		{&sdk.GetUserInput{UserName: s("ALICE")}, 404, "NoSuchEntity", "The user with name ALICE cannot be found."},
		{&sdk.GetRoleInput{RoleName: s("none")}, 404, "NoSuchEntity", "The role with name none cannot be found."},
		{&sdk.GetGroupInput{GroupName: s("none")}, 404, "NoSuchEntity", "The group with name none cannot be found."},
		{&sdk.CreateUserInput{UserName: s("Alice")}, 409, "EntityAlreadyExists", "User with name Alice already exists."},
		{&sdk.CreateGroupInput{GroupName: s("DEVS")}, 409, "EntityAlreadyExists", "Group with name DEVS already exists."},
		{&sdk.CreateRoleInput{RoleName: s("deploy"), AssumeRolePolicyDocument: s(trustEC2)}, 409, "EntityAlreadyExists", "Role with name deploy already exists."},
		{&sdk.CreatePolicyInput{PolicyName: s("P"), Path: s("/x/"), PolicyDocument: s(allowAll)}, 409, "EntityAlreadyExists", "A policy called P already exists. Duplicate names are not allowed."},
		{&sdk.UpdateUserInput{UserName: s("bob"), NewUserName: s("alice")}, 409, "EntityAlreadyExists", "User with name alice already exists."},
		{&sdk.UpdateGroupInput{GroupName: s("nonexisting"), NewGroupName: s("x")}, 404, "NoSuchEntity", "The group with name nonexisting cannot be found."},

		{&sdk.CreateUserInput{UserName: s("a b")}, 400, "ValidationError", "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"},
		{&sdk.CreateUserInput{UserName: s(long)}, 400, "ValidationError", "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{&sdk.CreateUserInput{UserName: s("x"), Path: s("test/")}, 400, "ValidationError", "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."},
		{&sdk.ListRolesInput{PathPrefix: s("x")}, 400, "ValidationError", "The specified value for pathPrefix is invalid. It must begin with the / character and contain only alphanumeric characters and/or / characters."},
		{&sdk.ListUsersInput{MaxItems: aws.Int32(1001)}, 400, "ValidationError", "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000"},
		{&sdk.ListUsersInput{Marker: s("!")}, 400, "ValidationError", "Invalid Marker."},
		{&sdk.TagRoleInput{RoleName: s("deploy"), Tags: make([]types.Tag, 51)}, 400, "ValidationError", "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50"},
		{&sdk.TagRoleInput{RoleName: s("deploy"), Tags: []types.Tag{{Key: s(long), Value: s("")}}}, 400, "ValidationError", "1 validation error detected: Value at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128"},
		{&sdk.TagRoleInput{RoleName: s("deploy"), Tags: []types.Tag{{Key: s("a"), Value: s("")}, {Key: s("A"), Value: s("")}}}, 400, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{&sdk.TagPolicyInput{PolicyArn: &p, Tags: []types.Tag{{Key: s("a"), Value: s("")}, {Key: s("a"), Value: s("")}}}, 400, "InvalidInput", "Duplicate tag keys found."},
		{&sdk.CreateInstanceProfileInput{InstanceProfileName: s("n"), Tags: []types.Tag{{Key: s("a"), Value: s("")}, {Key: s("a"), Value: s("")}}}, 400, "InvalidInput", "Duplicate tag keys found."},
		{&sdk.TagRoleInput{RoleName: s("deploy"), Tags: []types.Tag{{Key: s("a!"), Value: s("")}}}, 400, "ValidationError", `1 validation error detected: Value at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`},
		{&sdk.TagUserInput{UserName: s("bob"), Tags: []types.Tag{{Key: s("aws:x"), Value: s("")}}}, 400, "InvalidInput", "aws: prefixed tag key names are not allowed for external use."},
		{&sdk.UntagRoleInput{RoleName: s("deploy"), TagKeys: []string{"a!"}}, 400, "ValidationError", `1 validation error detected: Value at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+, Member must not be null]`},
		{&sdk.UpdateRoleInput{RoleName: s("deploy"), MaxSessionDuration: aws.Int32(3599)}, 400, "ValidationError", "1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600"},
		{&sdk.UpdateRoleInput{RoleName: s("deploy"), MaxSessionDuration: aws.Int32(43201)}, 400, "ValidationError", "1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value less than or equal to 43200"},
		{&sdk.CreateRoleInput{RoleName: s("r"), AssumeRolePolicyDocument: s(trustEC2), MaxSessionDuration: aws.Int32(60)}, 400, "ValidationError", "1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600"},
		{&sdk.CreateRoleInput{RoleName: s("r"), AssumeRolePolicyDocument: s(trustEC2), Description: s("a \u2014 b")}, 400, "ValidationError", `1 validation error detected: Value at 'description' failed to satisfy constraint: Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`},
		{&sdk.UpdateRoleDescriptionInput{RoleName: s("deploy"), Description: s(strings.Repeat("x", 1001))}, 400, "ValidationError", "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 1000"},
		{&sdk.CreatePolicyInput{PolicyName: s("n"), PolicyDocument: s(allowAll), Description: s(strings.Repeat("x", 1001))}, 400, "ValidationError", "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 1000"},
		{&sdk.GetPolicyVersionInput{PolicyArn: &p, VersionId: s("x")}, 400, "ValidationError", `1 validation error detected: Value at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`},

		{&sdk.DeleteUserInput{UserName: s("alice")}, 409, "DeleteConflict", "Cannot delete entity, must remove users from group first."},
		{&sdk.DeleteGroupInput{GroupName: s("devs")}, 409, "DeleteConflict", "Cannot delete entity, must remove users from group first."},
		{&sdk.DeleteGroupInput{GroupName: s("ops")}, 409, "DeleteConflict", "Cannot delete entity, must delete policies first."},
		{&sdk.DeleteRoleInput{RoleName: s("deploy")}, 409, "DeleteConflict", "Cannot delete entity, must detach all policies first."},
		{&sdk.DeletePolicyInput{PolicyArn: &p}, 409, "DeleteConflict", "Cannot delete a policy attached to entities."},
		{&sdk.DeletePolicyInput{PolicyArn: s("arn:aws:iam::111122223333:policy/q")}, 409, "DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."},
		{&sdk.DeletePolicyVersionInput{PolicyArn: &p, VersionId: s("v1")}, 409, "DeleteConflict", "Cannot delete the default version of a policy."},

		{&sdk.GetPolicyVersionInput{PolicyArn: &gone, VersionId: s("v1")}, 404, "NoSuchEntity", "Policy " + gone + " version v1 does not exist or is not attachable."},
		{&sdk.GetPolicyVersionInput{PolicyArn: &p, VersionId: s("v9")}, 404, "NoSuchEntity", "Policy " + p + " version v9 does not exist or is not attachable."},
		{&sdk.SetDefaultPolicyVersionInput{PolicyArn: &p, VersionId: s("v4")}, 404, "NoSuchEntity", "Policy " + p + " version v4 does not exist or is not attachable."},
		{&sdk.TagPolicyInput{PolicyArn: &gone}, 404, "NoSuchEntity", "Policy " + gone + " was not found."},
		{&sdk.AttachUserPolicyInput{UserName: s("bob"), PolicyArn: &gone}, 404, "NoSuchEntity", "Policy " + gone + " does not exist or is not attachable."},
		{&sdk.AttachRolePolicyInput{RoleName: s("deploy"), PolicyArn: s("longpolicynamebutnoarn")}, 400, "ValidationError", "ARN longpolicynamebutnoarn is not valid."},
		{&sdk.DetachUserPolicyInput{UserName: s("bob"), PolicyArn: &p}, 404, "NoSuchEntity", "Policy " + p + " was not found."},
		{&sdk.GetRolePolicyInput{RoleName: s("deploy"), PolicyName: s("x")}, 404, "NoSuchEntity", "The role policy with name x cannot be found."},
		{&sdk.DeleteGroupPolicyInput{GroupName: s("devs"), PolicyName: s("x")}, 404, "NoSuchEntity", "The group policy with name x cannot be found."},
		{&sdk.PutRolePermissionsBoundaryInput{RoleName: s("deploy"), PermissionsBoundary: s("arn:aws:iam::111122223333:not_a_policy/x")}, 400, "InvalidInput", "ARN arn:aws:iam::111122223333:not_a_policy/x is not valid."},
		{&sdk.AttachRolePolicyInput{RoleName: s("deploy"), PolicyArn: s(forAWS)}, 400, "PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role."},
		{&sdk.PutUserPermissionsBoundaryInput{UserName: s("bob"), PermissionsBoundary: s(forAWS)}, 400, "PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer User."},
		{&sdk.PutRolePermissionsBoundaryInput{RoleName: s("deploy"), PermissionsBoundary: &gone}, 404, "NoSuchEntity", "Scope ARN: " + gone + " does not exist or is not attachable."},
		{&sdk.CreateRoleInput{RoleName: s("r"), AssumeRolePolicyDocument: s(trustEC2), PermissionsBoundary: &gone}, 404, "NoSuchEntity", "Scope ARN: " + gone + " does not exist or is not attachable."},
		{&sdk.DeletePolicyInput{PolicyArn: s(readOnly)}, 403, "AccessDenied", "Cannot change the AWS managed policy " + readOnly + "."},

		{&sdk.AddUserToGroupInput{UserName: s("nobody"), GroupName: s("devs")}, 404, "NoSuchEntity", "The user with name nobody cannot be found."},
		{&sdk.AddUserToGroupInput{UserName: s("bob"), GroupName: s("none")}, 404, "NoSuchEntity", "The group with name none cannot be found."},
		{&sdk.RemoveUserFromGroupInput{UserName: s("any-user"), GroupName: s("none")}, 404, "NoSuchEntity", "The user with name any-user cannot be found."},
		{&sdk.UpdateAccessKeyInput{UserName: s("alice"), AccessKeyId: s("AKIAIOSFODNN7EXAMPLE"), Status: types.StatusTypeActive}, 404, "NoSuchEntity", "The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found."},

		{&sdk.CreatePolicyInput{PolicyName: s("n"), PolicyDocument: s("{")}, 400, "MalformedPolicyDocument", "Syntax errors in policy."},
		{&sdk.CreatePolicyInput{PolicyName: s("n"), PolicyDocument: s(strings.Replace(allowAll, "2012-10-17", "2008-10-17", 1))}, 400, "MalformedPolicyDocument", "Policy document must be version 2012-10-17 or greater."},
		{&sdk.UpdateAssumeRolePolicyInput{RoleName: s("deploy"), PolicyDocument: s("{")}, 400, "MalformedPolicyDocument", "This policy contains invalid Json"},
		{&sdk.CreateRoleInput{RoleName: s("r"), Path: s("/aws-service-role/x.amazonaws.com/"), AssumeRolePolicyDocument: s(trustEC2)}, 403, "AccessDenied", "Cannot perform the operation on the protected role 'r' - this role is only modifiable by AWS"},
	}
	w := settled(t)
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %s", operationOf(tt.in), tt.code), func(t *testing.T) {
			_, err := w.do(tt.in)
			wantError(t, err, tt.code, tt.message)
			if e, ok := errors.AsType[*awserr.Error](err); ok && e.Status != tt.status {
				t.Errorf("got status %d, want %d", e.Status, tt.status)
			}
		})
	}
}

func TestQuotas(t *testing.T) {
	w := settled(t)
	s := aws.String
	w.key("alice")
	_, err := w.do(&sdk.CreateAccessKeyInput{UserName: s("alice")})
	wantError(t, err, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")

	q := s("arn:aws:iam::111122223333:policy/q")
	for range 3 {
		must[sdk.CreatePolicyVersionOutput](w, &sdk.CreatePolicyVersionInput{PolicyArn: q, PolicyDocument: s(allowAll)})
	}
	_, err = w.do(&sdk.CreatePolicyVersionInput{PolicyArn: q, PolicyDocument: s(allowAll)})
	wantError(t, err, "LimitExceeded", "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.")

	for i := range request.MaxAttachedPolicies {
		must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: s("bob"), PolicyArn: s(w.policy(fmt.Sprint("m", i)))})
	}
	_, err = w.do(&sdk.AttachUserPolicyInput{UserName: s("bob"), PolicyArn: s(readOnly)})
	wantError(t, err, "LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 10")

	large := strings.Replace(allowAll, "s3:*", "s3:"+strings.Repeat("a", 2000), 1)
	_, err = w.do(&sdk.PutUserPolicyInput{UserName: s("bob"), PolicyName: s("big"), PolicyDocument: &large})
	wantError(t, err, "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user bob")
	huge := strings.Replace(allowAll, "s3:*", "s3:"+strings.Repeat("a", 6144), 1)
	_, err = w.do(&sdk.CreatePolicyInput{PolicyName: s("big"), PolicyDocument: &huge})
	wantError(t, err, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144")

	for i := range request.MaxGroupsPerUser {
		name := fmt.Sprint("g", i)
		w.group(name)
		must[sdk.AddUserToGroupOutput](w, &sdk.AddUserToGroupInput{UserName: s("bob"), GroupName: &name})
	}
	_, err = w.do(&sdk.AddUserToGroupInput{UserName: s("bob"), GroupName: s("devs")})
	wantError(t, err, "LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10")
}

// Session credentials of users have no MFA here, and without it AWS lets them call nothing of IAM.
func TestUserSessionsCannotCallIAM(t *testing.T) {
	w := newWorld(t)
	caller := w.root
	caller.Session = &principal.Session{UserARN: caller.ARN}
	_, err := w.as(caller, "ListUsers", &sdk.ListUsersInput{})
	wantError(t, err, "InvalidClientTokenId", "The security token included in the request is invalid.")

	role := principal.Caller{Principal: authz.Principal{Kind: authz.AssumedRole, Account: account}, Session: &principal.Session{RoleID: "AROA"}}
	if _, err := w.as(role, "ListUsers", &sdk.ListUsersInput{}); err != nil {
		t.Errorf("role session: got %v", err)
	}
	_, err = w.as(role, "GetUser", &sdk.GetUserInput{})
	wantError(t, err, "ValidationError", "Must specify userName when calling with non-User credentials")
	if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Status != http.StatusBadRequest {
		t.Errorf("got %v, want status 400", err)
	}
}
