package compat

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// company is an organization, as its management account's root sees it.
type company struct {
	tenant
	organizations *organizations.Client
	org           *types.Organization
	root          string
}

// organizations makes the client of a caller.
func (l *licet) organizations(c clients) *organizations.Client {
	return organizations.NewFromConfig(l.config(c.credentials))
}

// newCompany makes an organization of a new account, with the policy types enabled.
func (l *licet) newCompany(t *testing.T, enabled ...types.PolicyType) company {
	t.Helper()
	a := l.newAccount(t)
	c := company{tenant: a, organizations: l.organizations(a.clients)}
	c.org = must(c.organizations.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{}))(t).Organization
	c.root = *must(c.organizations.ListRoots(t.Context(), nil))(t).Roots[0].Id
	for _, policyType := range enabled {
		must(c.organizations.EnablePolicyType(t.Context(), &organizations.EnablePolicyTypeInput{
			RootId: &c.root, PolicyType: policyType,
		}))(t)
	}
	return c
}

// member makes an account of the organization under a parent.
func (c company) member(t *testing.T, parent string) tenant {
	t.Helper()
	id := c.createAccount(t, unique("member"), unique("m")+"@example.com")
	if parent != c.root {
		must(c.organizations.MoveAccount(t.Context(), &organizations.MoveAccountInput{
			AccountId: &id, SourceParentId: &c.root, DestinationParentId: &parent,
		}))(t)
	}
	return server.account(t, id)
}

// createAccount does what Terraform does: it asks for the account, and then for the status until that is final.
func (c company) createAccount(t *testing.T, name, email string) string {
	t.Helper()
	status := must(c.organizations.CreateAccount(t.Context(), &organizations.CreateAccountInput{
		AccountName: &name, Email: &email,
	}))(t).CreateAccountStatus
	if status.State != types.CreateAccountStateInProgress || *status.AccountName != name {
		t.Errorf("got %+v", status)
	}
	done := must(c.organizations.DescribeCreateAccountStatus(t.Context(), &organizations.DescribeCreateAccountStatusInput{
		CreateAccountRequestId: status.Id,
	}))(t).CreateAccountStatus
	if done.State != types.CreateAccountStateSucceeded {
		t.Fatalf("got %s: %s", done.State, done.FailureReason)
	}
	return *done.AccountId
}

func (c company) unit(t *testing.T, parent string) string {
	t.Helper()
	return *must(c.organizations.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{
		ParentId: &parent, Name: aws.String(unique("unit")),
	}))(t).OrganizationalUnit.Id
}

// policy makes a policy and attaches it.
func (c company) policy(t *testing.T, policyType types.PolicyType, content *string, target string) types.PolicySummary {
	t.Helper()
	p := must(c.organizations.CreatePolicy(t.Context(), &organizations.CreatePolicyInput{
		Name: aws.String(unique("policy")), Description: aws.String(""), Type: policyType, Content: content,
	}))(t).Policy.PolicySummary
	must(c.organizations.AttachPolicy(t.Context(), &organizations.AttachPolicyInput{PolicyId: p.Id, TargetId: &target}))(t)
	return *p
}

func (c company) detach(t *testing.T, policy, target string) {
	t.Helper()
	must(c.organizations.DetachPolicy(t.Context(), &organizations.DetachPolicyInput{PolicyId: &policy, TargetId: &target}))(t)
}

// wantShape holds an id or ARN against the pattern of AWS's model.
func wantShape(t *testing.T, pattern string, got *string) {
	t.Helper()
	if !regexp.MustCompile("^(?:" + pattern + ")$").MatchString(aws.ToString(got)) {
		t.Errorf("got %q, want %s", aws.ToString(got), pattern)
	}
}

// The calls of Terraform's aws_organizations_organization: create, enable services and policy types, read, update, destroy.
func TestTerraformOrganization(t *testing.T) {
	t.Parallel()
	a := server.newAccount(t)
	c, ctx := server.organizations(a.clients), t.Context()
	_, err := c.DescribeOrganization(ctx, nil)
	notInUse := failure{400, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."}
	check(t, err, notInUse)

	created := must(c.CreateOrganization(ctx, &organizations.CreateOrganizationInput{FeatureSet: types.OrganizationFeatureSetAll}))(t).Organization
	wantShape(t, `o-[a-z0-9]{10,32}`, created.Id)
	wantShape(t, `arn:aws:organizations::`+a.id+`:organization/`+*created.Id, created.Arn)
	wantShape(t, `arn:aws:organizations::`+a.id+`:account/`+*created.Id+`/`+a.id, created.MasterAccountArn)
	must(c.EnableAWSServiceAccess(ctx, &organizations.EnableAWSServiceAccessInput{ServicePrincipal: aws.String("sso.amazonaws.com")}))(t)
	root := must(c.ListRoots(ctx, nil))(t).Roots[0]
	wantShape(t, `r-[0-9a-z]{4,32}`, root.Id)
	for _, policyType := range []types.PolicyType{types.PolicyTypeServiceControlPolicy, types.PolicyTypeResourceControlPolicy} {
		must(c.EnablePolicyType(ctx, &organizations.EnablePolicyTypeInput{RootId: root.Id, PolicyType: policyType}))(t)
	}

	read := must(c.DescribeOrganization(ctx, nil))(t).Organization
	if diff := cmp.Diff(read, created, cmpopts.IgnoreUnexported(types.Organization{}, types.PolicyTypeSummary{})); diff != "" {
		t.Errorf("read back (-got +want):\n%s", diff)
	}
	accounts := must(c.ListAccounts(ctx, nil))(t).Accounts
	if len(accounts) != 1 || *accounts[0].Id != a.id || accounts[0].Status != types.AccountStatusActive || *accounts[0].Email != *read.MasterAccountEmail {
		t.Errorf("got accounts %+v", accounts)
	}
	enabled := must(c.ListAWSServiceAccessForOrganization(ctx, nil))(t).EnabledServicePrincipals
	if len(enabled) != 1 || *enabled[0].ServicePrincipal != "sso.amazonaws.com" || enabled[0].DateEnabled == nil {
		t.Errorf("got services %+v", enabled)
	}
	wantTypes := func(want ...types.PolicyType) {
		t.Helper()
		var got []types.PolicyType
		for _, p := range must(c.ListRoots(ctx, nil))(t).Roots[0].PolicyTypes {
			if p.Status == types.PolicyTypeStatusEnabled {
				got = append(got, p.Type)
			}
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("policy types (-got +want):\n%s", diff)
		}
	}
	wantTypes(types.PolicyTypeServiceControlPolicy, types.PolicyTypeResourceControlPolicy)

	must(c.DisableAWSServiceAccess(ctx, &organizations.DisableAWSServiceAccessInput{ServicePrincipal: aws.String("sso.amazonaws.com")}))(t)
	must(c.DisablePolicyType(ctx, &organizations.DisablePolicyTypeInput{RootId: root.Id, PolicyType: types.PolicyTypeServiceControlPolicy}))(t)
	wantTypes(types.PolicyTypeResourceControlPolicy)
	_, err = c.DisablePolicyType(ctx, &organizations.DisablePolicyTypeInput{RootId: root.Id, PolicyType: types.PolicyTypeServiceControlPolicy})
	check(t, err, failure{400, "PolicyTypeNotEnabledException", "This operation can be performed only for enabled policy types."})
	_, err = c.EnablePolicyType(ctx, &organizations.EnablePolicyTypeInput{RootId: root.Id, PolicyType: types.PolicyTypeResourceControlPolicy})
	check(t, err, failure{400, "PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled."})
	_, err = c.CreateOrganization(ctx, &organizations.CreateOrganizationInput{})
	check(t, err, failure{400, "AlreadyInOrganizationException", "The AWS account is already a member of an organization."})

	must(c.DeleteOrganization(ctx, nil))(t)
	_, err = c.DescribeOrganization(ctx, nil)
	check(t, err, notInUse)
}

// The calls of Terraform's aws_organizations_organizational_unit.
func TestTerraformOrganizationalUnit(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t), t.Context()
	created := must(c.organizations.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{
		Name: aws.String("Workloads"), ParentId: &c.root, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}},
	}))(t).OrganizationalUnit
	wantShape(t, `ou-`+c.root[2:]+`-[a-z0-9]{8,32}`, created.Id)
	wantShape(t, `arn:aws:organizations::`+c.id+`:ou/`+*c.org.Id+`/`+*created.Id, created.Arn)
	describe := func() *types.OrganizationalUnit {
		t.Helper()
		return must(c.organizations.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{
			OrganizationalUnitId: created.Id,
		}))(t).OrganizationalUnit
	}
	if diff := cmp.Diff(describe(), created, cmpopts.IgnoreUnexported(types.OrganizationalUnit{})); diff != "" {
		t.Errorf("read back (-got +want):\n%s", diff)
	}
	parents := must(c.organizations.ListParents(ctx, &organizations.ListParentsInput{ChildId: created.Id}))(t).Parents
	if len(parents) != 1 || *parents[0].Id != c.root || parents[0].Type != types.ParentTypeRoot {
		t.Errorf("got parents %+v", parents)
	}
	accounts := must(c.organizations.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: created.Id}))(t).Accounts
	if len(accounts) != 0 {
		t.Errorf("got accounts %+v", accounts)
	}
	c.wantTags(t, *created.Id, "team=red")
	must(c.organizations.UpdateOrganizationalUnit(ctx, &organizations.UpdateOrganizationalUnitInput{
		OrganizationalUnitId: created.Id, Name: aws.String("Jobs"),
	}))(t)
	must(c.organizations.UntagResource(ctx, &organizations.UntagResourceInput{ResourceId: created.Id, TagKeys: []string{"team"}}))(t)
	must(c.organizations.TagResource(ctx, &organizations.TagResourceInput{
		ResourceId: created.Id, Tags: []types.Tag{{Key: aws.String("stage"), Value: aws.String("")}},
	}))(t)
	if got := describe(); *got.Name != "Jobs" {
		t.Errorf("got name %s", *got.Name)
	}
	c.wantTags(t, *created.Id, "stage=")
	_, err := c.organizations.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{Name: aws.String("Jobs"), ParentId: &c.root})
	check(t, err, failure{400, "DuplicateOrganizationalUnitException", "An OU with the same name already exists."})
	inner := c.unit(t, *created.Id)
	_, err = c.organizations.DeleteOrganizationalUnit(ctx, &organizations.DeleteOrganizationalUnitInput{OrganizationalUnitId: created.Id})
	if code(err) != "OrganizationalUnitNotEmptyException" {
		t.Errorf("got %v", err)
	}
	for _, id := range []string{inner, *created.Id} {
		must(c.organizations.DeleteOrganizationalUnit(ctx, &organizations.DeleteOrganizationalUnitInput{OrganizationalUnitId: &id}))(t)
	}
	_, err = c.organizations.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: created.Id})
	check(t, err, failure{400, "OrganizationalUnitNotFoundException", "You specified an organizational unit that doesn't exist."})
}

// wantTags holds the tags of a resource against "key=value" texts.
func (c company) wantTags(t *testing.T, id string, want ...string) {
	t.Helper()
	var got []string
	for _, tag := range must(c.organizations.ListTagsForResource(t.Context(), &organizations.ListTagsForResourceInput{ResourceId: &id}))(t).Tags {
		got = append(got, *tag.Key+"="+*tag.Value)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("tags of %s (-got +want):\n%s", id, diff)
	}
}

// The calls of Terraform's aws_organizations_policy and aws_organizations_policy_attachment.
func TestTerraformOrganizationsPolicy(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t, types.PolicyTypeServiceControlPolicy), t.Context()
	text := document(deny("s3:DeleteBucket", "*"))
	p := must(c.organizations.CreatePolicy(ctx, &organizations.CreatePolicyInput{
		Name: aws.String("guard"), Description: aws.String("keeps buckets"), Type: types.PolicyTypeServiceControlPolicy, Content: text,
		Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}))(t).Policy
	wantShape(t, `p-[0-9a-zA-Z_]{8,128}`, p.PolicySummary.Id)
	wantShape(t, `arn:aws:organizations::`+c.id+`:policy/`+*c.org.Id+`/service_control_policy/`+*p.PolicySummary.Id, p.PolicySummary.Arn)
	describe := func() *types.Policy {
		t.Helper()
		return must(c.organizations.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: p.PolicySummary.Id}))(t).Policy
	}
	if diff := cmp.Diff(describe(), p, cmpopts.IgnoreUnexported(types.Policy{}, types.PolicySummary{})); diff != "" || *p.Content != *text {
		t.Errorf("read back (-got +want):\n%s", diff)
	}
	c.wantTags(t, *p.PolicySummary.Id, "a=b")
	changed := document(deny("s3:*", "*"))
	must(c.organizations.UpdatePolicy(ctx, &organizations.UpdatePolicyInput{
		PolicyId: p.PolicySummary.Id, Name: aws.String("guards"), Description: aws.String(""), Content: changed,
	}))(t)
	if got := describe(); *got.Content != *changed || *got.PolicySummary.Name != "guards" || aws.ToString(got.PolicySummary.Description) != "" {
		t.Errorf("got %+v", got)
	}

	attach := &organizations.AttachPolicyInput{PolicyId: p.PolicySummary.Id, TargetId: &c.root}
	must(c.organizations.AttachPolicy(ctx, attach))(t)
	_, err := c.organizations.AttachPolicy(ctx, attach)
	if code(err) != "DuplicatePolicyAttachmentException" {
		t.Errorf("attached twice: got %v", err)
	}
	targets := must(c.organizations.ListTargetsForPolicy(ctx, &organizations.ListTargetsForPolicyInput{PolicyId: p.PolicySummary.Id}))(t).Targets
	if len(targets) != 1 || *targets[0].TargetId != c.root || targets[0].Type != types.TargetTypeRoot || *targets[0].Name != "Root" {
		t.Errorf("got targets %+v", targets)
	}
	var ids []string
	for _, s := range must(c.organizations.ListPoliciesForTarget(ctx, &organizations.ListPoliciesForTargetInput{
		TargetId: &c.root, Filter: types.PolicyTypeServiceControlPolicy,
	}))(t).Policies {
		ids = append(ids, fmt.Sprint(*s.Id, " ", s.AwsManaged))
	}
	want := []string{"p-FullAWSAccess true", *p.PolicySummary.Id + " false"}
	slices.Sort(want)
	if diff := cmp.Diff(ids, want); diff != "" {
		t.Errorf("policies of the root (-got +want):\n%s", diff)
	}
	_, err = c.organizations.DeletePolicy(ctx, &organizations.DeletePolicyInput{PolicyId: p.PolicySummary.Id})
	if code(err) != "PolicyInUseException" {
		t.Errorf("got %v", err)
	}
	c.detach(t, *p.PolicySummary.Id, c.root)
	_, err = c.organizations.DetachPolicy(ctx, &organizations.DetachPolicyInput{PolicyId: p.PolicySummary.Id, TargetId: &c.root})
	if code(err) != "PolicyNotAttachedException" {
		t.Errorf("got %v", err)
	}
	must(c.organizations.DeletePolicy(ctx, &organizations.DeletePolicyInput{PolicyId: p.PolicySummary.Id}))(t)
	_, err = c.organizations.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: p.PolicySummary.Id})
	check(t, err, failure{400, "PolicyNotFoundException", "You specified a policy that doesn't exist."})
}

// The calls of Terraform's aws_organizations_account, with a parent and close_on_deletion.
func TestTerraformOrganizationsAccount(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t), t.Context()
	email := unique("m") + "@example.com"
	id := c.createAccount(t, "Member one", email)
	ou := c.unit(t, c.root)
	must(c.organizations.MoveAccount(ctx, &organizations.MoveAccountInput{
		AccountId: &id, SourceParentId: &c.root, DestinationParentId: &ou,
	}))(t)
	got := must(c.organizations.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &id}))(t).Account
	wantShape(t, `arn:aws:organizations::`+c.id+`:account/`+*c.org.Id+`/`+id, got.Arn)
	if *got.Name != "Member one" || *got.Email != email || got.Status != types.AccountStatusActive || got.State != types.AccountStateActive ||
		got.JoinedMethod != types.AccountJoinedMethodCreated || got.JoinedTimestamp == nil {
		t.Errorf("got %+v", got)
	}
	parents := must(c.organizations.ListParents(ctx, &organizations.ListParentsInput{ChildId: &id}))(t).Parents
	if len(parents) != 1 || *parents[0].Id != ou {
		t.Errorf("got parents %+v", parents)
	}
	must(c.organizations.TagResource(ctx, &organizations.TagResourceInput{
		ResourceId: &id, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}))(t)
	c.wantTags(t, id, "a=b")

	// The management account administers the member by the role that it got.
	_, administrator := server.userOf(t, c.tenant, allow("sts:AssumeRole", "*"))
	session := must(assumeRole(t, administrator, "arn:aws:iam::"+id+":role/OrganizationAccountAccessRole"))(t)
	must(server.as(sessionCredentials(session.Credentials)).iam.ListUsers(ctx, nil))(t)

	// An email address that is taken fails the request, not the call.
	status := must(c.organizations.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("two"), Email: &email}))(t).CreateAccountStatus
	failed := must(c.organizations.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{
		CreateAccountRequestId: status.Id,
	}))(t).CreateAccountStatus
	if failed.State != types.CreateAccountStateFailed || failed.FailureReason != types.CreateAccountFailureReasonEmailAlreadyExists {
		t.Errorf("got %+v", failed)
	}
	requests := must(c.organizations.ListCreateAccountStatus(ctx, &organizations.ListCreateAccountStatusInput{
		States: []types.CreateAccountState{types.CreateAccountStateFailed},
	}))(t).CreateAccountStatuses
	if len(requests) != 1 || *requests[0].Id != *status.Id {
		t.Errorf("got %+v", requests)
	}

	member := server.account(t, id)
	must(member.sts.GetCallerIdentity(ctx, nil))(t)
	must(c.organizations.CloseAccount(ctx, &organizations.CloseAccountInput{AccountId: &id}))(t)
	got = must(c.organizations.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &id}))(t).Account
	if got.Status != types.AccountStatusSuspended || got.State != types.AccountStateClosed {
		t.Errorf("got %s, %s", got.Status, got.State)
	}
	_, err := c.organizations.CloseAccount(ctx, &organizations.CloseAccountInput{AccountId: &id})
	if code(err) != "AccountAlreadyClosedException" {
		t.Errorf("got %v", err)
	}
	// Nobody signs in to it any more: neither its root nor a session that was made before.
	_, err = member.sts.GetCallerIdentity(ctx, nil)
	check(t, err, failure{403, "InvalidClientTokenId", "The security token included in the request is invalid."})
	_, err = server.as(sessionCredentials(session.Credentials)).iam.ListUsers(ctx, nil)
	if code(err) != "InvalidClientTokenId" {
		t.Errorf("got %v", err)
	}
}

// Pages come in the order of ids, by hand and by the SDK's paginator.
func TestOrganizationsPages(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t), t.Context()
	var want []string
	for range 5 {
		want = append(want, c.unit(t, c.root))
	}
	slices.Sort(want)
	in := &organizations.ListOrganizationalUnitsForParentInput{ParentId: &c.root, MaxResults: aws.Int32(2)}
	var got []string
	pages := 0
	for p := organizations.NewListOrganizationalUnitsForParentPaginator(c.organizations, in); p.HasMorePages(); pages++ {
		for _, u := range must(p.NextPage(ctx))(t).OrganizationalUnits {
			got = append(got, *u.Id)
		}
	}
	if diff := cmp.Diff(got, want); diff != "" || pages != 3 {
		t.Errorf("%d pages: -got +want:\n%s", pages, diff)
	}
	children := must(c.organizations.ListChildren(ctx, &organizations.ListChildrenInput{
		ParentId: &c.root, ChildType: types.ChildTypeOrganizationalUnit,
	}))(t).Children
	if len(children) != 5 || *children[0].Id != want[0] || children[0].Type != types.ChildTypeOrganizationalUnit {
		t.Errorf("got %+v", children)
	}
	in.NextToken = aws.String("?")
	_, err := c.organizations.ListOrganizationalUnitsForParent(ctx, in)
	if code(err) != "InvalidInputException" || reason(err) != "INVALID_NEXT_TOKEN" {
		t.Errorf("got %v", err)
	}
}

// reason is the Reason member of an error.
func reason(err error) string {
	if e, ok := errors.AsType[*types.InvalidInputException](err); ok {
		return string(e.Reason)
	}
	if e, ok := errors.AsType[*types.ConstraintViolationException](err); ok {
		return string(e.Reason)
	}
	if e, ok := errors.AsType[*types.HandshakeConstraintViolationException](err); ok {
		return string(e.Reason)
	}
	return ""
}

// Members read what concerns themselves, delegated administrators everything, and only the management account writes.
func TestOrganizationsAccess(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t), t.Context()
	member := c.member(t, c.root)
	mine := server.organizations(member.clients)
	noSay := failure{400, "AccessDeniedException", "You don't have permissions to access this resource."}
	if got := must(mine.DescribeOrganization(ctx, nil))(t).Organization; *got.Id != *c.org.Id {
		t.Errorf("got organization %s", *got.Id)
	}
	_, err := mine.ListAccounts(ctx, nil)
	check(t, err, noSay)
	const service = "config.amazonaws.com"
	register := &organizations.RegisterDelegatedAdministratorInput{AccountId: &member.id, ServicePrincipal: aws.String(service)}
	_, err = c.organizations.RegisterDelegatedAdministrator(ctx, register)
	if reason(err) != "SERVICE_ACCESS_NOT_ENABLED" {
		t.Errorf("got %v", err)
	}
	must(c.organizations.EnableAWSServiceAccess(ctx, &organizations.EnableAWSServiceAccessInput{ServicePrincipal: aws.String(service)}))(t)
	must(c.organizations.RegisterDelegatedAdministrator(ctx, register))(t)
	if _, err = c.organizations.RegisterDelegatedAdministrator(ctx, register); code(err) != "AccountAlreadyRegisteredException" {
		t.Errorf("got %v", err)
	}
	if got := must(mine.ListAccounts(ctx, nil))(t).Accounts; len(got) != 2 {
		t.Errorf("got accounts %+v", got)
	}
	administrators := must(mine.ListDelegatedAdministrators(ctx, nil))(t).DelegatedAdministrators
	if len(administrators) != 1 || *administrators[0].Id != member.id {
		t.Errorf("got administrators %+v", administrators)
	}
	services := must(mine.ListDelegatedServicesForAccount(ctx, &organizations.ListDelegatedServicesForAccountInput{
		AccountId: &member.id,
	}))(t).DelegatedServices
	if len(services) != 1 || *services[0].ServicePrincipal != service {
		t.Errorf("got services %+v", services)
	}
	_, err = mine.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: &c.root, Name: aws.String("x")})
	check(t, err, noSay)
	_, err = c.organizations.RemoveAccountFromOrganization(ctx, &organizations.RemoveAccountFromOrganizationInput{AccountId: &member.id})
	if reason(err) != "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG" {
		t.Errorf("got %v", err)
	}
	must(c.organizations.DeregisterDelegatedAdministrator(ctx, &organizations.DeregisterDelegatedAdministratorInput{
		AccountId: &member.id, ServicePrincipal: aws.String(service),
	}))(t)
	_, err = mine.ListAccounts(ctx, nil)
	check(t, err, noSay)

	// The caller's own permission comes first, with the resource and its keys.
	arn, reader := server.userOf(t, c.tenant, allow("organizations:Describe*", "*"),
		allow("organizations:ListPolicies", "*", `{"StringEquals":{"organizations:PolicyType":"SERVICE_CONTROL_POLICY"}}`))
	readers := server.organizations(reader)
	must(readers.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &member.id}))(t)
	must(readers.ListPolicies(ctx, &organizations.ListPoliciesInput{Filter: types.PolicyTypeServiceControlPolicy}))(t)
	_, err = readers.ListPolicies(ctx, &organizations.ListPoliciesInput{Filter: types.PolicyTypeResourceControlPolicy})
	check(t, err, failure{400, "AccessDeniedException", noPolicyAllows(arn, "organizations:ListPolicies", "*", "identity-based policy")})
	resource := fmt.Sprintf("arn:aws:organizations::%s:account/%s/%s", c.id, *c.org.Id, member.id)
	_, err = readers.CloseAccount(ctx, &organizations.CloseAccountInput{AccountId: &member.id})
	check(t, err, failure{400, "AccessDeniedException", noPolicyAllows(arn, "organizations:CloseAccount", resource, "identity-based policy")})

	must(mine.LeaveOrganization(ctx, nil))(t)
	_, err = mine.DescribeOrganization(ctx, nil)
	if code(err) != "AWSOrganizationsNotInUseException" {
		t.Errorf("got %v", err)
	}
	_, err = c.organizations.LeaveOrganization(ctx, nil)
	if code(err) != "MasterCannotLeaveOrganizationException" {
		t.Errorf("got %v", err)
	}
}

// An account joins by invitation: it sees the handshake, accepts it, and both see what became of it.
func TestOrganizationsInvitation(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t), t.Context()
	guest := server.newAccount(t)
	theirs := server.organizations(guest.clients)
	invite := func(id string) (*organizations.InviteAccountToOrganizationOutput, error) {
		return c.organizations.InviteAccountToOrganization(ctx, &organizations.InviteAccountToOrganizationInput{
			Target: &types.HandshakeParty{Id: &id, Type: types.HandshakePartyTypeAccount}, Notes: aws.String("join us"),
		})
	}
	h := must(invite(guest.id))(t).Handshake
	wantShape(t, `h-[0-9a-z]{8,32}`, h.Id)
	wantShape(t, `arn:aws:organizations::`+c.id+`:handshake/`+*c.org.Id+`/invite/`+*h.Id, h.Arn)
	if h.State != types.HandshakeStateOpen || h.Action != types.ActionTypeInviteAccountToOrganization {
		t.Errorf("got %+v", h)
	}
	if _, err := invite(guest.id); code(err) != "DuplicateHandshakeException" {
		t.Errorf("invited twice: got %v", err)
	}
	if _, err := invite(c.id); reason(err) != "ALREADY_IN_AN_ORGANIZATION" {
		t.Errorf("invited itself: got %v", err)
	}
	mine := must(theirs.ListHandshakesForAccount(ctx, nil))(t).Handshakes
	if len(mine) != 1 || *mine[0].Id != *h.Id {
		t.Errorf("got %+v", mine)
	}
	stranger := server.newAccount(t)
	_, err := server.organizations(stranger.clients).AcceptHandshake(ctx, &organizations.AcceptHandshakeInput{HandshakeId: h.Id})
	check(t, err, failure{400, "AccessDeniedException", "You don't have permissions to access this resource."})
	accepted := must(theirs.AcceptHandshake(ctx, &organizations.AcceptHandshakeInput{HandshakeId: h.Id}))(t).Handshake
	if accepted.State != types.HandshakeStateAccepted {
		t.Errorf("got %s", accepted.State)
	}
	_, err = theirs.AcceptHandshake(ctx, &organizations.AcceptHandshakeInput{HandshakeId: h.Id})
	if code(err) != "HandshakeAlreadyInStateException" {
		t.Errorf("accepted twice: got %v", err)
	}
	got := must(c.organizations.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: &guest.id}))(t).Account
	if got.JoinedMethod != types.AccountJoinedMethodInvited {
		t.Errorf("got %+v", got)
	}
	h = must(invite(stranger.id))(t).Handshake
	must(server.organizations(stranger.clients).DeclineHandshake(ctx, &organizations.DeclineHandshakeInput{HandshakeId: h.Id}))(t)
	_, err = c.organizations.CancelHandshake(ctx, &organizations.CancelHandshakeInput{HandshakeId: h.Id})
	if code(err) != "InvalidHandshakeTransitionException" {
		t.Errorf("canceled after it was declined: got %v", err)
	}
	if all := must(c.organizations.ListHandshakesForOrganization(ctx, nil))(t).Handshakes; len(all) != 2 {
		t.Errorf("got %+v", all)
	}
}

// What AWS refuses, with its codes and reasons.
func TestOrganizationsErrors(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t, types.PolicyTypeServiceControlPolicy, types.PolicyTypeResourceControlPolicy), t.Context()
	const scp, rcp = types.PolicyTypeServiceControlPolicy, types.PolicyTypeResourceControlPolicy
	create := func(policyType types.PolicyType, content string) error {
		_, err := c.organizations.CreatePolicy(ctx, &organizations.CreatePolicyInput{
			Name: aws.String(unique("p")), Description: aws.String(""), Type: policyType, Content: &content,
		})
		return err
	}
	attach := func(id, target string) error {
		_, err := c.organizations.AttachPolicy(ctx, &organizations.AttachPolicyInput{PolicyId: &id, TargetId: &target})
		return err
	}
	detach := func(id, target string) error {
		_, err := c.organizations.DetachPolicy(ctx, &organizations.DetachPolicyInput{PolicyId: &id, TargetId: &target})
		return err
	}
	full := c.unit(t, c.root)
	for range 9 {
		c.policy(t, scp, document(deny("s3:*", "*")), full)
	}
	eleventh := must(c.organizations.CreatePolicy(ctx, &organizations.CreatePolicyInput{
		Name: aws.String("eleventh"), Description: aws.String(""), Type: scp, Content: document(deny("s3:*", "*")),
	}))(t).Policy.PolicySummary
	unknown, big := "p-00000000", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"`+strings.Repeat("*", 11000)+`"}]}`
	deep := c.root
	for range 5 {
		deep = c.unit(t, deep)
	}
	_, tooDeep := c.organizations.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: &deep, Name: aws.String("six")})
	_, malformed := c.organizations.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: aws.String("12")})
	_, noAccount := c.organizations.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: aws.String("123456789012")})
	_, tagPolicy := c.organizations.ListPolicies(ctx, &organizations.ListPoliciesInput{Filter: types.PolicyTypeTagPolicy})
	_, noType := c.organizations.ListPolicies(ctx, &organizations.ListPoliciesInput{Filter: "NO_POLICY"})
	_, managed := c.organizations.UpdatePolicy(ctx, &organizations.UpdatePolicyInput{PolicyId: aws.String("p-FullAWSAccess"), Name: aws.String("x")})
	for name, tt := range map[string]struct {
		err          error
		code, reason string
	}{
		"not JSON":                {create(scp, "{"), "MalformedPolicyDocumentException", ""},
		"an SCP with Principal":   {create(scp, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}`), "MalformedPolicyDocumentException", ""},
		"an RCP that allows":      {create(rcp, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`), "MalformedPolicyDocumentException", ""},
		"an SCP that is too long": {create(scp, big), "ConstraintViolationException", "POLICY_CONTENT_LIMIT_EXCEEDED"},
		"the eleventh SCP":        {attach(*eleventh.Id, full), "ConstraintViolationException", "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"},
		"the last SCP":            {detach("p-FullAWSAccess", deep), "ConstraintViolationException", "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"},
		"RCPFullAWSAccess":        {detach("p-RCPFullAWSAccess", deep), "InvalidInputException", "NON_DETACHABLE_POLICY"},
		"no such policy":          {attach(unknown, c.root), "PolicyNotFoundException", ""},
		"no such target":          {attach(*eleventh.Id, "123456789012"), "TargetNotFoundException", ""},
		"a policy of AWS":         {managed, "InvalidInputException", "IMMUTABLE_POLICY"},
		"too deep":                {tooDeep, "ConstraintViolationException", "OU_DEPTH_LIMIT_EXCEEDED"},
		"a malformed account":     {malformed, "InvalidInputException", "INVALID_PATTERN"},
		"no such account":         {noAccount, "AccountNotFoundException", ""},
		"a type that is not here": {tagPolicy, "NotImplemented", ""},
		"a type that is nowhere":  {noType, "InvalidInputException", "INVALID_ENUM_POLICY_TYPE"},
	} {
		if code(tt.err) != tt.code || reason(tt.err) != tt.reason {
			t.Errorf("%s: got %v, want %s %s", name, tt.err, tt.code, tt.reason)
		}
	}
}

// The calls of Terraform's aws_organizations_resource_policy, and what the policy does: a member manages policies by it, as far as the
// resource policy and the caller's own permissions both allow.
func TestTerraformOrganizationsResourcePolicy(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t, types.PolicyTypeServiceControlPolicy), t.Context()
	member := c.member(t, c.root)
	arn, user := server.userOf(t, member, allow("organizations:*", "*"))
	_, idle := server.userOf(t, member, allow("s3:*", "*"))
	theirs := server.organizations(user)
	content := document(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + member.id + `:root"},"Resource":"*",
		"Action":["organizations:ListPolicies","organizations:CreatePolicy","organizations:DescribePolicy"],
		"Condition":{"StringEquals":{"organizations:PolicyType":"SERVICE_CONTROL_POLICY"}}}`)
	created := must(c.organizations.PutResourcePolicy(ctx, &organizations.PutResourcePolicyInput{
		Content: content, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}))(t).ResourcePolicy
	wantShape(t, `rp-[0-9a-zA-Z_]{4,128}`, created.ResourcePolicySummary.Id)
	wantShape(t, `arn:aws:organizations::`+c.id+`:resourcepolicy/`+*c.org.Id+`/`+*created.ResourcePolicySummary.Id, created.ResourcePolicySummary.Arn)
	read := must(c.organizations.DescribeResourcePolicy(ctx, nil))(t).ResourcePolicy
	if diff := cmp.Diff(read, created, cmpopts.IgnoreUnexported(types.ResourcePolicy{}, types.ResourcePolicySummary{})); diff != "" || *read.Content != *content {
		t.Errorf("read back (-got +want):\n%s", diff)
	}
	c.wantTags(t, *created.ResourcePolicySummary.Id, "a=b")

	list := &organizations.ListPoliciesInput{Filter: types.PolicyTypeServiceControlPolicy}
	must(theirs.ListPolicies(ctx, list))(t)
	p := must(theirs.CreatePolicy(ctx, &organizations.CreatePolicyInput{
		Name: aws.String("theirs"), Description: aws.String(""), Type: types.PolicyTypeServiceControlPolicy, Content: document(deny("s3:*", "*")),
	}))(t).Policy.PolicySummary
	_, err := theirs.AttachPolicy(ctx, &organizations.AttachPolicyInput{PolicyId: p.Id, TargetId: &c.root})
	check(t, err, failure{400, "AccessDeniedException", noPolicyAllows(arn, "organizations:AttachPolicy", *p.Arn, "resource-based policy")})
	_, err = theirs.ListPolicies(ctx, &organizations.ListPoliciesInput{Filter: types.PolicyTypeResourceControlPolicy})
	check(t, err, failure{400, "AccessDeniedException", noPolicyAllows(arn, "organizations:ListPolicies", "*", "resource-based policy")})
	if _, err = server.organizations(idle).ListPolicies(ctx, list); code(err) != "AccessDeniedException" {
		t.Errorf("a caller without a permission of its own: got %v", err)
	}
	must(c.organizations.DeleteResourcePolicy(ctx, nil))(t)
	_, err = theirs.ListPolicies(ctx, list)
	check(t, err, failure{400, "AccessDeniedException", "You don't have permissions to access this resource."})
	_, err = c.organizations.DescribeResourcePolicy(ctx, nil)
	if code(err) != "ResourcePolicyNotFoundException" {
		t.Errorf("got %v", err)
	}
}
