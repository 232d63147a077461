package functionurl

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

const updateAction = "lambda:UpdateFunctionUrlConfig"

func updateReference(c *service.Call, in *sdk.UpdateFunctionUrlConfigInput) (request.Function, error) {
	var v request.Validator
	request.Enum(&v, "authType", in.AuthType, in.AuthType.Values())
	validateCors(&v, in.Cors)
	request.Enum(&v, "invokeMode", in.InvokeMode, in.InvokeMode.Values())
	return reference(&v, c, in.FunctionName, in.Qualifier)
}

func (s *Service) updateTarget(ctx context.Context, c *service.Call, in *sdk.UpdateFunctionUrlConfigInput) (service.Target, error) {
	r, err := updateReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	return s.targetOfExisting(ctx, c, updateAction, r)
}

// updateNeeds asks for the auth type that is to be where it is another. The User Guide denies by this key updates of functions "with URL
// auth type NONE", and in a service control policy all that would make URLs of other types (urls-auth, "Condition keys"): the first is
// about the type that is, the second about the one that will be.
func (s *Service) updateNeeds(ctx context.Context, c *service.Call, in *sdk.UpdateFunctionUrlConfigInput) ([]service.Need, error) {
	r, err := updateReference(c, in)
	if err != nil {
		return nil, err
	}
	u, err := s.find(ctx, r)
	if err != nil || in.AuthType == "" || u != nil && u.AuthType == in.AuthType {
		return nil, err
	}
	t, err := s.target(ctx, c, updateAction, r, in.AuthType)
	return []service.Need{{Action: updateAction, Target: t}}, err
}

func (s *Service) update(
	ctx context.Context, c *service.Call, in *sdk.UpdateFunctionUrlConfigInput,
) (*sdk.UpdateFunctionUrlConfigOutput, error) {
	r, err := updateReference(c, in)
	if err != nil {
		return nil, err
	}
	var u *config
	err = s.db.Update(ctx, func(tx store.Tx) error {
		if err := s.checkFunction(tx, r); err != nil {
			return err
		}
		if u, err = s.load(tx, r); err != nil {
			return err
		}
		if u == nil {
			return missing()
		}
		u.apply(in)
		u.Modified = c.Time
		return s.put(tx, r, u)
	})
	if err != nil {
		return nil, err
	}
	shown := s.shown(r, u)
	return &sdk.UpdateFunctionUrlConfigOutput{
		AuthType: shown.AuthType, Cors: shown.Cors, CreationTime: shown.CreationTime, FunctionArn: shown.FunctionArn,
		FunctionUrl: shown.FunctionUrl, LastModifiedTime: shown.LastModifiedTime, InvokeMode: in.InvokeMode,
	}, nil
}

// apply changes what the request gives. Cors is replaced as a whole.
func (u *config) apply(in *sdk.UpdateFunctionUrlConfigInput) {
	if in.AuthType != "" {
		u.AuthType = in.AuthType
	}
	if in.InvokeMode != "" {
		u.InvokeMode = in.InvokeMode
	}
	if in.Cors != nil {
		u.Cors = given(in.Cors)
	}
}
