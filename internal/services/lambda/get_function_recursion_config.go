package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func getFunctionRecursionConfigReference(c *service.Call, in *sdk.GetFunctionRecursionConfigInput) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, v.Function(c, in.FunctionName, unqualifiedName), nil)
}

func (s *Service) getFunctionRecursionConfig(
	ctx context.Context, c *service.Call, in *sdk.GetFunctionRecursionConfigInput,
) (*sdk.GetFunctionRecursionConfigOutput, error) {
	r, err := getFunctionRecursionConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	f, err := s.existing(ctx, r)
	if err != nil {
		return nil, err
	}
	loop := f.function.RecursiveLoop
	if loop == "" {
		loop = types.RecursiveLoopTerminate
	}
	return &sdk.GetFunctionRecursionConfigOutput{RecursiveLoop: loop}, nil
}
