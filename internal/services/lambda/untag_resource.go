package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func (s *Service) untagResourceRoom(c *service.Call, in *sdk.UntagResourceInput) (taggedRoom, arn.ARN, error) {
	var v request.Validator
	v.Required("tagKeys", in.TagKeys != nil)
	return s.taggable(&v, c, in.Resource)
}

func (s *Service) untagResourceTarget(
	ctx context.Context, c *service.Call, in *sdk.UntagResourceInput,
) (service.Target, error) {
	room, a, err := s.untagResourceRoom(c, in)
	if err != nil {
		return service.Target{}, err
	}
	t, err := room.Target(ctx, c, "lambda:UntagResource", a)
	if err != nil {
		return service.Target{}, err
	}
	return t.With(func(keys *authz.Context) { keys.SetList("aws:TagKeys", in.TagKeys...) }), nil
}

func (s *Service) untagResource(
	ctx context.Context, c *service.Call, in *sdk.UntagResourceInput,
) (*sdk.UntagResourceOutput, error) {
	room, a, err := s.untagResourceRoom(c, in)
	if err != nil {
		return nil, err
	}
	err = room.UpdateTags(ctx, a, func(tags map[string]string) error {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.UntagResourceOutput{}, nil
}
