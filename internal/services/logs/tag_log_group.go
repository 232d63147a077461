package logs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/licet/licet/internal/service"
)

// The operations on tags that name a group, not an ARN: older clients still call them. They are judged on what other actions on the
// group are (see target.go).

func (s *Service) namedTags(ctx context.Context, c *service.Call, in *sdk.TagLogGroupInput) (service.Target, error) {
	t, err := s.onGroup(ctx, c, in.LogGroupName)
	if err != nil {
		return t, err
	}
	return t, tagKeys(&t.Keys, in.Tags, nil)
}

func (s *Service) namedTagKeys(ctx context.Context, c *service.Call, in *sdk.UntagLogGroupInput) (service.Target, error) {
	t, err := s.onGroup(ctx, c, in.LogGroupName)
	if err != nil {
		return t, err
	}
	return t, tagKeys(&t.Keys, nil, in.Tags)
}

func (s *Service) tagLogGroup(ctx context.Context, c *service.Call, in *sdk.TagLogGroupInput) (*sdk.TagLogGroupOutput, error) {
	_, err := s.tagResource(ctx, c, &sdk.TagResourceInput{ResourceArn: namedARN(c, in.LogGroupName), Tags: in.Tags})
	return &sdk.TagLogGroupOutput{}, err
}

func (s *Service) untagLogGroup(
	ctx context.Context, c *service.Call, in *sdk.UntagLogGroupInput,
) (*sdk.UntagLogGroupOutput, error) {
	_, err := s.untagResource(ctx, c, &sdk.UntagResourceInput{ResourceArn: namedARN(c, in.LogGroupName), TagKeys: in.Tags})
	return &sdk.UntagLogGroupOutput{}, err
}

func (s *Service) listTagsLogGroup(
	ctx context.Context, c *service.Call, in *sdk.ListTagsLogGroupInput,
) (*sdk.ListTagsLogGroupOutput, error) {
	out, err := s.listTagsForResource(ctx, c, &sdk.ListTagsForResourceInput{ResourceArn: namedARN(c, in.LogGroupName)})
	if err != nil {
		return nil, err
	}
	return &sdk.ListTagsLogGroupOutput{Tags: out.Tags}, nil
}

func namedARN(c *service.Call, name *string) *string { return aws.String(groupARN(c, byName(c, name))) }
