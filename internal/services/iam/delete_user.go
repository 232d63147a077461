package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
)

func (s *Service) deleteUser(ctx context.Context, c *service.Call, in *sdk.DeleteUserInput) (*sdk.DeleteUserOutput, error) {
	return &sdk.DeleteUserOutput{}, s.remove(ctx, c.Account, record.UserKind, *in.UserName)
}
