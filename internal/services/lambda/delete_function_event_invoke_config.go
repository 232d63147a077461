package lambda

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func deleteFunctionEventInvokeConfigReference(
	c *service.Call, in *sdk.DeleteFunctionEventInvokeConfigInput,
) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, v.Function(c, in.FunctionName, request.NamespacedName), in.Qualifier)
}

func (s *Service) deleteFunctionEventInvokeConfig(
	ctx context.Context, c *service.Call, in *sdk.DeleteFunctionEventInvokeConfigInput,
) (*sdk.DeleteFunctionEventInvokeConfigOutput, error) {
	r, err := deleteFunctionEventInvokeConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Get(eventInvokeKey(r)); errors.Is(err, store.ErrNotFound) {
			return noEventInvokeConfig(r)
		} else if err != nil {
			return err
		}
		return tx.Delete(eventInvokeKey(r))
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteFunctionEventInvokeConfigOutput{}, nil
}
