package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

func (s *Service) getPolicy(ctx context.Context, c *service.Call, in *sdk.GetPolicyInput) (*sdk.GetPolicyOutput, error) {
	var out types.Policy
	err := s.DB.View(ctx, func(r store.Reader) error {
		p, err := s.FindPolicy(r, c.Account, *in.PolicyArn)
		if request.IsMissing(err) {
			return request.PolicyNotFound(*in.PolicyArn)
		}
		if err != nil {
			return err
		}
		n, err := usesOf(r, c.Account, *in.PolicyArn)
		if err != nil {
			return err
		}
		out = listedPolicy(*in.PolicyArn, p, n)
		if p.Description != "" {
			out.Description = aws.String(p.Description)
		}
		out.Tags = request.ShownTags(p.Tags)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.GetPolicyOutput{Policy: &out}, nil
}
