package lambda

import (
	"context"
	"maps"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/tag"
)

func tagResourceReference(c *service.Call, in *sdk.TagResourceInput) (request.Function, error) {
	var v request.Validator
	v.Required("tags", in.Tags != nil)
	r, err := taggable(&v, c, in.Resource)
	if err == nil {
		err = tag.CheckClash(in.Tags)
	}
	return r, err
}

func (s *Service) tagResourceTarget(ctx context.Context, c *service.Call, in *sdk.TagResourceInput) (service.Target, error) {
	r, err := tagResourceReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	t, err := s.target(ctx, c, "lambda:TagResource", r)
	if err != nil {
		return service.Target{}, err
	}
	return withKeys(t, func(keys *authz.Context) { tag.InRequest(keys, in.Tags) }), nil
}

func (s *Service) tagResource(
	ctx context.Context, c *service.Call, in *sdk.TagResourceInput,
) (*sdk.TagResourceOutput, error) {
	r, err := tagResourceReference(c, in)
	if err != nil {
		return nil, err
	}
	// Tags are no part of the configuration: the revision stays, and so do the environments.
	_, err = s.updateFunction(ctx, r, func(f *function) error {
		if f.Tags == nil {
			f.Tags = make(map[string]string)
		}
		maps.Copy(f.Tags, in.Tags)
		if err := tag.Check(in.Tags); err != nil {
			return err
		}
		return tag.Check(f.Tags)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.TagResourceOutput{}, nil
}
