package lambda

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func deleteProvisionedConcurrencyConfigReference(
	c *service.Call, in *sdk.DeleteProvisionedConcurrencyConfigInput,
) (request.Function, error) {
	return readProvisioned(c, in.FunctionName, in.Qualifier)
}

// deleteProvisionedConcurrencyConfig succeeds also where nothing is configured (recorded from AWS).
func (s *Service) deleteProvisionedConcurrencyConfig(
	ctx context.Context, c *service.Call, in *sdk.DeleteProvisionedConcurrencyConfigInput,
) (*sdk.DeleteProvisionedConcurrencyConfigOutput, error) {
	r, err := deleteProvisionedConcurrencyConfigReference(c, in)
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		if _, err := s.load(tx, r); errors.Is(err, store.ErrNotFound) {
			return qualifiedNotFound(r)
		} else if err != nil {
			return err
		}
		return releaseConcurrency(tx, r)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteProvisionedConcurrencyConfigOutput{}, nil
}
