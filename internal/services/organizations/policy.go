package organizations

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// policy finds a policy of the organization or of AWS.
func (v *view) policy(id *string) (*orgPolicy, error) {
	p, err := findPolicy(v.r, v.org.ID, aws.ToString(id))
	if isMissing(err) {
		return nil, policyNotFound()
	}
	return p, err
}

// findPolicy gives a policy by its id. The error wraps store.ErrNotFound when there is none.
func findPolicy(r store.Reader, organization, id string) (*orgPolicy, error) {
	for _, p := range managedPolicies() {
		if p.ID == id {
			return p, nil
		}
	}
	return store.GetJSON[*orgPolicy](r, policyPrefix(organization)+id)
}

// ownPolicy finds a policy that can be changed: one that is not AWS's.
func (v *view) ownPolicy(id *string) (*orgPolicy, error) {
	p, err := v.policy(id)
	if err == nil && p.Managed {
		return nil, invalidInput(types.InvalidInputExceptionReasonImmutablePolicy,
			"You specified a policy that is managed by AWS and can't be modified.")
	}
	return p, err
}

// policies gives all policies of a type, those of AWS among them.
func (v *view) policies(t types.PolicyType) ([]*orgPolicy, error) {
	all, err := scan[*orgPolicy](v.r, policyPrefix(v.org.ID))
	if err != nil {
		return nil, err
	}
	all = append(all, managedPolicies()...)
	return slices.DeleteFunc(all, func(p *orgPolicy) bool { return p.Type != t }), nil
}

// kindOfPolicy names a type as the policy language does, with the quota of policies.
func kindOfPolicy(t types.PolicyType) (kind policy.Kind, most int) {
	if t == types.PolicyTypeResourceControlPolicy {
		return policy.ResourceControl, maxRCPs
	}
	return policy.ServiceControl, maxSCPs
}

func checkContent(t types.PolicyType, content *string) error {
	if content == nil {
		return required()
	}
	if err := checkLength(*content, 1, maxContent); err != nil {
		return err
	}
	kind, _ := kindOfPolicy(t)
	if policy.Size([]byte(*content), kind) > policy.Limit(kind) {
		return constraint(types.ConstraintViolationExceptionReasonPolicyContentLimitExceeded, "You have exceeded the maximum policy size.")
	}
	if _, problem := policy.Problem([]byte(*content), kind); problem != "" {
		return malformedPolicy(policy.Locate([]byte(*content), kind))
	}
	return nil
}

func checkDescription(text *string) error {
	if text == nil {
		return nil
	}
	return checkLength(*text, 0, maxDescription)
}

func createPolicy(c *change, in *sdk.CreatePolicyInput) (*sdk.CreatePolicyOutput, error) {
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if c.org.FeatureSet != types.OrganizationFeatureSetAll {
		return nil, typeNotAvailable()
	}
	if err := checkContent(in.Type, in.Content); err != nil {
		return nil, err
	}
	p := &orgPolicy{
		ID: newID("p-", policyIDLength), Type: in.Type, Name: *in.Name, Description: aws.ToString(in.Description), Content: *in.Content,
		Tags: tags,
	}
	all, err := c.policies(p.Type)
	if err != nil {
		return nil, err
	}
	if _, most := kindOfPolicy(p.Type); len(all) > most { // AWS's own does not count
		return nil, constraint(types.ConstraintViolationExceptionReasonPolicyNumberLimitExceeded,
			"You have exceeded the allowed number of policies.")
	}
	if err := checkPolicyName(all, p); err != nil {
		return nil, err
	}
	return &sdk.CreatePolicyOutput{Policy: c.wirePolicy(p)}, c.putPolicy(p)
}

// checkPolicyName wants a name that no other policy of the type has.
func checkPolicyName(all []*orgPolicy, p *orgPolicy) error {
	if slices.ContainsFunc(all, func(other *orgPolicy) bool { return other.Name == p.Name && other.ID != p.ID }) {
		return policyExists()
	}
	return nil
}

func (c *change) putPolicy(p *orgPolicy) error {
	return store.PutJSON(c.tx, policyPrefix(c.org.ID)+p.ID, p)
}

func updatePolicy(c *change, in *sdk.UpdatePolicyInput) (*sdk.UpdatePolicyOutput, error) {
	p, err := c.ownPolicy(in.PolicyId)
	if err != nil {
		return nil, err
	}
	if in.Name != nil {
		if err := checkName(in.Name); err != nil {
			return nil, err
		}
		p.Name = *in.Name
	}
	if in.Description != nil {
		if err := checkDescription(in.Description); err != nil {
			return nil, err
		}
		p.Description = *in.Description
	}
	if in.Content != nil {
		if err := checkContent(p.Type, in.Content); err != nil {
			return nil, err
		}
		p.Content = *in.Content
	}
	all, err := c.policies(p.Type)
	if err != nil {
		return nil, err
	}
	if err := checkPolicyName(all, p); err != nil {
		return nil, err
	}
	return &sdk.UpdatePolicyOutput{Policy: c.wirePolicy(p)}, c.putPolicy(p)
}

func describePolicy(v *view, in *sdk.DescribePolicyInput) (*sdk.DescribePolicyOutput, error) {
	p, err := v.policy(in.PolicyId)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribePolicyOutput{Policy: v.wirePolicy(p)}, nil
}

func deletePolicy(c *change, in *sdk.DeletePolicyInput) (*sdk.DeletePolicyOutput, error) {
	p, err := c.ownPolicy(in.PolicyId)
	if err != nil {
		return nil, err
	}
	if len(c.targetsOf(p)) > 0 {
		return nil, policyInUse()
	}
	return &sdk.DeletePolicyOutput{}, c.tx.Delete(policyPrefix(c.org.ID) + p.ID)
}

func listPolicies(v *view, in *sdk.ListPoliciesInput) (*sdk.ListPoliciesOutput, error) {
	all, err := v.policies(in.Filter)
	if err != nil {
		return nil, err
	}
	policies, next, err := paged(all, policyID, in.MaxResults, in.NextToken, v.wireSummary)
	return &sdk.ListPoliciesOutput{Policies: policies, NextToken: next}, err
}

func (v *view) wirePolicy(p *orgPolicy) *types.Policy {
	return &types.Policy{Content: aws.String(p.Content), PolicySummary: new(v.wireSummary(p))}
}

func (v *view) wireSummary(p *orgPolicy) types.PolicySummary {
	return types.PolicySummary{
		Arn: aws.String(v.policyARN(v.org, p)), AwsManaged: p.Managed, Description: aws.String(p.Description), Id: aws.String(p.ID),
		Name: aws.String(p.Name), Type: p.Type,
	}
}
