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

func (s *Service) tagIdentity(ctx context.Context, c *service.Call, k record.Kind, name *string, tags []types.Tag) error {
	check := s.Patterns.CheckTags
	if k == record.ProfileKind {
		check = s.Patterns.CheckCasedTags
	}
	set, err := check(tags)
	if err != nil {
		return err
	}
	return s.Describe(ctx, c.Account, k, *name, func(_ store.Tx, e *record.Identity) (err error) {
		e.Tags, err = request.WithTags(e.Tags, set)
		return err
	})
}

func (s *Service) untagIdentity(ctx context.Context, c *service.Call, k record.Kind, name *string, keys []string) error {
	if err := s.Patterns.CheckTagKeys(keys); err != nil {
		return err
	}
	return s.Describe(ctx, c.Account, k, *name, func(_ store.Tx, e *record.Identity) error {
		e.Tags = request.WithoutTags(e.Tags, keys)
		return nil
	})
}

func (s *Service) listIdentityTags(
	ctx context.Context, c *service.Call, k record.Kind, name, marker *string, maxItems *int32,
) (request.Listing[types.Tag], error) {
	e, err := s.Read(ctx, c.Account, k, *name)
	if err != nil {
		return request.Listing[types.Tag]{}, err
	}
	return request.ListTags(e.Tags, marker, maxItems)
}

func (s *Service) tagUser(ctx context.Context, c *service.Call, in *sdk.TagUserInput) (*sdk.TagUserOutput, error) {
	return &sdk.TagUserOutput{}, s.tagIdentity(ctx, c, record.UserKind, in.UserName, in.Tags)
}

func (s *Service) tagRole(ctx context.Context, c *service.Call, in *sdk.TagRoleInput) (*sdk.TagRoleOutput, error) {
	return &sdk.TagRoleOutput{}, s.tagIdentity(ctx, c, record.RoleKind, in.RoleName, in.Tags)
}

func (s *Service) tagInstanceProfile(
	ctx context.Context, c *service.Call, in *sdk.TagInstanceProfileInput,
) (*sdk.TagInstanceProfileOutput, error) {
	return &sdk.TagInstanceProfileOutput{}, s.tagIdentity(ctx, c, record.ProfileKind, in.InstanceProfileName, in.Tags)
}

func (s *Service) tagPolicy(ctx context.Context, c *service.Call, in *sdk.TagPolicyInput) (*sdk.TagPolicyOutput, error) {
	set, err := s.Patterns.CheckCasedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	err = s.changePolicy(ctx, c, *in.PolicyArn, request.PolicyNotFound(*in.PolicyArn), func(p *record.ManagedPolicy) (err error) {
		p.Tags, err = request.WithTags(p.Tags, set)
		return err
	})
	return &sdk.TagPolicyOutput{}, err
}

func (s *Service) untagUser(ctx context.Context, c *service.Call, in *sdk.UntagUserInput) (*sdk.UntagUserOutput, error) {
	return &sdk.UntagUserOutput{}, s.untagIdentity(ctx, c, record.UserKind, in.UserName, in.TagKeys)
}

func (s *Service) untagRole(ctx context.Context, c *service.Call, in *sdk.UntagRoleInput) (*sdk.UntagRoleOutput, error) {
	return &sdk.UntagRoleOutput{}, s.untagIdentity(ctx, c, record.RoleKind, in.RoleName, in.TagKeys)
}

func (s *Service) untagInstanceProfile(
	ctx context.Context, c *service.Call, in *sdk.UntagInstanceProfileInput,
) (*sdk.UntagInstanceProfileOutput, error) {
	return &sdk.UntagInstanceProfileOutput{}, s.untagIdentity(ctx, c, record.ProfileKind, in.InstanceProfileName, in.TagKeys)
}

func (s *Service) untagPolicy(ctx context.Context, c *service.Call, in *sdk.UntagPolicyInput) (*sdk.UntagPolicyOutput, error) {
	if err := s.Patterns.CheckTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	err := s.changePolicy(ctx, c, *in.PolicyArn, request.PolicyNotFound(*in.PolicyArn), func(p *record.ManagedPolicy) error {
		p.Tags = request.WithoutTags(p.Tags, in.TagKeys)
		return nil
	})
	return &sdk.UntagPolicyOutput{}, err
}

func (s *Service) listUserTags(ctx context.Context, c *service.Call, in *sdk.ListUserTagsInput) (*sdk.ListUserTagsOutput, error) {
	l, err := s.listIdentityTags(ctx, c, record.UserKind, in.UserName, in.Marker, in.MaxItems)
	return &sdk.ListUserTagsOutput{Tags: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}

func (s *Service) listRoleTags(ctx context.Context, c *service.Call, in *sdk.ListRoleTagsInput) (*sdk.ListRoleTagsOutput, error) {
	l, err := s.listIdentityTags(ctx, c, record.RoleKind, in.RoleName, in.Marker, in.MaxItems)
	return &sdk.ListRoleTagsOutput{Tags: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}

func (s *Service) listInstanceProfileTags(
	ctx context.Context, c *service.Call, in *sdk.ListInstanceProfileTagsInput,
) (*sdk.ListInstanceProfileTagsOutput, error) {
	l, err := s.listIdentityTags(ctx, c, record.ProfileKind, in.InstanceProfileName, in.Marker, in.MaxItems)
	return &sdk.ListInstanceProfileTagsOutput{Tags: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}

func (s *Service) listPolicyTags(
	ctx context.Context, c *service.Call, in *sdk.ListPolicyTagsInput,
) (*sdk.ListPolicyTagsOutput, error) {
	p, err := s.ReadPolicy(ctx, c.Account, *in.PolicyArn, request.PolicyNotFound(*in.PolicyArn))
	if err != nil {
		return nil, err
	}
	l, err := request.ListTags(p.Tags, in.Marker, in.MaxItems)
	return &sdk.ListPolicyTagsOutput{Tags: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}
