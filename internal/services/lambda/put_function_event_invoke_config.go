package lambda

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func putEventInvokeSettings(in *sdk.PutFunctionEventInvokeConfigInput) eventInvokeSettings {
	return eventInvokeSettings{
		RetryLimit: in.MaximumRetryAttempts, MaxAge: in.MaximumEventAgeInSeconds, Destinations: in.DestinationConfig,
	}
}

func putFunctionEventInvokeConfigReference(c *service.Call, in *sdk.PutFunctionEventInvokeConfigInput) (request.Function, error) {
	return putEventInvokeSettings(in).reference(c, in.FunctionName, in.Qualifier)
}

// putFunctionEventInvokeConfig replaces what was configured.
func (s *Service) putFunctionEventInvokeConfig(
	ctx context.Context, c *service.Call, in *sdk.PutFunctionEventInvokeConfigInput,
) (*sdk.PutFunctionEventInvokeConfigOutput, error) {
	r, err := putFunctionEventInvokeConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	given := putEventInvokeSettings(in)
	if err := given.check(ctx, s, r); err != nil {
		return nil, err
	}
	config := eventInvokeConfig{Qualifier: inFull(r).Qualifier, Modified: c.Time}
	given.apply(&config)
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if _, err := s.load(tx, r); errors.Is(err, store.ErrNotFound) {
			return noSuchFunction()
		} else if err != nil {
			return err
		}
		return store.PutJSON(tx, eventInvokeKey(r), config)
	})
	if err != nil {
		return nil, err
	}
	now := config.shown(r)
	return &sdk.PutFunctionEventInvokeConfigOutput{
		FunctionArn: now.FunctionArn, LastModified: now.LastModified, DestinationConfig: now.DestinationConfig,
		MaximumRetryAttempts: now.MaximumRetryAttempts, MaximumEventAgeInSeconds: now.MaximumEventAgeInSeconds,
	}, nil
}
