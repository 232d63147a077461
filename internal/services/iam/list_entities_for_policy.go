package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

func (s *Service) listEntitiesForPolicy(
	ctx context.Context, c *service.Call, in *sdk.ListEntitiesForPolicyInput,
) (*sdk.ListEntitiesForPolicyOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	kinds, err := entityKinds(in.EntityFilter)
	if err != nil {
		return nil, err
	}
	if err := checkUsageFilter(in.PolicyUsageFilter); err != nil {
		return nil, err
	}
	if err := s.Patterns.CheckPathPrefix(in.PathPrefix); err != nil {
		return nil, err
	}
	if _, err := s.ReadPolicy(ctx, c.Account, *in.PolicyArn, request.PolicyNotFound(*in.PolicyArn)); err != nil {
		return nil, err
	}
	var all []*record.Identity
	err = s.DB.View(ctx, func(r store.Reader) (err error) {
		all, err = usersOf(r, c.Account, in, kinds)
		return err
	})
	if err != nil {
		return nil, err
	}
	l := request.Cut(p, all, func(e *record.Identity) string { return string(e.Kind) + "/" + e.ID })
	return wireEntities(l), nil
}

// entityKinds gives the kinds of identity that a filter lets through, in the order of their keys.
func entityKinds(f types.EntityType) ([]record.Kind, error) {
	switch f {
	case "":
		return []record.Kind{record.GroupKind, record.RoleKind, record.UserKind}, nil
	case types.EntityTypeUser:
		return []record.Kind{record.UserKind}, nil
	case types.EntityTypeRole:
		return []record.Kind{record.RoleKind}, nil
	case types.EntityTypeGroup:
		return []record.Kind{record.GroupKind}, nil
	case types.EntityTypeLocalManagedPolicy, types.EntityTypeAWSManagedPolicy:
		return nil, nil // no policy is attached to a policy
	}
	return nil, request.Violation("entityFilter", "%s", entityTypes)
}

// entityTypes is the constraint of the types of entities.
const entityTypes = "Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]"

// usersOf finds who uses a policy, once each.
func usersOf(r store.Reader, account string, in *sdk.ListEntitiesForPolicyInput, kinds []record.Kind) ([]*record.Identity, error) {
	var out []*record.Identity
	for _, k := range kinds {
		seen := make(map[string]*record.Identity)
		for _, u := range []record.Use{record.Attached, record.Boundary} {
			if in.PolicyUsageFilter == types.PolicyUsageTypePermissionsPolicy && u == record.Boundary ||
				in.PolicyUsageFilter == types.PolicyUsageTypePermissionsBoundary && u == record.Attached {
				continue
			}
			found, err := record.IdentitiesByID(r, account, k, record.UsePrefix(account, u, *in.PolicyArn)+string(k)+"/")
			if err != nil {
				return nil, err
			}
			for _, e := range found {
				if in.PathPrefix == nil || strings.HasPrefix(e.Path, *in.PathPrefix) {
					seen[e.ID] = e
				}
			}
		}
		for _, id := range slices.Sorted(maps.Keys(seen)) {
			out = append(out, seen[id])
		}
	}
	return out, nil
}

func wireEntities(l request.Listing[*record.Identity]) *sdk.ListEntitiesForPolicyOutput {
	out := &sdk.ListEntitiesForPolicyOutput{
		IsTruncated: l.Truncated, Marker: l.Marker,
		PolicyGroups: []types.PolicyGroup{}, PolicyRoles: []types.PolicyRole{}, PolicyUsers: []types.PolicyUser{},
	}
	for _, e := range l.Items {
		name, id := aws.String(e.Name), aws.String(e.ID)
		switch e.Kind {
		case record.GroupKind:
			out.PolicyGroups = append(out.PolicyGroups, types.PolicyGroup{GroupName: name, GroupId: id})
		case record.RoleKind:
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleName: name, RoleId: id})
		case record.UserKind:
			out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserName: name, UserId: id})
		}
	}
	return out
}
