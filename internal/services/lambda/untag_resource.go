package lambda

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func untagResourceReference(c *service.Call, in *sdk.UntagResourceInput) (request.Function, error) {
	var v request.Validator
	v.Required("tagKeys", in.TagKeys != nil)
	return taggable(&v, c, in.Resource)
}

func (s *Service) untagResourceTarget(
	ctx context.Context, c *service.Call, in *sdk.UntagResourceInput,
) (service.Target, error) {
	r, err := untagResourceReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	t, err := s.target(ctx, c, "lambda:UntagResource", r)
	if err != nil {
		return service.Target{}, err
	}
	return withKeys(t, func(keys *authz.Context) { keys.SetList("aws:TagKeys", in.TagKeys...) }), nil
}

func (s *Service) untagResource(
	ctx context.Context, c *service.Call, in *sdk.UntagResourceInput,
) (*sdk.UntagResourceOutput, error) {
	r, err := untagResourceReference(c, in)
	if err != nil {
		return nil, err
	}
	_, err = s.updateFunction(ctx, r, func(f *function) error {
		for _, k := range in.TagKeys {
			delete(f.Tags, k)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.UntagResourceOutput{}, nil
}
