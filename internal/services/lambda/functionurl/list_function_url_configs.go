package functionurl

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

const listAction = "lambda:ListFunctionUrlConfigs"

// listReference is the function, whatever its name's qualifier: the URLs of all of its aliases are listed.
func listReference(c *service.Call, in *sdk.ListFunctionUrlConfigsInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.FunctionName)
	v.Number("maxItems", in.MaxItems, 1, request.MaxPage)
	r, err := v.Resolve(c, r, nil)
	r.Qualifier = ""
	return r, err
}

func (s *Service) listTarget(ctx context.Context, c *service.Call, in *sdk.ListFunctionUrlConfigsInput) (service.Target, error) {
	all, err := s.listAll(ctx, c, in)
	if err != nil {
		return service.Target{}, err
	}
	return all[0].Target, nil
}

func (s *Service) listNeeds(ctx context.Context, c *service.Call, in *sdk.ListFunctionUrlConfigsInput) ([]service.Need, error) {
	all, err := s.listAll(ctx, c, in)
	if err != nil {
		return nil, err
	}
	return all[1:], nil
}

// listAll are the permissions that it takes: one for each auth type among the URLs, for the key has one value.
func (s *Service) listAll(ctx context.Context, c *service.Call, in *sdk.ListFunctionUrlConfigsInput) ([]service.Need, error) {
	r, err := listReference(c, in)
	if err != nil {
		return nil, err
	}
	urls, err := s.scan(ctx, r, "", 0)
	if err != nil {
		return nil, err
	}
	t, err := s.functions.Target(ctx, c, listAction, r)
	if err != nil {
		return nil, err
	}
	if len(urls) == 0 {
		return []service.Need{{Action: listAction, Target: t}}, nil
	}
	var needs []service.Need
	var seen []types.FunctionUrlAuthType
	for _, u := range urls {
		if !slices.Contains(seen, u.AuthType) {
			seen = append(seen, u.AuthType)
			withType := t.With(func(keys *authz.Context) { keys.Set(authTypeKey, string(u.AuthType)) })
			needs = append(needs, service.Need{Action: listAction, Target: withType})
		}
	}
	return needs, nil
}

// scan gives the URLs of a function behind a key, in the order of the aliases' names; 0 means all.
func (s *Service) scan(ctx context.Context, r request.Function, after string, limit int) ([]config, error) {
	var items []store.Item
	err := s.db.View(ctx, func(reader store.Reader) (err error) {
		items, err = reader.Scan(s.prefix(r), after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the URLs of %s: %w", r.ARN(), err)
	}
	all := make([]config, len(items))
	for i, item := range items {
		if all[i], err = store.DecodeJSON[config](item); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *Service) list(
	ctx context.Context, c *service.Call, in *sdk.ListFunctionUrlConfigsInput,
) (*sdk.ListFunctionUrlConfigsOutput, error) {
	r, err := listReference(c, in)
	if err != nil {
		return nil, err
	}
	if err := s.db.View(ctx, func(reader store.Reader) error { return s.checkFunction(reader, r) }); err != nil {
		return nil, err
	}
	page, err := request.PageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	after := ""
	if page.Last != "" {
		last, ok := strings.CutPrefix(page.Last, markerHead)
		if !ok {
			return nil, fault.InvalidParameter("Invalid Marker: %s", *in.Marker)
		}
		after = s.prefix(r) + last
	}
	urls, err := s.scan(ctx, r, after, page.Size+1) // one more tells whether there is a next page
	if err != nil {
		return nil, err
	}
	out := &sdk.ListFunctionUrlConfigsOutput{FunctionUrlConfigs: []types.FunctionUrlConfig{}}
	if len(urls) > page.Size {
		urls = urls[:page.Size]
		out.NextMarker = aws.String(request.Marker(markerHead + urls[page.Size-1].Qualifier))
	}
	for i := range urls {
		out.FunctionUrlConfigs = append(out.FunctionUrlConfigs, s.shown(r, &urls[i]))
	}
	return out, nil
}

// markerHead begins markers, for the function's own URL has no name.
const markerHead = "url/"
