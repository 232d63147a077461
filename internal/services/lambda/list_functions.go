package lambda

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func listFunctionsTarget(ctx context.Context, c *service.Call, in *sdk.ListFunctionsInput) (service.Target, error) {
	var v request.Validator
	v.Text("masterRegion", in.MasterRegion, masterRegionText)
	request.Enum(&v, "functionVersion", in.FunctionVersion, in.FunctionVersion.Values())
	v.Number("maxItems", in.MaxItems, 1, 10000)
	if err := v.Err(); err != nil {
		return service.Target{}, err
	}
	return service.Any(ctx, c, in) // no resource-level permission: lambda.md 2.3
}

func (s *Service) listFunctions(
	ctx context.Context, c *service.Call, in *sdk.ListFunctionsInput,
) (*sdk.ListFunctionsOutput, error) {
	if isSet(in.MasterRegion) { // Lambda@Edge
		return nil, fault.NotImplemented("ListFunctions", "MasterRegion")
	}
	prefix := functionPrefix(c.Account, c.Region)
	page, err := request.PageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var items []store.Item
	err = s.DB.View(ctx, func(r store.Reader) (err error) {
		items, err = r.Scan(prefix, page.After(prefix), page.Size+1) // one more tells whether there is a next page
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list functions: %w", err)
	}
	qualifier := ""
	if in.FunctionVersion != "" { // every version is listed with its own ARN
		qualifier = request.Latest
	}
	out := &sdk.ListFunctionsOutput{Functions: []types.FunctionConfiguration{}} // AWS sends an empty list
	for _, item := range items[:min(page.Size, len(items))] {
		f, err := s.functions.Get(ctx, item.Key) // decoded already, as a rule
		if errors.Is(err, store.ErrNotFound) {   // deleted meanwhile
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list functions: %w", err)
		}
		shown, err := s.show(ctx, c, f.latest(), qualifier, listed)
		if err != nil {
			return nil, err
		}
		out.Functions = append(out.Functions, shown)
	}
	if len(items) > page.Size {
		last := strings.TrimPrefix(items[page.Size-1].Key, prefix)
		out.NextMarker = aws.String(request.Marker(last))
	}
	return out, nil
}
