package logs

import (
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

// Service is the CloudWatch Logs API.
type Service struct {
	db   store.DB
	room func() bool
}

// New makes the service on db. room tells whether the store may grow; while it says no, PutLogEvents is refused, for functions print
// without end and everything else that the server keeps is on the same disk.
func New(db store.DB, room func() bool) *Service { return &Service{db: db, room: room} }

// Definition joins the operations with their wire form.
func (s *Service) Definition(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Operations: s.operations(), Denial: accessDenied}
}

func (s *Service) operations() []service.Operation {
	return []service.Operation{
		service.Op("CreateLogGroup", "logs:CreateLogGroup", s.newGroup, s.createLogGroup, s.taggingNewGroup),
		service.Op("CreateLogStream", "logs:CreateLogStream", s.createdStream, s.createLogStream),
		service.Op("DeleteLogGroup", "logs:DeleteLogGroup", s.deletedGroup, s.deleteLogGroup),
		service.Op("DeleteLogStream", "logs:DeleteLogStream", s.deletedStream, s.deleteLogStream),
		service.Op("DeleteRetentionPolicy", "logs:DeleteRetentionPolicy", s.unretainedGroup, s.deleteRetentionPolicy),
		service.Op("DescribeLogGroups", "logs:DescribeLogGroups", anyGroup, s.describeLogGroups),
		service.Op("DescribeLogStreams", "logs:DescribeLogStreams", s.describedGroup, s.describeLogStreams),
		service.Op("FilterLogEvents", "logs:FilterLogEvents", s.filteredGroup, s.filterLogEvents, s.unmaskingFilter),
		service.Op("GetLogEvents", "logs:GetLogEvents", s.readStream, s.getLogEvents, s.unmaskingGet),
		service.Op("ListTagsForResource", "logs:ListTagsForResource", s.listedTags, s.listTagsForResource),
		service.Op("PutLogEvents", "logs:PutLogEvents", s.writtenStream, s.putLogEvents),
		service.Op("PutRetentionPolicy", "logs:PutRetentionPolicy", s.retainedGroup, s.putRetentionPolicy),
		service.Op("TagResource", "logs:TagResource", s.taggedGroup, s.tagResource),
		service.Op("UntagResource", "logs:UntagResource", s.untaggedGroup, s.untagResource),
	}
}
