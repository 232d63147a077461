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

func (s *Service) getRole(ctx context.Context, c *service.Call, in *sdk.GetRoleInput) (*sdk.GetRoleOutput, error) {
	var role types.Role
	err := s.DB.View(ctx, func(r store.Reader) error {
		e, err := record.FindIdentity(r, c.Account, record.RoleKind, *in.RoleName)
		if err != nil {
			return err
		}
		if role, err = s.listedRole(r, c.Account, e); err != nil {
			return err
		}
		role.PermissionsBoundary, role.Tags = wireBoundary(e.Boundary), request.WireTags(e.Tags)
		role.RoleLastUsed, err = s.roleLastUsed(r, e, c.Time)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.GetRoleOutput{Role: &role}, nil
}

func (s *Service) listRoles(ctx context.Context, c *service.Call, in *sdk.ListRolesInput) (*sdk.ListRolesOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	l, err := s.listIdentities(ctx, c.Account, record.RoleKind, in.PathPrefix, p)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListRolesOutput{IsTruncated: l.Truncated, Marker: l.Marker, Roles: []types.Role{}}
	err = s.DB.View(ctx, func(r store.Reader) error {
		out.Roles = out.Roles[:0]
		for _, e := range l.Items {
			role, err := s.listedRole(r, c.Account, e)
			if err != nil {
				return err
			}
			out.Roles = append(out.Roles, role)
		}
		return nil
	})
	return out, err
}

// listedRole is a role as lists show it: without tags and boundary.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
func (s *Service) listedRole(r store.Reader, account string, e *record.Identity) (types.Role, error) {
	trust, err := s.shownTrust(r, e.Trust)
	if err != nil {
		return types.Role{}, err
	}
	role := s.wireRole(account, e, trust)
	role.MaxSessionDuration = aws.Int32(e.MaxSessionSeconds)
	if e.Description != "" {
		role.Description = aws.String(e.Description)
	}
	return role, nil
}
