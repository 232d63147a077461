package lambda

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

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
	all := in.FunctionVersion == types.FunctionVersionAll
	if in.MasterRegion != nil {
		return &sdk.ListFunctionsOutput{Functions: []types.FunctionConfiguration{}}, checkMasterRegion(*in.MasterRegion, all)
	}
	page, err := request.PageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	name, number, qualified := strings.Cut(page.Last, ":")
	if page.Last != "" && (qualified != all || all && !isNumber(number)) {
		return nil, fault.InvalidParameter("Invalid Marker: %s", *in.Marker)
	}
	if !all {
		return s.listLatest(ctx, c, listingKey{c.Account, c.Region, name, page.Size})
	}
	after := request.Function{Partition: c.Partition, Region: c.Region, Account: c.Account, Name: name, Qualifier: number}
	functions, err := s.versionsOfAllAfter(ctx, after, page.Size+1) // one more tells whether there is a next page
	if err != nil {
		return nil, fmt.Errorf("list functions: %w", err)
	}
	out := &sdk.ListFunctionsOutput{}
	if len(functions) > page.Size {
		functions = functions[:page.Size]
		last := functions[page.Size-1]
		out.NextMarker = aws.String(request.Marker(last.Name + ":" + last.Qualifier))
	}
	out.Functions, err = s.showListed(ctx, c, functions)
	return out, err
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

// versionsOfAllAfter gives up to limit versions of the functions of an account, beginning with those of a function that come after its
// qualifier, "" for the first of all.
func (s *Service) versionsOfAllAfter(ctx context.Context, r request.Function, limit int) (out []request.Function, err error) {
	err = s.DB.View(ctx, func(reader store.Reader) error {
		out, err = versionsOfAll(reader, r, limit)
		return err
	})
	return out, err
}

func versionsOfAll(reader store.Reader, r request.Function, limit int) ([]request.Function, error) {
	var out []request.Function
	prefix, after := functionPrefix(r.Account, r.Region), ""
	if r.Name != "" {
		after = functionKey(r)
	}
	if r.Qualifier != "" { // without versions, if it is gone
		var err error
		if out, err = versionsAfter(reader, r, r.Qualifier, limit); err != nil || len(out) == limit {
			return out, err
		}
	}
	items, err := reader.Scan(prefix, after, limit-len(out))
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		r.Name, r.Qualifier = strings.TrimPrefix(item.Key, prefix), ""
		versions, err := versionsAfter(reader, r, "", limit-len(out))
		if err != nil {
			return nil, err
		}
		if out = append(out, versions...); len(out) == limit {
			break
		}
	}
	return out, nil
}
