package provider

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
)

func (s *handlers) tagProvider(ctx context.Context, c *service.Call, k record.ProviderKind, arn *string, tags []types.Tag) error {
	set, err := s.Patterns.CheckTags(tags)
	if err != nil {
		return err
	}
	return s.changeProvider(ctx, c, k, arn, func(p *record.Provider) (err error) {
		p.Tags, err = request.WithTags(p.Tags, set)
		return err
	})
}

func (s *handlers) untagProvider(ctx context.Context, c *service.Call, k record.ProviderKind, arn *string, keys []string) error {
	if err := s.Patterns.CheckTagKeys(keys); err != nil {
		return err
	}
	return s.changeProvider(ctx, c, k, arn, func(p *record.Provider) error {
		p.Tags = request.WithoutTags(p.Tags, keys)
		return nil
	})
}

func (s *handlers) listProviderTags(
	ctx context.Context, c *service.Call, k record.ProviderKind, arn, marker *string, maxItems *int32,
) (request.Listing[types.Tag], error) {
	p, err := s.ownProvider(ctx, c, k, arn)
	if err != nil {
		return request.Listing[types.Tag]{}, err
	}
	return request.ListTags(p.Tags, marker, maxItems)
}

func (s *handlers) tagOpenIDConnectProvider(
	ctx context.Context, c *service.Call, in *sdk.TagOpenIDConnectProviderInput,
) (*sdk.TagOpenIDConnectProviderOutput, error) {
	return &sdk.TagOpenIDConnectProviderOutput{}, s.tagProvider(ctx, c, record.OIDCKind, in.OpenIDConnectProviderArn, in.Tags)
}

func (s *handlers) untagOpenIDConnectProvider(
	ctx context.Context, c *service.Call, in *sdk.UntagOpenIDConnectProviderInput,
) (*sdk.UntagOpenIDConnectProviderOutput, error) {
	return &sdk.UntagOpenIDConnectProviderOutput{}, s.untagProvider(ctx, c, record.OIDCKind, in.OpenIDConnectProviderArn, in.TagKeys)
}

func (s *handlers) listOpenIDConnectProviderTags(
	ctx context.Context, c *service.Call, in *sdk.ListOpenIDConnectProviderTagsInput,
) (*sdk.ListOpenIDConnectProviderTagsOutput, error) {
	l, err := s.listProviderTags(ctx, c, record.OIDCKind, in.OpenIDConnectProviderArn, in.Marker, in.MaxItems)
	return &sdk.ListOpenIDConnectProviderTagsOutput{Tags: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}

func (s *handlers) tagSAMLProvider(
	ctx context.Context, c *service.Call, in *sdk.TagSAMLProviderInput,
) (*sdk.TagSAMLProviderOutput, error) {
	return &sdk.TagSAMLProviderOutput{}, s.tagProvider(ctx, c, record.SAMLKind, in.SAMLProviderArn, in.Tags)
}

func (s *handlers) untagSAMLProvider(
	ctx context.Context, c *service.Call, in *sdk.UntagSAMLProviderInput,
) (*sdk.UntagSAMLProviderOutput, error) {
	return &sdk.UntagSAMLProviderOutput{}, s.untagProvider(ctx, c, record.SAMLKind, in.SAMLProviderArn, in.TagKeys)
}

func (s *handlers) listSAMLProviderTags(
	ctx context.Context, c *service.Call, in *sdk.ListSAMLProviderTagsInput,
) (*sdk.ListSAMLProviderTagsOutput, error) {
	l, err := s.listProviderTags(ctx, c, record.SAMLKind, in.SAMLProviderArn, in.Marker, in.MaxItems)
	return &sdk.ListSAMLProviderTagsOutput{Tags: l.Items, IsTruncated: l.Truncated, Marker: l.Marker}, err
}
