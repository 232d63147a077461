package organizations

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// unit finds an organizational unit.
func (v *view) unit(id *string) (*node, error) {
	if n := v.org.find(aws.ToString(id), types.TargetTypeOrganizationalUnit); n != nil {
		return n, nil
	}
	return nil, unitNotFound()
}

// parent finds a root or organizational unit.
func (v *view) parent(id *string) (*node, error) {
	if n := v.org.find(aws.ToString(id), types.TargetTypeRoot, types.TargetTypeOrganizationalUnit); n != nil {
		return n, nil
	}
	return nil, parentNotFound()
}

func createOrganizationalUnit(c *change, in *sdk.CreateOrganizationalUnitInput) (*sdk.CreateOrganizationalUnitOutput, error) {
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	parent, err := c.parent(in.ParentId)
	if err != nil {
		return nil, err
	}
	if len(c.org.lineage(parent)) > maxUnitDepth {
		return nil, constraint(types.ConstraintViolationExceptionReasonOuDepthLimitExceeded,
			"You have exceeded the allowed OU depth.")
	}
	if len(c.org.sorted(func(n *node) bool { return n.Kind == types.TargetTypeOrganizationalUnit })) >= maxUnits {
		return nil, constraint(types.ConstraintViolationExceptionReasonOuNumberLimitExceeded,
			"You have exceeded the allowed number of OUs.")
	}
	if err := c.checkUnitName(parent.ID, *in.Name, ""); err != nil {
		return nil, err
	}
	n := &node{
		ID: newID("ou-"+c.org.Root[len("r-"):]+"-", unitIDLength), Kind: types.TargetTypeOrganizationalUnit, Name: *in.Name,
		Parent: parent.ID, Tags: tags,
	}
	c.org.add(n)
	return &sdk.CreateOrganizationalUnitOutput{OrganizationalUnit: new(c.wireUnit(n))}, nil
}

// checkUnitName wants a name that no other unit of the parent has.
func (v *view) checkUnitName(parent, name, own string) error {
	for _, other := range v.org.children(parent, types.TargetTypeOrganizationalUnit) {
		if other.Name == name && other.ID != own {
			return unitExists()
		}
	}
	return nil
}

func updateOrganizationalUnit(c *change, in *sdk.UpdateOrganizationalUnitInput) (*sdk.UpdateOrganizationalUnitOutput, error) {
	n, err := c.unit(in.OrganizationalUnitId)
	if err != nil {
		return nil, err
	}
	if in.Name != nil {
		if err := checkName(in.Name); err != nil {
			return nil, err
		}
		if err := c.checkUnitName(n.Parent, *in.Name, n.ID); err != nil {
			return nil, err
		}
		n.Name = *in.Name
	}
	return &sdk.UpdateOrganizationalUnitOutput{OrganizationalUnit: new(c.wireUnit(n))}, nil
}

func describeOrganizationalUnit(
	v *view, in *sdk.DescribeOrganizationalUnitInput,
) (*sdk.DescribeOrganizationalUnitOutput, error) {
	n, err := v.unit(in.OrganizationalUnitId)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeOrganizationalUnitOutput{OrganizationalUnit: new(v.wireUnit(n))}, nil
}

func deleteOrganizationalUnit(c *change, in *sdk.DeleteOrganizationalUnitInput) (*sdk.DeleteOrganizationalUnitOutput, error) {
	n, err := c.unit(in.OrganizationalUnitId)
	if err != nil {
		return nil, err
	}
	if len(c.org.sorted(func(child *node) bool { return child.Parent == n.ID })) > 0 {
		return nil, unitNotEmpty()
	}
	delete(c.org.Nodes, n.ID)
	return &sdk.DeleteOrganizationalUnitOutput{}, nil
}

func listOrganizationalUnitsForParent(
	v *view, in *sdk.ListOrganizationalUnitsForParentInput,
) (*sdk.ListOrganizationalUnitsForParentOutput, error) {
	parent, err := v.parent(in.ParentId)
	if err != nil {
		return nil, err
	}
	units, next, err := paged(
		v.org.children(parent.ID, types.TargetTypeOrganizationalUnit), nodeID, in.MaxResults, in.NextToken, v.wireUnit)
	return &sdk.ListOrganizationalUnitsForParentOutput{OrganizationalUnits: units, NextToken: next}, err
}

func (v *view) wireUnit(n *node) types.OrganizationalUnit {
	return types.OrganizationalUnit{
		Arn: aws.String(v.nodeARN(v.org, n.ID)), Id: aws.String(n.ID), Name: aws.String(n.Name), Path: aws.String(v.org.path(n)),
	}
}
