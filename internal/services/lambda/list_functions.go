package lambda

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// maxPage: https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html, "Lambda returns up to 50 functions per call".
const maxPage = 50

func listFunctionsTarget(ctx context.Context, c *service.Call, in *sdk.ListFunctionsInput) (service.Target, error) {
	var v request.Validator
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
	after := ""
	if isSet(in.Marker) {
		name, err := base64.RawURLEncoding.DecodeString(*in.Marker)
		if err != nil || len(name) == 0 {
			return nil, fault.InvalidParameter("Invalid Marker: %s", *in.Marker)
		}
		after = prefix + string(name)
	}
	page := maxPage
	if in.MaxItems != nil {
		page = min(page, int(*in.MaxItems))
	}
	var items []store.Item
	err := s.DB.View(ctx, func(r store.Reader) (err error) {
		items, err = r.Scan(prefix, after, page+1) // one more tells whether there is a next page
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
	for _, item := range items[:min(page, len(items))] {
		f, err := s.decodeFunction(item)
		if err != nil {
			return nil, err
		}
		out.Functions = append(out.Functions, f.latest().configuration(qualifier, listed))
		if len(out.Functions) == page && len(items) > page {
			out.NextMarker = aws.String(base64.RawURLEncoding.EncodeToString([]byte(f.Name)))
		}
	}
	return out, nil
}
