package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
)

func (s *Service) createGroup(ctx context.Context, c *service.Call, in *sdk.CreateGroupInput) (*sdk.CreateGroupOutput, error) {
	e := &record.Identity{Kind: record.GroupKind, Name: aws.ToString(in.GroupName), Path: request.PathOr(in.Path)}
	if err := s.create(ctx, c, e, nil, nil); err != nil {
		return nil, err
	}
	g := s.wireGroup(c.Account, e)
	return &sdk.CreateGroupOutput{Group: &g}, nil
}
