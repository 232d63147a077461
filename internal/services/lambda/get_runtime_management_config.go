package lambda

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func getRuntimeManagementConfigReference(c *service.Call, in *sdk.GetRuntimeManagementConfigInput) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, v.Function(c, in.FunctionName, request.NamespacedName), in.Qualifier)
}

func (s *Service) getRuntimeManagementConfig(
	ctx context.Context, c *service.Call, in *sdk.GetRuntimeManagementConfigInput,
) (*sdk.GetRuntimeManagementConfigOutput, error) {
	r, err := getRuntimeManagementConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	m := runtimeManagement{UpdateOn: types.UpdateRuntimeOnAuto}
	err = s.DB.View(ctx, func(reader store.Reader) error {
		if _, err := s.managed(reader, r); err != nil {
			return err
		}
		kept, err := store.GetJSON[runtimeManagement](reader, runtimeManagementKey(r))
		if err == nil {
			m = kept
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.GetRuntimeManagementConfigOutput{
		FunctionArn: aws.String(r.ARN()), UpdateRuntimeOn: m.UpdateOn, RuntimeVersionArn: m.arn(),
	}, nil
}
