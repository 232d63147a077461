package lambda

import (
	"context"
	"maps"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func listTagsReference(c *service.Call, in *sdk.ListTagsInput) (request.Function, error) {
	var v request.Validator
	return taggable(&v, c, in.Resource)
}

func (s *Service) listTags(ctx context.Context, c *service.Call, in *sdk.ListTagsInput) (*sdk.ListTagsOutput, error) {
	r, err := listTagsReference(c, in)
	if err != nil {
		return nil, err
	}
	f, err := s.existing(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListTagsOutput{Tags: map[string]string{}}
	maps.Copy(out.Tags, f.function.Tags)
	return out, nil
}
