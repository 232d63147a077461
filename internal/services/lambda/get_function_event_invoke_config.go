package lambda

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func getFunctionEventInvokeConfigReference(c *service.Call, in *sdk.GetFunctionEventInvokeConfigInput) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, v.Function(c, in.FunctionName, request.NamespacedName), in.Qualifier)
}

// getFunctionEventInvokeConfig answers for a function that is not there as for one without a configuration (recorded from AWS).
func (s *Service) getFunctionEventInvokeConfig(
	ctx context.Context, c *service.Call, in *sdk.GetFunctionEventInvokeConfigInput,
) (*sdk.GetFunctionEventInvokeConfigOutput, error) {
	r, err := getFunctionEventInvokeConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	var config eventInvokeConfig
	err = s.DB.View(ctx, func(reader store.Reader) (err error) {
		config, err = store.GetJSON[eventInvokeConfig](reader, eventInvokeKey(r))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, noEventInvokeConfig(r)
	}
	if err != nil {
		return nil, err
	}
	now := config.shown(r)
	return &sdk.GetFunctionEventInvokeConfigOutput{
		FunctionArn: now.FunctionArn, LastModified: now.LastModified, DestinationConfig: now.DestinationConfig,
		MaximumRetryAttempts: now.MaximumRetryAttempts, MaximumEventAgeInSeconds: now.MaximumEventAgeInSeconds,
	}, nil
}
