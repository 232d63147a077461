package s3

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/object"
	"github.com/licet/licet/internal/store"
)

// Control joins the operations of S3 Control, of which only those on buckets' tags and on the account's public access block are there, with
// their wire form.
func (s *Service) Control(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Denial: denial, Operations: []service.Operation{
		service.OpBy("ListTagsForResource", s.controlNeeds, s.listTagsForResource),
		service.OpBy("TagResource", s.tagNeeds, s.tagResource),
		service.OpBy("UntagResource", s.untagNeeds, s.untagResource),
		service.Op("GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock", anyAccount[sdk.GetPublicAccessBlockInput], s.getAccountBlock),
		service.Op("PutPublicAccessBlock", "s3:PutAccountPublicAccessBlock", anyAccount[sdk.PutPublicAccessBlockInput], s.putAccountBlock),
		service.Op("DeletePublicAccessBlock", "s3:PutAccountPublicAccessBlock", anyAccount[sdk.DeletePublicAccessBlockInput], s.deleteAccountBlock),
	}}
}

// anyAccount is the resource of what is about an account, which can be the caller's alone.
func anyAccount[In any](_ context.Context, c *service.Call, in *In) (service.Target, error) {
	if id := aws.ToString(service.Member[*string](in, "AccountId")); id != c.Account {
		return service.Target{}, fault.AccessDenied()
	}
	t := service.Target{ARN: "*"}
	requestKeys(c, c.Account, &t.Keys)
	return t, nil
}

// tagged is the bucket that an ARN names.
func tagged(resource *string) (string, error) {
	a, err := arn.Parse(aws.ToString(resource))
	if err != nil || a.Service != "s3" {
		return "", fault.InvalidRequest("Invalid resource ARN")
	}
	if a.Region != "" || a.AccountID != "" || strings.Contains(a.Resource, "/") {
		return "", awserr.New("NotImplemented", http.StatusNotImplemented, "licet has tags of buckets, not of %s.", *resource)
	}
	return a.Resource, nil
}

func (s *Service) tagNeed(ctx context.Context, c *service.Call, resource *string, action string, set func(*authz.Context)) ([]service.Need, error) {
	name, err := tagged(resource)
	if err != nil {
		return nil, err
	}
	t, err := s.target(ctx, c, name, "")
	if set != nil {
		t = t.With(set)
	}
	return []service.Need{s.need(c, action, t)}, err
}

func (s *Service) controlNeeds(ctx context.Context, c *service.Call, in *sdk.ListTagsForResourceInput) ([]service.Need, error) {
	return s.tagNeed(ctx, c, in.ResourceArn, "s3:ListTagsForResource", nil)
}

func (s *Service) tagNeeds(ctx context.Context, c *service.Call, in *sdk.TagResourceInput) ([]service.Need, error) {
	if err := checkTags(givenTags(in.Tags), maxBucketTags); err != nil {
		return nil, err
	}
	return s.tagNeed(ctx, c, in.ResourceArn, "s3:TagResource", func(k *authz.Context) {
		var names []string
		for _, t := range in.Tags {
			names = append(names, aws.ToString(t.Key))
			k.Set("aws:RequestTag/"+aws.ToString(t.Key), aws.ToString(t.Value))
		}
		k.SetList("aws:TagKeys", names...)
	})
}

func (s *Service) untagNeeds(ctx context.Context, c *service.Call, in *sdk.UntagResourceInput) ([]service.Need, error) {
	return s.tagNeed(ctx, c, in.ResourceArn, "s3:UntagResource", func(k *authz.Context) { k.SetList("aws:TagKeys", in.TagKeys...) })
}

// taggedBucket is the bucket of an ARN, which must be of the account that the request names.
func (s *Service) taggedBucket(ctx context.Context, c *service.Call, resource, account *string) (*bucket.Bucket, error) {
	name, err := tagged(resource)
	if err != nil {
		return nil, err
	}
	b, err := s.find(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case b == nil || !wasJudged(c, b):
		return nil, fault.NoSuchBucket(name)
	case b.Account != aws.ToString(account):
		return nil, fault.AccessDenied()
	}
	return b, nil
}

func (s *Service) listTagsForResource(
	ctx context.Context, c *service.Call, in *sdk.ListTagsForResourceInput,
) (*sdk.ListTagsForResourceOutput, error) {
	b, err := s.taggedBucket(ctx, c, in.ResourceArn, in.AccountId)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, t := range b.Tags {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return out, nil
}

// givenTags are the tags of a request.
func givenTags(tags []types.Tag) []object.Tag {
	out := make([]object.Tag, len(tags))
	for i, t := range tags {
		out[i] = object.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)}
	}
	return out
}

func (s *Service) tagResource(ctx context.Context, c *service.Call, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	b, err := s.taggedBucket(ctx, c, in.ResourceArn, in.AccountId)
	if err != nil {
		return nil, err
	}
	return &sdk.TagResourceOutput{}, s.change(ctx, b, func(b *bucket.Bucket) error {
		for _, tag := range givenTags(in.Tags) {
			if i := slices.IndexFunc(b.Tags, func(old object.Tag) bool { return old.Key == tag.Key }); i >= 0 {
				b.Tags[i] = tag
			} else {
				b.Tags = append(b.Tags, tag)
			}
		}
		return checkTags(b.Tags, maxBucketTags)
	})
}

func (s *Service) untagResource(ctx context.Context, c *service.Call, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	b, err := s.taggedBucket(ctx, c, in.ResourceArn, in.AccountId)
	if err != nil {
		return nil, err
	}
	return &sdk.UntagResourceOutput{}, s.change(ctx, b, func(b *bucket.Bucket) error {
		b.Tags = slices.DeleteFunc(b.Tags, func(t object.Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
		return nil
	})
}

func (s *Service) getAccountBlock(
	ctx context.Context, c *service.Call, _ *sdk.GetPublicAccessBlockInput,
) (*sdk.GetPublicAccessBlockOutput, error) {
	b, err := s.block(ctx, c.Account)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, fault.New("NoSuchPublicAccessBlockConfiguration", http.StatusNotFound, "The public access block configuration was not found",
			"AccountId", c.Account)
	}
	return &sdk.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
		BlockPublicAcls: &b.BlockPublicAcls, IgnorePublicAcls: &b.IgnorePublicAcls, BlockPublicPolicy: &b.BlockPublicPolicy,
		RestrictPublicBuckets: &b.RestrictPublicBuckets,
	}}, nil
}

func (s *Service) putAccountBlock(
	ctx context.Context, c *service.Call, in *sdk.PutPublicAccessBlockInput,
) (*sdk.PutPublicAccessBlockOutput, error) {
	config := in.PublicAccessBlockConfiguration
	if config == nil {
		return nil, fault.MalformedXML()
	}
	b := &bucket.Block{
		BlockPublicAcls: aws.ToBool(config.BlockPublicAcls), IgnorePublicAcls: aws.ToBool(config.IgnorePublicAcls),
		BlockPublicPolicy: aws.ToBool(config.BlockPublicPolicy), RestrictPublicBuckets: aws.ToBool(config.RestrictPublicBuckets),
	}
	return &sdk.PutPublicAccessBlockOutput{}, s.DB.Update(ctx, func(tx store.Tx) error {
		return store.PutJSON(tx, bucket.AccountKey(c.Account), b)
	})
}

func (s *Service) deleteAccountBlock(
	ctx context.Context, c *service.Call, _ *sdk.DeletePublicAccessBlockInput,
) (*sdk.DeletePublicAccessBlockOutput, error) {
	return &sdk.DeletePublicAccessBlockOutput{}, s.DB.Update(ctx, func(tx store.Tx) error {
		return tx.Delete(bucket.AccountKey(c.Account))
	})
}
