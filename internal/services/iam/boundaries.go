package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// setBoundary gives a user or role a permissions boundary in the place of the one it may have.
func (s *Service) setBoundary(tx store.Tx, account string, e *identity, arn string) error {
	if _, err := parsePolicyARN(arn); err != nil {
		return err
	}
	if err := s.checkAttachable(tx, account, arn, e.Kind); err != nil {
		if isMissing(err) {
			return noSuchEntity("Scope ARN: %s does not exist or is not attachable.", arn)
		}
		return err
	}
	if err := dropBoundary(tx, account, e); err != nil {
		return err
	}
	e.Boundary = arn
	return tx.Put(useKey(account, boundary, arn, e), nil)
}

// dropBoundary takes away the boundary, if there is one.
func dropBoundary(tx store.Tx, account string, e *identity) error {
	if e.Boundary == "" {
		return nil
	}
	key := useKey(account, boundary, e.Boundary, e)
	e.Boundary = ""
	return tx.Delete(key)
}

func (s *Service) putBoundary(ctx context.Context, c *service.Call, k kind, name, arn *string) error {
	return s.change(ctx, c.Account, k, *name, func(tx store.Tx, e *identity) error {
		return s.setBoundary(tx, c.Account, e, aws.ToString(arn))
	})
}

func (s *Service) deleteBoundary(ctx context.Context, c *service.Call, k kind, name *string) error {
	return s.change(ctx, c.Account, k, *name, func(tx store.Tx, e *identity) error {
		if e.Boundary == "" {
			return noSuchEntity("The %s with name %s does not have a permissions boundary.", k, e.Name)
		}
		return dropBoundary(tx, c.Account, e)
	})
}

func (s *Service) putUserPermissionsBoundary(
	ctx context.Context, c *service.Call, in *sdk.PutUserPermissionsBoundaryInput,
) (*sdk.PutUserPermissionsBoundaryOutput, error) {
	return &sdk.PutUserPermissionsBoundaryOutput{}, s.putBoundary(ctx, c, userKind, in.UserName, in.PermissionsBoundary)
}

func (s *Service) putRolePermissionsBoundary(
	ctx context.Context, c *service.Call, in *sdk.PutRolePermissionsBoundaryInput,
) (*sdk.PutRolePermissionsBoundaryOutput, error) {
	return &sdk.PutRolePermissionsBoundaryOutput{}, s.putBoundary(ctx, c, roleKind, in.RoleName, in.PermissionsBoundary)
}

func (s *Service) deleteUserPermissionsBoundary(
	ctx context.Context, c *service.Call, in *sdk.DeleteUserPermissionsBoundaryInput,
) (*sdk.DeleteUserPermissionsBoundaryOutput, error) {
	return &sdk.DeleteUserPermissionsBoundaryOutput{}, s.deleteBoundary(ctx, c, userKind, in.UserName)
}

func (s *Service) deleteRolePermissionsBoundary(
	ctx context.Context, c *service.Call, in *sdk.DeleteRolePermissionsBoundaryInput,
) (*sdk.DeleteRolePermissionsBoundaryOutput, error) {
	return &sdk.DeleteRolePermissionsBoundaryOutput{}, s.deleteBoundary(ctx, c, roleKind, in.RoleName)
}
