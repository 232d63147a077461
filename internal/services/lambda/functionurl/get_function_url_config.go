package functionurl

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
)

func getReference(c *service.Call, in *sdk.GetFunctionUrlConfigInput) (request.Function, error) {
	var v request.Validator
	return reference(&v, c, in.FunctionName, in.Qualifier)
}

func (s *Service) getTarget(ctx context.Context, c *service.Call, in *sdk.GetFunctionUrlConfigInput) (service.Target, error) {
	r, err := getReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	return s.targetOfExisting(ctx, c, "lambda:GetFunctionUrlConfig", r)
}

func (s *Service) get(ctx context.Context, c *service.Call, in *sdk.GetFunctionUrlConfigInput) (*sdk.GetFunctionUrlConfigOutput, error) {
	r, err := getReference(c, in)
	if err != nil {
		return nil, err
	}
	u, err := s.find(ctx, r)
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, missing()
	}
	shown := s.shown(r, u)
	return &sdk.GetFunctionUrlConfigOutput{
		AuthType: shown.AuthType, Cors: shown.Cors, CreationTime: shown.CreationTime, FunctionArn: shown.FunctionArn,
		FunctionUrl: shown.FunctionUrl, InvokeMode: shown.InvokeMode, LastModifiedTime: shown.LastModifiedTime,
	}, nil
}
