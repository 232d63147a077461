package sts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/licet/licet/internal/service"
)

func (s *Service) getCallerIdentity(
	_ context.Context, c *service.Call, _ *sdk.GetCallerIdentityInput,
) (*sdk.GetCallerIdentityOutput, error) {
	p := c.Caller.Principal
	return &sdk.GetCallerIdentityOutput{Account: aws.String(p.Account), Arn: aws.String(p.ARN), UserId: aws.String(c.Caller.UserID())}, nil
}
