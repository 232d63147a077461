package signing

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func updateReference(c *service.Call, in *sdk.UpdateCodeSigningConfigInput) (arn.ARN, error) {
	var v request.Validator
	validate(&v, in.AllowedPublishers, in.CodeSigningPolicies, in.Description)
	return Parse(&v, c, in.CodeSigningConfigArn)
}

func (s *Service) updateTarget(ctx context.Context, c *service.Call, in *sdk.UpdateCodeSigningConfigInput) (service.Target, error) {
	a, err := updateReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	return s.Target(ctx, c, "", a)
}

func (s *Service) update(
	ctx context.Context, c *service.Call, in *sdk.UpdateCodeSigningConfigInput,
) (*sdk.UpdateCodeSigningConfigOutput, error) {
	a, err := updateReference(c, in)
	if err != nil {
		return nil, err
	}
	changed, err := s.change(ctx, a, func(changed *configuration) error {
		changed.set(in.AllowedPublishers, in.CodeSigningPolicies, in.Description)
		changed.Modified = c.Time
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.UpdateCodeSigningConfigOutput{CodeSigningConfig: changed.shown()}, nil
}
