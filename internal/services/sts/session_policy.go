package sts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/policy"
)

// setPolicies checks the inline session policy and the managed ones, which must exist in the session's account or among those of AWS,
// and gives them to the session.
func (s *Service) setPolicies(ctx context.Context, session *principal.Session, account string, g *grant) error {
	if g.policy != nil {
		if _, problem := policy.Problem([]byte(*g.policy), policy.Session); problem != "" {
			err := malformedPolicy(problem)
			err.Detail = policy.Locate([]byte(*g.policy), policy.Session)
			return err
		}
		if policy.Size([]byte(*g.policy), policy.Session) > maxSessionPolicy {
			return violation("policy", *g.policy, "Member must have length less than or equal to %d", maxSessionPolicy)
		}
	}
	if len(g.policyARNs) > maxSessionPolicies {
		return validationError("1 validation error detected: Value at 'policyArns' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxSessionPolicies)
	}
	for _, d := range g.policyARNs {
		arn := aws.ToString(d.Arn)
		ok, err := s.directory.HasPolicy(ctx, account, arn)
		if err != nil {
			return err
		}
		if !ok {
			return validationError("Policy %s does not exist or is not attachable.", arn) // AWS's text is not known
		}
		session.PolicyARNs = append(session.PolicyARNs, arn)
	}
	session.Policy = aws.ToString(g.policy)
	session.HasPolicies = g.policy != nil || len(g.policyARNs) > 0
	return nil
}

// packedSize is the share of the allotted space, in percent, that policies and tags take; nil when there are none. AWS packs them in a
// form that it does not publish; here they count as plain text.
func (g *grant) packedSize() (*int32, error) {
	if g.policy == nil && len(g.policyARNs) == 0 && len(g.tags) == 0 {
		return nil, nil
	}
	n := len(aws.ToString(g.policy))
	for _, d := range g.policyARNs {
		n += len(aws.ToString(d.Arn))
	}
	for _, t := range g.tags {
		n += len(aws.ToString(t.Key)) + len(aws.ToString(t.Value))
	}
	percent := (n*100 + maxSessionPolicy - 1) / maxSessionPolicy
	if percent > 100 {
		return nil, packedPolicyTooLarge(percent)
	}
	return aws.Int32(int32(percent)), nil
}
