package mapping

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// maxPage: https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html, MaxItems.
const maxPage = 100

// listFilter is the function that the mappings must call; nil for any.
func listFilter(c *service.Call, in *sdk.ListEventSourceMappingsInput) (*request.Function, error) {
	var v request.Validator
	v.Text("eventSourceArn", in.EventSourceArn, arnText)
	v.Number("maxItems", in.MaxItems, 1, 10000)
	if in.FunctionName == nil {
		return nil, v.Err()
	}
	r, err := v.Resolve(c, v.Function(c, in.FunctionName, request.NamespacedName), nil)
	return &r, err
}

func listTarget(ctx context.Context, c *service.Call, in *sdk.ListEventSourceMappingsInput) (service.Target, error) {
	if _, err := listFilter(c, in); err != nil {
		return service.Target{}, err
	}
	return service.Any(ctx, c, in) // no resource-level permission: lambda.md 2.3
}

func (s *Service) list(
	ctx context.Context, c *service.Call, in *sdk.ListEventSourceMappingsInput,
) (*sdk.ListEventSourceMappingsOutput, error) {
	called, err := listFilter(c, in)
	if err != nil {
		return nil, err
	}
	page, err := request.PageUpTo(maxPage, in.Marker, in.MaxItems)
	if err == nil && page.Last != "" && uuid.Validate(page.Last) != nil {
		err = fault.InvalidParameter("Invalid Marker: %s", *in.Marker)
	}
	if err != nil {
		return nil, err
	}
	all := prefix(c.Account, c.Region)
	var items []store.Item
	results := map[string]store.Item{}
	err = s.db.View(ctx, func(r store.Reader) (err error) {
		if items, err = r.Scan(all, page.After(all), 0); err != nil {
			return err
		}
		last, err := r.Scan(resultKey(c.Account, c.Region, ""), "", 0)
		for _, item := range last {
			results[item.Key] = item
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list event source mappings: %w", err)
	}
	out := &sdk.ListEventSourceMappingsOutput{EventSourceMappings: []types.EventSourceMappingConfiguration{}}
	for _, item := range items {
		m, err := store.DecodeJSON[mapping](item)
		if err != nil {
			return nil, err
		}
		if in.EventSourceArn != nil && aws.ToString(m.Shown.EventSourceArn) != *in.EventSourceArn ||
			called != nil && *m.Shown.FunctionArn != called.ARN() {
			continue
		}
		if len(out.EventSourceMappings) == page.Size {
			out.NextMarker = aws.String(request.Marker(*out.EventSourceMappings[page.Size-1].UUID))
			break
		}
		if last, ok := results[resultKey(c.Account, c.Region, *m.Shown.UUID)]; ok {
			result, err := store.DecodeJSON[string](last)
			if err != nil {
				return nil, err
			}
			m.Shown.LastProcessingResult = &result
		}
		shown := m.state("")
		if m.encrypted() { // whoever asks: see show
			shown.FilterCriteria = nil
		}
		out.EventSourceMappings = append(out.EventSourceMappings, shown)
	}
	return out, nil
}
