package sts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/policy"
)

// sessionPolicies checks the inline session policy and gives the ARNs of the managed ones, which must exist in the role's
// account or among those of AWS.
func (s *Service) sessionPolicies(ctx context.Context, account string, in *sdk.AssumeRoleInput) ([]string, error) {
	if in.Policy != nil {
		if _, problem := policy.Problem([]byte(*in.Policy), policy.Session); problem != "" {
			err := malformedPolicy(problem)
			err.Detail = policy.Locate([]byte(*in.Policy), policy.Session)
			return nil, err
		}
		if policy.Size([]byte(*in.Policy), policy.Session) > maxSessionPolicy {
			return nil, violation("policy", *in.Policy, "Member must have length less than or equal to %d", maxSessionPolicy)
		}
	}
	if len(in.PolicyArns) > maxSessionPolicies {
		return nil, validationError("1 validation error detected: Value at 'policyArns' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxSessionPolicies)
	}
	var arns []string
	for _, d := range in.PolicyArns {
		arn := aws.ToString(d.Arn)
		ok, err := s.directory.HasPolicy(ctx, account, arn)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, validationError("Policy %s does not exist or is not attachable.", arn) // AWS's text is not known
		}
		arns = append(arns, arn)
	}
	return arns, nil
}

// packedSize is the share of the allotted space, in percent, that policies and tags of a request take. AWS packs them in a form
// that it does not publish; here they count as plain text.
func packedSize(in *sdk.AssumeRoleInput) int {
	n := len(aws.ToString(in.Policy))
	for _, d := range in.PolicyArns {
		n += len(aws.ToString(d.Arn))
	}
	for _, t := range in.Tags {
		n += len(aws.ToString(t.Key)) + len(aws.ToString(t.Value))
	}
	return (n*100 + maxSessionPolicy - 1) / maxSessionPolicy
}
