package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
)

func (s *Service) listUsers(ctx context.Context, c *service.Call, in *sdk.ListUsersInput) (*sdk.ListUsersOutput, error) {
	p, err := newPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	l, err := s.listIdentities(ctx, c.Account, userKind, in.PathPrefix, p)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListUsersOutput{IsTruncated: l.truncated, Marker: l.marker, Users: []types.User{}}
	for _, e := range l.items {
		out.Users = append(out.Users, s.listedUser(c.Account, e.identity))
	}
	return out, nil
}
