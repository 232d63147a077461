package compat

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

const (
	scpType = types.PolicyTypeServiceControlPolicy
	rcpType = types.PolicyTypeResourceControlPolicy
)

// deniedByLevel is the text of a denial by an organization's policy; arn is "" where the policy is not named.
func deniedByLevel(caller, action, resource, policyType, arn string) string {
	text := "User: " + caller + " is not authorized to perform: " + action + " on resource: " + resource + " with an explicit deny in a " +
		policyType + " control policy"
	if arn != "" {
		text += ": " + arn
	}
	return text
}

// An SCP at a unit binds everybody in the accounts below it, the root too, and is told by its ARN. A change counts for the next call.
func TestSCPDenyAtUnit(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t, scpType), t.Context()
	ou := c.unit(t, c.root)
	member, outside := c.member(t, c.unit(t, ou)), c.member(t, c.root)
	arn, user := server.userOf(t, member, allow("*", "*"))
	must(user.lambda.ListFunctions(ctx, nil))(t)
	p := c.policy(t, scpType, document(deny("lambda:List*", "*")), ou)

	denied := failure{403, "AccessDeniedException", deniedByLevel(arn, "lambda:ListFunctions", "*", "service", *p.Arn)}
	_, err := user.lambda.ListFunctions(ctx, nil)
	check(t, err, denied)
	root := "arn:aws:iam::" + member.id + ":root"
	_, err = member.lambda.ListFunctions(ctx, nil)
	check(t, err, failure{403, "AccessDeniedException", deniedByLevel(root, "lambda:ListFunctions", "*", "service", *p.Arn)})
	must(outside.lambda.ListFunctions(ctx, nil))(t) // not below the unit

	// Each change is honoured by the very next call.
	must(c.organizations.UpdatePolicy(ctx, &organizations.UpdatePolicyInput{PolicyId: p.Id, Content: document(deny("s3:*", "*"))}))(t)
	must(user.lambda.ListFunctions(ctx, nil))(t)
	must(c.organizations.UpdatePolicy(ctx, &organizations.UpdatePolicyInput{PolicyId: p.Id, Content: document(deny("lambda:*", "*"))}))(t)
	_, err = user.lambda.ListFunctions(ctx, nil)
	check(t, err, denied)
	move := &organizations.MoveAccountInput{AccountId: &outside.id, SourceParentId: &c.root, DestinationParentId: &ou}
	must(c.organizations.MoveAccount(ctx, move))(t)
	if _, err = outside.lambda.ListFunctions(ctx, nil); code(err) != "AccessDeniedException" {
		t.Errorf("moved below the unit: got %v", err)
	}
	c.detach(t, *p.Id, ou)
	must(user.lambda.ListFunctions(ctx, nil))(t)
	must(c.organizations.AttachPolicy(ctx, &organizations.AttachPolicyInput{PolicyId: p.Id, TargetId: &member.id}))(t)
	_, err = user.lambda.ListFunctions(ctx, nil)
	check(t, err, denied)
	must(c.organizations.DisablePolicyType(ctx, &organizations.DisablePolicyTypeInput{RootId: &c.root, PolicyType: scpType}))(t)
	must(user.lambda.ListFunctions(ctx, nil))(t)
}

// Every level must allow: where one has no SCP that does, nothing passes, and the message speaks of an explicit deny (iam.md D10, M1).
func TestSCPWithoutAllowAtOneLevel(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t, scpType), t.Context()
	ou := c.unit(t, c.root)
	member := c.member(t, ou)
	arn, user := server.userOf(t, member, allow("*", "*"))
	c.policy(t, scpType, document(allow("iam:*", "*")), ou)
	must(user.lambda.ListFunctions(ctx, nil))(t) // FullAWSAccess is still there
	c.detach(t, "p-FullAWSAccess", ou)
	_, err := user.lambda.ListFunctions(ctx, nil)
	check(t, err, failure{403, "AccessDeniedException", deniedByLevel(arn, "lambda:ListFunctions", "*", "service", "")})
	must(user.iam.ListUsers(ctx, nil))(t)
}

// The management account is bound by neither kind of policy.
func TestManagementAccountIsExempt(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t, scpType, rcpType), t.Context()
	_, user := server.userOf(t, c.tenant, allow("*", "*"))
	c.policy(t, scpType, document(deny("*", "*")), c.root)
	c.policy(t, rcpType, document(strings.Replace(deny("*", "*"), `"Action"`, `"Principal":"*","Action"`, 1)), c.root)
	must(user.lambda.ListFunctions(ctx, nil))(t)
	must(assumeRole(t, user, roleOf(t, c.tenant, `{"AWS":"`+c.id+`"}`)))(t)
	must(c.lambda.ListFunctions(ctx, nil))(t)
	_, err := c.member(t, c.root).lambda.ListFunctions(ctx, nil)
	if code(err) != "AccessDeniedException" {
		t.Errorf("a member: got %v", err)
	}
}

// An RCP keeps strangers off a member's resources, whatever the resource's own policy says. It binds by who the caller is, and only the
// services that AWS lists: STS and Logs are among them, Lambda is not.
func TestRCPDeniesStrangers(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t, rcpType), t.Context()
	owner, sister, stranger := c.member(t, c.root), c.member(t, c.root), server.newAccount(t)
	role := roleOf(t, owner, `{"AWS":["`+stranger.id+`","`+sister.id+`"]}`)
	arn, outsider := server.userOf(t, stranger, allow("*", "*"))
	_, insider := server.userOf(t, sister, allow("*", "*"))
	must(assumeRole(t, outsider, role))(t)

	perimeter := `{"Effect":"Deny","Principal":"*","Action":"sts:*","Resource":"*",
		"Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"` + *c.org.Id + `"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}`
	p := c.policy(t, rcpType, document(perimeter), c.root)
	_, err := assumeRole(t, outsider, role)
	check(t, err, failure{403, "AccessDenied", deniedByLevel(arn, "sts:AssumeRole", role, "resource", "")})
	must(assumeRole(t, insider, role))(t)
	// A caller of the same organization is told which policy denies.
	must(c.organizations.UpdatePolicy(ctx, &organizations.UpdatePolicyInput{
		PolicyId: p.Id, Content: document(`{"Effect":"Deny","Principal":"*","Action":["sts:*","logs:*"],"Resource":"*"}`),
	}))(t)
	_, err = assumeRole(t, insider, role)
	if f := failureOf(err); !strings.HasSuffix(f.Message, "with an explicit deny in a resource control policy: "+*p.Arn) {
		t.Errorf("got %+v", f)
	}
	// The stranger's own resources are not the organization's.
	must(assumeRole(t, outsider, roleOf(t, stranger, `{"AWS":"`+stranger.id+`"}`)))(t)
	_, err = owner.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")})
	if f := failureOf(err); f.Code != "AccessDeniedException" || !strings.Contains(f.Message, "resource control policy") {
		t.Errorf("got %+v", f)
	}
	must(owner.lambda.ListFunctions(ctx, nil))(t)
	must(owner.sts.GetCallerIdentity(ctx, nil))(t)
}

// The keys of organizations say what is true of caller, resource and source, and trust policies can rely on them.
func TestOrganizationKeys(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t), t.Context()
	ou := c.unit(t, c.root)
	member, sister, stranger := c.member(t, ou), c.member(t, c.root), server.newAccount(t)
	path := *c.org.Id + "/" + c.root + "/"
	trusting := func(condition string) string {
		t.Helper()
		name := unique("role")
		return *must(member.iam.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: &name, AssumeRolePolicyDocument: document(trust(`{"AWS":"*"}`, condition)),
		}))(t).Role.Arn
	}
	_, insider := server.userOf(t, sister, allow("sts:AssumeRole", "*", `{"StringEquals":{"aws:ResourceOrgID":"`+*c.org.Id+`"},
		"ForAnyValue:StringEquals":{"aws:ResourceOrgPaths":"`+path+ou+`/"}}`))
	_, outsider := server.userOf(t, stranger, allow("sts:AssumeRole", "*"))
	for name, condition := range map[string]string{
		"id":                 `{"StringEquals":{"aws:PrincipalOrgID":"` + *c.org.Id + `"}}`,
		"path":               `{"ForAnyValue:StringEquals":{"aws:PrincipalOrgPaths":"` + path + `"}}`,
		"management account": `{"StringEquals":{"aws:PrincipalOrgMasterAccountId":"` + c.id + `"}}`,
	} {
		role := trusting(condition)
		if _, err := assumeRole(t, insider, role); err != nil {
			t.Errorf("%s: a member: got %v", name, err)
		}
		if _, err := assumeRole(t, outsider, role); code(err) != "AccessDenied" {
			t.Errorf("%s: a stranger: got %v", name, err)
		}
	}
	role := trusting(`{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"` + path + ou + `/*"}}`)
	if _, err := assumeRole(t, insider, role); code(err) != "AccessDenied" {
		t.Errorf("from outside the unit: got %v", err)
	}
	must(c.organizations.MoveAccount(ctx, &organizations.MoveAccountInput{
		AccountId: &sister.id, SourceParentId: &c.root, DestinationParentId: &ou,
	}))(t)
	must(assumeRole(t, insider, role))(t)
	// Lambda calls on behalf of a function: the source's organization is known.
	name := unique("role")
	lambdaRole := must(member.iam.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: document(trust(trustLambda, `{"StringEquals":{"aws:SourceOrgID":"`+*c.org.Id+`"},
			"ForAnyValue:StringEquals":{"aws:SourceOrgPaths":"`+path+ou+`/"}}`)),
	}))(t).Role.Arn
	must(newFunctionOf(t, member, *lambdaRole))(t)
	name = unique("role")
	closed := must(member.iam.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: document(trust(trustLambda, `{"StringEquals":{"aws:SourceOrgID":"o-0123456789"}}`)),
	}))(t).Role.Arn
	if _, err := newFunctionOf(t, member, *closed); code(err) != "InvalidParameterValueException" {
		t.Errorf("a role that trusts another organization's functions: got %v", err)
	}
}

// A simulation of a principal's policies is bound by its account's SCPs, and says so.
func TestSimulationUnderSCP(t *testing.T) {
	t.Parallel()
	c, ctx := server.newCompany(t, scpType), t.Context()
	member := c.member(t, c.root)
	arn, _ := server.userOf(t, member, allow("*", "*"))
	simulate := func() iamtypes.EvaluationResult {
		t.Helper()
		return must(member.iam.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
			PolicySourceArn: &arn, ActionNames: []string{"lambda:ListFunctions"},
		}))(t).EvaluationResults[0]
	}
	if got := simulate(); got.EvalDecision != iamtypes.PolicyEvaluationDecisionTypeAllowed || !got.OrganizationsDecisionDetail.AllowedByOrganizations {
		t.Errorf("got %+v", got)
	}
	c.policy(t, scpType, document(deny("lambda:*", "*")), c.root)
	got := simulate()
	if got.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeAllowed || got.OrganizationsDecisionDetail.AllowedByOrganizations {
		t.Errorf("got %+v", got)
	}
}
