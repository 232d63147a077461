package logs

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *Service) deleteLogGroup(
	ctx context.Context, c *service.Call, in *sdk.DeleteLogGroupInput,
) (*sdk.DeleteLogGroupOutput, error) {
	return &sdk.DeleteLogGroupOutput{}, s.db.Update(ctx, func(tx store.Tx) error {
		ref := byName(c, in.LogGroupName)
		g, err := loadGroup(tx, c, ref)
		if err != nil {
			return err
		}
		if g.Protected {
			return protected()
		}
		errs := []error{tx.Delete(groupKey(ref)), tx.Delete(g.sizeKey())}
		for _, prefix := range []string{g.streamPrefix(), g.eventPrefix(), g.metricPrefix(), g.subscriptionPrefix(), g.lines()} {
			errs = append(errs, tx.DeletePrefix(prefix))
		}
		return errors.Join(errs...)
	})
}
