package lambda

import (
	"context"
	"maps"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/tag"
)

func (s *Service) tagResourceRoom(c *service.Call, in *sdk.TagResourceInput) (taggedRoom, arn.ARN, error) {
	var v request.Validator
	v.Required("tags", in.Tags != nil)
	room, a, err := s.taggable(&v, c, in.Resource)
	if err == nil {
		err = tag.CheckClash(in.Tags)
	}
	return room, a, err
}

func (s *Service) tagResourceTarget(ctx context.Context, c *service.Call, in *sdk.TagResourceInput) (service.Target, error) {
	room, a, err := s.tagResourceRoom(c, in)
	if err != nil {
		return service.Target{}, err
	}
	t, err := room.Target(ctx, c, "lambda:TagResource", a)
	if err != nil {
		return service.Target{}, err
	}
	return t.With(func(keys *authz.Context) { tag.InRequest(keys, in.Tags) }), nil
}

func (s *Service) tagResource(
	ctx context.Context, c *service.Call, in *sdk.TagResourceInput,
) (*sdk.TagResourceOutput, error) {
	room, a, err := s.tagResourceRoom(c, in)
	if err != nil {
		return nil, err
	}
	err = room.UpdateTags(ctx, a, func(tags map[string]string) error {
		if len(in.Tags) == 0 { // recorded
			return fault.InvalidParameter("An error occurred and the request cannot be processed.")
		}
		maps.Copy(tags, in.Tags)
		if err := tag.Check(in.Tags); err != nil {
			return err
		}
		return tag.Check(tags)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.TagResourceOutput{}, nil
}
