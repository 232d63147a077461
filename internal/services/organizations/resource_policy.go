package organizations

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/policy"
)

// delegation is the organization's resource policy: it lets member accounts manage policies.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
type delegation struct {
	ID      string `json:"id"`
	Content string `json:"content"`
	Tags    []tag  `json:"tags,omitempty"`
}

// isDelegable tells whether a resource policy can grant an action, by its name in lower case.
// https://docs.aws.amazon.com/organizations/latest/userguide/security_iam_resource-based-policy-examples.html and orgs_delegate_policies
func isDelegable(name string) bool {
	switch name {
	case "describeorganization", "describeorganizationalunit", "describeaccount", "describepolicy", "describeeffectivepolicy",
		"listroots", "listorganizationalunitsforparent", "listparents", "listchildren", "listaccounts", "listaccountsforparent",
		"listpolicies", "listpoliciesfortarget", "listtargetsforpolicy", "listtagsforresource", "describeresourcepolicy",
		"createpolicy", "updatepolicy", "deletepolicy", "attachpolicy", "detachpolicy", "enablepolicytype", "disablepolicytype",
		"tagresource", "untagresource":
		return true
	}
	return false
}

// delegated tells whether it is the resource policy that decides about a call: one of a member for an operation that can be delegated.
// Delegated administrators read without it.
func (v *view) delegated(operation string, who say) bool {
	o := v.org
	if o == nil || o.Delegation == nil || o.Management == v.call.Account || !isDelegable(strings.ToLower(operation)) {
		return false
	}
	return who == management || who == administrators && !v.isAdministrator()
}

// wasDelegated tells whether the call was decided by the resource policy as it is now. It may have been decided before there was one, or
// before the account came into this organization.
func (v *view) wasDelegated() bool {
	return len(v.call.Judged) > 0 && !slices.ContainsFunc(v.call.Judged, func(n service.Need) bool {
		return n.Target.Account != v.org.Management || n.Target.Policy == nil || string(n.Target.Policy.Document.Source) != v.org.Delegation.Content
	})
}

// isAdministrator tells whether the caller's account is a delegated administrator for any service.
func (v *view) isAdministrator() bool { return len(v.org.Nodes[v.call.Account].Services) > 0 }

// delegate puts the resource policy to a target, which belongs to the management account for it: the call crosses accounts, so that both
// sides must allow.
func (v *view) delegate(t *service.Target) error {
	p := v.lastDelegation.Load()
	if name := "resource policy of " + v.org.ID; p == nil || p.Name != name || string(p.Document.Source) != v.org.Delegation.Content {
		document, err := policy.Parse([]byte(v.org.Delegation.Content))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		p = &authz.Policy{Name: name, Document: document}
		v.lastDelegation.Store(p)
	}
	t.Account, t.Policy = v.org.Management, p
	return nil
}

// onResourcePolicy is the organization's resource policy, as it is or is to be.
func onResourcePolicy(v *view, _ any) (service.Target, error) {
	o := v.scope()
	if o.Delegation == nil || v.blind {
		return service.Target{ARN: v.resourcePolicyARN(o, "")}, nil
	}
	t := service.Target{ARN: v.resourcePolicyARN(o, o.Delegation.ID)}
	resourceTags(&t.Keys, o.Delegation.Tags)
	return t, nil
}

func (n names) resourcePolicyARN(o *tree, id string) string {
	return n.arn(o.Management, "resourcepolicy/"+o.ID+"/"+id)
}

func putResourcePolicy(c *change, in *sdk.PutResourcePolicyInput) (*sdk.PutResourcePolicyOutput, error) {
	if err := c.wantAllFeatures(); err != nil {
		return nil, err
	}
	if err := checkResourcePolicy(in.Content); err != nil {
		return nil, err
	}
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	switch {
	case c.org.Delegation == nil:
		c.org.Delegation = &delegation{ID: newID("rp-", policyIDLength), Tags: tags}
	case len(tags) > 0: // "Calls with tags apply to the initial creation of the resource policy, otherwise an exception is thrown."
		return nil, invalidInput(types.InvalidInputExceptionReasonInvalidListMember,
			"You can't give tags to a resource policy that exists already.") // our text
	}
	c.org.Delegation.Content = *in.Content
	return &sdk.PutResourcePolicyOutput{ResourcePolicy: c.wireResourcePolicy()}, nil
}

// checkResourcePolicy takes documents that name whom they let in and nothing that cannot be delegated. The texts are ours.
func checkResourcePolicy(content *string) error {
	if content == nil {
		return required()
	}
	if err := checkLength(*content, 1, maxResourcePolicy); err != nil {
		return err
	}
	d, problem := policy.Problem([]byte(*content), policy.Resource)
	if problem != "" {
		return invalidInput(types.InvalidInputExceptionReasonInvalidResourcePolicyJson, "The provided resource policy is not valid: "+problem)
	}
	for _, s := range d.Statements {
		if s.Principal == nil {
			return invalidInput(types.InvalidInputExceptionReasonInvalidPrincipal, "A resource policy must name its principals.")
		}
		if s.Action == nil || slices.ContainsFunc(s.Action, func(a policy.Text) bool { return !delegable(a.Value) }) {
			return invalidInput(types.InvalidInputExceptionReasonUnsupportedActionInResourcePolicy,
				"The resource policy has an action that can't be delegated.")
		}
	}
	return nil
}

func delegable(action string) bool {
	name, ok := strings.CutPrefix(strings.ToLower(action), "organizations:")
	return ok && isDelegable(name)
}

func describeResourcePolicy(v *view, _ *sdk.DescribeResourcePolicyInput) (*sdk.DescribeResourcePolicyOutput, error) {
	if v.org.Delegation == nil {
		return nil, resourcePolicyNotFound()
	}
	return &sdk.DescribeResourcePolicyOutput{ResourcePolicy: v.wireResourcePolicy()}, nil
}

func deleteResourcePolicy(c *change, _ *sdk.DeleteResourcePolicyInput) (*sdk.DeleteResourcePolicyOutput, error) {
	if c.org.Delegation == nil {
		return nil, resourcePolicyNotFound()
	}
	c.org.Delegation = nil
	return &sdk.DeleteResourcePolicyOutput{}, nil
}

func (v *view) wireResourcePolicy() *types.ResourcePolicy {
	d := v.org.Delegation
	return &types.ResourcePolicy{Content: aws.String(d.Content), ResourcePolicySummary: &types.ResourcePolicySummary{
		Id: aws.String(d.ID), Arn: aws.String(v.resourcePolicyARN(v.org, d.ID)),
	}}
}
