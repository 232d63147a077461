package lambda

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func createAliasReference(c *service.Call, in *sdk.CreateAliasInput) (request.Function, error) {
	var v request.Validator
	r := aliasFunction(&v, c, in.FunctionName, in.Name)
	v.RequiredText("functionVersion", in.FunctionVersion, request.Version)
	v.Text("description", in.Description, request.Description)
	validateRouting(&v, in.RoutingConfig)
	return v.Resolve(c, r, nil)
}

func (s *Service) createAlias(ctx context.Context, c *service.Call, in *sdk.CreateAliasInput) (*sdk.CreateAliasOutput, error) {
	r, err := createAliasReference(c, in)
	if err != nil {
		return nil, err
	}
	if err := r.Unpublished(); err != nil {
		return nil, err
	}
	a := &alias{
		Name: *in.Name, Description: aws.ToString(in.Description), RevisionID: uuid.NewString(), Version: *in.FunctionVersion,
	}
	a.setRouting(in.RoutingConfig)
	if err := a.check(); err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		named := r.Qualified(a.Name)
		if _, err := tx.Get(aliasKey(named)); err == nil {
			return fault.Conflict("Alias already exists: %s", named.ARN())
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return s.putAlias(tx, r, a)
	})
	if err != nil {
		return nil, err
	}
	return output[sdk.CreateAliasOutput](a.configuration(r)), nil
}
