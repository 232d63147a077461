package iam

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

// getServiceLinkedRoleDeletionStatus knows finished deletions only, for a role is deleted before its task is answered.
func (s *Service) getServiceLinkedRoleDeletionStatus(
	ctx context.Context, c *service.Call, in *sdk.GetServiceLinkedRoleDeletionStatusInput,
) (*sdk.GetServiceLinkedRoleDeletionStatusOutput, error) {
	path, id, err := parseDeletionTask(in.DeletionTaskId)
	if err != nil {
		return nil, err
	}
	err = s.DB.View(ctx, func(r store.Reader) error {
		task, err := store.GetJSON[deletionTask](r, deletionTaskKey(c.Account, id))
		if errors.Is(err, store.ErrNotFound) || err == nil && task.RoleARN != s.ARN(c.Account, string(record.RoleKind)+path) {
			return request.NoSuchEntity("Deletion task %s cannot be found.", *in.DeletionTaskId) // AWS's text is not known
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.GetServiceLinkedRoleDeletionStatusOutput{Status: types.DeletionTaskStatusTypeSucceeded}, nil
}

// onDeletionTask is the resource of GetServiceLinkedRoleDeletionStatus: the role that the task deletes.
func (s *Service) onDeletionTask(_ context.Context, c *service.Call, in any) (service.Target, error) {
	path, _, err := parseDeletionTask(target.Member[*string](in, "DeletionTaskId"))
	if err != nil {
		return service.Target{}, err
	}
	return service.Target{ARN: s.ARN(c.Account, string(record.RoleKind)+path), Account: c.Account}, nil
}

// parseDeletionTask splits "task/aws-service-role/<service>/<role>/<uuid>" into the role's path with its name, and the uuid
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteServiceLinkedRole.html).
func parseDeletionTask(id *string) (path, task string, err error) {
	text := aws.ToString(id)
	if err := request.CheckLength("deletionTaskId", text, 1, 1000); err != nil {
		return "", "", err
	}
	parts := strings.Split(text, "/")
	if len(parts) != 5 || parts[0] != "task" || parts[1] != strings.Trim(record.ServiceLinkedPath, "/") {
		return "", "", request.InvalidInput("DeletionTaskId %s is not valid.", text) // AWS's text is not known
	}
	return "/" + strings.Join(parts[1:4], "/"), parts[4], nil
}
