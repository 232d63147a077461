package logs

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *Service) deleteLogStream(
	ctx context.Context, c *service.Call, in *sdk.DeleteLogStreamInput,
) (*sdk.DeleteLogStreamOutput, error) {
	return &sdk.DeleteLogStreamOutput{}, s.db.Update(ctx, func(tx store.Tx) error {
		g, err := loadGroup(tx, c, byName(c, in.LogGroupName))
		if err != nil {
			return err
		}
		st, err := loadStream(tx, g, *in.LogStreamName)
		if err != nil {
			return err
		}
		return errors.Join(
			g.grow(tx, &st, -st.Bytes), tx.Delete(g.streamPrefix()+st.Name), tx.DeletePrefix(g.streamEventPrefix(st)),
		)
	})
}
