package organizations

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

func listParents(v *view, in *sdk.ListParentsInput) (*sdk.ListParentsOutput, error) {
	n := v.org.find(*in.ChildId, types.TargetTypeAccount, types.TargetTypeOrganizationalUnit)
	if n == nil {
		return nil, childNotFound()
	}
	parents, next, err := paged([]*node{v.org.Nodes[n.Parent]}, nodeID, in.MaxResults, in.NextToken, func(n *node) types.Parent {
		return types.Parent{Id: aws.String(n.ID), Type: types.ParentType(n.Kind)}
	})
	return &sdk.ListParentsOutput{Parents: parents, NextToken: next}, err
}

func listChildren(v *view, in *sdk.ListChildrenInput) (*sdk.ListChildrenOutput, error) {
	if in.ChildType != types.ChildTypeAccount && in.ChildType != types.ChildTypeOrganizationalUnit {
		return nil, invalidInput(types.InvalidInputExceptionReasonInvalidEnum, "You specified an invalid value.") // our text
	}
	parent, err := v.parent(in.ParentId)
	if err != nil {
		return nil, err
	}
	found := v.org.children(parent.ID, types.TargetType(in.ChildType))
	children, next, err := paged(found, nodeID, in.MaxResults, in.NextToken, func(n *node) types.Child {
		return types.Child{Id: aws.String(n.ID), Type: types.ChildType(n.Kind)}
	})
	return &sdk.ListChildrenOutput{Children: children, NextToken: next}, err
}

func moveAccount(c *change, in *sdk.MoveAccountInput) (*sdk.MoveAccountOutput, error) {
	n, err := c.account(in.AccountId)
	if err != nil {
		return nil, err
	}
	source, err := c.parent(in.SourceParentId)
	if err != nil || n.Parent != source.ID {
		return nil, sourceNotFound()
	}
	destination, err := c.parent(in.DestinationParentId)
	switch {
	case err != nil:
		return nil, destinationNotFound()
	case destination.ID == source.ID:
		return nil, duplicateAccount()
	}
	n.Parent = destination.ID
	return &sdk.MoveAccountOutput{}, nil
}
