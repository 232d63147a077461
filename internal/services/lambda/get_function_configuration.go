package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
)

func getFunctionConfigurationReference(c *service.Call, in *sdk.GetFunctionConfigurationInput) (reference, error) {
	var v validator
	return v.resolve(c, v.name(c, in.FunctionName, namespacedNameText), in.Qualifier)
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
	return output[sdk.GetFunctionConfigurationOutput](f.configuration(r.qualifier, settled)), nil
}
