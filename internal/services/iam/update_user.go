package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
)

func (s *Service) updateUser(ctx context.Context, c *service.Call, in *sdk.UpdateUserInput) (*sdk.UpdateUserOutput, error) {
	return &sdk.UpdateUserOutput{}, s.rename(ctx, c.Account, record.UserKind, *in.UserName, in.NewUserName, in.NewPath)
}

// updateUserTarget needs the permission on the user as it will be named, too.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users_manage.html#id_users_renaming
func (s *Service) updateUserTarget(ctx context.Context, c *service.Call, in *sdk.UpdateUserInput) ([]service.Need, error) {
	return s.renameTarget(ctx, c, "iam:UpdateUser", record.UserKind, *in.UserName, in.NewUserName, in.NewPath)
}
