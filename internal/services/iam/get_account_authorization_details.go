package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

// getAccountAuthorizationDetails pages through all users, then groups, roles, the account's own policies and those of AWS that are
// in use.
func (s *Service) getAccountAuthorizationDetails(
	ctx context.Context, c *service.Call, in *sdk.GetAccountAuthorizationDetailsInput,
) (*sdk.GetAccountAuthorizationDetailsOutput, error) {
	for _, f := range in.Filter {
		if !slices.Contains(f.Values(), f) {
			return nil, request.Violation("filter", "Member must satisfy constraint: [%s]", entityTypes)
		}
	}
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var out *sdk.GetAccountAuthorizationDetailsOutput
	err = s.DB.View(ctx, func(r store.Reader) error {
		out = &sdk.GetAccountAuthorizationDetailsOutput{
			UserDetailList: []types.UserDetail{}, GroupDetailList: []types.GroupDetail{}, RoleDetailList: []types.RoleDetail{},
			Policies: []types.ManagedPolicyDetail{},
		}
		sections := slices.DeleteFunc(s.detailSections(r, c, out), func(s section) bool {
			return len(in.Filter) > 0 && !slices.Contains(in.Filter, s.entity)
		})
		out.Marker, err = takeSections(sections, p)
		out.IsTruncated = out.Marker != nil
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// section is one kind of item in a list of several kinds.
type section struct {
	entity types.EntityType
	// take adds a page of the section to the answer. A page of no items only tells whether there are any.
	take func(request.Page) (taken, error)
}

// taken is what became of a page of a section.
type taken struct {
	items     int
	last      string
	truncated bool
}

// takeSections fills a page out of several sections in turn. If there is more it gives a marker, the name of a section with a key in it.
func takeSections(sections []section, p request.Page) (*string, error) {
	started, after, _ := strings.Cut(p.After, "/")
	left := p.Size
	for _, s := range sections {
		q := request.Page{Size: left}
		if started != "" {
			if string(s.entity) != started {
				continue
			}
			q.After, started = after, ""
		}
		t, err := s.take(q)
		if err != nil {
			return nil, err
		}
		if t.truncated {
			return request.NewMarker(string(s.entity) + "/" + t.last), nil
		}
		left -= t.items
	}
	if started != "" {
		return nil, request.InvalidMarker()
	}
	return nil, nil
}

// takeInto adds what a listing has to a list of details.
func takeInto[T, D any](list *[]D, l request.Listing[T], err error, detail func(T) (D, error)) (taken, error) {
	if err != nil {
		return taken{}, err
	}
	for _, item := range l.Items {
		d, err := detail(item)
		if err != nil {
			return taken{}, err
		}
		*list = append(*list, d)
	}
	return taken{len(l.Items), l.Last, l.Truncated}, nil
}

// detailSections are what GetAccountAuthorizationDetails lists, in order.
func (s *Service) detailSections(r store.Reader, c *service.Call, out *sdk.GetAccountAuthorizationDetailsOutput) []section {
	d := details{s, r, c.Account, c.Time}
	return []section{
		{types.EntityTypeUser, func(p request.Page) (taken, error) {
			l, err := scanIdentities(r, c.Account, record.UserKind, nil, p)
			return takeInto(&out.UserDetailList, l, err, d.user)
		}},
		{types.EntityTypeGroup, func(p request.Page) (taken, error) {
			l, err := scanIdentities(r, c.Account, record.GroupKind, nil, p)
			return takeInto(&out.GroupDetailList, l, err, d.group)
		}},
		{types.EntityTypeRole, func(p request.Page) (taken, error) {
			l, err := scanIdentities(r, c.Account, record.RoleKind, nil, p)
			return takeInto(&out.RoleDetailList, l, err, d.role)
		}},
		{types.EntityTypeLocalManagedPolicy, func(p request.Page) (taken, error) {
			l, err := record.ScanPage(r, record.PolicyPrefix(c.Account), nil, p, func(_ store.Reader, item store.Item) (*record.ManagedPolicy, string, error) {
				p, err := store.DecodeJSON[*record.ManagedPolicy](item)
				return p, "", err
			})
			return takeInto(&out.Policies, l, err, d.policy)
		}},
		{types.EntityTypeAWSManagedPolicy, func(p request.Page) (taken, error) {
			arns, err := s.usedOfAWS(r, c.Account)
			return takeInto(&out.Policies, request.Cut(p, arns, func(arn string) string { return arn }), err, d.policyOfAWS)
		}},
	}
}

// usedOfAWS gives the ARNs of AWS's managed policies that an account uses, sorted, without those that AWS has withdrawn.
func (s *Service) usedOfAWS(r store.Reader, account string) ([]string, error) {
	counts, err := allUses(r, account)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(counts)), func(arn string) bool {
		if !record.IsOfAWS(arn) {
			return true
		}
		_, err := s.FindPolicy(r, account, arn) // fails only when it is not there: policies of AWS are in memory
		return err != nil
	}), nil
}
