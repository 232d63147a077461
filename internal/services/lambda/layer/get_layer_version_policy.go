package layer

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func getLayerVersionPolicyReference(c *service.Call, in *sdk.GetLayerVersionPolicyInput) (Reference, error) {
	var v request.Validator
	return resolve(&v, c, versionOf(&v, c, in.LayerName, in.VersionNumber))
}

func (s *Service) getLayerVersionPolicy(
	ctx context.Context, c *service.Call, in *sdk.GetLayerVersionPolicyInput,
) (*sdk.GetLayerVersionPolicyOutput, error) {
	r, err := getLayerVersionPolicyReference(c, in)
	if err != nil {
		return nil, err
	}
	var p *versionPolicy
	err = s.DB.View(ctx, func(reader store.Reader) (err error) {
		p, err = policyOf(reader, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.GetLayerVersionPolicyOutput{Policy: aws.String(p.text()), RevisionId: aws.String(p.RevisionID)}, nil
}
