package mapping

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *Service) delete(
	ctx context.Context, c *service.Call, in *sdk.DeleteEventSourceMappingInput,
) (*sdk.DeleteEventSourceMappingOutput, error) {
	var m *mapping
	err := s.db.Update(ctx, func(tx store.Tx) (err error) {
		if m, err = load(tx, c.Account, c.Region, *in.UUID); err != nil {
			return err
		}
		return errors.Join(release(tx, m), tx.Delete(key(c.Account, c.Region, *in.UUID)),
			tx.Delete(resultKey(c.Account, c.Region, *in.UUID)))
	})
	if err != nil {
		return nil, answer(err, *in.UUID)
	}
	shown, err := s.show(ctx, c, m, "Deleting")
	if err != nil {
		return nil, err
	}
	return (*sdk.DeleteEventSourceMappingOutput)(output(shown)), nil
}
