package sts

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
)

// maxRootDuration is how long a privileged session lasts at most, and unless less is asked for
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html).
const maxRootDuration = 900

// isTaskPolicy knows the policies that a privileged session may have.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html, TaskPolicyArn
func isTaskPolicy(partition, policyARN string) bool {
	name, ok := strings.CutPrefix(policyARN, "arn:"+partition+":iam::aws:policy/root-task/")
	if !ok {
		return false
	}
	switch name {
	case "IAMAuditRootUserCredentials", "IAMCreateRootUserPassword", "IAMDeleteRootUserCredentials", "S3UnlockBucketPolicy",
		"SQSUnlockQueuePolicy":
		return true
	}
	return false
}

// onMemberRoot is the resource of AssumeRoot: the root user of the member account. That the account is another does not make the call one
// across accounts: the caller's own policies decide, and its organization.
func (s *Service) onMemberRoot(_ context.Context, c *service.Call, in *sdk.AssumeRootInput) (service.Target, error) {
	if err := checkARN("targetPrincipal", in.TargetPrincipal, 12); err != nil {
		return service.Target{}, err
	}
	if in.TaskPolicyArn == nil {
		return service.Target{}, missingMember("taskPolicyArn")
	}
	member, ok := memberAccount(c.Partition, *in.TargetPrincipal)
	if !ok {
		return service.Target{}, validationError("%s is invalid", *in.TargetPrincipal) // AWS's text is not known
	}
	if seconds := in.DurationSeconds; seconds != nil && (*seconds < 0 || *seconds > maxRootDuration) {
		return service.Target{}, violation("durationSeconds", strconv.Itoa(int(*seconds)),
			"Member must have value between 0 and %d, inclusive", maxRootDuration) // AWS's text is not known
	}
	if in.MinimumSessionTokenSize != nil {
		return service.Target{}, notImplemented("MinimumSessionTokenSize", "AssumeRoot")
	}
	t := service.Target{ARN: rootARN(c.Partition, member), Account: c.Account}
	t.Keys.Set("aws:ResourceAccount", member)
	t.Keys.Set("sts:TaskPolicyArn", aws.ToString(in.TaskPolicyArn.Arn))
	return t, nil
}

func rootARN(partition, account string) string {
	return arn.ARN{Partition: partition, Service: "iam", AccountID: account, Resource: "root"}.String()
}

// memberAccount reads an account's number, or the ARN of its root user.
func memberAccount(partition, text string) (account string, ok bool) {
	if a, err := arn.Parse(text); err == nil {
		text = a.AccountID
		ok = rootARN(partition, text) == a.String()
	} else {
		ok = true
	}
	return text, ok && isAccount(text)
}

// assumeRoot makes a session of a member account's root user that may do one task.
func (s *Service) assumeRoot(ctx context.Context, c *service.Call, in *sdk.AssumeRootInput) (*sdk.AssumeRootOutput, error) {
	if c.Caller.Kind == authz.Root {
		// "You cannot use root user credentials to make this call." AWS's text is not known.
		return nil, accessDenied("The root user cannot call AssumeRoot.")
	}
	task := aws.ToString(in.TaskPolicyArn.Arn)
	if !isTaskPolicy(c.Partition, task) {
		return nil, validationError("%s is not a task policy of AssumeRoot.", task) // AWS's text is not known
	}
	member, _ := memberAccount(c.Partition, *in.TargetPrincipal)
	allowed, err := s.organization.MayAssumeRoot(ctx, c.Account, member)
	if err != nil {
		return nil, err
	}
	if !allowed { // AWS's text is not known
		return nil, accessDenied("AssumeRoot needs centralized root access, and the account " + member + " to be a member of your organization.")
	}
	seconds := int32(maxRootDuration)
	if in.DurationSeconds != nil && *in.DurationSeconds > 0 {
		seconds = *in.DurationSeconds
	}
	session := principal.Session{
		UserARN: rootARN(c.Partition, member), UserID: member, PolicyARNs: []string{task}, HasPolicies: true,
	}
	if c.Caller.Session != nil {
		session.SourceIdentity = c.Caller.Session.SourceIdentity
	}
	credentials, err := s.credentials(c, member, session, seconds)
	if err != nil {
		return nil, err
	}
	out := &sdk.AssumeRootOutput{Credentials: credentials}
	if session.SourceIdentity != "" {
		out.SourceIdentity = aws.String(session.SourceIdentity)
	}
	return out, nil
}
