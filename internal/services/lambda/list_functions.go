package lambda

import (
	"context"
	"errors"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// maxPage: https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html, "Lambda returns up to 50 functions per call"; so it
// is for versions (API_ListVersionsByFunction). For aliases AWS states none.
const maxPage = 50

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
	out := &sdk.ListFunctionsOutput{Functions: []types.FunctionConfiguration{}} // AWS sends an empty list
	all := in.FunctionVersion == types.FunctionVersionAll
	if in.MasterRegion != nil {
		return out, checkMasterRegion(*in.MasterRegion, all)
	}
	after, err := markerOf(in.Marker)
	if err != nil {
		return nil, err
	}
	name, number, qualified := strings.Cut(after, ":")
	if after != "" && (qualified != all || all && !isNumber(number)) {
		return nil, fault.InvalidParameter("Invalid Marker: %s", *in.Marker)
	}
	page := pageSize(in.MaxItems)
	var functions []found
	err = s.DB.View(ctx, func(reader store.Reader) (err error) {
		// One more tells whether there is a next page.
		functions, err = s.functionsAfter(reader, functionPrefix(c.Account, c.Region), name, number, all, page+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list functions: %w", err)
	}
	for _, f := range functions[:min(page, len(functions))] {
		last, qualifier := f.function.Name, ""
		if all { // every version is listed with its own ARN
			qualifier = f.number()
			last += ":" + qualifier
		}
		out.Functions = append(out.Functions, f.configuration(qualifier, listed))
		if len(out.Functions) == page && len(functions) > page {
			out.NextMarker = marker(last)
		}
	}
	return out, nil
}

// checkMasterRegion: the member asks for the functions that Lambda@Edge copied from there, and there are none here. The text is ours.
func checkMasterRegion(region string, all bool) error {
	switch {
	case !all:
		return fault.InvalidParameter("FunctionVersion must be ALL if MasterRegion is specified.")
	case region == "ALL": // AWS does not say what it asks for
		return fault.NotImplemented("ListFunctions", "MasterRegion=ALL")
	}
	return nil
}

// functionsAfter gives up to limit functions after the one of that name, with all their versions or without. With, it begins with
// those versions of the named function that come after that number.
func (s *Service) functionsAfter(reader store.Reader, prefix, name, number string, all bool, limit int) ([]found, error) {
	var out []found
	after := ""
	if name != "" {
		after = prefix + name
	}
	if number != "" {
		f, err := read(reader, after, s.decodeFunction)
		if err == nil {
			out, err = s.versionsAfter(reader, f, number, limit)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	if len(out) >= limit {
		return out, nil
	}
	items, err := reader.Scan(prefix, after, limit-len(out))
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		f, err := s.decodeFunction(item)
		if err != nil {
			return nil, err
		}
		versions := []found{f.latest()}
		if all {
			if versions, err = s.versionsAfter(reader, f, "", limit-len(out)); err != nil {
				return nil, err
			}
		}
		if out = append(out, versions...); len(out) >= limit {
			break
		}
	}
	return out, nil
}
