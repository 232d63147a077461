package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
)

func (s *Service) deleteGroup(ctx context.Context, c *service.Call, in *sdk.DeleteGroupInput) (*sdk.DeleteGroupOutput, error) {
	return &sdk.DeleteGroupOutput{}, s.remove(ctx, c.Account, record.GroupKind, *in.GroupName)
}
