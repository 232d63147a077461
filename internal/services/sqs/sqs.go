package sqs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/sqs/queue"
	"github.com/licet/licet/internal/store"
)

// Config holds what a Service needs; every field is required.
type Config struct {
	DB store.DB
	// Room tells whether the store may grow; while it says no, sends are refused.
	Room func() bool
	// URL is where clients on this machine reach the server, for calls that came by no host.
	URL func() string
	// Partition is that of ARNs.
	Partition string
	Now       func() time.Time
	Logger    *slog.Logger
}

// Service is the SQS API. Close ends it.
type Service struct {
	db        store.DB
	room      func() bool
	url       func() string
	partition string
	now       func() time.Time
	logger    *slog.Logger

	queues  *store.Cache[*known]
	waiters *waiters
	// noted asks Run to look for message move tasks. Capacity 1.
	noted chan struct{}
	stop  func()
}

// New makes the service.
func New(c Config) *Service {
	s := &Service{
		db: c.DB, room: c.Room, url: c.URL, partition: c.Partition, now: c.Now, logger: c.Logger,
		queues: store.NewCache(c.DB, 10_000, decode), waiters: newWaiters(), noted: make(chan struct{}, 1),
	}
	s.stop = c.DB.Watch(s.waiters.changed)
	return s
}

// Close ends the service, when no operation runs any more.
func (s *Service) Close() {
	s.stop()
	s.queues.Close()
}

// EndPolls ends the receives that wait for messages, now and from now on: the server stops.
func (s *Service) EndPolls() { s.waiters.end() }

// Definition joins the operations with their wire form.
func (s *Service) Definition(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Operations: s.operations(), Denial: accessDenied}
}

func (s *Service) operations() []service.Operation {
	return []service.Operation{
		service.Op("AddPermission", "sqs:AddPermission", owned[sdk.AddPermissionInput](s), s.addPermission),
		service.Op("CancelMessageMoveTask", "sqs:CancelMessageMoveTask", s.cancelledTask, s.cancelMessageMoveTask, s.cancelling),
		service.Op("ChangeMessageVisibility", "sqs:ChangeMessageVisibility", shared[sdk.ChangeMessageVisibilityInput](s),
			s.changeMessageVisibility),
		service.Op("ChangeMessageVisibilityBatch", "sqs:ChangeMessageVisibility", shared[sdk.ChangeMessageVisibilityBatchInput](s),
			s.changeMessageVisibilityBatch),
		service.Op("CreateQueue", "sqs:CreateQueue", s.newQueue, s.createQueue, s.taggingNewQueue),
		service.Op("DeleteMessage", "sqs:DeleteMessage", shared[sdk.DeleteMessageInput](s), s.deleteMessage),
		service.Op("DeleteMessageBatch", "sqs:DeleteMessage", shared[sdk.DeleteMessageBatchInput](s), s.deleteMessageBatch),
		service.Op("DeleteQueue", "sqs:DeleteQueue", owned[sdk.DeleteQueueInput](s), s.deleteQueue),
		service.Op("GetQueueAttributes", "sqs:GetQueueAttributes", shared[sdk.GetQueueAttributesInput](s), s.getQueueAttributes),
		service.Op("GetQueueUrl", "sqs:GetQueueUrl", s.namedQueue, s.getQueueURL),
		service.Op("ListDeadLetterSourceQueues", "sqs:ListDeadLetterSourceQueues", shared[sdk.ListDeadLetterSourceQueuesInput](s),
			s.listDeadLetterSourceQueues),
		service.Op("ListMessageMoveTasks", "sqs:ListMessageMoveTasks", s.listedTasks, s.listMessageMoveTasks),
		service.Op("ListQueueTags", "sqs:ListQueueTags", owned[sdk.ListQueueTagsInput](s), s.listQueueTags),
		service.Op("ListQueues", "sqs:ListQueues", service.Any[sdk.ListQueuesInput], s.listQueues),
		service.Op("PurgeQueue", "sqs:PurgeQueue", shared[sdk.PurgeQueueInput](s), s.purgeQueue),
		service.Op("ReceiveMessage", "sqs:ReceiveMessage", shared[sdk.ReceiveMessageInput](s), s.receiveMessage),
		service.Op("RemovePermission", "sqs:RemovePermission", owned[sdk.RemovePermissionInput](s), s.removePermission),
		service.Op("SendMessage", "sqs:SendMessage", shared[sdk.SendMessageInput](s), s.sendMessage),
		service.Op("SendMessageBatch", "sqs:SendMessage", shared[sdk.SendMessageBatchInput](s), s.sendMessageBatch),
		service.Op("SetQueueAttributes", "sqs:SetQueueAttributes", owned[sdk.SetQueueAttributesInput](s), s.setQueueAttributes),
		service.Op("StartMessageMoveTask", "sqs:StartMessageMoveTask", s.startedTask, s.startMessageMoveTask, s.moving),
		service.Op("TagQueue", "sqs:TagQueue", s.taggedQueue, s.tagQueue),
		service.Op("UntagQueue", "sqs:UntagQueue", s.untaggedQueue, s.untagQueue),
	}
}

// Send keeps a message in a standard queue within the transaction of another service, which has seen to it that its caller may. The error
// wraps store.ErrNotFound when the queue is not there.
func (s *Service) Send(_ context.Context, tx store.Tx, queueARN, sender, body string) error {
	q, err := queue.ByARN(tx, queueARN)
	if err != nil {
		return err
	}
	if q.FIFO {
		return fmt.Errorf("%s is a FIFO queue, whose messages need a group", queueARN)
	}
	now := s.now()
	return queue.Send(tx, q, now, &queue.Message{
		ID: newID(), Sent: now.UnixMilli(), Due: now.Add(q.Delay).UnixMilli(), Sender: sender, Content: queue.Content{Body: body},
	})
}
