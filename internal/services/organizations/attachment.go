package organizations

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// target finds a root, unit or account.
func (v *view) target(id *string) (*node, error) {
	if n := v.org.Nodes[aws.ToString(id)]; n != nil {
		return n, nil
	}
	return nil, targetNotFound()
}

// targetsOf gives the nodes that a policy is attached to.
func (v *view) targetsOf(p *orgPolicy) []*node {
	return v.org.sorted(func(n *node) bool { return slices.Contains(n.Attached, p.ID) })
}

// attachment reads a policy and a target of a type that is enabled.
func (v *view) attachment(policyID, targetID *string) (*orgPolicy, *node, error) {
	p, err := v.policy(policyID)
	if err != nil {
		return nil, nil, err
	}
	n, err := v.target(targetID)
	if err != nil {
		return nil, nil, err
	}
	if !v.org.enabled(p.Type) {
		return nil, nil, typeNotEnabled()
	}
	return p, n, nil
}

// attachedOf gives the policies of a type that are attached to a node itself.
func (v *view) attachedOf(n *node, t types.PolicyType) ([]*orgPolicy, error) {
	var out []*orgPolicy
	for _, id := range n.Attached {
		p, err := findPolicy(v.r, v.org.ID, id)
		if err != nil {
			return nil, err
		}
		if p.Type == t {
			out = append(out, p)
		}
	}
	return out, nil
}

func attachPolicy(c *change, in *sdk.AttachPolicyInput) (*sdk.AttachPolicyOutput, error) {
	p, n, err := c.attachment(in.PolicyId, in.TargetId)
	if err != nil {
		return nil, err
	}
	if slices.Contains(n.Attached, p.ID) {
		return nil, policyAttached()
	}
	have, err := c.attachedOf(n, p.Type)
	if err != nil {
		return nil, err
	}
	if len(have) >= maxAttached(p.Type) {
		return nil, constraint(types.ConstraintViolationExceptionReasonMaxPolicyTypeAttachmentLimitExceeded,
			"You have attached the maximum number of policies to the specified target.")
	}
	n.Attached = append(n.Attached, p.ID)
	return &sdk.AttachPolicyOutput{}, nil
}

func maxAttached(t types.PolicyType) int {
	if t == types.PolicyTypeResourceControlPolicy {
		return maxAttachRCPs
	}
	return maxAttachSCPs
}

// detachPolicy leaves at least one SCP at every node, and RCPFullAWSAccess everywhere.
func detachPolicy(c *change, in *sdk.DetachPolicyInput) (*sdk.DetachPolicyOutput, error) {
	p, n, err := c.attachment(in.PolicyId, in.TargetId)
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains(n.Attached, p.ID):
		return nil, policyNotAttached()
	case p.ID == fullAccess(types.PolicyTypeResourceControlPolicy).ID:
		return nil, invalidInput(types.InvalidInputExceptionReasonNonDetachablePolicy, "You can't detach this AWS managed policy.")
	}
	have, err := c.attachedOf(n, p.Type)
	if err != nil {
		return nil, err
	}
	if len(have) == 1 {
		return nil, constraint(types.ConstraintViolationExceptionReasonMinPolicyTypeAttachmentLimitExceeded,
			"You cannot remove the last policy attached to the specified target. You must have at least one attached at all times.")
	}
	n.Attached = slices.DeleteFunc(n.Attached, func(id string) bool { return id == p.ID })
	return &sdk.DetachPolicyOutput{}, nil
}

func listPoliciesForTarget(v *view, in *sdk.ListPoliciesForTargetInput) (*sdk.ListPoliciesForTargetOutput, error) {
	n, err := v.target(in.TargetId)
	if err != nil {
		return nil, err
	}
	attached, err := v.attachedOf(n, in.Filter)
	if err != nil {
		return nil, err
	}
	policies, next, err := paged(attached, policyID, in.MaxResults, in.NextToken, v.wireSummary)
	return &sdk.ListPoliciesForTargetOutput{Policies: policies, NextToken: next}, err
}

func listTargetsForPolicy(v *view, in *sdk.ListTargetsForPolicyInput) (*sdk.ListTargetsForPolicyOutput, error) {
	p, err := v.policy(in.PolicyId)
	if err != nil {
		return nil, err
	}
	targets, next, err := paged(v.targetsOf(p), nodeID, in.MaxResults, in.NextToken, func(n *node) types.PolicyTargetSummary {
		return types.PolicyTargetSummary{
			Arn: aws.String(v.nodeARN(v.org, n.ID)), Name: aws.String(n.Name), TargetId: aws.String(n.ID), Type: n.Kind,
		}
	})
	return &sdk.ListTargetsForPolicyOutput{Targets: targets, NextToken: next}, err
}
