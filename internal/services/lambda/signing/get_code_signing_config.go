package signing

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func (s *Service) get(ctx context.Context, c *service.Call, in *sdk.GetCodeSigningConfigInput) (*sdk.GetCodeSigningConfigOutput, error) {
	var v request.Validator
	a, err := Parse(&v, c, in.CodeSigningConfigArn)
	if err != nil {
		return nil, err
	}
	found, err := s.find(ctx, a)
	if err != nil {
		return nil, answer(err, a)
	}
	return &sdk.GetCodeSigningConfigOutput{CodeSigningConfig: found.shown()}, nil
}
