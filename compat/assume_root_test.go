package compat

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// The management account of an organization with root sessions does one task as the root user of a member account, and no other.
func TestAssumeRoot(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), server.newCompany(t)
	member, stranger := c.member(t, c.root), server.newAccount(t)
	const task = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"
	admin, admins := server.userOf(t, c.tenant, allow("sts:AssumeRoot", "*", `{"StringEquals":{"sts:TaskPolicyArn":"`+task+`"}}`))
	in := func(account, task string) *sts.AssumeRootInput {
		return &sts.AssumeRootInput{TargetPrincipal: &account, TaskPolicyArn: &types.PolicyDescriptorType{Arn: &task}}
	}
	notYet := func(account string) failure {
		return failure{403, "AccessDenied", "AssumeRoot needs centralized root access, and the account " + account + " to be a member of your organization."}
	}
	_, err := admins.sts.AssumeRoot(ctx, in(member.id, task))
	check(t, err, notYet(member.id))
	must(c.organizations.EnableAWSServiceAccess(ctx, &organizations.EnableAWSServiceAccessInput{ServicePrincipal: aws.String("iam.amazonaws.com")}))(t)
	must(c.iam.EnableOrganizationsRootSessions(ctx, nil))(t)

	root := server.as(sessionCredentials(must(admins.sts.AssumeRoot(ctx, in(member.id, task)))(t).Credentials))
	memberRoot := "arn:aws:iam::" + member.id + ":root"
	if got := must(root.sts.GetCallerIdentity(ctx, nil))(t); *got.Arn != memberRoot || *got.Account != member.id || *got.UserId != member.id {
		t.Errorf("got %s %s %s", *got.Arn, *got.Account, *got.UserId)
	}
	must(root.iam.ListAccessKeys(ctx, nil))(t)
	_, err = root.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("eve")})
	check(t, err, failure{403, "AccessDenied", "User: " + memberRoot + " is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::" + member.id +
		":user/eve with an explicit deny in a session policy: " + task})

	_, err = admins.sts.AssumeRoot(ctx, in(stranger.id, task))
	check(t, err, notYet(stranger.id))
	_, err = admins.sts.AssumeRoot(ctx, in(c.id, task))
	check(t, err, notYet(c.id))
	other := "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"
	_, err = admins.sts.AssumeRoot(ctx, in(member.id, other))
	check(t, err, failure{403, "AccessDenied", noPolicyAllows(admin, "sts:AssumeRoot", memberRoot, "identity-based policy")})
	_, err = c.sts.AssumeRoot(ctx, in(member.id, task))
	check(t, err, failure{403, "AccessDenied", "The root user cannot call AssumeRoot."})
	_, members := server.userOf(t, member, allow("sts:AssumeRoot", "*"))
	_, err = members.sts.AssumeRoot(ctx, in(c.id, task))
	check(t, err, notYet(c.id))
}
