package s3

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/fault"
)

// handler does an operation on a bucket that is there.
type handler[In, Out any] func(context.Context, *service.Call, *bucket.Bucket, *In) (*Out, error)

// setter sets the condition keys of one operation.
type setter[In any] func(*In, *authz.Context)

// onBucket makes the row of an operation on a bucket.
func onBucket[In, Out any](s *Service, name, action string, handle handler[In, Out], set ...setter[In]) service.Operation {
	resource := func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		t, err := s.target(ctx, c, bucketOf(in), "")
		for _, f := range set {
			t = t.With(func(k *authz.Context) { f(in, k) })
		}
		return t, err
	}
	needs := func(ctx context.Context, c *service.Call, in *In) ([]service.Need, error) {
		t, err := resource(ctx, c, in)
		if isRootsRight(action) && c.Caller.Kind == authz.Root && c.Caller.Account == t.Account {
			t.Policy = nil
		}
		return []service.Need{s.need(c, action, t)}, err
	}
	return service.Public(service.OpBy(name, needs, found(s, handle)), admit[In](s))
}

// isRootsRight tells the actions that no bucket policy can take from the root user of the bucket's account: "As a security precaution, the
// root user of the AWS account that owns a bucket can always perform this operation, even if the policy explicitly denies" it
// (API_PutBucketPolicy, API_GetBucketPolicy, API_DeleteBucketPolicy).
func isRootsRight(action string) bool {
	return action == "s3:PutBucketPolicy" || action == "s3:GetBucketPolicy" || action == "s3:DeleteBucketPolicy"
}

// laterOn makes the row of an operation on a bucket that is judged and then answered NotImplemented.
func laterOn[In any](s *Service, name, action string) service.Operation {
	return service.Later(name, action, func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		return s.target(ctx, c, bucketOf(in), "")
	})
}

// onObject makes the row of an operation on an object, whose needs are its own.
func onObject[In, Out any](s *Service, name string, needs service.Needs[In], handle handler[In, Out]) service.Operation {
	return service.Public(service.OpBy(name, needs, found(s, handle)), admit[In](s))
}

// admit says whose log an anonymous call is in: that of the bucket's account. That a bucket is not there everybody may know.
func admit[In any](s *Service) func(context.Context, *service.Call, *In) error {
	return func(ctx context.Context, c *service.Call, in *In) error {
		name := bucketOf(in)
		b, err := s.find(ctx, name)
		if err != nil {
			return err
		}
		if b == nil {
			return fault.NoSuchBucket(name)
		}
		c.Account = b.Account
		return nil
	}
}

// found gives the handler its bucket, which must belong to whom the client expects.
func found[In, Out any](s *Service, handle handler[In, Out]) service.Handler[In, Out] {
	return func(ctx context.Context, c *service.Call, in *In) (*Out, error) {
		name := bucketOf(in)
		b, err := s.find(ctx, name)
		if err != nil {
			return nil, err
		}
		if b == nil || !wasJudged(c, b) {
			return nil, fault.NoSuchBucket(name)
		}
		if owner := expectedOwner(in); owner != "" && owner != b.Account {
			return nil, fault.AccessDenied()
		}
		return handle(ctx, c, b, in)
	}
}

// wasJudged tells whether the call was judged by the policies of a bucket's account: while it was, the bucket may not have been there, or
// have been another's.
func wasJudged(c *service.Call, b *bucket.Bucket) bool {
	for i := range c.Judged {
		rest, ok := strings.CutPrefix(c.Judged[i].Target.ARN, "arn:"+c.Partition+":s3:::"+b.Name)
		if ok && (rest == "" || rest[0] == '/') && c.Judged[i].Target.Account != b.Account {
			return false
		}
	}
	return true
}

// bucketOf is the bucket that an input names.
func bucketOf(in any) string { return aws.ToString(service.Member[*string](in, "Bucket")) }

func (s *Service) arn(bucket, key string) string {
	arn := "arn:" + s.Partition + ":s3:::" + bucket
	if key != "" {
		arn += "/" + key
	}
	return arn
}

// target is a bucket, or an object in it. One that is not there is the caller's own, for nobody else's policy speaks about it.
func (s *Service) target(ctx context.Context, c *service.Call, name, key string) (service.Target, error) {
	t := service.Target{ARN: s.arn(name, key), Account: c.Account}
	t.Named = `"` + t.ARN + `"`
	b, err := s.find(ctx, name)
	if err != nil {
		return t, err
	}
	if b != nil {
		t.Account = b.Account
		block, err := s.block(ctx, b.Account)
		if err != nil {
			return t, err
		}
		if t.Policy, err = b.Consulted(&c.Caller.Principal, block); err != nil {
			return t, err
		}
	}
	requestKeys(c, t.Account, &t.Keys)
	return t, nil
}

// need is one on a target. Callers of other accounts are told no more than that they are denied
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html).
func (s *Service) need(c *service.Call, action string, t service.Target) service.Need {
	n := service.Need{Action: action, Target: t}
	if c.Caller.Account != t.Account {
		n.Denied = func(authz.Decision) error { return fault.AccessDenied() }
	}
	return n
}

// mayList tells whether the caller may know which objects are there: who may not is told that access is denied to one that is not there
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions").
func (s *Service) mayList(ctx context.Context, c *service.Call, b *bucket.Bucket, action string) (bool, error) {
	t, err := s.target(ctx, c, b.Name, "")
	if err != nil {
		return false, err
	}
	return s.Permissions.Allowed(ctx, c, s.need(c, action, t))
}

// missing is the answer to who names an object, or a version of one, that is not there.
func (s *Service) missing(ctx context.Context, c *service.Call, b *bucket.Bucket, key, version string) error {
	action, err := "s3:ListBucket", fault.NoSuchKey(key)
	if version != "" {
		action, err = "s3:ListBucketVersions", fault.NoSuchVersion(key, version)
	}
	may, problem := s.mayList(ctx, c, b, action)
	switch {
	case problem != nil:
		return problem
	case !may:
		return fault.AccessDenied()
	}
	return err
}
