package lambda

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func listAliasesReference(c *service.Call, in *sdk.ListAliasesInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.FunctionName)
	v.Text("functionVersion", in.FunctionVersion, request.Version)
	v.Number("maxItems", in.MaxItems, 1, 10000)
	return v.Resolve(c, r, nil)
}

func (s *Service) listAliases(ctx context.Context, c *service.Call, in *sdk.ListAliasesInput) (*sdk.ListAliasesOutput, error) {
	r, err := listAliasesReference(c, in)
	if err != nil {
		return nil, err
	}
	if err := r.Unpublished(); err != nil {
		return nil, err
	}
	page, err := request.PageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var aliases []*alias
	err = s.DB.View(ctx, func(reader store.Reader) (err error) {
		if _, err := reader.Get(functionKey(r)); errors.Is(err, store.ErrNotFound) {
			return fault.FunctionNotFound(r.ARN())
		} else if err != nil {
			return err
		}
		aliases, err = aliasesOf(reader, r, page.Last)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list aliases of %s: %w", r.ARN(), err)
	}
	out := &sdk.ListAliasesOutput{Aliases: []types.AliasConfiguration{}}
	for _, a := range aliases {
		// The member of that name: an alias that has the version as its second one is not among them.
		if in.FunctionVersion != nil && a.Version != *in.FunctionVersion {
			continue
		}
		if len(out.Aliases) == page.Size {
			out.NextMarker = aws.String(request.Marker(*out.Aliases[page.Size-1].Name))
			break
		}
		out.Aliases = append(out.Aliases, a.configuration(r))
	}
	return out, nil
}
