package layer

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func deleteLayerVersionReference(c *service.Call, in *sdk.DeleteLayerVersionInput) (Reference, error) {
	var v request.Validator
	return resolve(&v, c, versionOf(&v, c, in.LayerName, in.VersionNumber))
}

// deleteLayerVersion takes a version away; that there is none is no error (recorded from AWS).
func (s *Service) deleteLayerVersion(
	ctx context.Context, c *service.Call, in *sdk.DeleteLayerVersionInput,
) (*sdk.DeleteLayerVersionOutput, error) {
	r, err := deleteLayerVersionReference(c, in)
	if err != nil {
		return nil, err
	}
	if err := r.possible(); err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if _, err := load(tx, r); errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		return errors.Join(tx.Delete(r.versionKey()), tx.Delete(r.policyKey()))
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteLayerVersionOutput{}, nil
}
