package resourcepolicy

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func getResourcePolicyReference(c *service.Call, in *sdk.GetResourcePolicyInput) (request.Function, error) {
	var v request.Validator
	v.RequiredText("resourceArn", in.ResourceArn, resourceARNText)
	return resource(c, &v, in.ResourceArn)
}

// getResourcePolicyNeeds: see putResourcePolicyNeeds.
func (m *Service) getResourcePolicyNeeds(ctx context.Context, c *service.Call, in *sdk.GetResourcePolicyInput) ([]service.Need, error) {
	r, err := getResourcePolicyReference(c, in)
	if err != nil {
		return nil, err
	}
	whole, err := m.needs(ctx, c, "lambda:GetResourcePolicy", r, nil)
	if err != nil {
		return nil, err
	}
	get, err := m.needs(ctx, c, "lambda:GetPolicy", r, nil)
	if err != nil {
		return nil, err
	}
	return slices.Concat(whole, get), nil
}

func (m *Service) getResourcePolicy(
	ctx context.Context, c *service.Call, in *sdk.GetResourcePolicyInput,
) (*sdk.GetResourcePolicyOutput, error) {
	r, err := getResourcePolicyReference(c, in)
	if err != nil {
		return nil, err
	}
	text, revision, err := m.read(ctx, r)
	if err != nil {
		return nil, err
	}
	return &sdk.GetResourcePolicyOutput{Policy: aws.String(text), RevisionId: aws.String(revision)}, nil
}
