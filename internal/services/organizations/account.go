package organizations

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// account finds an account of the organization.
func (v *view) account(id *string) (*node, error) {
	if n := v.org.find(aws.ToString(id), types.TargetTypeAccount); n != nil {
		return n, nil
	}
	return nil, accountNotFound()
}

func describeAccount(v *view, in *sdk.DescribeAccountInput) (*sdk.DescribeAccountOutput, error) {
	n, err := v.account(in.AccountId)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeAccountOutput{Account: new(v.wireAccount(n))}, nil
}

func listAccounts(v *view, in *sdk.ListAccountsInput) (*sdk.ListAccountsOutput, error) {
	all := v.org.sorted(func(n *node) bool { return n.Kind == types.TargetTypeAccount })
	accounts, next, err := paged(all, nodeID, in.MaxResults, in.NextToken, v.wireAccount)
	return &sdk.ListAccountsOutput{Accounts: accounts, NextToken: next}, err
}

func listAccountsForParent(v *view, in *sdk.ListAccountsForParentInput) (*sdk.ListAccountsForParentOutput, error) {
	parent, err := v.parent(in.ParentId)
	if err != nil {
		return nil, err
	}
	accounts, next, err := paged(
		v.org.children(parent.ID, types.TargetTypeAccount), nodeID, in.MaxResults, in.NextToken, v.wireAccount)
	return &sdk.ListAccountsForParentOutput{Accounts: accounts, NextToken: next}, err
}

func (v *view) wireAccount(n *node) types.Account {
	state, status := stateOf(n)
	return types.Account{
		Arn: aws.String(v.nodeARN(v.org, n.ID)), Email: aws.String(n.Email), Id: aws.String(n.ID), JoinedMethod: n.Method,
		JoinedTimestamp: aws.Time(n.Joined), Name: aws.String(n.Name), Paths: []string{v.org.path(n)}, State: state, Status: status,
	}
}

// stateOf gives the state of an account, and the older form of it. Closing takes no time here.
func stateOf(n *node) (types.AccountState, types.AccountStatus) {
	if n.Closed {
		return types.AccountStateClosed, types.AccountStatusSuspended
	}
	return types.AccountStateActive, types.AccountStatusActive
}

// closeAccount ends an account: nobody can sign in there any more, and it stays in the organization, as it does on AWS for 90 days.
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html
func closeAccount(c *change, in *sdk.CloseAccountInput) (*sdk.CloseAccountOutput, error) {
	if err := c.wantAllFeatures(); err != nil {
		return nil, err
	}
	n, err := c.account(in.AccountId)
	switch {
	case err != nil:
		return nil, err
	case n.ID == c.org.Management:
		return nil, constraint(types.ConstraintViolationExceptionReasonCannotCloseManagementAccount,
			"You can't close the management account of an organization.") // our text
	case n.Closed:
		return nil, accountAlreadyClosed()
	case len(n.Services) > 0:
		return nil, stillAdministrator()
	}
	n.Closed = true
	return &sdk.CloseAccountOutput{}, nil
}

func stillAdministrator() error {
	return constraint(types.ConstraintViolationExceptionReasonCannotRemoveDelegatedAdministratorFromOrg,
		"This operation can't be performed on an account that is a delegated administrator. Deregister it first.") // our text
}

func removeAccountFromOrganization(
	c *change, in *sdk.RemoveAccountFromOrganizationInput,
) (*sdk.RemoveAccountFromOrganizationOutput, error) {
	n, err := c.account(in.AccountId)
	if err != nil {
		return nil, err
	}
	return &sdk.RemoveAccountFromOrganizationOutput{}, c.depart(n)
}

func leaveOrganization(c *change, _ *sdk.LeaveOrganizationInput) (*sdk.LeaveOrganizationOutput, error) {
	return &sdk.LeaveOrganizationOutput{}, c.depart(c.org.Nodes[c.call.Account])
}

// depart takes an account out of the organization. One that is closed stays: outside it would be open again.
func (c *change) depart(n *node) error {
	switch {
	case n.ID == c.org.Management:
		return masterCannotLeave()
	case n.Closed:
		return constraint(types.ConstraintViolationExceptionReasonAccountCannotLeaveOrganization,
			"A closed account can't leave the organization.") // our text
	case len(n.Services) > 0:
		return stillAdministrator()
	}
	delete(c.org.Nodes, n.ID)
	return c.tx.Delete(memberKey(n.ID))
}

// wantAllFeatures guards what consolidated billing alone does not have. The text is of Terraform's issue tracker.
func (v *view) wantAllFeatures() error {
	if v.org.FeatureSet == types.OrganizationFeatureSetAll {
		return nil
	}
	return constraint(types.ConstraintViolationExceptionReasonOrganizationNotInAllFeaturesMode,
		"The request failed because the organization does not have all features enabled. Please enable all features in your organization "+
			"and then retry.")
}
