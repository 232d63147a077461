package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func getFunctionCodeSigningConfigReference(c *service.Call, in *sdk.GetFunctionCodeSigningConfigInput) (request.Function, error) {
	var v request.Validator
	return resolveUnqualified(&v, c, v.Function(c, in.FunctionName, request.NamespacedName))
}

// getFunctionCodeSigningConfig answers without members for a function that has no configuration, as AWS does.
func (s *Service) getFunctionCodeSigningConfig(
	ctx context.Context, c *service.Call, in *sdk.GetFunctionCodeSigningConfigInput,
) (*sdk.GetFunctionCodeSigningConfigOutput, error) {
	r, err := getFunctionCodeSigningConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	f, err := s.existing(ctx, r)
	if err != nil {
		return nil, err
	}
	if f.function.CodeSigningConfig == "" {
		return &sdk.GetFunctionCodeSigningConfigOutput{}, nil
	}
	return &sdk.GetFunctionCodeSigningConfigOutput{
		CodeSigningConfigArn: aws.String(f.function.CodeSigningConfig), FunctionName: aws.String(r.Name),
	}, nil
}
