package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
)

func (s *providerHandlers) tagProvider(ctx context.Context, c *service.Call, k providerKind, arn *string, tags []types.Tag) error {
	set, err := s.patterns.checkTags(tags)
	if err != nil {
		return err
	}
	return s.changeProvider(ctx, c, k, arn, func(p *provider) (err error) {
		p.Tags, err = withTags(p.Tags, set)
		return err
	})
}

func (s *providerHandlers) untagProvider(ctx context.Context, c *service.Call, k providerKind, arn *string, keys []string) error {
	if err := s.patterns.checkTagKeys(keys); err != nil {
		return err
	}
	return s.changeProvider(ctx, c, k, arn, func(p *provider) error {
		p.Tags = withoutTags(p.Tags, keys)
		return nil
	})
}

func (s *providerHandlers) listProviderTags(
	ctx context.Context, c *service.Call, k providerKind, arn, marker *string, maxItems *int32,
) (listing[types.Tag], error) {
	p, err := s.ownProvider(ctx, c, k, arn)
	if err != nil {
		return listing[types.Tag]{}, err
	}
	return listTags(p.Tags, marker, maxItems)
}

func (s *providerHandlers) tagOpenIDConnectProvider(
	ctx context.Context, c *service.Call, in *sdk.TagOpenIDConnectProviderInput,
) (*sdk.TagOpenIDConnectProviderOutput, error) {
	return &sdk.TagOpenIDConnectProviderOutput{}, s.tagProvider(ctx, c, oidcKind, in.OpenIDConnectProviderArn, in.Tags)
}

func (s *providerHandlers) untagOpenIDConnectProvider(
	ctx context.Context, c *service.Call, in *sdk.UntagOpenIDConnectProviderInput,
) (*sdk.UntagOpenIDConnectProviderOutput, error) {
	return &sdk.UntagOpenIDConnectProviderOutput{}, s.untagProvider(ctx, c, oidcKind, in.OpenIDConnectProviderArn, in.TagKeys)
}

func (s *providerHandlers) listOpenIDConnectProviderTags(
	ctx context.Context, c *service.Call, in *sdk.ListOpenIDConnectProviderTagsInput,
) (*sdk.ListOpenIDConnectProviderTagsOutput, error) {
	l, err := s.listProviderTags(ctx, c, oidcKind, in.OpenIDConnectProviderArn, in.Marker, in.MaxItems)
	return &sdk.ListOpenIDConnectProviderTagsOutput{Tags: l.items, IsTruncated: l.truncated, Marker: l.marker}, err
}

func (s *providerHandlers) tagSAMLProvider(
	ctx context.Context, c *service.Call, in *sdk.TagSAMLProviderInput,
) (*sdk.TagSAMLProviderOutput, error) {
	return &sdk.TagSAMLProviderOutput{}, s.tagProvider(ctx, c, samlKind, in.SAMLProviderArn, in.Tags)
}

func (s *providerHandlers) untagSAMLProvider(
	ctx context.Context, c *service.Call, in *sdk.UntagSAMLProviderInput,
) (*sdk.UntagSAMLProviderOutput, error) {
	return &sdk.UntagSAMLProviderOutput{}, s.untagProvider(ctx, c, samlKind, in.SAMLProviderArn, in.TagKeys)
}

func (s *providerHandlers) listSAMLProviderTags(
	ctx context.Context, c *service.Call, in *sdk.ListSAMLProviderTagsInput,
) (*sdk.ListSAMLProviderTagsOutput, error) {
	l, err := s.listProviderTags(ctx, c, samlKind, in.SAMLProviderArn, in.Marker, in.MaxItems)
	return &sdk.ListSAMLProviderTagsOutput{Tags: l.items, IsTruncated: l.truncated, Marker: l.marker}, err
}
