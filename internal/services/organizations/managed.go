package organizations

import (
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// fullAccess is the policy of AWS that every node has attached when a policy type is enabled.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html and …_rcps_examples.html
func fullAccess(t types.PolicyType) *orgPolicy {
	if t == types.PolicyTypeResourceControlPolicy {
		return &orgPolicy{
			ID: "p-RCPFullAWSAccess", Type: t, Name: "RCPFullAWSAccess", Description: "Allows access to every resource", Managed: true,
			Content: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
		}
	}
	return &orgPolicy{
		ID: "p-FullAWSAccess", Type: t, Name: "FullAWSAccess", Description: "Allows access to every operation", Managed: true,
		Content: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
	}
}

// managedPolicies are those of AWS.
func managedPolicies() []*orgPolicy {
	var out []*orgPolicy
	for _, t := range policyTypes() {
		out = append(out, fullAccess(t))
	}
	return out
}

// policyTypes are the types that licet has.
func policyTypes() []types.PolicyType {
	return []types.PolicyType{types.PolicyTypeServiceControlPolicy, types.PolicyTypeResourceControlPolicy}
}
