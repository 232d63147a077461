package iam

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/awsdata"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/request"
)

// Every policy of the table is there, and the table says what AWS's managed policies say about the names of the roles.
func TestLinkedServices(t *testing.T) {
	data, err := awsdata.Load()
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]string)
	for _, l := range linkedServices() {
		names[l.principal] = l.roleName(nil)
		if _, ok := data.ManagedPolicy("arn:aws:iam::aws:policy/aws-service-role/" + l.policy); !ok {
			t.Errorf("%s: there is no policy %s", l.principal, l.policy)
		}
		if n := len(l.roleName(nil)); n > request.MaxRoleName {
			t.Errorf("%s: a name of %d characters", l.principal, n)
		}
	}
	if !slices.IsSortedFunc(linkedServices(), func(a, b linkedService) int { return strings.Compare(a.principal, b.principal) }) {
		t.Error("the table is not sorted")
	}
	role := regexp.MustCompile(`:role/aws-service-role/([^/"*]+)\.amazonaws\.com/(AWSServiceRoleFor[^/"]+)"`)
	compared := 0
	for p := range data.ManagedPolicies() {
		for _, m := range role.FindAllStringSubmatch(p.Document(), -1) {
			name, ok := names[m[1]]
			if !ok || strings.HasSuffix(m[1], ".elasticbeanstalk") { // of these two the policies name the main service's role
				continue
			}
			compared++
			prefix, open := strings.CutSuffix(m[2], "*")
			if name != m[2] && !(open && strings.HasPrefix(name, strings.TrimSuffix(prefix, "_"))) {
				t.Errorf("%s: got %s, %s says %s", m[1], name, p.Name, m[2])
			}
		}
	}
	if compared < 100 {
		t.Errorf("compared %d names, want 100 or more", compared)
	}
}

func (w *world) linked(principal string, suffix *string) *types.Role {
	w.t.Helper()
	return must[sdk.CreateServiceLinkedRoleOutput](w, &sdk.CreateServiceLinkedRoleInput{
		AWSServiceName: &principal, CustomSuffix: suffix, Description: aws.String("d"),
	}).Role
}

func TestServiceLinkedRole(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	r := w.linked("lambda.amazonaws.com", nil)
	want := &types.Role{
		Arn:                      s("arn:aws:iam::111122223333:role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda"),
		AssumeRolePolicyDocument: encodeDocument(trust), CreateDate: aws.Time(w.now.Truncate(1e9)),
		Path: s("/aws-service-role/lambda.amazonaws.com/"), RoleId: r.RoleId, RoleName: s("AWSServiceRoleForLambda"),
	}
	if diff := cmp.Diff(r, want, sdkTypes); diff != "" {
		t.Errorf("CreateServiceLinkedRole (-got +want):\n%s", diff)
	}
	want.Description, want.MaxSessionDuration, want.RoleLastUsed = s("d"), aws.Int32(3600), &types.RoleLastUsed{}
	if diff := cmp.Diff(must[sdk.GetRoleOutput](w, &sdk.GetRoleInput{RoleName: r.RoleName}).Role, want, sdkTypes); diff != "" {
		t.Errorf("GetRole (-got +want):\n%s", diff)
	}
	attached := must[sdk.ListAttachedRolePoliciesOutput](w, &sdk.ListAttachedRolePoliciesInput{RoleName: r.RoleName}).AttachedPolicies
	if len(attached) != 1 || *attached[0].PolicyArn != forAWS {
		t.Errorf("got policies %v, want %s", attached, forAWS)
	}
	if n := *must[sdk.GetPolicyOutput](w, &sdk.GetPolicyInput{PolicyArn: s(forAWS)}).Policy.AttachmentCount; n != 1 {
		t.Errorf("got %d attachments, want 1", n)
	}
	if name := *w.linked("autoscaling.amazonaws.com", s("x.1")).RoleName; name != "AWSServiceRoleForAutoScaling_x.1" {
		t.Errorf("got name %s", name)
	}

	task := must[sdk.DeleteServiceLinkedRoleOutput](w, &sdk.DeleteServiceLinkedRoleInput{RoleName: r.RoleName}).DeletionTaskId
	if !regexp.MustCompile(`^task/aws-service-role/lambda\.amazonaws\.com/AWSServiceRoleForLambda/[0-9a-f-]{36}$`).MatchString(*task) {
		t.Errorf("got task %s", *task)
	}
	status := must[sdk.GetServiceLinkedRoleDeletionStatusOutput](w, &sdk.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task})
	if status.Status != types.DeletionTaskStatusTypeSucceeded || status.Reason != nil {
		t.Errorf("got status %s for %v", status.Status, status.Reason)
	}
	_, err := w.do(&sdk.GetRoleInput{RoleName: r.RoleName})
	wantError(t, err, "NoSuchEntity", "The role with name AWSServiceRoleForLambda cannot be found.")
	if n := *must[sdk.GetPolicyOutput](w, &sdk.GetPolicyInput{PolicyArn: s(forAWS)}).Policy.AttachmentCount; n != 0 {
		t.Errorf("got %d attachments, want none", n)
	}
	w.linked("lambda.amazonaws.com", nil) // again
}

// What a service-linked role is, its account cannot change; what it is called and how it is tagged, it can.
func TestServiceLinkedRoleIsProtected(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	name := w.linked("lambda.amazonaws.com", nil).RoleName
	must[sdk.CreateInstanceProfileOutput](w, &sdk.CreateInstanceProfileInput{InstanceProfileName: s("p")})
	for _, in := range []any{
		&sdk.DeleteRoleInput{RoleName: name},
		&sdk.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: s(trustEC2)},
		&sdk.AttachRolePolicyInput{RoleName: name, PolicyArn: s(readOnly)},
		&sdk.DetachRolePolicyInput{RoleName: name, PolicyArn: s(forAWS)},
		&sdk.PutRolePolicyInput{RoleName: name, PolicyName: s("p"), PolicyDocument: s(allowAll)},
		&sdk.DeleteRolePolicyInput{RoleName: name, PolicyName: s("p")},
		&sdk.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: s(readOnly)},
		&sdk.DeleteRolePermissionsBoundaryInput{RoleName: name},
		&sdk.UpdateRoleInput{RoleName: name, MaxSessionDuration: aws.Int32(7200)},
		&sdk.AddRoleToInstanceProfileInput{RoleName: name, InstanceProfileName: s("p")},
	} {
		_, err := w.do(in)
		wantError(t, err, "UnmodifiableEntity",
			"Cannot perform the operation on the protected role 'AWSServiceRoleForLambda' - this role is only modifiable by AWS")
	}
	must[sdk.UpdateRoleOutput](w, &sdk.UpdateRoleInput{RoleName: name, Description: s("new")})
	must[sdk.TagRoleOutput](w, &sdk.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: s("a"), Value: s("1")}, {Key: s("b"), Value: s("2")}}})
	must[sdk.UntagRoleOutput](w, &sdk.UntagRoleInput{RoleName: name, TagKeys: []string{"a"}})
	r := must[sdk.GetRoleOutput](w, &sdk.GetRoleInput{RoleName: name}).Role
	if *r.Description != "new" || len(r.Tags) != 1 || *r.Tags[0].Key != "b" {
		t.Errorf("got description %s, tags %v", *r.Description, r.Tags)
	}
	must[sdk.UpdateRoleDescriptionOutput](w, &sdk.UpdateRoleDescriptionInput{RoleName: name, Description: s("newer")})
}

func TestServiceLinkedRoleErrors(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.linked("lambda.amazonaws.com", nil)
	w.role("plain", trustEC2)
	const id = "0a1b2c3d-0000-0000-0000-000000000000"
	linked := "task/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda/" + id
	for _, tt := range []struct {
		in            any
		code, message string
	}{
		{&sdk.CreateServiceLinkedRoleInput{AWSServiceName: s("lambda.amazonaws.com")}, "InvalidInput", "Service role name AWSServiceRoleForLambda has been taken in this account, please try a different suffix."},
		{&sdk.CreateServiceLinkedRoleInput{AWSServiceName: s("es.amazonaws.com"), CustomSuffix: s("x")}, "InvalidInput", "Custom suffix is not allowed for es.amazonaws.com"},
		{&sdk.CreateServiceLinkedRoleInput{AWSServiceName: s("account.amazonaws.com")}, "AccessDenied", "Cannot find Service Linked Role template for account.amazonaws.com"},
		{&sdk.CreateServiceLinkedRoleInput{AWSServiceName: s("Lambda.amazonaws.com")}, "AccessDenied", "Cannot find Service Linked Role template for Lambda.amazonaws.com"},
		{&sdk.CreateServiceLinkedRoleInput{AWSServiceName: s("lambda")}, "AccessDenied", "Cannot find Service Linked Role template for lambda"},
		{&sdk.CreateServiceLinkedRoleInput{}, "ValidationError", "1 validation error detected: Value at 'aWSServiceName' failed to satisfy constraint: Member must not be null"},
		{&sdk.CreateServiceLinkedRoleInput{AWSServiceName: s("a/b")}, "ValidationError", `1 validation error detected: Value at 'aWSServiceName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+`},
		{&sdk.CreateServiceLinkedRoleInput{AWSServiceName: s("autoscaling.amazonaws.com"), CustomSuffix: s("a b")}, "ValidationError", `1 validation error detected: Value at 'customSuffix' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+`},
		{&sdk.CreateServiceLinkedRoleInput{AWSServiceName: s("autoscaling.amazonaws.com"), CustomSuffix: s(strings.Repeat("x", 60))}, "ValidationError", "1 validation error detected: Value at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{&sdk.DeleteServiceLinkedRoleInput{RoleName: s("none")}, "NoSuchEntity", "The role with name none cannot be found."},
		{&sdk.DeleteServiceLinkedRoleInput{RoleName: s("plain")}, "NoSuchEntity", "The role with name plain cannot be found."},
		{&sdk.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: &linked}, "NoSuchEntity", "Deletion task " + linked + " cannot be found."},
		{&sdk.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: s("task/x/" + id)}, "InvalidInput", "DeletionTaskId task/x/" + id + " is not valid."},
		{&sdk.GetServiceLinkedRoleDeletionStatusInput{}, "ValidationError", "1 validation error detected: Value at 'deletionTaskId' failed to satisfy constraint: Member must have length greater than or equal to 1"},
	} {
		_, err := w.do(tt.in)
		wantError(t, err, tt.code, tt.message)
	}
	// The id of a task is good for its own role only.
	task := *must[sdk.DeleteServiceLinkedRoleOutput](w, &sdk.DeleteServiceLinkedRoleInput{RoleName: s("AWSServiceRoleForLambda")}).DeletionTaskId
	other := strings.Replace(task, "ForLambda", "ForOther", 1)
	_, err := w.do(&sdk.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: &other})
	wantError(t, err, "NoSuchEntity", "Deletion task "+other+" cannot be found.")
}

func TestServiceLinkedRoleNeeds(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	role := "arn:aws:iam::111122223333:role/aws-service-role/"
	for _, tt := range []struct {
		in   any
		want []string
	}{
		{
			&sdk.CreateServiceLinkedRoleInput{AWSServiceName: s("autoscaling.amazonaws.com"), CustomSuffix: s("x")},
			[]string{
				"iam:CreateServiceLinkedRole " + role + "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_x",
				"iam:AWSServiceName=[autoscaling.amazonaws.com]",
			},
		},
		{
			&sdk.CreateServiceLinkedRoleInput{AWSServiceName: s("none.amazonaws.com")},
			[]string{"iam:CreateServiceLinkedRole " + role + "none.amazonaws.com/AWSServiceRoleFor", "iam:AWSServiceName=[none.amazonaws.com]"},
		},
		{
			&sdk.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: s("task/aws-service-role/a.amazonaws.com/b/c")},
			[]string{"iam:GetServiceLinkedRoleDeletionStatus " + role + "a.amazonaws.com/b"},
		},
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
