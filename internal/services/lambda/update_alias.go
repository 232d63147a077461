package lambda

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func updateAliasReference(c *service.Call, in *sdk.UpdateAliasInput) (request.Function, error) {
	var v request.Validator
	r := aliasFunction(&v, c, in.FunctionName, in.Name)
	v.Text("functionVersion", in.FunctionVersion, request.Version)
	v.Text("description", in.Description, request.Description)
	validateRouting(&v, in.RoutingConfig)
	return v.Resolve(c, r, nil)
}

// updateAlias changes what is given. An empty routing configuration ends the old one.
func (s *Service) updateAlias(ctx context.Context, c *service.Call, in *sdk.UpdateAliasInput) (*sdk.UpdateAliasOutput, error) {
	r, err := updateAliasReference(c, in)
	if err != nil {
		return nil, err
	}
	if err := r.Unpublished(); err != nil {
		return nil, err
	}
	var a *alias
	revision := uuid.NewString()
	err = s.DB.Update(ctx, func(tx store.Tx) (err error) {
		named := r.Qualified(*in.Name)
		if a, err = read(tx, aliasKey(named), decodeAlias); errors.Is(err, store.ErrNotFound) {
			return fault.AliasNotFound(named.ARN())
		} else if err != nil {
			return err
		}
		if err := checkRevision(in.RevisionId, a.RevisionID); err != nil {
			return err
		}
		a.RevisionID = revision
		set(&a.Description, in.Description)
		set(&a.Version, in.FunctionVersion)
		a.setRouting(in.RoutingConfig)
		if err := a.check(); err != nil {
			return err
		}
		return s.putAlias(tx, r, a)
	})
	if err != nil {
		return nil, err
	}
	return output[sdk.UpdateAliasOutput](a.configuration(r)), nil
}
