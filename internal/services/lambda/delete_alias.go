package lambda

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func deleteAliasReference(c *service.Call, in *sdk.DeleteAliasInput) (request.Function, error) {
	var v request.Validator
	return v.Resolve(c, aliasFunction(&v, c, in.FunctionName, in.Name), nil)
}

// deleteAlias deletes an alias and what belongs to it. One that is not there is no error.
func (s *Service) deleteAlias(ctx context.Context, c *service.Call, in *sdk.DeleteAliasInput) (*sdk.DeleteAliasOutput, error) {
	r, err := deleteAliasReference(c, in)
	if err != nil {
		return nil, err
	}
	if err := r.Unpublished(); err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Get(functionKey(r)); errors.Is(err, store.ErrNotFound) {
			return fault.FunctionNotFound(r.ARN())
		} else if err != nil {
			return err
		}
		alias := r.Qualified(*in.Name)
		return errors.Join(s.urls.Forget(tx, alias), deleteQualified(tx, alias))
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteAliasOutput{}, nil
}
