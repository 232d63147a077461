package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
)

func (s *Service) listUsers(ctx context.Context, c *service.Call, in *sdk.ListUsersInput) (*sdk.ListUsersOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	l, err := s.listIdentities(ctx, c.Account, record.UserKind, in.PathPrefix, p)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListUsersOutput{IsTruncated: l.Truncated, Marker: l.Marker, Users: []types.User{}}
	for _, e := range l.Items {
		out.Users = append(out.Users, s.ListedUser(c.Account, e.Identity))
	}
	return out, nil
}
