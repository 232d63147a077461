package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func getFunctionConfigurationReference(c *service.Call, in *sdk.GetFunctionConfigurationInput) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, v.Function(c, in.FunctionName, request.NamespacedName), in.Qualifier)
}

func (s *Service) getFunctionConfiguration(
	ctx context.Context, c *service.Call, in *sdk.GetFunctionConfigurationInput,
) (*sdk.GetFunctionConfigurationOutput, error) {
	r, err := getFunctionConfigurationReference(c, in)
	if err != nil {
		return nil, err
	}
	f, err := s.existing(ctx, r)
	if err != nil {
		return nil, err
	}
	return showVersion[sdk.GetFunctionConfigurationOutput](ctx, s, c, f, r, settled)
}
