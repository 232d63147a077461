package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func putRuntimeManagementConfigReference(c *service.Call, in *sdk.PutRuntimeManagementConfigInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.NamespacedName)
	if v.Required("updateRuntimeOn", in.UpdateRuntimeOn != "") {
		request.Enum(&v, "updateRuntimeOn", in.UpdateRuntimeOn, in.UpdateRuntimeOn.Values())
	}
	v.Text("runtimeVersionArn", in.RuntimeVersionArn, runtimeVersionText)
	return v.Resolve(c, r, in.Qualifier)
}

func (s *Service) putRuntimeManagementConfig(
	ctx context.Context, c *service.Call, in *sdk.PutRuntimeManagementConfigInput,
) (*sdk.PutRuntimeManagementConfigOutput, error) {
	r, err := putRuntimeManagementConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	m := runtimeManagement{UpdateOn: in.UpdateRuntimeOn, VersionARN: aws.ToString(in.RuntimeVersionArn)}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		f, err := s.managed(tx, r)
		if err != nil {
			return err
		}
		if err := m.check(f); err != nil {
			return err
		}
		return store.PutJSON(tx, runtimeManagementKey(r), m)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.PutRuntimeManagementConfigOutput{
		FunctionArn: aws.String(r.ARN()), UpdateRuntimeOn: m.UpdateOn, RuntimeVersionArn: m.arn(),
	}, nil
}
