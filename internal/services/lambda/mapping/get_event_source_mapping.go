package mapping

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
)

func (s *Service) get(ctx context.Context, c *service.Call, in *sdk.GetEventSourceMappingInput) (*sdk.GetEventSourceMappingOutput, error) {
	m, err := s.existing(ctx, c.Account, c.Region, *in.UUID)
	if err != nil {
		return nil, err
	}
	shown, err := s.show(ctx, c, m, "")
	if err != nil {
		return nil, err
	}
	return output(shown), nil
}
