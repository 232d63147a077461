package logs

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *Service) createLogStream(
	ctx context.Context, c *service.Call, in *sdk.CreateLogStreamInput,
) (*sdk.CreateLogStreamOutput, error) {
	return &sdk.CreateLogStreamOutput{}, s.db.Update(ctx, func(tx store.Tx) error {
		g, err := loadGroup(tx, c, byName(c, in.LogGroupName))
		if err != nil {
			return err
		}
		key := g.streamPrefix() + *in.LogStreamName
		_, err = tx.Get(key)
		if err == nil {
			return streamExists()
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return store.PutJSON(tx, key, stream{ID: newID(tx), Name: *in.LogStreamName, Created: c.Time.UnixMilli()})
	})
}
