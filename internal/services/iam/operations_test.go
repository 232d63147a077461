package iam

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/iamapi"
)

// sdkTypes lets cmp look at SDK structs.
var sdkTypes = cmpopts.IgnoreUnexported(types.User{}, types.Role{}, types.Policy{}, types.Tag{}, types.AttachedPermissionsBoundary{},
	types.PolicyVersion{}, types.PolicyUser{}, types.PolicyRole{}, types.PolicyGroup{}, types.RoleLastUsed{})

// Every row of the table finds the members it reads in its input, and answers for what does not exist.
func TestTargetsOfMissingThings(t *testing.T) {
	w := newWorld(t)
	inputs := make(map[string]reflect.Type)
	for _, op := range iamapi.API().Operations {
		inputs[op.Name] = op.Input
	}
	for name, op := range w.ops {
		in := reflect.New(inputs[name])
		for i := range in.Elem().NumField() {
			if f := in.Elem().Field(i); f.Type() == reflect.TypeFor[*string]() && f.CanSet() {
				f.Set(reflect.ValueOf(aws.String("nobody")))
			}
		}
		for member, value := range map[string]string{
			"PolicyArn": "arn:aws:iam::111122223333:policy/x", "PolicySourceArn": "arn:aws:iam::111122223333:user/nobody", "Path": "/", "PathPrefix": "/", "NewPath": "/",
			"Arn":                         "arn:aws:iam::111122223333:user/nobody",
			"DeletionTaskId":              "task/aws-service-role/x.amazonaws.com/x/1",
			"AccessKeyId":                 "AKIAIOSFODNN7EXAMPLE",
			"SerialNumber":                "arn:aws:iam::111122223333:mfa/x",
			"ServiceSpecificCredentialId": "ACCAIOSFODNN7EXAMPLE",
			"EntityPath":                  "o-0123456789/r-0123", "OrganizationsPolicyId": "p-01234567",
			"Url": "https://idp.example.com", "OpenIDConnectProviderArn": "arn:aws:iam::111122223333:oidc-provider/x",
			"SAMLProviderArn": "arn:aws:iam::111122223333:saml-provider/x",
		} {
			if f := in.Elem().FieldByName(member); f.IsValid() {
				f.Set(reflect.ValueOf(&value))
			}
		}
		needs, err := op.Needs(t.Context(), &service.Call{Caller: w.root, Account: account}, in.Interface())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, want := needs[0].Action, "iam:"+name; got != want {
			t.Errorf("%s: got action %s, want %s", name, got, want)
		}
	}
}

func TestTargets(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	boundary := w.policy("limit")
	must[sdk.CreateUserOutput](w, &sdk.CreateUserInput{
		UserName: s("alice"), Path: s("/team/"), PermissionsBoundary: &boundary, Tags: []types.Tag{{Key: s("Team"), Value: s("blue")}},
	})
	tags := []types.Tag{{Key: s("Cost"), Value: s("1")}}
	alice, aliceTags := "arn:aws:iam::111122223333:user/team/alice", []string{"aws:ResourceTag/Team=[blue]", "iam:ResourceTag/Team=[blue]"}
	tests := []struct {
		in   any
		want []string
	}{
		{&sdk.GetUserInput{UserName: s("alice")}, append([]string{"iam:GetUser " + alice}, aliceTags...)},
		{&sdk.GetUserInput{}, []string{"iam:GetUser arn:aws:iam::111122223333:root"}},
		{&sdk.GetUserInput{UserName: s("nobody")}, []string{"iam:GetUser arn:aws:iam::111122223333:user/nobody"}},
		{&sdk.ListUsersInput{}, []string{"iam:ListUsers arn:aws:iam::111122223333:user/"}},
		{&sdk.ListRolesInput{PathPrefix: s("/a/")}, []string{"iam:ListRoles arn:aws:iam::111122223333:role/a/"}},
		{&sdk.ListPoliciesInput{}, []string{"iam:ListPolicies *"}},
		{
			&sdk.AttachUserPolicyInput{UserName: s("alice"), PolicyArn: s(readOnly)},
			slices.Concat([]string{"iam:AttachUserPolicy " + alice}, aliceTags[:1],
				[]string{"iam:PermissionsBoundary=[" + boundary + "]", "iam:PolicyARN=[" + readOnly + "]"}, aliceTags[1:]),
		},
		{
			&sdk.CreateUserInput{UserName: s("eve"), Path: s("/x/"), PermissionsBoundary: s(readOnly), Tags: tags},
			[]string{
				"iam:CreateUser arn:aws:iam::111122223333:user/x/eve", "aws:RequestTag/Cost=[1]", "aws:ResourceTag/Cost=[1]", "aws:TagKeys=[Cost] multi", "iam:PermissionsBoundary=[" + readOnly + "]",
				"iam:TagUser arn:aws:iam::111122223333:user/x/eve", "aws:RequestTag/Cost=[1]", "aws:ResourceTag/Cost=[1]", "aws:TagKeys=[Cost] multi",
			},
		},
		{
			&sdk.UpdateUserInput{UserName: s("alice"), NewUserName: s("eve")},
			slices.Concat([]string{"iam:UpdateUser " + alice}, aliceTags, []string{"iam:UpdateUser arn:aws:iam::111122223333:user/team/eve"}, aliceTags),
		},
		{
			&sdk.UntagUserInput{UserName: s("alice"), TagKeys: []string{"Team"}},
			slices.Concat([]string{"iam:UntagUser " + alice}, aliceTags[:1], []string{"aws:TagKeys=[Team] multi"}, aliceTags[1:]),
		},
		{&sdk.CreatePolicyInput{PolicyName: s("p"), Path: s("/y/")}, []string{"iam:CreatePolicy arn:aws:iam::111122223333:policy/y/p"}},
		{&sdk.GetPolicyInput{PolicyArn: s(readOnly)}, []string{"iam:GetPolicy " + readOnly}},
	}
	for _, tt := range tests {
		name := operationOf(tt.in)
		needs, err := w.ops[name].Needs(t.Context(), &service.Call{Caller: w.root, Account: account}, tt.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(describe(needs), tt.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
		for _, n := range needs {
			if n.Target.Account != account && n.Target.ARN != "*" {
				t.Errorf("%s: got account %s", name, n.Target.Account)
			}
		}
	}
}

// describe gives needs as lines: action and ARN, then the condition keys.
func describe(needs []service.Need) []string {
	var out []string
	for _, n := range needs {
		out = append(out, n.Action+" "+n.Target.ARN)
		var keys []string
		for name, v := range n.Target.Keys.All {
			line := fmt.Sprintf("%s=%v", name, v.Values)
			if v.Multi {
				line += " multi"
			}
			keys = append(keys, line)
		}
		slices.Sort(keys)
		out = append(out, keys...)
	}
	return out
}

// Policies of another account are judged as its own resources, so that a caller cannot read them.
func TestForeignPolicyTarget(t *testing.T) {
	w := newWorld(t)
	needs, err := w.ops["GetPolicy"].Needs(t.Context(), &service.Call{Caller: w.root, Account: account},
		&sdk.GetPolicyInput{PolicyArn: aws.String("arn:aws:iam::999999999999:policy/x")})
	if err != nil || needs[0].Target.Account != "999999999999" {
		t.Errorf("got %+v, %v; want the other account", needs, err)
	}
}

// The members that AWS leaves out of some answers are recorded.
func TestAnswers(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	created := aws.Time(w.now.Truncate(1e9))
	tags := []types.Tag{{Key: s("b"), Value: s("1")}, {Key: s("a"), Value: s("")}}

	u := must[sdk.CreateUserOutput](w, &sdk.CreateUserInput{UserName: s("alice"), Tags: tags, PermissionsBoundary: s(readOnly)}).User
	boundary := &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: s(readOnly), PermissionsBoundaryType: "Policy"}
	want := &types.User{
		Arn: s("arn:aws:iam::111122223333:user/alice"), CreateDate: created, Path: s("/"), UserId: u.UserId, UserName: s("alice"), Tags: tags,
		PermissionsBoundary: boundary,
	}
	if diff := cmp.Diff(u, want, sdkTypes); diff != "" {
		t.Errorf("CreateUser (-got +want):\n%s", diff)
	}
	listed := must[sdk.ListUsersOutput](w, &sdk.ListUsersInput{}).Users
	want.Tags, want.PermissionsBoundary = nil, nil
	if diff := cmp.Diff(listed, []types.User{*want}, sdkTypes); diff != "" {
		t.Errorf("ListUsers (-got +want):\n%s", diff)
	}
	root := must[sdk.GetUserOutput](w, &sdk.GetUserInput{UserName: s("alice")}).User
	if len(root.Tags) != 2 {
		t.Errorf("GetUser: got tags %v", root.Tags)
	}

	r := must[sdk.CreateRoleOutput](w, &sdk.CreateRoleInput{RoleName: s("r"), AssumeRolePolicyDocument: s(trustEC2), Description: s("d"), MaxSessionDuration: aws.Int32(7200)}).Role
	wantRole := &types.Role{
		Arn: s("arn:aws:iam::111122223333:role/r"), AssumeRolePolicyDocument: encodeDocument(trustEC2), CreateDate: created,
		Path: s("/"), RoleId: r.RoleId, RoleName: s("r"),
	}
	if diff := cmp.Diff(r, wantRole, sdkTypes); diff != "" {
		t.Errorf("CreateRole (-got +want):\n%s", diff)
	}
	wantRole.Description, wantRole.MaxSessionDuration = s("d"), aws.Int32(7200)
	if diff := cmp.Diff(must[sdk.ListRolesOutput](w, &sdk.ListRolesInput{}).Roles, []types.Role{*wantRole}, sdkTypes); diff != "" {
		t.Errorf("ListRoles (-got +want):\n%s", diff)
	}
	wantRole.RoleLastUsed = &types.RoleLastUsed{}
	if diff := cmp.Diff(must[sdk.GetRoleOutput](w, &sdk.GetRoleInput{RoleName: s("r")}).Role, wantRole, sdkTypes); diff != "" {
		t.Errorf("GetRole (-got +want):\n%s", diff)
	}

	p := must[sdk.CreatePolicyOutput](w, &sdk.CreatePolicyInput{PolicyName: s("p"), Path: s("/x/"), PolicyDocument: s(allowAll), Description: s("d")}).Policy
	wantPolicy := &types.Policy{
		Arn: s("arn:aws:iam::111122223333:policy/x/p"), AttachmentCount: aws.Int32(0), CreateDate: created, DefaultVersionId: s("v1"),
		IsAttachable: true, Path: s("/x/"), PermissionsBoundaryUsageCount: aws.Int32(0), PolicyId: p.PolicyId, PolicyName: s("p"), UpdateDate: created,
	}
	if diff := cmp.Diff(p, wantPolicy, sdkTypes); diff != "" {
		t.Errorf("CreatePolicy (-got +want):\n%s", diff)
	}
	wantPolicy.Description, wantPolicy.Tags = s("d"), []types.Tag{}
	if diff := cmp.Diff(must[sdk.GetPolicyOutput](w, &sdk.GetPolicyInput{PolicyArn: p.Arn}).Policy, wantPolicy, sdkTypes); diff != "" {
		t.Errorf("GetPolicy (-got +want):\n%s", diff)
	}
	managed := must[sdk.GetPolicyOutput](w, &sdk.GetPolicyInput{PolicyArn: s(readOnly)}).Policy
	if got := *managed.PermissionsBoundaryUsageCount; got != 1 {
		t.Errorf("GetPolicy of an AWS managed policy: got %d boundaries, want 1", got)
	}
}

func TestDocumentEncoding(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	text := "{\"Version\": \"2012-10-17\",\n \"Statement\": {\"Effect\": \"Allow\", \"Action\": \"s3:Get*\", \"Resource\": \"arn:aws:s3:::a~b_c-d.e+f/\u00e9*\"}}"
	w.user("alice")
	must[sdk.PutUserPolicyOutput](w, &sdk.PutUserPolicyInput{UserName: s("alice"), PolicyName: s("p"), PolicyDocument: &text})
	got := *must[sdk.GetUserPolicyOutput](w, &sdk.GetUserPolicyInput{UserName: s("alice"), PolicyName: s("p")}).PolicyDocument
	want := "%7B%22Version%22%3A%20%222012-10-17%22%2C%0A%20%22Statement%22%3A%20%7B%22Effect%22%3A%20%22Allow%22%2C%20%22Action%22%3A%20%22s3%3AGet%2A%22" +
		"%2C%20%22Resource%22%3A%20%22arn%3Aaws%3As3%3A%3A%3Aa~b_c-d.e%2Bf%2F%C3%A9%2A%22%7D%7D"
	if got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestVersions(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	arn := w.policy("p")
	other := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`
	v2 := must[sdk.CreatePolicyVersionOutput](w, &sdk.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: &other, SetAsDefault: true}).PolicyVersion
	if got, want := *v2.VersionId, "v2"; got != want || !v2.IsDefaultVersion || v2.Document != nil {
		t.Errorf("got %+v", v2)
	}
	must[sdk.DeletePolicyVersionOutput](w, &sdk.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: s("v1")})
	must[sdk.CreatePolicyVersionOutput](w, &sdk.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: s(allowAll)})
	var got []string
	for _, v := range must[sdk.ListPolicyVersionsOutput](w, &sdk.ListPolicyVersionsInput{PolicyArn: &arn}).Versions {
		got = append(got, fmt.Sprint(*v.VersionId, v.IsDefaultVersion))
	}
	if diff := cmp.Diff(got, []string{"v3false", "v2true"}); diff != "" {
		t.Errorf("versions (-got +want):\n%s", diff)
	}
	doc := must[sdk.GetPolicyVersionOutput](w, &sdk.GetPolicyVersionInput{PolicyArn: &arn, VersionId: s("v2")}).PolicyVersion.Document
	if decoded, err := url.PathUnescape(*doc); err != nil || decoded != other {
		t.Errorf("got %s, %v", decoded, err)
	}
	must[sdk.SetDefaultPolicyVersionOutput](w, &sdk.SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: s("v3")})
	if got := *must[sdk.GetPolicyOutput](w, &sdk.GetPolicyInput{PolicyArn: &arn}).Policy.DefaultVersionId; got != "v3" {
		t.Errorf("got default %s, want v3", got)
	}
}

func TestPages(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		path := aws.String("/odd/")
		if i%2 == 0 {
			path = aws.String("/even/")
		}
		must[sdk.CreateUserOutput](w, &sdk.CreateUserInput{UserName: aws.String(fmt.Sprintf("User%d", i)), Path: path})
	}
	for _, tt := range []struct {
		prefix *string
		size   int32
		want   []string
	}{
		{nil, 3, []string{"User0 User1 User2", "User3 User4 User5", "User6"}},
		{nil, 7, []string{"User0 User1 User2 User3 User4 User5 User6"}},
		{aws.String("/even/"), 1, []string{"User0", "User2", "User4", "User6"}},
		{aws.String("/ev"), 4, []string{"User0 User2 User4 User6"}},
		{aws.String("/none/"), 1, []string{""}},
	} {
		var got []string
		in := &sdk.ListUsersInput{PathPrefix: tt.prefix, MaxItems: &tt.size}
		for {
			out := must[sdk.ListUsersOutput](w, in)
			names := ""
			for _, u := range out.Users {
				names += " " + *u.UserName
			}
			got = append(got, names[min(1, len(names)):])
			if out.IsTruncated != (out.Marker != nil) {
				t.Fatalf("truncated %v with marker %v", out.IsTruncated, out.Marker)
			}
			if !out.IsTruncated {
				break
			}
			in.Marker = out.Marker
		}
		if diff := cmp.Diff(got, tt.want); diff != "" {
			t.Errorf("prefix %v size %d (-got +want):\n%s", aws.ToString(tt.prefix), tt.size, diff)
		}
	}
}

func TestListPoliciesAndEntities(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	arn := w.policy("mine")
	w.policy("other")
	w.policy("mine-too") // its name starts with that of another
	w.user("alice")
	w.group("devs")
	w.role("deploy", trustEC2)
	must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: s("alice"), PolicyArn: &arn})
	must[sdk.AttachUserPolicyOutput](w, &sdk.AttachUserPolicyInput{UserName: s("alice"), PolicyArn: &arn}) // again: no error
	must[sdk.AttachGroupPolicyOutput](w, &sdk.AttachGroupPolicyInput{GroupName: s("devs"), PolicyArn: s(readOnly)})
	must[sdk.PutRolePermissionsBoundaryOutput](w, &sdk.PutRolePermissionsBoundaryInput{RoleName: s("deploy"), PermissionsBoundary: &arn})

	names := func(in *sdk.ListPoliciesInput) (out []string) {
		for _, p := range must[sdk.ListPoliciesOutput](w, in).Policies {
			out = append(out, *p.PolicyName)
		}
		return out
	}
	for _, tt := range []struct {
		in   *sdk.ListPoliciesInput
		want []string
	}{
		{&sdk.ListPoliciesInput{}, []string{
			"mine", "mine-too", "other", "ReadOnlyAccess", "AWSLambdaServiceRolePolicy", "AWSLambdaBasicExecutionRole",
		}},
		{&sdk.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal, MaxItems: aws.Int32(2)}, []string{"mine", "mine-too"}},
		{&sdk.ListPoliciesInput{OnlyAttached: true}, []string{"mine", "ReadOnlyAccess"}},
		{&sdk.ListPoliciesInput{PolicyUsageFilter: types.PolicyUsageTypePermissionsBoundary}, []string{"mine"}},
		{&sdk.ListPoliciesInput{PathPrefix: s("/service-role/")}, []string{"AWSLambdaBasicExecutionRole"}},
	} {
		if diff := cmp.Diff(names(tt.in), tt.want); diff != "" {
			t.Errorf("%+v (-got +want):\n%s", tt.in, diff)
		}
	}
	got := must[sdk.ListEntitiesForPolicyOutput](w, &sdk.ListEntitiesForPolicyInput{PolicyArn: &arn})
	if len(got.PolicyUsers) != 1 || len(got.PolicyRoles) != 1 || len(got.PolicyGroups) != 0 {
		t.Errorf("got %+v", got)
	}
	got = must[sdk.ListEntitiesForPolicyOutput](w, &sdk.ListEntitiesForPolicyInput{PolicyArn: &arn, EntityFilter: types.EntityTypeUser})
	if len(got.PolicyUsers) != 1 || len(got.PolicyRoles) != 0 {
		t.Errorf("got %+v", got)
	}

	// Detached and deleted, nothing refers to the policy any more.
	must[sdk.DetachUserPolicyOutput](w, &sdk.DetachUserPolicyInput{UserName: s("alice"), PolicyArn: &arn})
	must[sdk.DeleteRoleOutput](w, &sdk.DeleteRoleInput{RoleName: s("deploy")})
	must[sdk.DeletePolicyOutput](w, &sdk.DeletePolicyInput{PolicyArn: &arn})
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	w.user("alice")
	must[sdk.TagUserOutput](w, &sdk.TagUserInput{UserName: s("alice"), Tags: []types.Tag{{Key: s("b"), Value: s("1")}, {Key: s("a"), Value: s("2")}}})
	must[sdk.TagUserOutput](w, &sdk.TagUserInput{UserName: s("alice"), Tags: []types.Tag{{Key: s("B"), Value: s("3")}}})
	must[sdk.UntagUserOutput](w, &sdk.UntagUserInput{UserName: s("alice"), TagKeys: []string{"A"}})
	got := must[sdk.ListUserTagsOutput](w, &sdk.ListUserTagsInput{UserName: s("alice")}).Tags
	if diff := cmp.Diff(got, []types.Tag{{Key: s("B"), Value: s("3")}}, sdkTypes); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestRenameKeepsWhatBelongsToAUser(t *testing.T) {
	w := newWorld(t)
	s := aws.String
	id := w.user("alice")
	w.group("devs")
	key, _ := w.key("alice")
	must[sdk.AddUserToGroupOutput](w, &sdk.AddUserToGroupInput{UserName: s("alice"), GroupName: s("devs")})
	must[sdk.UpdateUserOutput](w, &sdk.UpdateUserInput{UserName: s("alice"), NewUserName: s("eve"), NewPath: s("/new/")})
	must[sdk.UpdateGroupOutput](w, &sdk.UpdateGroupInput{GroupName: s("devs"), NewGroupName: s("Devs")})

	u := must[sdk.GetUserOutput](w, &sdk.GetUserInput{UserName: s("eve")}).User
	if *u.UserId != id || *u.Arn != "arn:aws:iam::111122223333:user/new/eve" {
		t.Errorf("got %+v", u)
	}
	keys := must[sdk.ListAccessKeysOutput](w, &sdk.ListAccessKeysInput{UserName: s("eve")}).AccessKeyMetadata
	if len(keys) != 1 || *keys[0].AccessKeyId != key || *keys[0].UserName != "eve" {
		t.Errorf("got keys %+v", keys)
	}
	groups := must[sdk.ListGroupsForUserOutput](w, &sdk.ListGroupsForUserInput{UserName: s("eve")}).Groups
	if len(groups) != 1 || *groups[0].GroupName != "Devs" {
		t.Errorf("got groups %+v", groups)
	}
	if users := must[sdk.GetGroupOutput](w, &sdk.GetGroupInput{GroupName: s("Devs")}).Users; len(users) != 1 || *users[0].UserName != "eve" {
		t.Errorf("got users %+v", users)
	}
	w.user("alice") // the old name is free

	must[sdk.RemoveUserFromGroupOutput](w, &sdk.RemoveUserFromGroupInput{UserName: s("eve"), GroupName: s("Devs")})
	must[sdk.DeleteAccessKeyOutput](w, &sdk.DeleteAccessKeyInput{UserName: s("eve"), AccessKeyId: &key})
	must[sdk.DeleteUserOutput](w, &sdk.DeleteUserInput{UserName: s("eve")})
	must[sdk.DeleteGroupOutput](w, &sdk.DeleteGroupInput{GroupName: s("Devs")})
}
