package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
)

func (s *Service) getUser(ctx context.Context, c *service.Call, in *sdk.GetUserInput) (*sdk.GetUserOutput, error) {
	k, name, err := s.UserOrCaller(c, in.UserName)
	if err != nil {
		return nil, err
	}
	e, err := s.Read(ctx, c.Account, k, name)
	if err != nil {
		return nil, err
	}
	return &sdk.GetUserOutput{User: s.wireUser(c.Account, e)}, nil
}
