package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
)

func (s *Service) updateGroup(ctx context.Context, c *service.Call, in *sdk.UpdateGroupInput) (*sdk.UpdateGroupOutput, error) {
	return &sdk.UpdateGroupOutput{}, s.rename(ctx, c.Account, record.GroupKind, *in.GroupName, in.NewGroupName, in.NewPath)
}

// updateGroupTarget needs the permission on the group as it will be named, too.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_groups_manage_rename.html
func (s *Service) updateGroupTarget(ctx context.Context, c *service.Call, in *sdk.UpdateGroupInput) ([]service.Need, error) {
	return s.renameTarget(ctx, c, "iam:UpdateGroup", record.GroupKind, *in.GroupName, in.NewGroupName, in.NewPath)
}
