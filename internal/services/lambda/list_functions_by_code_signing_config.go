package lambda

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/signing"
	"github.com/licet/licet/internal/store"
)

func (s *Service) listFunctionsByCodeSigningConfigTarget(
	ctx context.Context, c *service.Call, in *sdk.ListFunctionsByCodeSigningConfigInput,
) (service.Target, error) {
	var v request.Validator
	v.Number("maxItems", in.MaxItems, 1, 10000)
	a, err := signing.Parse(&v, c, in.CodeSigningConfigArn)
	if err != nil {
		return service.Target{}, err
	}
	return s.signing.Target(ctx, c, "lambda:ListFunctionsByCodeSigningConfig", a)
}

func (s *Service) listFunctionsByCodeSigningConfig(
	ctx context.Context, c *service.Call, in *sdk.ListFunctionsByCodeSigningConfigInput,
) (*sdk.ListFunctionsByCodeSigningConfigOutput, error) {
	var v request.Validator
	a, err := signing.Parse(&v, c, in.CodeSigningConfigArn)
	if err != nil {
		return nil, err
	}
	if _, err := s.signing.Tags(ctx, a); err != nil { // is it there?
		return nil, err
	}
	page, err := request.PageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	var arns []string
	var names []string
	err = s.DB.View(ctx, func(r store.Reader) error {
		arns, names = []string{}, nil
		prefix := functionPrefix(a.AccountID, a.Region)
		return s.eachFunction(r, a, page.After(prefix), func(f *function) bool {
			if f.CodeSigningConfig == *in.CodeSigningConfigArn {
				arns, names = append(arns, f.reference.FunctionARN()), append(names, f.Name)
			}
			return len(arns) <= page.Size
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list functions of %s: %w", a, err)
	}
	out := &sdk.ListFunctionsByCodeSigningConfigOutput{FunctionArns: arns}
	if len(arns) > page.Size {
		out.FunctionArns, out.NextMarker = arns[:page.Size], aws.String(request.Marker(names[page.Size-1]))
	}
	return out, nil
}

// eachFunction gives the functions of an account and region after a key, until do has enough.
func (s *Service) eachFunction(r store.Reader, a arn.ARN, after string, do func(*function) bool) error {
	items, err := r.Scan(functionPrefix(a.AccountID, a.Region), after, 0)
	if err != nil {
		return err
	}
	for _, item := range items {
		f, err := s.decodeFunction(item)
		if err != nil {
			return err
		}
		if !do(f) {
			return nil
		}
	}
	return nil
}

// hasCodeSigningConfig tells whether a function has the configuration.
func (s *Service) hasCodeSigningConfig(r store.Reader, a arn.ARN) (has bool, err error) {
	err = s.eachFunction(r, a, "", func(f *function) bool {
		has = f.CodeSigningConfig == a.String()
		return !has
	})
	return has, err
}
