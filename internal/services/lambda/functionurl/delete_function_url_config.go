package functionurl

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func deleteReference(c *service.Call, in *sdk.DeleteFunctionUrlConfigInput) (request.Function, error) {
	var v request.Validator
	return reference(&v, c, in.FunctionName, in.Qualifier)
}

func (s *Service) deleteTarget(ctx context.Context, c *service.Call, in *sdk.DeleteFunctionUrlConfigInput) (service.Target, error) {
	r, err := deleteReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	return s.targetOfExisting(ctx, c, "lambda:DeleteFunctionUrlConfig", r)
}

func (s *Service) delete(
	ctx context.Context, c *service.Call, in *sdk.DeleteFunctionUrlConfigInput,
) (*sdk.DeleteFunctionUrlConfigOutput, error) {
	r, err := deleteReference(c, in)
	if err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx store.Tx) error {
		u, err := s.load(tx, r)
		if err != nil {
			return err
		}
		if u == nil {
			return missing()
		}
		return errors.Join(tx.Delete(s.key(r)), tx.Delete(indexKey(u.ID)))
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteFunctionUrlConfigOutput{}, nil
}
