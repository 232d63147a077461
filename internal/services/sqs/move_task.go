package sqs

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/movetask"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

// What the tasks need beside their own action, of
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html (permissions).
var (
	movingNeeds     = []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
	cancellingNeeds = movingNeeds
)

func (s *Service) onARN(ctx context.Context, c *service.Call, arn *string, member string) (service.Target, error) {
	r, err := byARN(c, arn, member)
	if err != nil {
		return service.Target{}, err
	}
	return s.target(ctx, c, r, true)
}

func (s *Service) startedTask(ctx context.Context, c *service.Call, in *sdk.StartMessageMoveTaskInput) (service.Target, error) {
	return s.onARN(ctx, c, in.SourceArn, "SourceArn")
}

func (s *Service) listedTasks(ctx context.Context, c *service.Call, in *sdk.ListMessageMoveTasksInput) (service.Target, error) {
	return s.onARN(ctx, c, in.SourceArn, "SourceArn")
}

func (s *Service) cancelledTask(ctx context.Context, c *service.Call, in *sdk.CancelMessageMoveTaskInput) (service.Target, error) {
	h, err := taskOf(in)
	if err != nil {
		return service.Target{}, err
	}
	return s.onARN(ctx, c, &h.SourceARN, "SourceArn")
}

func taskOf(in *sdk.CancelMessageMoveTaskInput) (movetask.Handle, error) {
	if aws.ToString(in.TaskHandle) == "" {
		return movetask.Handle{}, missing("TaskHandle")
	}
	h, err := movetask.ParseHandle(*in.TaskHandle)
	if err != nil {
		return h, invalidValue("Value for parameter TaskHandle is invalid.")
	}
	return h, nil
}

// moving are the permissions that the messages need: to take them off the source, and to send them to where they go.
func (s *Service) moving(ctx context.Context, c *service.Call, in *sdk.StartMessageMoveTaskInput) ([]service.Need, error) {
	r, err := byARN(c, in.SourceArn, "SourceArn")
	if err != nil {
		return nil, err
	}
	needs, err := s.needsOn(ctx, c, r, movingNeeds)
	if err != nil {
		return nil, err
	}
	var to []ref
	if in.DestinationArn != nil {
		destination, err := byARN(c, in.DestinationArn, "DestinationArn")
		if err != nil {
			return nil, err
		}
		to = append(to, destination)
	} else {
		arns, err := s.sourcesOf(ctx, r)
		if err != nil {
			return nil, err
		}
		for _, arn := range arns {
			to = append(to, reach(arn))
		}
	}
	for _, destination := range to {
		more, err := s.needsOn(ctx, c, destination, []string{"sqs:SendMessage"})
		if err != nil {
			return nil, err
		}
		needs = append(needs, more...)
	}
	return needs, nil
}

func (s *Service) cancelling(ctx context.Context, c *service.Call, in *sdk.CancelMessageMoveTaskInput) ([]service.Need, error) {
	h, err := taskOf(in)
	if err != nil {
		return nil, err
	}
	r, err := byARN(c, &h.SourceARN, "SourceArn")
	if err != nil {
		return nil, err
	}
	return s.needsOn(ctx, c, r, cancellingNeeds)
}

func (s *Service) needsOn(ctx context.Context, c *service.Call, r ref, actions []string) ([]service.Need, error) {
	t, err := s.target(ctx, c, r, false)
	var needs []service.Need
	for _, action := range actions {
		needs = append(needs, service.Need{Action: action, Target: t})
	}
	return needs, err
}

// byARNIn finds a queue, or answers that the resource of a parameter does not exist.
func byARNIn(r store.Reader, arn, parameter string) (*queue.Queue, error) {
	q, err := queue.ByARN(r, arn)
	if errors.Is(err, store.ErrNotFound) {
		err = noResource("The resource that you specified for the %s parameter doesn't exist.", parameter)
	}
	return q, err
}

func (s *Service) startMessageMoveTask(
	ctx context.Context, c *service.Call, in *sdk.StartMessageMoveTaskInput,
) (*sdk.StartMessageMoveTaskOutput, error) {
	now := s.now()
	t := movetask.Task{
		ID: uuid.NewString(), Source: *in.SourceArn, Destination: aws.ToString(in.DestinationArn),
		Rate: aws.ToInt32(in.MaxNumberOfMessagesPerSecond), Started: now.UnixMilli(), Status: movetask.Running, Due: now.UnixMilli(),
	}
	if in.MaxNumberOfMessagesPerSecond != nil && (t.Rate < 1 || t.Rate > 500) {
		return nil, badValue(t.Rate, "MaxNumberOfMessagesPerSecond", "Must be between 1 and 500, if provided.") // ours; API_StartMessageMoveTask
	}
	r, err := byARN(c, in.SourceArn, "SourceArn")
	if err != nil {
		return nil, err
	}
	sources, err := s.sourcesOf(ctx, r)
	if err != nil {
		return nil, err
	}
	if t.Destination == "" {
		t.Origins = sources
	}
	err = s.db.Update(ctx, func(tx store.Tx) error {
		q, err := byARNIn(tx, t.Source, "SourceArn")
		if err != nil {
			return err
		}
		if len(sources) == 0 {
			return invalidValue("Source queue must be configured as a Dead Letter Queue.")
		}
		if t.Destination == t.Source {
			return badValue(t.Destination, "DestinationArn", "It must be another queue than the source.") // ours
		}
		if t.Destination != "" {
			if _, err := byARNIn(tx, t.Destination, "DestinationArn"); err != nil {
				return err
			}
		}
		n, err := queue.Count(tx, q, now)
		if err != nil {
			return err
		}
		t.ToMove = n.Visible
		if err = movetask.Start(tx, q, &t); errors.Is(err, movetask.ErrRunning) {
			err = invalidValue("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.StartMessageMoveTaskOutput{TaskHandle: aws.String(t.Handle())}, nil
}

func (s *Service) cancelMessageMoveTask(
	ctx context.Context, _ *service.Call, in *sdk.CancelMessageMoveTaskInput,
) (*sdk.CancelMessageMoveTaskOutput, error) {
	h, err := taskOf(in)
	if err != nil {
		return nil, err
	}
	out := &sdk.CancelMessageMoveTaskOutput{}
	return out, s.db.Update(ctx, func(tx store.Tx) error {
		q, err := byARNIn(tx, h.SourceARN, "SourceArn")
		if err != nil {
			return err
		}
		tasks, err := movetask.Find(tx, q, 0)
		if err != nil {
			return err
		}
		for _, t := range tasks {
			if t.ID != h.TaskID {
				continue
			}
			if t.Status != movetask.Running { // ours; API_CancelMessageMoveTask: "only possible when the current status is RUNNING"
				return invalidValue("Only active tasks can be cancelled.")
			}
			t.Status, out.ApproximateNumberOfMessagesMoved = movetask.Cancelled, t.Moved
			return store.PutJSON(tx, t.Key(q), t)
		}
		return noResource("Task does not exist.")
	})
}

func (s *Service) listMessageMoveTasks(
	ctx context.Context, _ *service.Call, in *sdk.ListMessageMoveTasksInput,
) (*sdk.ListMessageMoveTasksOutput, error) {
	limit := aws.ToInt32(in.MaxResults)
	if in.MaxResults == nil {
		limit = 1
	}
	if limit < 1 || limit > movetask.Kept {
		return nil, badValue(limit, "MaxResults", "Must be between 1 and 10, if provided.") // ours
	}
	out := &sdk.ListMessageMoveTasksOutput{Results: []types.ListMessageMoveTasksResultEntry{}}
	return out, s.db.View(ctx, func(r store.Reader) error {
		q, err := byARNIn(r, *in.SourceArn, "SourceArn")
		if err != nil {
			return err
		}
		tasks, err := movetask.Find(r, q, int(limit))
		for _, t := range tasks {
			out.Results = append(out.Results, entryOf(t))
		}
		return err
	})
}

// entryOf is a task as lists show it. Its handle is of use while it runs.
func entryOf(t *movetask.Task) types.ListMessageMoveTasksResultEntry {
	e := types.ListMessageMoveTasksResultEntry{
		ApproximateNumberOfMessagesMoved: t.Moved, ApproximateNumberOfMessagesToMove: aws.Int64(t.ToMove), SourceArn: &t.Source,
		StartedTimestamp: t.Started, Status: aws.String(string(t.Status)),
	}
	if t.Destination != "" {
		e.DestinationArn = &t.Destination
	}
	if t.Rate != 0 {
		e.MaxNumberOfMessagesPerSecond = &t.Rate
	}
	if t.Failure != "" {
		e.FailureReason = &t.Failure
	}
	if t.Status == movetask.Running {
		e.TaskHandle = aws.String(t.Handle())
	}
	return e
}
