package layer

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func getLayerVersionByARNReference(c *service.Call, in *sdk.GetLayerVersionByArnInput) (Reference, error) {
	var v request.Validator
	v.RequiredText("arn", in.Arn, request.LayerVersionARN)
	var r Reference
	if in.Arn != nil {
		r, _ = parse(*in.Arn) // it has the form of the constraint, or the constraint's error is the answer
	}
	return resolve(&v, c, r)
}

func (s *Service) getLayerVersionByARN(
	ctx context.Context, c *service.Call, in *sdk.GetLayerVersionByArnInput,
) (*sdk.GetLayerVersionByArnOutput, error) {
	r, err := getLayerVersionByARNReference(c, in)
	if err != nil {
		return nil, err
	}
	out, err := s.shown(ctx, c, r)
	return (*sdk.GetLayerVersionByArnOutput)(out), err
}
