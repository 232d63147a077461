package logs

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *Service) putLogGroupDeletionProtection(
	ctx context.Context, c *service.Call, in *sdk.PutLogGroupDeletionProtectionInput,
) (*sdk.PutLogGroupDeletionProtectionOutput, error) {
	if in.DeletionProtectionEnabled == nil {
		var p problems
		p.addNull("deletionProtectionEnabled")
		return nil, p.err()
	}
	ref, err := byEither(c, new(problems), nil, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	return &sdk.PutLogGroupDeletionProtectionOutput{}, s.changeGroup(ctx, c, ref, func(_ store.Tx, g *group) error {
		g.Protected = *in.DeletionProtectionEnabled
		return nil
	})
}
