package lambda

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func listFunctionEventInvokeConfigsReference(
	c *service.Call, in *sdk.ListFunctionEventInvokeConfigsInput,
) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.NamespacedName)
	v.Number("maxItems", in.MaxItems, 1, request.MaxPage)
	return resolveUnqualified(&v, c, r)
}

func (s *Service) listFunctionEventInvokeConfigs(
	ctx context.Context, c *service.Call, in *sdk.ListFunctionEventInvokeConfigsInput,
) (*sdk.ListFunctionEventInvokeConfigsOutput, error) {
	r, err := listFunctionEventInvokeConfigsReference(c, in)
	if err != nil {
		return nil, err
	}
	if _, err := s.invokedAsynchronously(ctx, r); err != nil {
		return nil, err
	}
	prefix := eventInvokePrefix(r)
	page, err := request.PageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var items []store.Item
	err = s.DB.View(ctx, func(reader store.Reader) (err error) {
		items, err = reader.Scan(prefix, page.After(prefix), page.Size+1) // one more tells whether there is a next page
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list configurations of %s: %w", r.ARN(), err)
	}
	out := &sdk.ListFunctionEventInvokeConfigsOutput{FunctionEventInvokeConfigs: []types.FunctionEventInvokeConfig{}}
	for i, item := range items {
		if i == page.Size {
			out.NextMarker = aws.String(request.Marker(strings.TrimPrefix(items[i-1].Key, prefix)))
			break
		}
		config, err := store.DecodeJSON[eventInvokeConfig](item)
		if err != nil {
			return nil, err
		}
		out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, config.shown(r))
	}
	return out, nil
}
