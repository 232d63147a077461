package functionurl

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

// The condition keys of the operations on URLs (lambda.md 2.4). The function's ARN is that of the request.
const (
	functionKey = "lambda:FunctionArn"
	authTypeKey = "lambda:FunctionUrlAuthType"
)

// target is the resource of an action, with the keys of a URL of one auth type; "" where there is none.
func (s *Service) target(
	ctx context.Context, c *service.Call, action string, r request.Function, a types.FunctionUrlAuthType,
) (service.Target, error) {
	t, err := s.functions.Target(ctx, c, action, r)
	if err != nil {
		return service.Target{}, err
	}
	return t.With(func(keys *authz.Context) {
		keys.Set(functionKey, r.ARN())
		if a != "" {
			keys.Set(authTypeKey, string(a))
		}
	}), nil
}

// targetOfExisting is target for an operation on a URL that is there.
func (s *Service) targetOfExisting(ctx context.Context, c *service.Call, action string, r request.Function) (service.Target, error) {
	u, err := s.find(ctx, r)
	if err != nil {
		return service.Target{}, err
	}
	var a types.FunctionUrlAuthType
	if u != nil {
		a = u.AuthType
	}
	return s.target(ctx, c, action, r, a)
}
