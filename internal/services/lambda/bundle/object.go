package bundle

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
)

// Objects is S3, as far as archives come from there.
type Objects interface {
	// Object gives an object, of which a version is "" for the newest. The caller may read it: that was judged. Objects that are too
	// large for code need not be read to their end. A refusal of S3 is an *awserr.Error.
	Object(ctx context.Context, c *service.Call, bucket, key, version string) ([]byte, error)
}

// Located are Objects that know whose they are.
type Located interface {
	// Target is an object as a resource, with the policy of its bucket.
	Target(ctx context.Context, c *service.Call, bucket, key, version string) (service.Target, error)
}

// Location is an object of S3 as a request names it: nil or empty members are missing.
type Location struct{ Bucket, Key, Version *string }

// Given tells whether a request names an object, or a part of one.
func (l Location) Given() bool {
	return aws.ToString(l.Bucket) != "" || aws.ToString(l.Key) != "" || aws.ToString(l.Version) != ""
}

// Complete tells whether an object can be found by it.
func (l Location) Complete() bool { return aws.ToString(l.Bucket) != "" && aws.ToString(l.Key) != "" }

// Needs are the permissions that a caller needs to read the object (lambda.md 2.2). Objects that are not Located, or nil, do not say
// whose the bucket is.
func (l Location) Needs(ctx context.Context, c *service.Call, objects Objects) ([]service.Need, error) {
	if !l.Complete() {
		return nil, nil
	}
	object := *l.Bucket + "/" + *l.Key
	action := "GetObject"
	if aws.ToString(l.Version) != "" {
		action = "GetObjectVersion"
	}
	need := service.Need{Action: "s3:" + action, Target: service.Target{ARN: "arn:" + c.Partition + ":s3:::" + object}}
	if aws.ToString(l.Version) != "" {
		need.Target.Keys.Set("s3:VersionId", *l.Version)
	}
	if located, ok := objects.(Located); ok {
		var err error
		if need.Target, err = located.Target(ctx, c, *l.Bucket, *l.Key, aws.ToString(l.Version)); err != nil {
			return nil, fmt.Errorf("find s3://%s/%s: %w", *l.Bucket, *l.Key, err)
		}
	}
	need.Denied = func(authz.Decision) error { // recorded
		return fault.AccessDenied("Your access has been denied by S3, please make sure your request credentials have permission to " + action +
			" for " + object + ". S3 Error Code: AccessDenied. S3 Error Message: Access Denied")
	}
	return []service.Need{need}, nil
}

// Read gives a complete location's object. Lambda repeats the refusals of S3 (recorded for GetObject).
func (l Location) Read(ctx context.Context, c *service.Call, objects Objects) ([]byte, error) {
	zip, err := objects.Object(ctx, c, *l.Bucket, *l.Key, aws.ToString(l.Version))
	if refused, ok := errors.AsType[*awserr.Error](err); ok && refused.Sender() {
		return nil, fault.InvalidParameter("Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s", refused.Code, refused.Message)
	}
	if err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", *l.Bucket, *l.Key, err)
	}
	return zip, nil
}
