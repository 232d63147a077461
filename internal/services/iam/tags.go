package iam

import (
	"context"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// withTags sets tags. A key that differs by case only from one that is there takes its place.
func withTags(have, set []tag) ([]tag, error) {
	out := slices.Clone(have)
	for _, t := range set {
		i := slices.IndexFunc(out, func(o tag) bool { return sameKey(o.Key, t.Key) })
		if i < 0 {
			out = append(out, t)
		} else {
			out[i] = t
		}
	}
	if len(out) > maxTags {
		return nil, limitExceeded("The number of tags has reached the maximum limit.") // AWS's text is not known
	}
	return out, nil
}

func withoutTags(have []tag, keys []string) []tag {
	return slices.DeleteFunc(slices.Clone(have), func(t tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return sameKey(k, t.Key) })
	})
}

func sameKey(a, b string) bool { return authz.FoldKey(a) == authz.FoldKey(b) }

func listTags(have []tag, marker *string, maxItems *int32) (listing[types.Tag], error) {
	p, err := newPage(marker, maxItems)
	if err != nil {
		return listing[types.Tag]{}, err
	}
	l := cut(p, byKey(have), func(t tag) string { return t.Key })
	return listing[types.Tag]{items: append([]types.Tag{}, wireTags(l.items)...), marker: l.marker, truncated: l.truncated}, nil
}

func (s *Service) tagIdentity(ctx context.Context, c *service.Call, k kind, name *string, tags []types.Tag) error {
	check := s.patterns.checkTags
	if k == profileKind {
		check = s.patterns.checkCasedTags
	}
	set, err := check(tags)
	if err != nil {
		return err
	}
	return s.describe(ctx, c.Account, k, *name, func(_ store.Tx, e *identity) (err error) {
		e.Tags, err = withTags(e.Tags, set)
		return err
	})
}

func (s *Service) untagIdentity(ctx context.Context, c *service.Call, k kind, name *string, keys []string) error {
	if err := s.patterns.checkTagKeys(keys); err != nil {
		return err
	}
	return s.describe(ctx, c.Account, k, *name, func(_ store.Tx, e *identity) error {
		e.Tags = withoutTags(e.Tags, keys)
		return nil
	})
}

func (s *Service) listIdentityTags(
	ctx context.Context, c *service.Call, k kind, name, marker *string, maxItems *int32,
) (listing[types.Tag], error) {
	e, err := s.read(ctx, c.Account, k, *name)
	if err != nil {
		return listing[types.Tag]{}, err
	}
	return listTags(e.Tags, marker, maxItems)
}

func (s *Service) tagUser(ctx context.Context, c *service.Call, in *sdk.TagUserInput) (*sdk.TagUserOutput, error) {
	return &sdk.TagUserOutput{}, s.tagIdentity(ctx, c, userKind, in.UserName, in.Tags)
}

func (s *Service) tagRole(ctx context.Context, c *service.Call, in *sdk.TagRoleInput) (*sdk.TagRoleOutput, error) {
	return &sdk.TagRoleOutput{}, s.tagIdentity(ctx, c, roleKind, in.RoleName, in.Tags)
}

func (s *Service) tagInstanceProfile(
	ctx context.Context, c *service.Call, in *sdk.TagInstanceProfileInput,
) (*sdk.TagInstanceProfileOutput, error) {
	return &sdk.TagInstanceProfileOutput{}, s.tagIdentity(ctx, c, profileKind, in.InstanceProfileName, in.Tags)
}

func (s *Service) tagPolicy(ctx context.Context, c *service.Call, in *sdk.TagPolicyInput) (*sdk.TagPolicyOutput, error) {
	set, err := s.patterns.checkCasedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	err = s.changePolicy(ctx, c, *in.PolicyArn, policyNotFound(*in.PolicyArn), func(p *managedPolicy) (err error) {
		p.Tags, err = withTags(p.Tags, set)
		return err
	})
	return &sdk.TagPolicyOutput{}, err
}

func (s *Service) untagUser(ctx context.Context, c *service.Call, in *sdk.UntagUserInput) (*sdk.UntagUserOutput, error) {
	return &sdk.UntagUserOutput{}, s.untagIdentity(ctx, c, userKind, in.UserName, in.TagKeys)
}

func (s *Service) untagRole(ctx context.Context, c *service.Call, in *sdk.UntagRoleInput) (*sdk.UntagRoleOutput, error) {
	return &sdk.UntagRoleOutput{}, s.untagIdentity(ctx, c, roleKind, in.RoleName, in.TagKeys)
}

func (s *Service) untagInstanceProfile(
	ctx context.Context, c *service.Call, in *sdk.UntagInstanceProfileInput,
) (*sdk.UntagInstanceProfileOutput, error) {
	return &sdk.UntagInstanceProfileOutput{}, s.untagIdentity(ctx, c, profileKind, in.InstanceProfileName, in.TagKeys)
}

func (s *Service) untagPolicy(ctx context.Context, c *service.Call, in *sdk.UntagPolicyInput) (*sdk.UntagPolicyOutput, error) {
	if err := s.patterns.checkTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	err := s.changePolicy(ctx, c, *in.PolicyArn, policyNotFound(*in.PolicyArn), func(p *managedPolicy) error {
		p.Tags = withoutTags(p.Tags, in.TagKeys)
		return nil
	})
	return &sdk.UntagPolicyOutput{}, err
}

func (s *Service) listUserTags(ctx context.Context, c *service.Call, in *sdk.ListUserTagsInput) (*sdk.ListUserTagsOutput, error) {
	l, err := s.listIdentityTags(ctx, c, userKind, in.UserName, in.Marker, in.MaxItems)
	return &sdk.ListUserTagsOutput{Tags: l.items, IsTruncated: l.truncated, Marker: l.marker}, err
}

func (s *Service) listRoleTags(ctx context.Context, c *service.Call, in *sdk.ListRoleTagsInput) (*sdk.ListRoleTagsOutput, error) {
	l, err := s.listIdentityTags(ctx, c, roleKind, in.RoleName, in.Marker, in.MaxItems)
	return &sdk.ListRoleTagsOutput{Tags: l.items, IsTruncated: l.truncated, Marker: l.marker}, err
}

func (s *Service) listInstanceProfileTags(
	ctx context.Context, c *service.Call, in *sdk.ListInstanceProfileTagsInput,
) (*sdk.ListInstanceProfileTagsOutput, error) {
	l, err := s.listIdentityTags(ctx, c, profileKind, in.InstanceProfileName, in.Marker, in.MaxItems)
	return &sdk.ListInstanceProfileTagsOutput{Tags: l.items, IsTruncated: l.truncated, Marker: l.marker}, err
}

func (s *Service) listPolicyTags(
	ctx context.Context, c *service.Call, in *sdk.ListPolicyTagsInput,
) (*sdk.ListPolicyTagsOutput, error) {
	p, err := s.readPolicy(ctx, c.Account, *in.PolicyArn, policyNotFound(*in.PolicyArn))
	if err != nil {
		return nil, err
	}
	l, err := listTags(p.Tags, in.Marker, in.MaxItems)
	return &sdk.ListPolicyTagsOutput{Tags: l.items, IsTruncated: l.truncated, Marker: l.marker}, err
}
