package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func getFunctionScalingConfigReference(c *service.Call, in *sdk.GetFunctionScalingConfigInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, unqualifiedName)
	v.RequiredText("qualifier", in.Qualifier, scaledQualifier)
	return scaled(&v, c, r, in.Qualifier)
}

// getFunctionScalingConfig answers as PutFunctionScalingConfig: no answer of AWS's to a function without a capacity provider is recorded.
func (s *Service) getFunctionScalingConfig(
	ctx context.Context, c *service.Call, in *sdk.GetFunctionScalingConfigInput,
) (*sdk.GetFunctionScalingConfigOutput, error) {
	r, err := getFunctionScalingConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	return nil, s.noCapacityProvider(ctx, r)
}
