package iam

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
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
	role.PermissionsBoundary, role.Tags = wireBoundary(e.Boundary), wireTags(e.Tags)
	return &sdk.CreateRoleOutput{Role: &role}, nil
}

// newRole checks what needs no look-up.
func (s *Service) newRole(in *sdk.CreateRoleInput) (*identity, error) {
	if err := checkDocumentLength("assumeRolePolicyDocument", in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	if err := s.patterns.checkDescription(in.Description); err != nil {
		return nil, err
	}
	if err := checkRange("maxSessionDuration", in.MaxSessionDuration, minSessionSeconds, maxSessionSeconds); err != nil {
		return nil, err
	}
	tags, err := s.patterns.checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	e := &identity{
		Kind: roleKind, Name: *in.RoleName, Path: pathOr(in.Path), Tags: tags, Description: aws.ToString(in.Description),
		MaxSessionSeconds: minSessionSeconds,
	}
	if in.MaxSessionDuration != nil {
		e.MaxSessionSeconds = *in.MaxSessionDuration
	}
	if e.isProtected() {
		return nil, accessDenied(protectedText(e.Name)) // UnmodifiableEntity is not among the operation's errors
	}
	return e, nil
}

// isProtected tells whether a role belongs to AWS: service-linked roles and those of IAM Identity Center (iam.md T8).
func (e *identity) isProtected() bool { return e.isServiceLinked() || e.isReserved() }

func (e *identity) isServiceLinked() bool {
	return e.Kind == roleKind && strings.HasPrefix(e.Path, serviceLinkedPath)
}

func (e *identity) isReserved() bool {
	return e.Kind == roleKind && strings.HasPrefix(e.Path, "/aws-reserved/")
}
