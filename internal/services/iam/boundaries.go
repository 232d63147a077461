package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// setBoundary gives a user or role a permissions boundary in the place of the one it may have.
func (s *Service) setBoundary(tx store.Tx, account string, e *record.Identity, arn string) error {
	if _, err := record.ParsePolicyARN(arn); err != nil {
		return err
	}
	if err := s.checkAttachable(tx, account, arn, e.Kind); err != nil {
		if request.IsMissing(err) {
			return request.NoSuchEntity("Scope ARN: %s does not exist or is not attachable.", arn)
		}
		return err
	}
	if err := dropBoundary(tx, account, e); err != nil {
		return err
	}
	e.Boundary = arn
	return tx.Put(record.UseKey(account, record.Boundary, arn, e), nil)
}

// dropBoundary takes away the boundary, if there is one.
func dropBoundary(tx store.Tx, account string, e *record.Identity) error {
	if e.Boundary == "" {
		return nil
	}
	key := record.UseKey(account, record.Boundary, e.Boundary, e)
	e.Boundary = ""
	return tx.Delete(key)
}

func (s *Service) putBoundary(ctx context.Context, c *service.Call, k record.Kind, name, arn *string) error {
	return s.Change(ctx, c.Account, k, *name, func(tx store.Tx, e *record.Identity) error {
		return s.setBoundary(tx, c.Account, e, aws.ToString(arn))
	})
}

func (s *Service) deleteBoundary(ctx context.Context, c *service.Call, k record.Kind, name *string) error {
	return s.Change(ctx, c.Account, k, *name, func(tx store.Tx, e *record.Identity) error {
		if e.Boundary == "" {
			return request.NoSuchEntity("The %s with name %s does not have a permissions boundary.", k, e.Name)
		}
		return dropBoundary(tx, c.Account, e)
	})
}

func (s *Service) putUserPermissionsBoundary(
	ctx context.Context, c *service.Call, in *sdk.PutUserPermissionsBoundaryInput,
) (*sdk.PutUserPermissionsBoundaryOutput, error) {
	return &sdk.PutUserPermissionsBoundaryOutput{}, s.putBoundary(ctx, c, record.UserKind, in.UserName, in.PermissionsBoundary)
}

func (s *Service) putRolePermissionsBoundary(
	ctx context.Context, c *service.Call, in *sdk.PutRolePermissionsBoundaryInput,
) (*sdk.PutRolePermissionsBoundaryOutput, error) {
	return &sdk.PutRolePermissionsBoundaryOutput{}, s.putBoundary(ctx, c, record.RoleKind, in.RoleName, in.PermissionsBoundary)
}

func (s *Service) deleteUserPermissionsBoundary(
	ctx context.Context, c *service.Call, in *sdk.DeleteUserPermissionsBoundaryInput,
) (*sdk.DeleteUserPermissionsBoundaryOutput, error) {
	return &sdk.DeleteUserPermissionsBoundaryOutput{}, s.deleteBoundary(ctx, c, record.UserKind, in.UserName)
}

func (s *Service) deleteRolePermissionsBoundary(
	ctx context.Context, c *service.Call, in *sdk.DeleteRolePermissionsBoundaryInput,
) (*sdk.DeleteRolePermissionsBoundaryOutput, error) {
	return &sdk.DeleteRolePermissionsBoundaryOutput{}, s.deleteBoundary(ctx, c, record.RoleKind, in.RoleName)
}
