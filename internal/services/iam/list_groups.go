package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

func (s *Service) listGroups(ctx context.Context, c *service.Call, in *sdk.ListGroupsInput) (*sdk.ListGroupsOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	l, err := s.listIdentities(ctx, c.Account, record.GroupKind, in.PathPrefix, p)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListGroupsOutput{IsTruncated: l.Truncated, Marker: l.Marker, Groups: []types.Group{}}
	for _, e := range l.Items {
		out.Groups = append(out.Groups, s.wireGroup(c.Account, e.Identity))
	}
	return out, nil
}

func (s *Service) listGroupsForUser(
	ctx context.Context, c *service.Call, in *sdk.ListGroupsForUserInput,
) (*sdk.ListGroupsForUserOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var groups []*record.Identity
	err = s.DB.View(ctx, func(r store.Reader) error {
		groups = nil
		user, err := record.FindIdentity(r, c.Account, record.UserKind, *in.UserName)
		if err != nil {
			return err
		}
		for _, id := range user.Groups {
			g, err := record.GetIdentity(r, c.Account, record.GroupKind, id)
			if err != nil {
				return err
			}
			groups = append(groups, g)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	l := request.Cut(p, sortedByName(groups), foldedName)
	return &sdk.ListGroupsForUserOutput{IsTruncated: l.Truncated, Marker: l.Marker, Groups: s.wireGroups(c.Account, l.Items)}, nil
}

func (s *Service) wireGroups(account string, es []*record.Identity) []types.Group {
	out := []types.Group{}
	for _, e := range es {
		out = append(out, s.wireGroup(account, e))
	}
	return out
}
