package iam

import (
	"cmp"
	"context"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *Service) getGroup(ctx context.Context, c *service.Call, in *sdk.GetGroupInput) (*sdk.GetGroupOutput, error) {
	p, err := newPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var group *identity
	var members []*identity
	err = s.db.View(ctx, func(r store.Reader) (err error) {
		if group, err = findIdentity(r, c.Account, groupKind, *in.GroupName); err != nil {
			return err
		}
		members, err = identitiesByID(r, c.Account, userKind, memberPrefix(c.Account, group.ID))
		return err
	})
	if err != nil {
		return nil, err
	}
	l := cut(p, sortedByName(members), foldedName)
	g := s.wireGroup(c.Account, group)
	out := &sdk.GetGroupOutput{Group: &g, IsTruncated: l.truncated, Marker: l.marker, Users: []types.User{}}
	for _, e := range l.items {
		out.Users = append(out.Users, s.listedUser(c.Account, e))
	}
	return out, nil
}

// foldedName orders identities in lists.
func foldedName(e *identity) string { return strings.ToLower(e.Name) }

func sortedByName(es []*identity) []*identity {
	return slices.SortedFunc(slices.Values(es), func(a, b *identity) int { return cmp.Compare(foldedName(a), foldedName(b)) })
}
