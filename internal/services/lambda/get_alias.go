package lambda

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func getAliasReference(c *service.Call, in *sdk.GetAliasInput) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, aliasFunction(&v, c, in.FunctionName, in.Name), nil)
}

func (s *Service) getAlias(ctx context.Context, c *service.Call, in *sdk.GetAliasInput) (*sdk.GetAliasOutput, error) {
	r, err := getAliasReference(c, in)
	if err != nil {
		return nil, err
	}
	if err := r.Unpublished(); err != nil {
		return nil, err
	}
	named := r.Qualified(*in.Name)
	a, err := s.aliases.Get(ctx, aliasKey(named))
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.AliasNotFound(named.ARN())
	}
	if err != nil {
		return nil, fmt.Errorf("find alias %s: %w", named.ARN(), err)
	}
	return output[sdk.GetAliasOutput](a.configuration(r)), nil
}
