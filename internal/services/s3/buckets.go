package s3

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/object"
	"github.com/licet/licet/internal/store"
)

// enforced is the one ownership that there is.
const enforced = string(types.ObjectOwnershipBucketOwnerEnforced)

// maxBuckets is the quota of an account (https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html).
const maxBuckets = 10_000

// newBucketNeeds: a new bucket is the caller's, whoever has one of this name already.
func (s *Service) newBucketNeeds(_ context.Context, c *service.Call, in *sdk.CreateBucketInput) ([]service.Need, error) {
	name := aws.ToString(in.Bucket)
	t := service.Target{ARN: s.arn(name, ""), Account: c.Account}
	t.Named = `"` + t.ARN + `"`
	requestKeys(c, c.Account, &t.Keys)
	plain := t
	t = t.With(func(k *authz.Context) { setHeaders(in, k) })
	config := in.CreateBucketConfiguration
	if config != nil && config.LocationConstraint != "" {
		t = t.With(func(k *authz.Context) { k.Set("s3:locationconstraint", string(config.LocationConstraint)) })
	}
	needs := []service.Need{s.need(c, "s3:CreateBucket", t)}
	if in.ACL != "" && in.ACL != types.BucketCannedACLPrivate {
		needs = append(needs, s.need(c, "s3:PutBucketAcl", plain))
	}
	if in.ObjectOwnership != "" {
		needs = append(needs, s.need(c, "s3:PutBucketOwnershipControls", plain))
	}
	if config != nil && len(config.Tags) > 0 {
		tags := plain.With(func(k *authz.Context) { setBucketTags(config.Tags, k) })
		needs[0].Target = needs[0].Target.With(func(k *authz.Context) { setBucketTags(config.Tags, k) })
		needs = append(needs, s.need(c, "s3:TagResource", tags))
	}
	return needs, nil
}

func setBucketTags(tags []types.Tag, k *authz.Context) {
	names := make([]string, len(tags))
	for i, t := range tags {
		names[i] = aws.ToString(t.Key)
		k.Set("aws:RequestTag/"+names[i], aws.ToString(t.Value))
	}
	k.SetList("aws:TagKeys", names...)
}

func (s *Service) createBucket(ctx context.Context, c *service.Call, in *sdk.CreateBucketInput) (*sdk.CreateBucketOutput, error) {
	b, err := s.newBucket(c, in)
	if err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		old, err := bucket.Read(tx, b.Name)
		switch {
		case errors.Is(err, store.ErrNotFound):
			owned, err := tx.Scan(bucket.OwnedBy(c.Account), "", maxBuckets)
			if err != nil {
				return err
			}
			if len(owned) >= maxBuckets {
				return fault.New("TooManyBuckets", http.StatusBadRequest, "You have attempted to create more buckets than allowed")
			}
			return bucket.Create(tx, b)
		case err != nil:
			return err
		case old.Account != c.Account:
			return fault.New("BucketAlreadyExists", http.StatusConflict, "The requested bucket name is not available. The bucket namespace is "+
				"shared by all users of the system. Please select a different name and try again.", "BucketName", b.Name)
		case s.Region == "us-east-1" && len(b.Tags) == 0: // "In the us-east-1 Region, you will get 200 OK" (API_CreateBucket, BucketAlreadyOwnedByYou)
			return nil
		}
		return fault.New("BucketAlreadyOwnedByYou", http.StatusConflict,
			"Your previous request to create the named bucket succeeded and you already own it.", "BucketName", b.Name)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateBucketOutput{Location: aws.String("/" + b.Name), BucketArn: aws.String(s.arn(b.Name, ""))}, nil
}

// newBucket is the bucket that a request asks for.
func (s *Service) newBucket(c *service.Call, in *sdk.CreateBucketInput) (*bucket.Bucket, error) {
	b := &bucket.Bucket{
		Name: aws.ToString(in.Bucket), Account: c.Account, Region: s.Region, Created: c.Time.UTC(), Block: bucket.All(), Ownership: enforced,
	}
	if !bucket.ValidName(b.Name) {
		return nil, fault.New("InvalidBucketName", http.StatusBadRequest, "The specified bucket is not valid.", "BucketName", b.Name)
	}
	if aws.ToBool(in.ObjectLockEnabledForBucket) {
		return nil, fault.NotImplemented("CreateBucket", "x-amz-bucket-object-lock-enabled")
	}
	if in.BucketNamespace != "" && in.BucketNamespace != types.BucketNamespaceGlobal {
		return nil, fault.NotImplemented("CreateBucket", "x-amz-bucket-namespace")
	}
	if err := checkOwnership("CreateBucket", in.ObjectOwnership); err != nil {
		return nil, err
	}
	if grants := firstSet(in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWrite, in.GrantWriteACP); grants ||
		in.ACL != "" && in.ACL != types.BucketCannedACLPrivate {
		return nil, fault.New("InvalidBucketAclWithObjectOwnership", http.StatusBadRequest,
			"Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
	}
	config := in.CreateBucketConfiguration
	if config == nil {
		return b, s.checkLocation("")
	}
	if config.Bucket != nil || config.Location != nil {
		return nil, fault.NotImplemented("CreateBucket", "the member Location of CreateBucketConfiguration")
	}
	var err error
	if b.Tags, err = tagsOf(config.Tags, maxBucketTags); err != nil {
		return nil, err
	}
	return b, s.checkLocation(string(config.LocationConstraint))
}

// checkLocation wants the region that the server is. us-east-1 has no constraint (recorded).
func (s *Service) checkLocation(constraint string) error {
	switch {
	case constraint == "" && s.Region == "us-east-1", constraint == s.Region && s.Region != "us-east-1",
		constraint == "EU" && s.Region == "eu-west-1":
		return nil
	case constraint == "":
		return fault.New("IllegalLocationConstraintException", http.StatusBadRequest,
			"The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.")
	case s.Region == "us-east-1" && constraint == "us-east-1":
		return fault.New("InvalidLocationConstraint", http.StatusBadRequest, "The specified location-constraint is not valid",
			"LocationConstraint", constraint)
	}
	return fault.New("IllegalLocationConstraintException", http.StatusBadRequest, "The "+constraint+
		" location constraint is incompatible for the region specific endpoint this request was sent to.")
}

func firstSet(values ...*string) bool {
	for _, v := range values {
		if v != nil {
			return true
		}
	}
	return false
}

func (s *Service) deleteBucket(
	ctx context.Context, _ *service.Call, judged *bucket.Bucket, _ *sdk.DeleteBucketInput,
) (*sdk.DeleteBucketOutput, error) {
	return &sdk.DeleteBucketOutput{}, s.DB.Update(ctx, func(tx store.Tx) error {
		b, err := read(tx, judged)
		if err != nil {
			return err
		}
		empty, err := object.Empty(tx, b.Name)
		if err != nil {
			return err
		}
		if !empty {
			message := "The bucket you tried to delete is not empty"
			if b.Versioning != object.Unversioned { // recorded
				message += ". You must delete all versions in the bucket."
			}
			return fault.New("BucketNotEmpty", http.StatusConflict, message, "BucketName", b.Name)
		}
		return errors.Join(object.EndAll(tx, b.Name), bucket.Remove(tx, b))
	})
}

func (s *Service) headBucket(
	_ context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.HeadBucketInput,
) (*sdk.HeadBucketOutput, error) {
	return &sdk.HeadBucketOutput{
		BucketRegion: &b.Region, AccessPointAlias: aws.Bool(false), BucketArn: aws.String(s.arn(b.Name, "")),
	}, nil
}

func (s *Service) getBucketLocation(
	_ context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.GetBucketLocationInput,
) (*sdk.GetBucketLocationOutput, error) {
	out := &sdk.GetBucketLocationOutput{}
	if b.Region != "us-east-1" { // "Buckets in Region us-east-1 have a LocationConstraint of null"
		out.LocationConstraint = types.BucketLocationConstraint(b.Region)
	}
	return out, nil
}

// allBuckets is the resource of ListBuckets.
func (s *Service) allBuckets(_ context.Context, c *service.Call, _ *sdk.ListBucketsInput) (service.Target, error) {
	t := service.Target{ARN: "*"}
	requestKeys(c, c.Account, &t.Keys)
	return t, nil
}

func (s *Service) listBuckets(ctx context.Context, c *service.Call, in *sdk.ListBucketsInput) (*sdk.ListBucketsOutput, error) {
	limit := 10_000
	if in.MaxBuckets != nil {
		if limit = int(*in.MaxBuckets); limit < 1 || limit > 10_000 {
			return nil, fault.InvalidArgument("Argument max-buckets must be an integer between 1 and 10000", "max-buckets", fmt.Sprint(limit))
		}
	}
	after, err := base64.RawURLEncoding.DecodeString(aws.ToString(in.ContinuationToken))
	if err != nil {
		return nil, fault.InvalidArgument("The continuation token provided is incorrect", "continuation-token", *in.ContinuationToken)
	}
	out := &sdk.ListBucketsOutput{Buckets: []types.Bucket{}, Owner: owner(c.Account), Prefix: in.Prefix}
	if region := aws.ToString(in.BucketRegion); region != "" && region != s.Region {
		return out, nil
	}
	err = s.DB.View(ctx, func(r store.Reader) error {
		prefix, from := bucket.OwnedBy(c.Account), ""
		if len(after) > 0 {
			from = prefix + string(after)
		}
		items, err := r.Scan(prefix+aws.ToString(in.Prefix), from, limit+1)
		if err != nil {
			return err
		}
		for i, item := range items {
			if i == limit {
				last := *out.Buckets[i-1].Name
				out.ContinuationToken = aws.String(base64.RawURLEncoding.EncodeToString([]byte(last)))
				break
			}
			b, err := bucket.Read(r, strings.TrimPrefix(item.Key, prefix))
			if err != nil {
				return err
			}
			out.Buckets = append(out.Buckets, types.Bucket{
				Name: &b.Name, CreationDate: &b.Created, BucketRegion: &b.Region, BucketArn: aws.String(s.arn(b.Name, "")),
			})
		}
		return nil
	})
	return out, err
}

// owner is an account as documents name it. Display names there are none any more.
func owner(account string) *types.Owner { return &types.Owner{ID: aws.String(Owner(account))} }
