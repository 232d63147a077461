package lambda

import (
	"context"
	"maps"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func (s *Service) listTagsRoom(c *service.Call, in *sdk.ListTagsInput) (taggedRoom, arn.ARN, error) {
	var v request.Validator
	return s.taggable(&v, c, in.Resource)
}

func (s *Service) listTagsTarget(ctx context.Context, c *service.Call, in *sdk.ListTagsInput) (service.Target, error) {
	room, a, err := s.listTagsRoom(c, in)
	if err != nil {
		return service.Target{}, err
	}
	return room.Target(ctx, c, "lambda:ListTags", a)
}

func (s *Service) listTags(ctx context.Context, c *service.Call, in *sdk.ListTagsInput) (*sdk.ListTagsOutput, error) {
	room, a, err := s.listTagsRoom(c, in)
	if err != nil {
		return nil, err
	}
	tags, err := room.Tags(ctx, a)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListTagsOutput{Tags: map[string]string{}}
	maps.Copy(out.Tags, tags)
	return out, nil
}
