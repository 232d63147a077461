package organizations

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// administratorsFor gives the accounts that are delegated administrators for a service; for any with "".
func (v *view) administratorsFor(service string) []*node {
	return v.org.sorted(func(n *node) bool {
		_, ok := n.Services[service]
		return ok || service == "" && len(n.Services) > 0
	})
}

func registerDelegatedAdministrator(
	c *change, in *sdk.RegisterDelegatedAdministratorInput,
) (*sdk.RegisterDelegatedAdministratorOutput, error) {
	if err := c.wantAllFeatures(); err != nil {
		return nil, err
	}
	n, err := c.account(in.AccountId)
	if err != nil {
		return nil, err
	}
	_, registered := n.Services[*in.ServicePrincipal]
	_, trusted := c.org.Services[*in.ServicePrincipal]
	switch {
	case n.ID == c.org.Management:
		return nil, constraint(types.ConstraintViolationExceptionReasonCannotRegisterMasterAsDelegatedAdministrator,
			"You cannot register master account/yourself as delegated administrator for your organization.")
	case n.Closed:
		return nil, constraint(types.ConstraintViolationExceptionReasonCannotRegisterSuspendedAccountAsDelegatedAdministrator,
			"You can't register a suspended account as a delegated administrator.") // our text
	case registered:
		return nil, accountRegistered()
	case !trusted:
		return nil, constraint(types.ConstraintViolationExceptionReasonServiceAccessNotEnabled,
			"You must enable service access before you register a delegated administrator.") // our text
	}
	if n.Services == nil {
		n.Services = make(map[string]time.Time)
	}
	n.Services[*in.ServicePrincipal] = c.now()
	return &sdk.RegisterDelegatedAdministratorOutput{}, nil
}

func deregisterDelegatedAdministrator(
	c *change, in *sdk.DeregisterDelegatedAdministratorInput,
) (*sdk.DeregisterDelegatedAdministratorOutput, error) {
	if err := c.wantAllFeatures(); err != nil {
		return nil, err
	}
	n, err := c.account(in.AccountId)
	if err != nil {
		return nil, err
	}
	if _, ok := n.Services[*in.ServicePrincipal]; !ok {
		return nil, accountNotRegistered()
	}
	delete(n.Services, *in.ServicePrincipal)
	return &sdk.DeregisterDelegatedAdministratorOutput{}, nil
}

func listDelegatedAdministrators(
	v *view, in *sdk.ListDelegatedAdministratorsInput,
) (*sdk.ListDelegatedAdministratorsOutput, error) {
	found, next, err := paged(
		v.administratorsFor(aws.ToString(in.ServicePrincipal)), nodeID, in.MaxResults, in.NextToken, v.wireAdministrator)
	return &sdk.ListDelegatedAdministratorsOutput{DelegatedAdministrators: found, NextToken: next}, err
}

func (v *view) wireAdministrator(n *node) types.DelegatedAdministrator {
	first := slices.MinFunc(slices.Collect(maps.Values(n.Services)), time.Time.Compare)
	state, status := stateOf(n)
	return types.DelegatedAdministrator{
		Arn: aws.String(v.nodeARN(v.org, n.ID)), DelegationEnabledDate: aws.Time(first), Email: aws.String(n.Email),
		Id: aws.String(n.ID), JoinedMethod: n.Method, JoinedTimestamp: aws.Time(n.Joined), Name: aws.String(n.Name), State: state,
		Status: status,
	}
}

func listDelegatedServicesForAccount(
	v *view, in *sdk.ListDelegatedServicesForAccountInput,
) (*sdk.ListDelegatedServicesForAccountOutput, error) {
	n, err := v.account(in.AccountId)
	if err != nil {
		return nil, err
	}
	if len(n.Services) == 0 {
		return nil, accountNotRegistered()
	}
	services, next, err := paged(sinceOf(n.Services), serviceOf, in.MaxResults, in.NextToken, func(s since) types.DelegatedService {
		return types.DelegatedService{ServicePrincipal: aws.String(s.service), DelegationEnabledDate: aws.Time(s.time)}
	})
	return &sdk.ListDelegatedServicesForAccountOutput{DelegatedServices: services, NextToken: next}, err
}
