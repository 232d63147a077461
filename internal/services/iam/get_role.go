package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *Service) getRole(ctx context.Context, c *service.Call, in *sdk.GetRoleInput) (*sdk.GetRoleOutput, error) {
	var role types.Role
	err := s.db.View(ctx, func(r store.Reader) error {
		e, err := findIdentity(r, c.Account, roleKind, *in.RoleName)
		if err != nil {
			return err
		}
		if role, err = s.listedRole(r, c.Account, e); err != nil {
			return err
		}
		role.PermissionsBoundary, role.Tags = wireBoundary(e.Boundary), wireTags(e.Tags)
		role.RoleLastUsed, err = s.roleLastUsed(r, e, c.Time)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.GetRoleOutput{Role: &role}, nil
}

func (s *Service) listRoles(ctx context.Context, c *service.Call, in *sdk.ListRolesInput) (*sdk.ListRolesOutput, error) {
	p, err := newPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	l, err := s.listIdentities(ctx, c.Account, roleKind, in.PathPrefix, p)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListRolesOutput{IsTruncated: l.truncated, Marker: l.marker, Roles: make([]types.Role, len(l.items))}
	for i, e := range l.items {
		shown, err := s.shownRole(ctx, e)
		if err != nil {
			return nil, err
		}
		out.Roles[i] = shown.role
	}
	return out, nil
}

// shownRole is a role in the form of listedRole. What it points to must not be changed.
type shownRole struct {
	role types.Role
	// arns are those that users and roles had whom the trust policy names by their ids; by id.
	arns map[string]string
}

// shownRole makes the form once for as long as nobody in the trust policy has another ARN.
func (s *Service) shownRole(ctx context.Context, e *knownIdentity) (*shownRole, error) {
	if shown := e.shown.Load(); shown != nil {
		same := true
		for id, arn := range shown.arns {
			now, err := s.directory.PrincipalARN(ctx, id)
			if err != nil {
				return nil, err
			}
			same = same && now == arn
		}
		if same {
			return shown, nil
		}
	}
	shown := &shownRole{arns: make(map[string]string)}
	var err error
	shown.role, err = s.roleInList(e.account, e.identity, func(id string) (string, error) {
		arn, err := s.directory.PrincipalARN(ctx, id)
		shown.arns[id] = arn
		return arn, err
	})
	if err != nil {
		return nil, err
	}
	e.shown.Store(shown)
	return shown, nil
}

// listedRole is a role as lists show it: without tags and boundary.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
func (s *Service) listedRole(r store.Reader, account string, e *identity) (types.Role, error) {
	return s.roleInList(account, e, s.arnsIn(r))
}

func (s *Service) roleInList(account string, e *identity, arnOf func(id string) (string, error)) (types.Role, error) {
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
