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

// createRole answers without description and session duration, as AWS does (recorded).
func (s *Service) createRole(ctx context.Context, c *service.Call, in *sdk.CreateRoleInput) (*sdk.CreateRoleOutput, error) {
	e, err := s.newRole(in)
	if err != nil {
		return nil, err
	}
	err = s.create(ctx, c, e, in.PermissionsBoundary, func(tx store.Tx) error {
		e.Trust, err = s.storedTrust(tx, *in.AssumeRolePolicyDocument)
		return err
	})
	if err != nil {
		return nil, err
	}
	role := s.wireRole(c.Account, e, *in.AssumeRolePolicyDocument)
	role.PermissionsBoundary, role.Tags = wireBoundary(e.Boundary), request.WireTags(e.Tags)
	return &sdk.CreateRoleOutput{Role: &role}, nil
}

// newRole checks what needs no look-up.
func (s *Service) newRole(in *sdk.CreateRoleInput) (*record.Identity, error) {
	if err := checkDocumentLength("assumeRolePolicyDocument", in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	if err := s.Patterns.CheckDescription(in.Description); err != nil {
		return nil, err
	}
	if err := request.CheckRange("maxSessionDuration", in.MaxSessionDuration, request.MinSessionSeconds, request.MaxSessionSeconds); err != nil {
		return nil, err
	}
	tags, err := s.Patterns.CheckTags(in.Tags)
	if err != nil {
		return nil, err
	}
	e := &record.Identity{
		Kind: record.RoleKind, Name: *in.RoleName, Path: request.PathOr(in.Path), Tags: tags, Description: aws.ToString(in.Description),
		MaxSessionSeconds: request.MinSessionSeconds,
	}
	if in.MaxSessionDuration != nil {
		e.MaxSessionSeconds = *in.MaxSessionDuration
	}
	if e.IsProtected() {
		return nil, request.AccessDenied(request.ProtectedText(e.Name)) // UnmodifiableEntity is not among the operation's errors
	}
	return e, nil
}
