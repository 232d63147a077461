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
	"github.com/licet/licet/internal/store"
)

func (s *Service) listEntitiesForPolicy(
	ctx context.Context, c *service.Call, in *sdk.ListEntitiesForPolicyInput,
) (*sdk.ListEntitiesForPolicyOutput, error) {
	p, err := newPage(in.Marker, in.MaxItems)
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
	if err := s.patterns.checkPathPrefix(in.PathPrefix); err != nil {
		return nil, err
	}
	if _, err := s.readPolicy(ctx, c.Account, *in.PolicyArn, policyNotFound(*in.PolicyArn)); err != nil {
		return nil, err
	}
	var all []*identity
	err = s.db.View(ctx, func(r store.Reader) (err error) {
		all, err = usersOf(r, c.Account, in, kinds)
		return err
	})
	if err != nil {
		return nil, err
	}
	l := cut(p, all, func(e *identity) string { return string(e.Kind) + "/" + e.ID })
	return wireEntities(l), nil
}

// entityKinds gives the kinds of identity that a filter lets through, in the order of their keys.
func entityKinds(f types.EntityType) ([]kind, error) {
	switch f {
	case "":
		return []kind{groupKind, roleKind, userKind}, nil
	case types.EntityTypeUser:
		return []kind{userKind}, nil
	case types.EntityTypeRole:
		return []kind{roleKind}, nil
	case types.EntityTypeGroup:
		return []kind{groupKind}, nil
	case types.EntityTypeLocalManagedPolicy, types.EntityTypeAWSManagedPolicy:
		return nil, nil // no policy is attached to a policy
	}
	return nil, violation("entityFilter", "%s", entityTypes)
}

// entityTypes is the constraint of the types of entities.
const entityTypes = "Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]"

// usersOf finds who uses a policy, once each.
func usersOf(r store.Reader, account string, in *sdk.ListEntitiesForPolicyInput, kinds []kind) ([]*identity, error) {
	var out []*identity
	for _, k := range kinds {
		seen := make(map[string]*identity)
		for _, u := range []use{attached, boundary} {
			if in.PolicyUsageFilter == types.PolicyUsageTypePermissionsPolicy && u == boundary ||
				in.PolicyUsageFilter == types.PolicyUsageTypePermissionsBoundary && u == attached {
				continue
			}
			found, err := identitiesByID(r, account, k, usePrefix(account, u, *in.PolicyArn)+string(k)+"/")
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

func wireEntities(l listing[*identity]) *sdk.ListEntitiesForPolicyOutput {
	out := &sdk.ListEntitiesForPolicyOutput{
		IsTruncated: l.truncated, Marker: l.marker,
		PolicyGroups: []types.PolicyGroup{}, PolicyRoles: []types.PolicyRole{}, PolicyUsers: []types.PolicyUser{},
	}
	for _, e := range l.items {
		name, id := aws.String(e.Name), aws.String(e.ID)
		switch e.Kind {
		case groupKind:
			out.PolicyGroups = append(out.PolicyGroups, types.PolicyGroup{GroupName: name, GroupId: id})
		case roleKind:
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleName: name, RoleId: id})
		case userKind:
			out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserName: name, UserId: id})
		}
	}
	return out
}
