package lambda

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

func getPolicyReference(c *service.Call, in *sdk.GetPolicyInput) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, v.Function(c, in.FunctionName, request.NamespacedName), in.Qualifier)
}

func (s *Service) getPolicy(ctx context.Context, c *service.Call, in *sdk.GetPolicyInput) (*sdk.GetPolicyOutput, error) {
	r, err := getPolicyReference(c, in)
	if err != nil {
		return nil, err
	}
	p, err := s.policies.Get(ctx, policyKey(r))
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.NotFound("The resource you requested does not exist.")
	}
	if err != nil {
		return nil, fmt.Errorf("find policy of %s: %w", r.ARN(), err)
	}
	text, err := s.shown(ctx, p)
	if err != nil {
		return nil, err
	}
	return &sdk.GetPolicyOutput{Policy: aws.String(text), RevisionId: aws.String(p.RevisionID)}, nil
}
