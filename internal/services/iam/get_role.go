package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
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
	out := &sdk.ListRolesOutput{IsTruncated: l.Truncated, Marker: l.Marker, Roles: make([]types.Role, len(l.Items))}
	for i, e := range l.Items {
		shown, err := s.shownRole(ctx, e)
		if err != nil {
			return nil, err
		}
		out.Roles[i] = shown.Role
	}
	return out, nil
}

// shownRole makes the form once for as long as nobody in the trust policy has another ARN.
func (s *Service) shownRole(ctx context.Context, e *directory.Known) (*directory.ShownRole, error) {
	if shown := e.Shown.Load(); shown != nil {
		same := true
		for id, arn := range shown.ARNs {
			now, err := s.Directory.PrincipalARN(ctx, id)
			if err != nil {
				return nil, err
			}
			same = same && now == arn
		}
		if same {
			return shown, nil
		}
	}
	shown := &directory.ShownRole{ARNs: make(map[string]string)}
	var err error
	shown.Role, err = s.roleInList(e.Account, e.Identity, func(id string) (string, error) {
		arn, err := s.Directory.PrincipalARN(ctx, id)
		shown.ARNs[id] = arn
		return arn, err
	})
	if err != nil {
		return nil, err
	}
	e.Shown.Store(shown)
	return shown, nil
}

// listedRole is a role as lists show it: without tags and boundary.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
func (s *Service) listedRole(r store.Reader, account string, e *record.Identity) (types.Role, error) {
	return s.roleInList(account, e, s.arnsIn(r))
}

func (s *Service) roleInList(account string, e *record.Identity, arnOf func(id string) (string, error)) (types.Role, error) {
	trust, err := s.shownTrust(e.Trust, arnOf)
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
