package lambda

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

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
	page, err := request.PageOf(in.Marker, in.MaxItems)
	if err == nil && page.Last != "" && !isNumber(page.Last) {
		err = fault.InvalidParameter("Invalid Marker: %s", *in.Marker)
	}
	if err != nil {
		return nil, err
	}
	var versions []request.Function
	err = s.DB.View(ctx, func(reader store.Reader) (err error) {
		if _, err := reader.Get(functionKey(r)); errors.Is(err, store.ErrNotFound) {
			return fault.FunctionNotFound(r.ARN())
		} else if err != nil {
			return err
		}
		versions, err = versionsAfter(reader, r, page.Last, page.Size+1) // one more tells whether there is a next page
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list versions of %s: %w", r.ARN(), err)
	}
	out := &sdk.ListVersionsByFunctionOutput{}
	if len(versions) > page.Size {
		versions = versions[:page.Size]
		out.NextMarker = aws.String(request.Marker(versions[page.Size-1].Qualifier))
	}
	out.Versions, err = s.showListed(ctx, c, versions)
	return out, err
}
