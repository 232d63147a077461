package lambda

import (
	"context"
	"net/http"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

func getProvisionedConcurrencyConfigReference(
	c *service.Call, in *sdk.GetProvisionedConcurrencyConfigInput,
) (request.Function, error) {
	return readProvisioned(c, in.FunctionName, in.Qualifier)
}

func (s *Service) getProvisionedConcurrencyConfig(
	ctx context.Context, c *service.Call, in *sdk.GetProvisionedConcurrencyConfigInput,
) (*sdk.GetProvisionedConcurrencyConfigOutput, error) {
	r, err := getProvisionedConcurrencyConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	f, err := s.qualified(ctx, r)
	if err != nil {
		return nil, err
	}
	own, err := s.ownConcurrency(ctx, r)
	if err != nil {
		return nil, err
	}
	p, ok := own.Provisioned[r.Qualifier]
	if !ok {
		return nil, fault.New("ProvisionedConcurrencyConfigNotFoundException", http.StatusNotFound,
			"No Provisioned Concurrency Config found for this function")
	}
	now := s.state(f, r.Qualifier, p)
	return &sdk.GetProvisionedConcurrencyConfigOutput{
		AllocatedProvisionedConcurrentExecutions: now.AllocatedProvisionedConcurrentExecutions,
		AvailableProvisionedConcurrentExecutions: now.AvailableProvisionedConcurrentExecutions,
		RequestedProvisionedConcurrentExecutions: now.RequestedProvisionedConcurrentExecutions,
		LastModified:                             now.LastModified,
		Status:                                   now.Status,
		StatusReason:                             now.StatusReason,
	}, nil
}
