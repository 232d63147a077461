package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func getFunctionConcurrencyReference(c *service.Call, in *sdk.GetFunctionConcurrencyInput) (request.Function, error) {
	var v request.Validator
	return resolveUnqualified(&v, c, v.Function(c, in.FunctionName, request.FunctionName))
}

// getFunctionConcurrency answers without a member for a function that has nothing reserved.
func (s *Service) getFunctionConcurrency(
	ctx context.Context, c *service.Call, in *sdk.GetFunctionConcurrencyInput,
) (*sdk.GetFunctionConcurrencyOutput, error) {
	r, err := getFunctionConcurrencyReference(c, in)
	if err != nil {
		return nil, err
	}
	if _, err := s.existing(ctx, r); err != nil {
		return nil, err
	}
	own, err := s.ownConcurrency(ctx, r)
	if err != nil {
		return nil, err
	}
	return &sdk.GetFunctionConcurrencyOutput{ReservedConcurrentExecutions: own.Reserved}, nil
}
