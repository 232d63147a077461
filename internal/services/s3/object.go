package s3

import (
	"context"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/fault"
)

// Target is an object, or a version of one, as a resource of other services' calls: they read it with their caller's permissions.
func (s *Service) Target(ctx context.Context, c *service.Call, bucket, key, version string) (service.Target, error) {
	t, err := s.objectTarget(ctx, c, bucket, key, version)
	t.Named = ""
	return t, err
}

// Object gives an object for another service, up to a length. The caller may read it: that was judged.
func (s *Service) Object(ctx context.Context, c *service.Call, bucket, key, version string, most int64) ([]byte, error) {
	b, err := s.find(ctx, bucket)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, fault.NoSuchBucket(bucket)
	}
	r, err := s.open(ctx, c, b, key, version, true)
	if err != nil {
		return nil, err
	}
	return s.readAll(ctx, r, most)
}
