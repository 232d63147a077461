package layer

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func listLayerVersionsReference(c *service.Call, in *sdk.ListLayerVersionsInput) (Reference, error) {
	var v request.Validator
	request.Enum(&v, "compatibleRuntime", in.CompatibleRuntime, in.CompatibleRuntime.Values())
	r := named(&v, c, in.LayerName)
	v.Number("maxItems", in.MaxItems, 1, maxPage)
	request.Enum(&v, "compatibleArchitecture", in.CompatibleArchitecture, in.CompatibleArchitecture.Values())
	return resolve(&v, c, r)
}

// listLayerVersionsTarget: the action has no resource-level permission (lambda.md 2.3), yet AWS names the layer when it denies the list of
// another account's, which no policy of a layer version can grant (as users report it).
func listLayerVersionsTarget(
	ctx context.Context, c *service.Call, in *sdk.ListLayerVersionsInput,
) (service.Target, error) {
	r, err := listLayerVersionsReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	if r.Account != c.Account {
		return service.Target{ARN: r.LayerARN(), Account: r.Account}, nil
	}
	return service.Any(ctx, c, in)
}

// listLayerVersions shows the newest version first; of a layer that is not there, none (recorded from AWS).
func (s *Service) listLayerVersions(
	ctx context.Context, c *service.Call, in *sdk.ListLayerVersionsInput,
) (*sdk.ListLayerVersionsOutput, error) {
	r, err := listLayerVersionsReference(c, in)
	if err != nil {
		return nil, err
	}
	page, err := request.PageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	if r.Number = page.Last; page.Last != "" && r.number() == 0 {
		return nil, fault.InvalidParameter("Invalid Marker: %s", *in.Marker)
	}
	var found []*Version
	err = s.DB.View(ctx, func(reader store.Reader) (err error) {
		found, err = newest(reader, r, page.Size+1, in.CompatibleRuntime, in.CompatibleArchitecture) // one more tells of a next page
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list versions of %s: %w", r.LayerARN(), err)
	}
	out := &sdk.ListLayerVersionsOutput{LayerVersions: []types.LayerVersionsListItem{}} // AWS sends an empty list
	for _, v := range found[:min(page.Size, len(found))] {
		out.LayerVersions = append(out.LayerVersions, v.listed())
	}
	if len(found) > page.Size {
		out.NextMarker = aws.String(request.Marker(strconv.FormatInt(found[page.Size-1].Number, 10)))
	}
	return out, nil
}

// newest gives up to limit versions that match, from the newest down, all of them older than the one that r names, if it names one.
func newest(
	reader store.Reader, r Reference, limit int, runtime types.Runtime, architecture types.Architecture,
) ([]*Version, error) {
	var found []*Version
	before := ""
	if r.Number != "" {
		before = r.versionKey()
	}
	for {
		items, err := reader.ScanReverse(r.versionsPrefix(), before, maxPage)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			v, err := store.DecodeJSON[Version](item)
			if err != nil {
				return nil, err
			}
			if before = item.Key; v.Partition != r.Partition || !v.matches(runtime, architecture) {
				continue
			}
			if found = append(found, &v); len(found) == limit {
				return found, nil
			}
		}
		if len(items) < maxPage {
			return found, nil
		}
	}
}
