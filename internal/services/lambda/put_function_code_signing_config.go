package lambda

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/services/lambda/signing"
	"github.com/licet/licet/internal/store"
)

func putFunctionCodeSigningConfigReference(c *service.Call, in *sdk.PutFunctionCodeSigningConfigInput) (request.Function, error) {
	var v request.Validator
	v.RequiredText("codeSigningConfigArn", in.CodeSigningConfigArn, signing.ARN)
	return resolveUnqualified(&v, c, v.Function(c, in.FunctionName, request.NamespacedName))
}

func (s *Service) putFunctionCodeSigningConfigTarget(
	ctx context.Context, c *service.Call, in *sdk.PutFunctionCodeSigningConfigInput,
) (service.Target, error) {
	r, err := putFunctionCodeSigningConfigReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	t, err := s.target(ctx, c, "lambda:PutFunctionCodeSigningConfig", r)
	if err != nil {
		return service.Target{}, err
	}
	return t.With(func(keys *authz.Context) { keys.Set("lambda:CodeSigningConfigArn", *in.CodeSigningConfigArn) }), nil
}

// putFunctionCodeSigningConfigNeeds: the action is on the function and on the configuration (iam-lambda.json).
func (s *Service) putFunctionCodeSigningConfigNeeds(
	ctx context.Context, c *service.Call, in *sdk.PutFunctionCodeSigningConfigInput,
) ([]service.Need, error) {
	a, err := arn.Parse(*in.CodeSigningConfigArn)
	if err != nil { // its pattern is that of an ARN
		return nil, err
	}
	t, err := s.signing.Target(ctx, c, "lambda:PutFunctionCodeSigningConfig", a)
	if err != nil {
		return nil, err
	}
	t.Keys.Set("lambda:CodeSigningConfigArn", *in.CodeSigningConfigArn)
	return []service.Need{{Action: "lambda:PutFunctionCodeSigningConfig", Target: t}}, nil
}

func (s *Service) putFunctionCodeSigningConfig(
	ctx context.Context, c *service.Call, in *sdk.PutFunctionCodeSigningConfigInput,
) (*sdk.PutFunctionCodeSigningConfigOutput, error) {
	r, err := putFunctionCodeSigningConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if err := s.signing.Require(tx, c, *in.CodeSigningConfigArn); err != nil {
			return err
		}
		f, err := s.loadFunction(tx, r)
		if errors.Is(err, store.ErrNotFound) {
			return fault.FunctionNotFound(r.FunctionARN())
		}
		if err != nil {
			return err
		}
		f.CodeSigningConfig = *in.CodeSigningConfigArn
		if err := s.checkSigningConfig(tx, c, f); err != nil {
			return err
		}
		return s.putFunction(tx, f)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.PutFunctionCodeSigningConfigOutput{CodeSigningConfigArn: in.CodeSigningConfigArn, FunctionName: aws.String(r.Name)}, nil
}
