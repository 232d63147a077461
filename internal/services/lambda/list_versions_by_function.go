package lambda

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func listVersionsByFunctionReference(c *service.Call, in *sdk.ListVersionsByFunctionInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.NamespacedName)
	v.Number("maxItems", in.MaxItems, 1, 10000)
	return v.Resolve(c, r, nil)
}

func (s *Service) listVersionsByFunction(
	ctx context.Context, c *service.Call, in *sdk.ListVersionsByFunctionInput,
) (*sdk.ListVersionsByFunctionOutput, error) {
	r, err := listVersionsByFunctionReference(c, in)
	if err != nil {
		return nil, err
	}
	if err := r.Unpublished(); err != nil {
		return nil, err
	}
	after, err := markerOf(in.Marker)
	if err == nil && after != "" && !isNumber(after) {
		err = fault.InvalidParameter("Invalid Marker: %s", *in.Marker)
	}
	if err != nil {
		return nil, err
	}
	page := pageSize(in.MaxItems)
	var versions []found
	err = s.DB.View(ctx, func(reader store.Reader) error {
		f, err := s.loadFunction(reader, r)
		if errors.Is(err, store.ErrNotFound) {
			return fault.FunctionNotFound(r.ARN())
		}
		if err != nil {
			return err
		}
		versions, err = s.versionsAfter(reader, f, after, page+1) // one more tells whether there is a next page
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list versions of %s: %w", r.ARN(), err)
	}
	out := &sdk.ListVersionsByFunctionOutput{Versions: []types.FunctionConfiguration{}}
	for _, v := range versions[:min(page, len(versions))] {
		out.Versions = append(out.Versions, v.configuration(v.number(), listed))
	}
	if len(versions) > page {
		out.NextMarker = marker(versions[page-1].number())
	}
	return out, nil
}
