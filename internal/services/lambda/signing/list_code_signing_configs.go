package signing

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func listTarget(ctx context.Context, c *service.Call, in *sdk.ListCodeSigningConfigsInput) (service.Target, error) {
	var v request.Validator
	v.Number("maxItems", in.MaxItems, 1, 10000)
	if err := v.Err(); err != nil {
		return service.Target{}, err
	}
	return service.Any(ctx, c, in) // no resource-level permission: lambda.md 2.3
}

func (s *Service) list(
	ctx context.Context, c *service.Call, in *sdk.ListCodeSigningConfigsInput,
) (*sdk.ListCodeSigningConfigsOutput, error) {
	page, err := request.PageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var items []store.Item
	all := prefix(c.Account, c.Region)
	err = s.db.View(ctx, func(r store.Reader) (err error) {
		items, err = r.Scan(all, page.After(all), page.Size+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list code signing configurations: %w", err)
	}
	out := &sdk.ListCodeSigningConfigsOutput{CodeSigningConfigs: []types.CodeSigningConfig{}}
	for _, item := range items[:min(page.Size, len(items))] {
		found, err := store.DecodeJSON[configuration](item)
		if err != nil {
			return nil, err
		}
		out.CodeSigningConfigs = append(out.CodeSigningConfigs, *found.shown())
		if len(out.CodeSigningConfigs) == page.Size && len(items) > page.Size {
			out.NextMarker = aws.String(request.Marker(found.ID))
		}
	}
	return out, nil
}
