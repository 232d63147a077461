package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
)

// scaledQualifier is the constraint of the Qualifier of a function on a capacity provider.
var scaledQualifier = request.NewText(1, 128, `(\$LATEST\.PUBLISHED|[0-9]+)`)

// maxEnvironments of a FunctionScalingConfig (botocore).
const maxEnvironments = 15000

func putFunctionScalingConfigReference(c *service.Call, in *sdk.PutFunctionScalingConfigInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, unqualifiedName)
	v.RequiredText("qualifier", in.Qualifier, scaledQualifier)
	if config := in.FunctionScalingConfig; config != nil {
		v.Number("functionScalingConfig.minExecutionEnvironments", config.MinExecutionEnvironments, 0, maxEnvironments)
		v.Number("functionScalingConfig.maxExecutionEnvironments", config.MaxExecutionEnvironments, 0, maxEnvironments)
	}
	return scaled(&v, c, r, in.Qualifier)
}

// scaled is v.Resolve where the qualifier is noted already.
func scaled(v *request.Validator, c *service.Call, r request.Function, qualifier *string) (request.Function, error) {
	if err := v.Err(); err != nil {
		return request.Function{}, err
	}
	r.Qualifier = aws.ToString(qualifier)
	return r, r.Reachable(c)
}

// putFunctionScalingConfig: there are no capacity providers, so that no function can be scaled on one.
func (s *Service) putFunctionScalingConfig(
	ctx context.Context, c *service.Call, in *sdk.PutFunctionScalingConfigInput,
) (*sdk.PutFunctionScalingConfigOutput, error) {
	r, err := putFunctionScalingConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	return nil, s.noCapacityProvider(ctx, r)
}

// noCapacityProvider has AWS's answer of August 2026 (recorded: go-to-k/cdkd issue 1616).
func (s *Service) noCapacityProvider(ctx context.Context, r request.Function) error {
	if _, err := s.existing(ctx, r); err != nil {
		return err
	}
	return fault.AccessDenied("The function provided by the arn does not contain a capacity provider configuration")
}
