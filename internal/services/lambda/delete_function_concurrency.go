package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func deleteFunctionConcurrencyReference(c *service.Call, in *sdk.DeleteFunctionConcurrencyInput) (request.Function, error) {
	var v request.Validator
	return resolveUnqualified(&v, c, v.Function(c, in.FunctionName, request.FunctionName))
}

// deleteFunctionConcurrency succeeds also for a function that has nothing reserved.
func (s *Service) deleteFunctionConcurrency(
	ctx context.Context, c *service.Call, in *sdk.DeleteFunctionConcurrencyInput,
) (*sdk.DeleteFunctionConcurrencyOutput, error) {
	r, err := deleteFunctionConcurrencyReference(c, in)
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if err := checkFunction(tx, r); err != nil {
			return err
		}
		return updateConcurrency(tx, r, func(own *ownConcurrency, _ int) error {
			own.Reserved = nil
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteFunctionConcurrencyOutput{}, nil
}
