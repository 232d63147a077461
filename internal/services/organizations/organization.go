package organizations

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// createOrganization makes the caller's account the management account. No policy type is enabled in the root: the page says that
// SCPs are, but EnablePolicyType succeeds right afterwards on AWS (Terraform's acceptance tests of aws_organizations_organization).
func (s *Service) createOrganization(
	ctx context.Context, c *service.Call, in *sdk.CreateOrganizationInput,
) (*sdk.CreateOrganizationOutput, error) {
	features := in.FeatureSet
	if features == "" {
		features = types.OrganizationFeatureSetAll
	}
	if features != types.OrganizationFeatureSetAll && features != types.OrganizationFeatureSetConsolidatedBilling {
		return nil, invalidInput(types.InvalidInputExceptionReasonInvalidEnum, "You specified an invalid value.") // our text
	}
	var out *sdk.CreateOrganizationOutput
	err := s.db.Update(ctx, func(tx store.Tx) error {
		old, err := organizationOf(tx, c.Account)
		if err != nil {
			return err
		}
		if old != nil {
			return alreadyInOrganization()
		}
		root := &node{ID: newID("r-", rootIDLength), Kind: types.TargetTypeRoot, Name: "Root"}
		o := &tree{
			ID: newID("o-", organizationIDLength), Management: c.Account, FeatureSet: features, Root: root.ID,
			Nodes: map[string]*node{root.ID: root},
		}
		ch := change{view{Service: s, r: tx, call: c, org: o}, tx}
		if err := ch.join(c.Account, types.AccountJoinedMethodInvited, nil); err != nil {
			return err
		}
		out = &sdk.CreateOrganizationOutput{Organization: ch.wireOrganization()}
		return putOrganization(tx, o)
	})
	return out, err
}

// join puts an account under the root.
func (c *change) join(account string, method types.AccountJoinedMethod, tags []tag) error {
	a, ok, err := c.accounts.Account(c.tx, account)
	if err != nil {
		return err
	}
	if !ok {
		return accountNotFound()
	}
	c.org.add(&node{
		ID: account, Kind: types.TargetTypeAccount, Name: a.Name, Email: a.Email, Parent: c.org.Root, Joined: c.now(), Method: method,
		Tags: tags,
	})
	return c.tx.Put(memberKey(account), []byte(c.org.ID))
}

func describeOrganization(v *view, _ *sdk.DescribeOrganizationInput) (*sdk.DescribeOrganizationOutput, error) {
	return &sdk.DescribeOrganizationOutput{Organization: v.wireOrganization()}, nil
}

func (v *view) wireOrganization() *types.Organization {
	o := v.org
	out := &types.Organization{
		Arn: aws.String(v.organizationARN(o)), Id: aws.String(o.ID), FeatureSet: o.FeatureSet,
		MasterAccountArn: aws.String(v.nodeARN(o, o.Management)), MasterAccountId: aws.String(o.Management),
		MasterAccountEmail:   aws.String(o.Nodes[o.Management].Email),
		AvailablePolicyTypes: []types.PolicyTypeSummary{},
	}
	if o.FeatureSet == types.OrganizationFeatureSetAll {
		// "Do not use": it always shows this (API_Organization, AvailablePolicyTypes).
		out.AvailablePolicyTypes = append(out.AvailablePolicyTypes, types.PolicyTypeSummary{
			Type: types.PolicyTypeServiceControlPolicy, Status: types.PolicyTypeStatusEnabled,
		})
	}
	return out
}

// deleteOrganization wants all other accounts gone. Units and policies go with it.
func (s *Service) deleteOrganization(
	ctx context.Context, c *service.Call, _ *sdk.DeleteOrganizationInput,
) (*sdk.DeleteOrganizationOutput, error) {
	return &sdk.DeleteOrganizationOutput{}, s.db.Update(ctx, func(tx store.Tx) error {
		v, err := s.enter(tx, c, management)
		if err != nil {
			return err
		}
		if len(v.org.sorted(func(n *node) bool { return n.Kind == types.TargetTypeAccount })) > 1 {
			return organizationNotEmpty()
		}
		for _, prefix := range []string{policyPrefix(v.org.ID), requestPrefix(v.org.ID)} {
			if err := tx.DeletePrefix(prefix); err != nil {
				return err
			}
		}
		if err := dropHandshakes(tx, v.org.ID); err != nil {
			return err
		}
		if err := tx.Delete(memberKey(c.Account)); err != nil {
			return err
		}
		return tx.Delete(organizationKey(v.org.ID))
	})
}

func listRoots(v *view, in *sdk.ListRootsInput) (*sdk.ListRootsOutput, error) {
	roots, next, err := paged([]*node{v.org.root()}, nodeID, in.MaxResults, in.NextToken, v.wireRoot)
	return &sdk.ListRootsOutput{Roots: roots, NextToken: next}, err
}

func (v *view) wireRoot(n *node) types.Root {
	out := types.Root{
		Arn: aws.String(v.nodeARN(v.org, n.ID)), Id: aws.String(n.ID), Name: aws.String(n.Name), PolicyTypes: []types.PolicyTypeSummary{},
	}
	for _, t := range v.org.PolicyTypes {
		out.PolicyTypes = append(out.PolicyTypes, types.PolicyTypeSummary{Type: t, Status: types.PolicyTypeStatusEnabled})
	}
	return out
}
