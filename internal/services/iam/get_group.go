package iam

import (
	"cmp"
	"context"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

func (s *Service) getGroup(ctx context.Context, c *service.Call, in *sdk.GetGroupInput) (*sdk.GetGroupOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var group *record.Identity
	var members []*record.Identity
	err = s.DB.View(ctx, func(r store.Reader) (err error) {
		if group, err = record.FindIdentity(r, c.Account, record.GroupKind, *in.GroupName); err != nil {
			return err
		}
		members, err = record.IdentitiesByID(r, c.Account, record.UserKind, record.MemberPrefix(c.Account, group.ID))
		return err
	})
	if err != nil {
		return nil, err
	}
	l := request.Cut(p, sortedByName(members), foldedName)
	g := s.wireGroup(c.Account, group)
	out := &sdk.GetGroupOutput{Group: &g, IsTruncated: l.Truncated, Marker: l.Marker, Users: []types.User{}}
	for _, e := range l.Items {
		out.Users = append(out.Users, s.ListedUser(c.Account, e))
	}
	return out, nil
}

// foldedName orders identities in lists.
func foldedName(e *record.Identity) string { return strings.ToLower(e.Name) }

func sortedByName(es []*record.Identity) []*record.Identity {
	return slices.SortedFunc(slices.Values(es), func(a, b *record.Identity) int { return cmp.Compare(foldedName(a), foldedName(b)) })
}
