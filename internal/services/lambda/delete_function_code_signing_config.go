package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func deleteFunctionCodeSigningConfigReference(
	c *service.Call, in *sdk.DeleteFunctionCodeSigningConfigInput,
) (request.Function, error) {
	var v request.Validator
	return resolveUnqualified(&v, c, v.Function(c, in.FunctionName, request.NamespacedName))
}

func (s *Service) deleteFunctionCodeSigningConfig(
	ctx context.Context, c *service.Call, in *sdk.DeleteFunctionCodeSigningConfigInput,
) (*sdk.DeleteFunctionCodeSigningConfigOutput, error) {
	r, err := deleteFunctionCodeSigningConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	_, err = s.updateFunction(ctx, r, func(f *function) error {
		f.CodeSigningConfig = ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteFunctionCodeSigningConfigOutput{}, nil
}
