package layer

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func getLayerVersionReference(c *service.Call, in *sdk.GetLayerVersionInput) (Reference, error) {
	var v request.Validator
	return resolve(&v, c, versionOf(&v, c, in.LayerName, in.VersionNumber))
}

func (s *Service) getLayerVersion(
	ctx context.Context, c *service.Call, in *sdk.GetLayerVersionInput,
) (*sdk.GetLayerVersionOutput, error) {
	r, err := getLayerVersionReference(c, in)
	if err != nil {
		return nil, err
	}
	return s.shown(ctx, c, r)
}

// shown is a layer version with a link to its archive.
func (s *Service) shown(ctx context.Context, c *service.Call, r Reference) (*sdk.GetLayerVersionOutput, error) {
	if err := r.possible(); err != nil {
		return nil, err
	}
	v, err := s.find(ctx, r)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.NotFound("The resource you requested does not exist.") // recorded from AWS
	}
	if err != nil {
		return nil, fmt.Errorf("find layer version %s: %w", r.ARN(), err)
	}
	content, err := s.content(ctx, c, v)
	if err != nil {
		return nil, err
	}
	return &sdk.GetLayerVersionOutput{
		CompatibleArchitectures: v.Architectures, CompatibleRuntimes: v.Runtimes, Content: content, CreatedDate: v.created(),
		Description: aws.String(v.Description), LayerArn: aws.String(r.LayerARN()), LayerVersionArn: aws.String(r.ARN()),
		LicenseInfo: v.License, Version: v.Number,
	}, nil
}
