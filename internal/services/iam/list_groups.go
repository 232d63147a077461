package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *Service) listGroups(ctx context.Context, c *service.Call, in *sdk.ListGroupsInput) (*sdk.ListGroupsOutput, error) {
	p, err := newPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	l, err := s.listIdentities(ctx, c.Account, groupKind, in.PathPrefix, p)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListGroupsOutput{IsTruncated: l.truncated, Marker: l.marker, Groups: []types.Group{}}
	for _, e := range l.items {
		out.Groups = append(out.Groups, s.wireGroup(c.Account, e.identity))
	}
	return out, nil
}

func (s *Service) listGroupsForUser(
	ctx context.Context, c *service.Call, in *sdk.ListGroupsForUserInput,
) (*sdk.ListGroupsForUserOutput, error) {
	p, err := newPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var groups []*identity
	err = s.db.View(ctx, func(r store.Reader) error {
		groups = nil
		user, err := findIdentity(r, c.Account, userKind, *in.UserName)
		if err != nil {
			return err
		}
		for _, id := range user.Groups {
			g, err := getIdentity(r, c.Account, groupKind, id)
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
	l := cut(p, sortedByName(groups), foldedName)
	return &sdk.ListGroupsForUserOutput{IsTruncated: l.truncated, Marker: l.marker, Groups: s.wireGroups(c.Account, l.items)}, nil
}

func (s *Service) wireGroups(account string, es []*identity) []types.Group {
	out := []types.Group{}
	for _, e := range es {
		out = append(out, s.wireGroup(account, e))
	}
	return out
}
