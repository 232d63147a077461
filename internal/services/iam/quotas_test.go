package iam

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

// fill makes keys below a prefix, as if there were n of what is counted there.
func (w *world) fill(prefix string, n int) {
	w.t.Helper()
	if err := w.db.Update(w.t.Context(), func(tx store.Tx) error {
		for i := range n {
			if err := tx.Put(prefix+fmt.Sprintf("%05d", i), []byte("x")); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

// The quotas of an account (iam.md L2 and reference_iam-quotas.html): the last one is made, the one after it is not.
func TestAccountQuotas(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	for _, tt := range []struct {
		prefix string
		limit  int
		quota  string
		last   any
		beyond any
	}{
		{record.NamePrefix(account, record.UserKind), 5000, "UsersPerAccount", &sdk.CreateUserInput{UserName: s("a")}, &sdk.CreateUserInput{UserName: s("b")}},
		{record.NamePrefix(account, record.GroupKind), 300, "GroupsPerAccount", &sdk.CreateGroupInput{GroupName: s("a")}, &sdk.CreateGroupInput{GroupName: s("b")}},
		{
			record.NamePrefix(account, record.RoleKind), 1000, "RolesPerAccount", &sdk.CreateRoleInput{RoleName: s("a"), AssumeRolePolicyDocument: s(trustEC2)},
			&sdk.CreateRoleInput{RoleName: s("b"), AssumeRolePolicyDocument: s(trustEC2)},
		},
		{
			record.NamePrefix(account, record.ProfileKind), 1000, "InstanceProfilesPerAccount", &sdk.CreateInstanceProfileInput{InstanceProfileName: s("a")},
			&sdk.CreateInstanceProfileInput{InstanceProfileName: s("b")},
		},
		{
			record.PolicyPrefix(account), 1500, "PoliciesPerAccount", &sdk.CreatePolicyInput{PolicyName: s("a"), PolicyDocument: s(allowAll)},
			&sdk.CreatePolicyInput{PolicyName: s("b"), PolicyDocument: s(allowAll)},
		},
	} {
		w.fill(tt.prefix, tt.limit-1)
		if _, err := w.do(tt.last); err != nil {
			t.Errorf("%s: the last: %v", tt.quota, err)
		}
		_, err := w.do(tt.beyond)
		wantError(t, err, "LimitExceeded", fmt.Sprintf("Cannot exceed quota for %s: %d", tt.quota, tt.limit))
	}
	w.linked("lambda.amazonaws.com", nil) // is always allowed
}

// All inline policies of an identity count together.
func TestInlineQuotas(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("x")
	w.group("x")
	w.role("x", trustEC2)
	half := func(limit int) *string {
		return s(strings.Replace(allowAll, "s3:*", "s3:"+strings.Repeat("a", limit/2-len(allowAll)+1), 1))
	}
	for _, tt := range []struct {
		limit int
		kind  string
		put   func(name string, document *string) any
	}{
		{2048, "user", func(n string, d *string) any {
			return &sdk.PutUserPolicyInput{UserName: s("x"), PolicyName: &n, PolicyDocument: d}
		}},
		{5120, "group", func(n string, d *string) any {
			return &sdk.PutGroupPolicyInput{GroupName: s("x"), PolicyName: &n, PolicyDocument: d}
		}},
		{10240, "role", func(n string, d *string) any {
			return &sdk.PutRolePolicyInput{RoleName: s("x"), PolicyName: &n, PolicyDocument: d}
		}},
	} {
		for _, name := range []string{"a", "b", "b"} { // the second time in the place of the first
			if _, err := w.do(tt.put(name, half(tt.limit))); err != nil {
				t.Errorf("%s: %v", tt.kind, err)
			}
		}
		_, err := w.do(tt.put("c", s(allowAll)))
		wantError(t, err, "LimitExceeded", fmt.Sprintf("Maximum policy size of %d bytes exceeded for %s x", tt.limit, tt.kind))
	}
	long := strings.Replace(trustEC2, `"Action"`, `"Sid":"`+strings.Repeat("a", 2048)+`","Action"`, 1)
	_, err := w.do(&sdk.UpdateAssumeRolePolicyInput{RoleName: s("x"), PolicyDocument: &long})
	wantError(t, err, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")
}

// A name is taken in every spelling, by its own kind alone.
func TestNamesAreUnique(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("Name")
	w.group("Name")
	w.role("Name", trustEC2)
	w.policy("Name")
	must[sdk.CreateInstanceProfileOutput](w, &sdk.CreateInstanceProfileInput{InstanceProfileName: s("Name")})
	for in, message := range map[any]string{
		&sdk.CreateUserInput{UserName: s("nAME"), Path: s("/x/")}:                                        "User with name nAME already exists.",
		&sdk.CreateGroupInput{GroupName: s("nAME"), Path: s("/x/")}:                                      "Group with name nAME already exists.",
		&sdk.CreateRoleInput{RoleName: s("nAME"), Path: s("/x/"), AssumeRolePolicyDocument: s(trustEC2)}: "Role with name nAME already exists.",
		&sdk.CreatePolicyInput{PolicyName: s("nAME"), Path: s("/x/"), PolicyDocument: s(allowAll)}:       "A policy called nAME already exists. Duplicate names are not allowed.",
		&sdk.CreateInstanceProfileInput{InstanceProfileName: s("nAME"), Path: s("/x/")}:                  "Instance Profile nAME already exists.",
	} {
		_, err := w.do(in)
		wantError(t, err, "EntityAlreadyExists", message)
	}
	w.linked("lambda.amazonaws.com", nil)
	_, err := w.do(&sdk.CreateRoleInput{RoleName: s("awsserviceroleforlambda"), AssumeRolePolicyDocument: s(trustEC2)})
	wantError(t, err, "EntityAlreadyExists", "Role with name awsserviceroleforlambda already exists.")
}
