package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

// getConfigurationOutput is output, ready for an operation that clients poll.
var getConfigurationOutput = outputs[sdk.GetFunctionConfigurationOutput, types.FunctionConfiguration]()

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
	shown, err := s.show(ctx, c, f, r.Qualifier, settled)
	if err != nil {
		return nil, err
	}
	return getConfigurationOutput(&shown), nil
}
