package compat

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// aws_iam_policy: each update makes a new version, and when there are five the oldest goes first.
func TestTerraformManagedPolicy(t *testing.T) {
	t.Parallel()
	c, ctx, name, s := server.as(server.root).iam, t.Context(), unique("Policy"), aws.String
	text := document(allow("s3:GetObject", "arn:aws:s3:::ü/*"))
	created := must(c.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: &name, Path: s("/tf/"), Description: s("what it is for"), PolicyDocument: text, Tags: tagsOf("b", "2", "a", "1"),
	}))(t).Policy
	made(t, "ANPA", created.PolicyId, created.CreateDate)
	arn := created.Arn
	read := func() *types.Policy {
		t.Helper()
		return must(c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn}))(t).Policy
	}
	want := &types.Policy{
		Arn: s(arnPrefix + "policy/tf/" + name), AttachmentCount: aws.Int32(0), CreateDate: created.CreateDate, DefaultVersionId: s("v1"),
		Description: s("what it is for"), IsAttachable: true, Path: s("/tf/"), PermissionsBoundaryUsageCount: aws.Int32(0),
		PolicyId: created.PolicyId, PolicyName: &name, Tags: tagsOf("a", "1", "b", "2"), UpdateDate: created.UpdateDate,
	}
	same(t, "policy", read(), want)
	version := func(want *string) {
		t.Helper()
		v := must(c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: read().DefaultVersionId}))(t).PolicyVersion
		if got := decode(t, v.Document); got != *want || !v.IsDefaultVersion || v.CreateDate.Nanosecond() != 0 {
			t.Errorf("got version %s, default %v, of %v: %s, want %s", *v.VersionId, v.IsDefaultVersion, v.CreateDate, got, *want)
		}
	}
	version(text)
	versions := func() []types.PolicyVersion {
		t.Helper()
		return must(c.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: arn}))(t).Versions
	}
	for i := range 7 {
		if all := versions(); len(all) == 5 {
			must(c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: all[4].VersionId}))(t)
		}
		text = document(allow(fmt.Sprint("s3:Get", i), "*"))
		v := must(c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: text, SetAsDefault: true}))(t).PolicyVersion
		if got, want := *v.VersionId, fmt.Sprint("v", i+2); got != want {
			t.Errorf("got version %s, want %s", got, want)
		}
		version(text)
	}
	must(c.UntagPolicy(ctx, &iam.UntagPolicyInput{PolicyArn: arn, TagKeys: []string{"b"}}))(t)
	must(c.TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: arn, Tags: tagsOf("a", "3")}))(t)
	got := read()
	want.DefaultVersionId, want.Tags, want.UpdateDate = s("v8"), tagsOf("a", "3"), got.UpdateDate
	same(t, "updated policy", got, want)
	if got.UpdateDate.Before(*created.UpdateDate) {
		t.Errorf("got update %v before creation %v", got.UpdateDate, created.UpdateDate)
	}

	for _, v := range versions() {
		if !v.IsDefaultVersion {
			must(c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: v.VersionId}))(t)
		}
	}
	must(c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))(t)
	_, err := c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn})
	check(t, err, failure{404, "NoSuchEntity", "Policy " + *arn + " was not found."})
}

// aws_iam_policy_attachment, and aws_iam_{user,group,role}_policy_attachment.
func TestTerraformAttachments(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).iam, t.Context()
	user, r, group, policy := server.newUser(t), server.newRole(t, trustLambda), unique("group"), server.newPolicy(t, allow("s3:*", "*"))
	must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &group}))(t)
	must(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &user.name, PolicyArn: &policy}))(t)
	must(c.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: &group, PolicyArn: &policy}))(t)
	must(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &r.name, PolicyArn: &policy}))(t)
	entities := func() []string {
		t.Helper()
		names := []string{}
		for p := iam.NewListEntitiesForPolicyPaginator(c, &iam.ListEntitiesForPolicyInput{PolicyArn: &policy, MaxItems: aws.Int32(1)}); p.HasMorePages(); {
			page := must(p.NextPage(ctx))(t)
			for _, e := range page.PolicyGroups {
				names = append(names, *e.GroupName)
			}
			for _, e := range page.PolicyRoles {
				names = append(names, *e.RoleName)
			}
			for _, e := range page.PolicyUsers {
				names = append(names, *e.UserName)
			}
		}
		return names
	}
	same(t, "entities", entities(), []string{group, r.name, user.name})
	attached := []types.AttachedPolicy{{PolicyArn: &policy, PolicyName: aws.String(policy[strings.LastIndex(policy, "/")+1:])}}
	same(t, "of the user", must(c.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: &user.name}))(t).AttachedPolicies, attached)
	same(t, "of the group", must(c.ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: &group}))(t).AttachedPolicies, attached)
	same(t, "of the role", must(c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &r.name}))(t).AttachedPolicies, attached)
	if n := *must(c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &policy}))(t).Policy.AttachmentCount; n != 3 {
		t.Errorf("got %d attachments, want 3", n)
	}
	must(c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: &user.name, PolicyArn: &policy}))(t)
	must(c.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{GroupName: &group, PolicyArn: &policy}))(t)
	must(c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &r.name, PolicyArn: &policy}))(t)
	same(t, "entities that are left", entities(), []string{})
	_, err := c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &r.name, PolicyArn: &policy})
	check(t, err, failure{404, "NoSuchEntity", "Policy " + policy + " was not found."})
}

// aws_iam_user_policy, aws_iam_group_policy and aws_iam_role_policy.
func TestTerraformInlinePolicies(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).iam, t.Context()
	user, r, group, name := server.newUser(t), server.newRole(t, trustLambda), unique("group"), aws.String("in+line=policy")
	must(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &group}))(t)
	for _, text := range []*string{
		document(allow("s3:*", "*")), aws.String("{\n\t\"Statement\": [" + deny("sqs:*", "arn:aws:sqs:*:*:ü%20+") + "],\r\n\t\"Version\": \"2012-10-17\"\n}"),
	} {
		must(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &user.name, PolicyName: name, PolicyDocument: text}))(t)
		must(c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: &group, PolicyName: name, PolicyDocument: text}))(t)
		must(c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &r.name, PolicyName: name, PolicyDocument: text}))(t)
		u := must(c.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: &user.name, PolicyName: name}))(t)
		g := must(c.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: &group, PolicyName: name}))(t)
		of := must(c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &r.name, PolicyName: name}))(t)
		same(t, "owners", []string{*u.UserName, *g.GroupName, *of.RoleName}, []string{user.name, group, r.name})
		same(t, "names", []string{*u.PolicyName, *g.PolicyName, *of.PolicyName}, []string{*name, *name, *name})
		for _, got := range []*string{u.PolicyDocument, g.PolicyDocument, of.PolicyDocument} {
			same(t, "document", decode(t, got), *text)
		}
	}
	must(c.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &user.name, PolicyName: name}))(t)
	must(c.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: &group, PolicyName: name}))(t)
	must(c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &r.name, PolicyName: name}))(t)
	_, err := c.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: &group, PolicyName: name})
	check(t, err, failure{404, "NoSuchEntity", "The group policy with name " + *name + " cannot be found."})
}

// data "aws_iam_policy" by name: all policies are listed until the name is met.
func TestTerraformPolicyByName(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).iam, t.Context()
	own := server.newPolicy(t, allow("s3:*", "*"))
	for name, want := range map[string]string{
		"AWSLambdaBasicExecutionRole":       "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
		own[strings.LastIndex(own, "/")+1:]: own,
	} {
		var got []string
		for p := iam.NewListPoliciesPaginator(c, &iam.ListPoliciesInput{MaxItems: aws.Int32(1000)}); p.HasMorePages(); {
			for _, policy := range must(p.NextPage(ctx))(t).Policies {
				if *policy.PolicyName == name {
					got = append(got, *policy.Arn)
				}
			}
		}
		same(t, name, got, []string{want})
		v := must(c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &want}))(t).Policy.DefaultVersionId
		if text := must(c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &want, VersionId: v}))(t).PolicyVersion.Document; !strings.Contains(decode(t, text), "Statement") {
			t.Errorf("%s: got %s", name, *text)
		}
	}
}

// What lists and answers say of AWS's own policies agrees, whatever the list is cut by.
func TestIAMListsOfManagedPolicies(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).iam, t.Context()
	list := func(in iam.ListPoliciesInput) map[string]types.Policy {
		t.Helper()
		all := make(map[string]types.Policy)
		for p := iam.NewListPoliciesPaginator(c, &in); p.HasMorePages(); {
			for _, policy := range must(p.NextPage(ctx))(t).Policies {
				all[*policy.Arn] = policy
			}
		}
		return all
	}
	ofAWS, paged := list(iam.ListPoliciesInput{Scope: types.PolicyScopeTypeAws, MaxItems: aws.Int32(1000)}), list(iam.ListPoliciesInput{Scope: types.PolicyScopeTypeAws})
	if len(ofAWS) < 1400 || len(paged) != len(ofAWS) {
		t.Errorf("got %d policies of AWS, in pages of 100 %d, want 1,400 or more", len(ofAWS), len(paged))
	}
	roles := list(iam.ListPoliciesInput{Scope: types.PolicyScopeTypeAws, PathPrefix: aws.String("/service-role/")})
	for arn, p := range ofAWS {
		if _, ok := roles[arn]; ok != strings.HasPrefix(*p.Path, "/service-role/") {
			t.Errorf("%s: listed below /service-role/: %v", arn, ok)
		}
	}

	// Two policies that no other test uses, one attached and one a boundary.
	attached, boundary := "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonSNSReadOnlyAccess"
	user := server.newUser(t)
	must(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &user.name, PolicyArn: &attached}))(t)
	must(c.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: &user.name, PermissionsBoundary: &boundary}))(t)
	for name, tt := range map[string]struct {
		in   iam.ListPoliciesInput
		want []bool // whether the attached policy and the boundary are listed
	}{
		"all":         {iam.ListPoliciesInput{}, []bool{true, true}},
		"local":       {iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal}, []bool{false, false}},
		"attached":    {iam.ListPoliciesInput{OnlyAttached: true}, []bool{true, true}},
		"permissions": {iam.ListPoliciesInput{PolicyUsageFilter: types.PolicyUsageTypePermissionsPolicy}, []bool{true, false}},
		"boundaries":  {iam.ListPoliciesInput{PolicyUsageFilter: types.PolicyUsageTypePermissionsBoundary}, []bool{false, true}},
		"path":        {iam.ListPoliciesInput{PathPrefix: aws.String("/job-function/")}, []bool{false, false}},
	} {
		all := list(tt.in)
		for i, arn := range []string{attached, boundary} {
			p, ok := all[arn]
			if ok != tt.want[i] {
				t.Errorf("%s: %s listed: %v", name, arn, ok)
			}
			if counts := []int32{1, 0}; ok && (*p.AttachmentCount != counts[i] || *p.PermissionsBoundaryUsageCount != counts[1-i]) {
				t.Errorf("%s: got %d attachments and %d boundaries of %s", name, *p.AttachmentCount, *p.PermissionsBoundaryUsageCount, arn)
			}
		}
	}
	got := must(c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &attached}))(t).Policy
	want := list(iam.ListPoliciesInput{OnlyAttached: true})[attached]
	want.Tags = []types.Tag{}
	same(t, "GetPolicy", *got, want)
	versions := must(c.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: &attached}))(t).Versions
	if !slices.ContainsFunc(versions, func(v types.PolicyVersion) bool { return v.IsDefaultVersion && *v.VersionId == *got.DefaultVersionId }) {
		t.Errorf("got versions %v, want %s among them", versions, *got.DefaultVersionId)
	}
	for usage, want := range map[types.PolicyUsageType]int{"": 1, types.PolicyUsageTypePermissionsPolicy: 1, types.PolicyUsageTypePermissionsBoundary: 0} {
		out := must(c.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: &attached, PolicyUsageFilter: usage}))(t)
		if len(out.PolicyUsers) != want || len(out.PolicyGroups)+len(out.PolicyRoles) != 0 {
			t.Errorf("usage %q: got users %v", usage, out.PolicyUsers)
		}
	}
}

// What a scanner reads of an account by one operation, page by page, is what the single operations say.
func TestIAMAuthorizationDetails(t *testing.T) {
	t.Parallel()
	c, ctx := server.as(server.root).iam, t.Context()
	user, r, policy := server.newUser(t, allow("s3:*", "*")), server.newRole(t, trustLambda, allow("sqs:*", "*")), server.newPolicy(t, allow("sns:*", "*"))
	must(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &r.name, PolicyArn: &policy}))(t)
	must(c.TagUser(ctx, &iam.TagUserInput{UserName: &user.name, Tags: tagsOf("a", "1")}))(t)
	var u *types.UserDetail
	var of *types.RoleDetail
	var p *types.ManagedPolicyDetail
	for pages := iam.NewGetAccountAuthorizationDetailsPaginator(c, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{types.EntityTypeUser, types.EntityTypeRole, types.EntityTypeLocalManagedPolicy}, MaxItems: aws.Int32(7),
	}); pages.HasMorePages(); {
		page := must(pages.NextPage(ctx))(t)
		if len(page.GroupDetailList) > 0 {
			t.Errorf("got groups %v, which were not asked for", page.GroupDetailList)
		}
		for _, d := range page.UserDetailList {
			if *d.UserName == user.name {
				u = &d
			}
		}
		for _, d := range page.RoleDetailList {
			if *d.RoleName == r.name {
				of = &d
			}
		}
		for _, d := range page.Policies {
			if *d.Arn == policy {
				p = &d
			}
		}
	}
	if u == nil || of == nil || p == nil {
		t.Fatalf("got user %v, role %v, policy %v", u, of, p)
	}
	same(t, "tags", u.Tags, tagsOf("a", "1"))
	if len(u.UserPolicyList) != 1 || decode(t, u.UserPolicyList[0].PolicyDocument) != *document(allow("s3:*", "*")) {
		t.Errorf("got inline policies %v", u.UserPolicyList)
	}
	if decode(t, of.AssumeRolePolicyDocument) != *document(trust(trustLambda)) || len(of.RolePolicyList) != 1 || len(of.AttachedManagedPolicies) != 1 {
		t.Errorf("got role %v", of)
	}
	if len(p.PolicyVersionList) != 1 || decode(t, p.PolicyVersionList[0].Document) != *document(allow("sns:*", "*")) || *p.AttachmentCount != 1 {
		t.Errorf("got policy %v", p)
	}
	granting := must(c.ListPoliciesGrantingServiceAccess(ctx, &iam.ListPoliciesGrantingServiceAccessInput{
		Arn: &r.arn, ServiceNamespaces: []string{"sns", "sqs", "s3"},
	}))(t).PoliciesGrantingServiceAccess
	same(t, "grants", []int{len(granting[0].Policies), len(granting[1].Policies), len(granting[2].Policies)}, []int{1, 1, 0})
	_, err := user.iam.GetAccountAuthorizationDetails(ctx, nil)
	check(t, err, iamDenied(user.arn, "iam:GetAccountAuthorizationDetails", "*", "identity-based policy"))
}
