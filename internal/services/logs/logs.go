package logs

import (
	"log/slog"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/logs/tail"
	"github.com/licet/licet/internal/store"
)

// Config holds what a Service needs; every field is required.
type Config struct {
	DB store.DB
	// Room tells whether the store may grow; while it says no, PutLogEvents is refused, for functions print without end and
	// everything else that the server keeps is on the same disk.
	Room func() bool
	// Functions are called by subscription filters.
	Functions Functions
	// Partition is that of ARNs.
	Partition string
	// Now is the time of deliveries; operations have that of their call.
	Now    func() time.Time
	Logger *slog.Logger
}

// Service is the CloudWatch Logs API. Close ends it.
type Service struct {
	db        store.DB
	room      func() bool
	functions Functions
	partition string
	now       func() time.Time
	logger    *slog.Logger

	patterns patterns
	tails    tail.Hub
	arrivals arrivals
	stop     func()
	outcomes *outcomes
	// noted is ready when there is something to deliver. Capacity 1.
	noted chan struct{}
}

// New makes the service.
func New(c Config) *Service {
	s := &Service{
		db: c.DB, room: c.Room, functions: c.Functions, partition: c.Partition, now: c.Now, logger: c.Logger,
		outcomes: newOutcomes(), noted: make(chan struct{}, 1),
	}
	s.arrivals.tails, s.arrivals.more = &s.tails, make(chan struct{}, 1)
	s.stop = c.DB.Watch(s.arrivals.add)
	return s
}

// Close ends the service, when no operation runs any more.
func (s *Service) Close() { s.stop() }

// wake lets Deliver look for work.
func (s *Service) wake() {
	select {
	case s.noted <- struct{}{}:
	default:
	}
}

// Definition joins the operations with their wire form.
func (s *Service) Definition(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Operations: s.operations(), Denial: accessDenied}
}

func (s *Service) operations() []service.Operation {
	return append(s.laterOperations(),
		service.Op("CreateLogGroup", "logs:CreateLogGroup", s.newGroup, s.createLogGroup, s.taggingNewGroup),
		service.Op("CreateLogStream", "logs:CreateLogStream", s.createdStream, s.createLogStream),
		service.Op("DeleteLogGroup", "logs:DeleteLogGroup",
			onNamed(s, func(in *sdk.DeleteLogGroupInput) *string { return in.LogGroupName }), s.deleteLogGroup),
		service.Op("DeleteLogStream", "logs:DeleteLogStream", s.deletedStream, s.deleteLogStream),
		service.Op("DeleteMetricFilter", "logs:DeleteMetricFilter",
			onNamed(s, func(in *sdk.DeleteMetricFilterInput) *string { return in.LogGroupName }), s.deleteMetricFilter),
		service.Op("DeleteRetentionPolicy", "logs:DeleteRetentionPolicy",
			onNamed(s, func(in *sdk.DeleteRetentionPolicyInput) *string { return in.LogGroupName }), s.deleteRetentionPolicy),
		service.Op("DeleteSubscriptionFilter", "logs:DeleteSubscriptionFilter",
			onNamed(s, func(in *sdk.DeleteSubscriptionFilterInput) *string { return in.LogGroupName }), s.deleteSubscriptionFilter),
		service.Op("DescribeLogGroups", "logs:DescribeLogGroups", anyGroup, s.describeLogGroups),
		service.Op("DescribeLogStreams", "logs:DescribeLogStreams", s.describedGroup, s.describeLogStreams),
		service.Op("DescribeMetricFilters", "logs:DescribeMetricFilters", s.describedMetrics, s.describeMetricFilters),
		service.Op("DescribeSubscriptionFilters", "logs:DescribeSubscriptionFilters",
			onNamed(s, func(in *sdk.DescribeSubscriptionFiltersInput) *string { return in.LogGroupName }), s.describeSubscriptionFilters),
		service.Op("FilterLogEvents", "logs:FilterLogEvents", s.filteredGroup, s.filterLogEvents, s.unmaskingFilter),
		service.Op("GetLogEvents", "logs:GetLogEvents", s.readStream, s.getLogEvents, s.unmaskingGet),
		service.Op("ListLogGroups", "logs:ListLogGroups", service.Any[sdk.ListLogGroupsInput], s.listLogGroups),
		service.Op("ListTagsForResource", "logs:ListTagsForResource", s.listedTags, s.listTagsForResource),
		service.Op("ListTagsLogGroup", "logs:ListTagsLogGroup",
			onNamed(s, func(in *sdk.ListTagsLogGroupInput) *string { return in.LogGroupName }), s.listTagsLogGroup),
		service.Op("PutLogEvents", "logs:PutLogEvents", s.writtenStream, s.putLogEvents),
		service.Op("PutLogGroupDeletionProtection", "logs:PutLogGroupDeletionProtection",
			groupOf[sdk.PutLogGroupDeletionProtectionInput](s, "LogGroupIdentifier"), s.putLogGroupDeletionProtection),
		service.Op("PutMetricFilter", "logs:PutMetricFilter",
			onNamed(s, func(in *sdk.PutMetricFilterInput) *string { return in.LogGroupName }), s.putMetricFilter),
		service.Op("PutRetentionPolicy", "logs:PutRetentionPolicy",
			onNamed(s, func(in *sdk.PutRetentionPolicyInput) *string { return in.LogGroupName }), s.putRetentionPolicy),
		service.Op("PutSubscriptionFilter", "logs:PutSubscriptionFilter",
			onNamed(s, func(in *sdk.PutSubscriptionFilterInput) *string { return in.LogGroupName }), s.putSubscriptionFilter),
		service.Op("StartLiveTail", "logs:StartLiveTail", firstGroup(s, tailedGroups), s.startLiveTail, restGroups(s, tailedGroups)),
		service.Op("TagLogGroup", "logs:TagLogGroup", s.namedTags, s.tagLogGroup),
		service.Op("TagResource", "logs:TagResource", s.taggedGroup, s.tagResource),
		service.Op("TestMetricFilter", "logs:TestMetricFilter", service.Any[sdk.TestMetricFilterInput], s.testMetricFilter),
		service.Op("UntagLogGroup", "logs:UntagLogGroup", s.namedTagKeys, s.untagLogGroup),
		service.Op("UntagResource", "logs:UntagResource", s.untaggedGroup, s.untagResource),
	)
}
