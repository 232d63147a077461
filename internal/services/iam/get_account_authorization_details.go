package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// getAccountAuthorizationDetails pages through all users, then groups, roles, the account's own policies and those of AWS that are
// in use.
func (s *Service) getAccountAuthorizationDetails(
	ctx context.Context, c *service.Call, in *sdk.GetAccountAuthorizationDetailsInput,
) (*sdk.GetAccountAuthorizationDetailsOutput, error) {
	for _, f := range in.Filter {
		if !slices.Contains(f.Values(), f) {
			return nil, violation("filter", "Member must satisfy constraint: [%s]", entityTypes)
		}
	}
	p, err := newPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var out *sdk.GetAccountAuthorizationDetailsOutput
	err = s.db.View(ctx, func(r store.Reader) error {
		out = &sdk.GetAccountAuthorizationDetailsOutput{
			UserDetailList: []types.UserDetail{}, GroupDetailList: []types.GroupDetail{}, RoleDetailList: []types.RoleDetail{},
			Policies: []types.ManagedPolicyDetail{},
		}
		sections := slices.DeleteFunc(s.detailSections(r, c, out), func(s section) bool {
			return len(in.Filter) > 0 && !slices.Contains(in.Filter, s.entity)
		})
		l, err := takeSections(sections, p)
		out.IsTruncated, out.Marker = l.truncated, l.marker
		return err
	})
	return out, err
}

// section is one kind of item in a list of several kinds.
type section struct {
	entity types.EntityType
	// take adds a page of the section to the answer. It gives the number of items, the key of the last one, and whether there are
	// more; for a page of no items the last two only.
	take func(page) (n int, last string, truncated bool, err error)
}

// takeSections fills a page out of several sections in turn. Its marker is the name of a section with a key in it. The listing has
// no items.
func takeSections(sections []section, p page) (listing[struct{}], error) {
	started, after, _ := strings.Cut(p.after, "/")
	left := p.size
	for _, s := range sections {
		q := page{size: left}
		if started != "" {
			if string(s.entity) != started {
				continue
			}
			q.after, started = after, ""
		}
		n, last, truncated, err := s.take(q)
		if err != nil {
			return listing[struct{}]{}, err
		}
		if truncated {
			return listing[struct{}]{marker: newMarker(string(s.entity) + "/" + last), truncated: true}, nil
		}
		left -= n
	}
	if started != "" {
		return listing[struct{}]{}, invalidMarker()
	}
	return listing[struct{}]{}, nil
}

// takeInto adds what a listing has to a list of details.
func takeInto[T, D any](list *[]D, l listing[T], err error, detail func(T) (D, error)) (int, string, bool, error) {
	if err != nil {
		return 0, "", false, err
	}
	for _, item := range l.items {
		d, err := detail(item)
		if err != nil {
			return 0, "", false, err
		}
		*list = append(*list, d)
	}
	return len(l.items), l.last, l.truncated, nil
}

// detailSections are what GetAccountAuthorizationDetails lists, in order.
func (s *Service) detailSections(r store.Reader, c *service.Call, out *sdk.GetAccountAuthorizationDetailsOutput) []section {
	d := details{s, r, c.Account, c.Time}
	return []section{
		{types.EntityTypeUser, func(p page) (int, string, bool, error) {
			l, err := scanIdentities(r, c.Account, userKind, nil, p)
			return takeInto(&out.UserDetailList, l, err, d.user)
		}},
		{types.EntityTypeGroup, func(p page) (int, string, bool, error) {
			l, err := scanIdentities(r, c.Account, groupKind, nil, p)
			return takeInto(&out.GroupDetailList, l, err, d.group)
		}},
		{types.EntityTypeRole, func(p page) (int, string, bool, error) {
			l, err := scanIdentities(r, c.Account, roleKind, nil, p)
			return takeInto(&out.RoleDetailList, l, err, d.role)
		}},
		{types.EntityTypeLocalManagedPolicy, func(p page) (int, string, bool, error) {
			l, err := scanPage(r, policyPrefix(c.Account), nil, p, func(_ store.Reader, item store.Item) (*managedPolicy, string, error) {
				p, err := store.DecodeJSON[*managedPolicy](item)
				return p, "", err
			})
			return takeInto(&out.Policies, l, err, d.policy)
		}},
		{types.EntityTypeAWSManagedPolicy, func(p page) (int, string, bool, error) {
			arns, err := usedOfAWS(r, c.Account)
			return takeInto(&out.Policies, cut(p, arns, func(arn string) string { return arn }), err, d.policyOfAWS)
		}},
	}
}

// usedOfAWS gives the ARNs of AWS's managed policies that an account uses, sorted.
func usedOfAWS(r store.Reader, account string) ([]string, error) {
	counts, err := allUses(r, account)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(counts)), func(arn string) bool { return !isOfAWS(arn) }), nil
}
