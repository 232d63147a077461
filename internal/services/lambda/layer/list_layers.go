package layer

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

func listLayersTarget(ctx context.Context, c *service.Call, in *sdk.ListLayersInput) (service.Target, error) {
	var v request.Validator
	request.Enum(&v, "compatibleRuntime", in.CompatibleRuntime, in.CompatibleRuntime.Values())
	v.Number("maxItems", in.MaxItems, 1, maxPage)
	request.Enum(&v, "compatibleArchitecture", in.CompatibleArchitecture, in.CompatibleArchitecture.Values())
	if err := v.Err(); err != nil {
		return service.Target{}, err
	}
	return service.Any(ctx, c, in) // no resource-level permission: lambda.md 2.3
}

// listLayers shows layers by name, each with the newest of its versions that match; layers without one are not shown
// (https://docs.aws.amazon.com/lambda/latest/api/API_ListLayers.html).
func (s *Service) listLayers(ctx context.Context, c *service.Call, in *sdk.ListLayersInput) (*sdk.ListLayersOutput, error) {
	page, err := request.PageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var found []*Version
	err = s.DB.View(ctx, func(reader store.Reader) (err error) {
		found, err = newestOfEach(reader, c, page.Last, page.Size+1, in.CompatibleRuntime, in.CompatibleArchitecture) // one more tells of a next page
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list layers: %w", err)
	}
	out := &sdk.ListLayersOutput{Layers: []types.LayersListItem{}} // AWS sends an empty list
	for _, v := range found[:min(page.Size, len(found))] {
		version := v.listed()
		out.Layers = append(out.Layers, types.LayersListItem{
			LatestMatchingVersion: &version, LayerArn: aws.String(v.reference().LayerARN()), LayerName: aws.String(v.Name),
		})
	}
	if len(found) > page.Size {
		out.NextMarker = aws.String(request.Marker(found[page.Size-1].Name))
	}
	return out, nil
}

// newestOfEach gives the newest matching version of up to limit layers, whose names come after last.
func newestOfEach(
	reader store.Reader, c *service.Call, last string, limit int, runtime types.Runtime, architecture types.Architecture,
) ([]*Version, error) {
	layers := prefix(c.Account, c.Region, "layer")
	var found []*Version
	for at := layers + last; ; {
		items, err := reader.Scan(layers, at, maxPage)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			at = item.Key
			r := Reference{Partition: c.Partition, Region: c.Region, Account: c.Account, Name: strings.TrimPrefix(at, layers)}
			one, err := newest(reader, r, 1, runtime, architecture)
			if err != nil {
				return nil, err
			}
			if found = append(found, one...); len(found) == limit {
				return found, nil
			}
		}
		if len(items) < maxPage {
			return found, nil
		}
	}
}
