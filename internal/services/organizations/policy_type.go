package organizations

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// enablePolicyType puts AWS's policy that allows everything on every node, from which restrictions are made.
func enablePolicyType(c *change, in *sdk.EnablePolicyTypeInput) (*sdk.EnablePolicyTypeOutput, error) {
	root, err := c.wantRoot(in.RootId)
	switch {
	case err != nil:
		return nil, err
	case c.org.FeatureSet != types.OrganizationFeatureSetAll:
		return nil, typeNotAvailable()
	case c.org.enabled(in.PolicyType):
		return nil, typeEnabled()
	}
	c.org.PolicyTypes = append(c.org.PolicyTypes, in.PolicyType)
	for _, n := range c.org.Nodes {
		n.Attached = append(n.Attached, fullAccess(in.PolicyType).ID)
	}
	return &sdk.EnablePolicyTypeOutput{Root: new(c.wireRoot(root))}, nil
}

// disablePolicyType detaches all policies of the type. "If you later re-enable the policy type, all attachments are lost".
// https://docs.aws.amazon.com/organizations/latest/userguide/disable-policy-type.html
func disablePolicyType(c *change, in *sdk.DisablePolicyTypeInput) (*sdk.DisablePolicyTypeOutput, error) {
	root, err := c.wantRoot(in.RootId)
	switch {
	case err != nil:
		return nil, err
	case !c.org.enabled(in.PolicyType):
		return nil, typeNotEnabled()
	}
	all, err := c.policies(in.PolicyType)
	if err != nil {
		return nil, err
	}
	for _, n := range c.org.Nodes {
		n.Attached = slices.DeleteFunc(n.Attached, func(id string) bool {
			return slices.ContainsFunc(all, func(p *orgPolicy) bool { return p.ID == id })
		})
	}
	c.org.PolicyTypes = slices.DeleteFunc(c.org.PolicyTypes, func(t types.PolicyType) bool { return t == in.PolicyType })
	return &sdk.DisablePolicyTypeOutput{Root: new(c.wireRoot(root))}, nil
}

func (v *view) wantRoot(id *string) (*node, error) {
	if n := v.org.find(aws.ToString(id), types.TargetTypeRoot); n != nil {
		return n, nil
	}
	return nil, rootNotFound()
}
