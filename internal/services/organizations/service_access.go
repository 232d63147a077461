package organizations

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// checkService takes every name that a service of AWS may have: which of them work with Organizations is a list that changes.
func (s *Service) checkService(principal *string) error {
	if err := check(principal, s.patterns.service); err != nil {
		return err
	}
	if name, ok := strings.CutSuffix(*principal, ".amazonaws.com"); !ok || name == "" {
		return invalidInput(types.InvalidInputExceptionReasonUnrecognizedServicePrincipal,
			"You specified an unrecognized service principal.")
	}
	return nil
}

func enableAWSServiceAccess(c *change, in *sdk.EnableAWSServiceAccessInput) (*sdk.EnableAWSServiceAccessOutput, error) {
	if err := c.wantAllFeatures(); err != nil {
		return nil, err
	}
	if c.org.Services == nil {
		c.org.Services = make(map[string]time.Time)
	}
	if _, ok := c.org.Services[*in.ServicePrincipal]; !ok {
		c.org.Services[*in.ServicePrincipal] = c.now()
	}
	return &sdk.EnableAWSServiceAccessOutput{}, nil
}

// disableAWSServiceAccess wants no account to be an administrator for the service.
func disableAWSServiceAccess(c *change, in *sdk.DisableAWSServiceAccessInput) (*sdk.DisableAWSServiceAccessOutput, error) {
	if err := c.wantAllFeatures(); err != nil {
		return nil, err
	}
	if len(c.administratorsFor(*in.ServicePrincipal)) > 0 {
		return nil, constraint(types.ConstraintViolationExceptionReasonDelegatedAdministratorExistsForThisService,
			"You can't disable access for a service that has a delegated administrator. Deregister it first.") // our text
	}
	delete(c.org.Services, *in.ServicePrincipal)
	return &sdk.DisableAWSServiceAccessOutput{}, nil
}

// since is a service with the time from which on something holds for it.
type since struct {
	service string
	time    time.Time
}

func sinceOf(services map[string]time.Time) []since {
	var out []since
	for service, at := range services {
		out = append(out, since{service, at})
	}
	return out
}

func serviceOf(s since) string { return s.service }

func listAWSServiceAccess(
	v *view, in *sdk.ListAWSServiceAccessForOrganizationInput,
) (*sdk.ListAWSServiceAccessForOrganizationOutput, error) {
	if err := v.wantAllFeatures(); err != nil {
		return nil, err
	}
	enabled, next, err := paged(sinceOf(v.org.Services), serviceOf, in.MaxResults, in.NextToken,
		func(s since) types.EnabledServicePrincipal {
			return types.EnabledServicePrincipal{ServicePrincipal: aws.String(s.service), DateEnabled: aws.Time(s.time)}
		})
	return &sdk.ListAWSServiceAccessForOrganizationOutput{EnabledServicePrincipals: enabled, NextToken: next}, err
}
