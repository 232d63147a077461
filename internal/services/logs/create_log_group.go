package logs

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *Service) createLogGroup(
	ctx context.Context, c *service.Call, in *sdk.CreateLogGroupInput,
) (*sdk.CreateLogGroupOutput, error) {
	switch {
	case in.KmsKeyId != nil:
		return nil, notImplemented(c.Operation, "kmsKeyId")
	case in.LogGroupClass != "" && in.LogGroupClass != types.LogGroupClassStandard:
		return nil, notImplemented(c.Operation, fmt.Sprintf("logGroupClass with the value %s", in.LogGroupClass))
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	ref := byName(c, in.LogGroupName)
	return &sdk.CreateLogGroupOutput{}, s.db.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Get(groupKey(ref))
		if err == nil {
			return groupExists()
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return store.PutJSON(tx, groupKey(ref), group{
			ID: newID(tx), Name: ref.name, Created: c.Time.UnixMilli(), Tags: in.Tags, Protected: aws.ToBool(in.DeletionProtectionEnabled),
		})
	})
}
