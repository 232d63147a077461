package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// updateRole leaves alone what the call does not mention (recorded).
func (s *Service) updateRole(ctx context.Context, c *service.Call, in *sdk.UpdateRoleInput) (*sdk.UpdateRoleOutput, error) {
	if err := s.Patterns.CheckDescription(in.Description); err != nil {
		return nil, err
	}
	if err := request.CheckRange("maxSessionDuration", in.MaxSessionDuration, request.MinSessionSeconds, request.MaxSessionSeconds); err != nil {
		return nil, err
	}
	err := s.Describe(ctx, c.Account, record.RoleKind, *in.RoleName, func(_ store.Tx, e *record.Identity) error {
		if in.MaxSessionDuration != nil && e.IsServiceLinked() {
			return request.ProtectedRole(e.Name)
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		if in.MaxSessionDuration != nil {
			e.MaxSessionSeconds = *in.MaxSessionDuration
		}
		return nil
	})
	return &sdk.UpdateRoleOutput{}, err
}

// updateRoleDescription answers without session duration (recorded).
func (s *Service) updateRoleDescription(
	ctx context.Context, c *service.Call, in *sdk.UpdateRoleDescriptionInput,
) (*sdk.UpdateRoleDescriptionOutput, error) {
	if err := s.Patterns.CheckDescription(in.Description); err != nil {
		return nil, err
	}
	var role types.Role
	err := s.Describe(ctx, c.Account, record.RoleKind, *in.RoleName, func(tx store.Tx, e *record.Identity) (err error) {
		e.Description = aws.ToString(in.Description)
		role, err = s.listedRole(tx, c.Account, e)
		role.MaxSessionDuration = nil
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.UpdateRoleDescriptionOutput{Role: &role}, nil
}

func (s *Service) updateAssumeRolePolicy(
	ctx context.Context, c *service.Call, in *sdk.UpdateAssumeRolePolicyInput,
) (*sdk.UpdateAssumeRolePolicyOutput, error) {
	if err := checkDocumentLength("policyDocument", in.PolicyDocument); err != nil {
		return nil, err
	}
	err := s.Change(ctx, c.Account, record.RoleKind, *in.RoleName, func(tx store.Tx, e *record.Identity) (err error) {
		e.Trust, err = s.storedTrust(tx, *in.PolicyDocument)
		return err
	})
	return &sdk.UpdateAssumeRolePolicyOutput{}, err
}

func (s *Service) deleteRole(ctx context.Context, c *service.Call, in *sdk.DeleteRoleInput) (*sdk.DeleteRoleOutput, error) {
	return &sdk.DeleteRoleOutput{}, s.remove(ctx, c.Account, record.RoleKind, *in.RoleName)
}
