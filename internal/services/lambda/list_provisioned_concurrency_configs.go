package lambda

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func listProvisionedConcurrencyConfigsReference(
	c *service.Call, in *sdk.ListProvisionedConcurrencyConfigsInput,
) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.FunctionName)
	v.Number("maxItems", in.MaxItems, 1, request.MaxPage)
	return resolveUnqualified(&v, c, r)
}

func (s *Service) listProvisionedConcurrencyConfigs(
	ctx context.Context, c *service.Call, in *sdk.ListProvisionedConcurrencyConfigsInput,
) (*sdk.ListProvisionedConcurrencyConfigsOutput, error) {
	r, err := listProvisionedConcurrencyConfigsReference(c, in)
	if err != nil {
		return nil, err
	}
	if _, err := s.existing(ctx, r); err != nil {
		return nil, err
	}
	own, err := s.ownConcurrency(ctx, r)
	if err != nil {
		return nil, err
	}
	page, err := request.PageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListProvisionedConcurrencyConfigsOutput{ProvisionedConcurrencyConfigs: []types.ProvisionedConcurrencyConfigListItem{}}
	last := ""
	for _, qualifier := range slices.Sorted(maps.Keys(own.Provisioned)) {
		if qualifier <= page.Last {
			continue
		}
		if len(out.ProvisionedConcurrencyConfigs) == page.Size {
			out.NextMarker = aws.String(request.Marker(last))
			break
		}
		named := r
		named.Qualifier = qualifier
		f, err := s.find(ctx, named)
		if errors.Is(err, store.ErrNotFound) { // it was deleted after the list was read
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", named.ARN(), err)
		}
		out.ProvisionedConcurrencyConfigs = append(out.ProvisionedConcurrencyConfigs, s.state(f, qualifier, own.Provisioned[qualifier]))
		last = qualifier
	}
	return out, nil
}
