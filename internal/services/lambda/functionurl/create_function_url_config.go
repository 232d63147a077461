package functionurl

import (
	"cmp"
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func createReference(c *service.Call, in *sdk.CreateFunctionUrlConfigInput) (request.Function, error) {
	var v request.Validator
	if v.Required("authType", in.AuthType != "") {
		request.Enum(&v, "authType", in.AuthType, in.AuthType.Values())
	}
	validateCors(&v, in.Cors)
	request.Enum(&v, "invokeMode", in.InvokeMode, in.InvokeMode.Values())
	return reference(&v, c, in.FunctionName, in.Qualifier)
}

func (s *Service) createTarget(ctx context.Context, c *service.Call, in *sdk.CreateFunctionUrlConfigInput) (service.Target, error) {
	r, err := createReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	return s.target(ctx, c, "lambda:CreateFunctionUrlConfig", r, in.AuthType)
}

func (s *Service) create(
	ctx context.Context, c *service.Call, in *sdk.CreateFunctionUrlConfigInput,
) (*sdk.CreateFunctionUrlConfigOutput, error) {
	r, err := createReference(c, in)
	if err != nil {
		return nil, err
	}
	u := &config{
		ID: newID(), Qualifier: r.Qualifier, AuthType: in.AuthType, Cors: given(in.Cors),
		InvokeMode: cmp.Or(in.InvokeMode, types.InvokeModeBuffered), Created: c.Time, Modified: c.Time,
	}
	err = s.db.Update(ctx, func(tx store.Tx) error {
		if err := notThere(s.functions.MayHaveURL(tx, r)); err != nil {
			return err
		}
		old, err := s.load(tx, r)
		if err != nil {
			return err
		}
		if old != nil {
			return fault.Conflict("Failed to create function url config for [functionArn = %s]. Error message:  "+
				"FunctionUrlConfig exists for this Lambda function", r.ARN())
		}
		return s.put(tx, r, u)
	})
	if err != nil {
		return nil, err
	}
	shown := s.shown(r, u)
	return &sdk.CreateFunctionUrlConfigOutput{
		AuthType: shown.AuthType, Cors: shown.Cors, CreationTime: shown.CreationTime, FunctionArn: shown.FunctionArn,
		FunctionUrl: shown.FunctionUrl, InvokeMode: in.InvokeMode, // as recorded: it is shown if it was given
	}, nil
}
