package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
)

func (s *Service) createUser(ctx context.Context, c *service.Call, in *sdk.CreateUserInput) (*sdk.CreateUserOutput, error) {
	tags, err := s.Patterns.CheckTags(in.Tags)
	if err != nil {
		return nil, err
	}
	e := &record.Identity{Kind: record.UserKind, Name: *in.UserName, Path: request.PathOr(in.Path), Tags: tags}
	if err := s.create(ctx, c, e, in.PermissionsBoundary, nil); err != nil {
		return nil, err
	}
	return &sdk.CreateUserOutput{User: s.wireUser(c.Account, e)}, nil
}
