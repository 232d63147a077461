package layer

import (
	"context"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func removeLayerVersionPermissionReference(c *service.Call, in *sdk.RemoveLayerVersionPermissionInput) (Reference, error) {
	var v request.Validator
	r := versionOf(&v, c, in.LayerName, in.VersionNumber)
	v.RequiredText("statementId", in.StatementId, request.StatementID)
	return resolve(&v, c, r)
}

func (s *Service) removeLayerVersionPermission(
	ctx context.Context, c *service.Call, in *sdk.RemoveLayerVersionPermissionInput,
) (*sdk.RemoveLayerVersionPermissionOutput, error) {
	r, err := removeLayerVersionPermissionReference(c, in)
	if err != nil {
		return nil, err
	}
	revision := uuid.NewString()
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		p, err := policyOf(tx, r)
		if err != nil {
			return err
		}
		i := p.find(*in.StatementId)
		if i < 0 {
			return fault.NotFound("Statement %s is not found in resource policy.", *in.StatementId)
		}
		if in.RevisionId != nil && *in.RevisionId != p.RevisionID {
			return fault.PreconditionFailed("GetLayerPolicy")
		}
		p.RevisionID = revision
		p.Statements = slices.Delete(p.Statements, i, i+1)
		return putPolicy(tx, r, p)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.RemoveLayerVersionPermissionOutput{}, nil
}
