package lambda

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func updateEventInvokeSettings(in *sdk.UpdateFunctionEventInvokeConfigInput) eventInvokeSettings {
	return eventInvokeSettings{
		RetryLimit: in.MaximumRetryAttempts, MaxAge: in.MaximumEventAgeInSeconds, Destinations: in.DestinationConfig,
	}
}

func updateFunctionEventInvokeConfigReference(
	c *service.Call, in *sdk.UpdateFunctionEventInvokeConfigInput,
) (request.Function, error) {
	return updateEventInvokeSettings(in).reference(c, in.FunctionName, in.Qualifier)
}

// updateFunctionEventInvokeConfig changes the members that are given.
func (s *Service) updateFunctionEventInvokeConfig(
	ctx context.Context, c *service.Call, in *sdk.UpdateFunctionEventInvokeConfigInput,
) (*sdk.UpdateFunctionEventInvokeConfigOutput, error) {
	r, err := updateFunctionEventInvokeConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	given := updateEventInvokeSettings(in)
	if err := given.check(ctx, s, r); err != nil {
		return nil, err
	}
	var config eventInvokeConfig
	err = s.DB.Update(ctx, func(tx store.Tx) (err error) {
		if config, err = store.GetJSON[eventInvokeConfig](tx, eventInvokeKey(r)); errors.Is(err, store.ErrNotFound) {
			return noEventInvokeConfig(r)
		} else if err != nil {
			return err
		}
		config.Modified = c.Time
		given.apply(&config)
		return store.PutJSON(tx, eventInvokeKey(r), config)
	})
	if err != nil {
		return nil, err
	}
	now := config.shown(r)
	return &sdk.UpdateFunctionEventInvokeConfigOutput{
		FunctionArn: now.FunctionArn, LastModified: now.LastModified, DestinationConfig: now.DestinationConfig,
		MaximumRetryAttempts: now.MaximumRetryAttempts, MaximumEventAgeInSeconds: now.MaximumEventAgeInSeconds,
	}, nil
}
