package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
)

func (s *Service) deleteUser(ctx context.Context, c *service.Call, in *sdk.DeleteUserInput) (*sdk.DeleteUserOutput, error) {
	return &sdk.DeleteUserOutput{}, s.remove(ctx, c.Account, userKind, *in.UserName)
}
