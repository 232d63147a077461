package s3

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/notification"
	"github.com/licet/licet/internal/services/s3/object"
	"github.com/licet/licet/internal/store"
)

// Quotas (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html, …/CostAllocTagging.html).
const (
	maxObjectTags = 10
	maxBucketTags = 50
)

func invalidTag(message string) error {
	return fault.New("InvalidTag", http.StatusBadRequest, message)
}

// checkTags refuses tags that AWS refuses, and such as differ in case alone: policies could not tell them apart.
func checkTags(tags []object.Tag, most int) error {
	if len(tags) > most {
		if most == maxObjectTags {
			return fault.New("BadRequest", http.StatusBadRequest, "Object tags cannot be greater than 10")
		}
		return fault.New("BadRequest", http.StatusBadRequest, "Bucket tag count cannot be greater than 50")
	}
	seen := make(map[string]string, len(tags))
	for _, t := range tags {
		switch {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > 128:
			return fault.New("InvalidTag", http.StatusBadRequest, "The TagKey you have provided is invalid", "TagKey", t.Key)
		case utf8.RuneCountInString(t.Value) > 256:
			return fault.New("InvalidTag", http.StatusBadRequest, "The TagValue you have provided is invalid", "TagKey", t.Key, "TagValue", t.Value)
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return invalidTag("System tags cannot be added/updated by requester")
		}
		if _, twice := seen[t.Key]; twice {
			return fault.New("InvalidTag", http.StatusBadRequest, "Cannot provide multiple Tags with the same key", "TagKey", t.Key)
		}
		seen[t.Key] = t.Value
	}
	if a, b, clash := service.TagClash(seen); clash {
		return invalidTag("The tag keys " + a + " and " + b + " differ only in case.")
	}
	return nil
}

// parseTagging reads the header x-amz-tagging: tags as the parameters of a URL, in their order.
func parseTagging(header *string) ([]object.Tag, error) {
	if header == nil || *header == "" {
		return nil, nil
	}
	malformed := fault.InvalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
		"x-amz-tagging", *header)
	var tags []object.Tag
	for pair := range strings.SplitSeq(*header, "&") {
		k, v, _ := strings.Cut(pair, "=")
		key, keyErr := url.QueryUnescape(k)
		value, valueErr := url.QueryUnescape(v)
		if keyErr != nil || valueErr != nil || key == "" {
			return nil, malformed
		}
		tags = append(tags, object.Tag{Key: key, Value: value})
	}
	return tags, checkTags(tags, maxObjectTags)
}

// tagsOf reads the tags of a document.
func tagsOf(set []types.Tag, most int) ([]object.Tag, error) {
	var tags []object.Tag
	for _, t := range set {
		if t.Key == nil || t.Value == nil {
			return nil, fault.MalformedXML()
		}
		tags = append(tags, object.Tag{Key: *t.Key, Value: *t.Value})
	}
	return tags, checkTags(tags, most)
}

// shownTags are tags as documents have them.
func shownTags(tags []object.Tag) []types.Tag {
	out := make([]types.Tag, len(tags))
	for i, t := range tags {
		out[i] = types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)}
	}
	return out
}

func (s *Service) putBucketTagging(
	ctx context.Context, _ *service.Call, b *bucket.Bucket, in *sdk.PutBucketTaggingInput,
) (*sdk.PutBucketTaggingOutput, error) {
	if in.Tagging == nil {
		return nil, fault.MalformedXML()
	}
	tags, err := tagsOf(in.Tagging.TagSet, maxBucketTags)
	if err != nil {
		return nil, err
	}
	return &sdk.PutBucketTaggingOutput{}, s.change(ctx, b, func(b *bucket.Bucket) error { b.Tags = tags; return nil })
}

func (s *Service) getBucketTagging(
	_ context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.GetBucketTaggingInput,
) (*sdk.GetBucketTaggingOutput, error) {
	if len(b.Tags) == 0 {
		return nil, fault.New("NoSuchTagSet", http.StatusNotFound, "The TagSet does not exist", "BucketName", b.Name)
	}
	return &sdk.GetBucketTaggingOutput{TagSet: shownTags(b.Tags)}, nil
}

func (s *Service) deleteBucketTagging(
	ctx context.Context, _ *service.Call, b *bucket.Bucket, _ *sdk.DeleteBucketTaggingInput,
) (*sdk.DeleteBucketTaggingOutput, error) {
	return &sdk.DeleteBucketTaggingOutput{}, s.change(ctx, b, func(b *bucket.Bucket) error { b.Tags = nil; return nil })
}

func (s *Service) putObjectTaggingNeeds(ctx context.Context, c *service.Call, in *sdk.PutObjectTaggingInput) ([]service.Need, error) {
	needs, err := onVersion[sdk.PutObjectTaggingInput](s, "s3:PutObjectTagging", "s3:PutObjectVersionTagging")(ctx, c, in)
	if err != nil || in.Tagging == nil {
		return needs, err
	}
	tags, err := tagsOf(in.Tagging.TagSet, maxObjectTags)
	if err != nil {
		return nil, err
	}
	needs[0].Target = needs[0].Target.With(func(k *authz.Context) { setRequestTags(tags, k) })
	return needs, nil
}

func (s *Service) putObjectTagging(
	ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.PutObjectTaggingInput,
) (*sdk.PutObjectTaggingOutput, error) {
	if in.Tagging == nil {
		return nil, fault.MalformedXML()
	}
	tags, err := tagsOf(in.Tagging.TagSet, maxObjectTags)
	if err != nil {
		return nil, err
	}
	id, err := s.retag(ctx, c, b, aws.ToString(in.Key), aws.ToString(in.VersionId), tags, "ObjectTagging:Put")
	return &sdk.PutObjectTaggingOutput{VersionId: id}, err
}

func (s *Service) deleteObjectTagging(
	ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.DeleteObjectTaggingInput,
) (*sdk.DeleteObjectTaggingOutput, error) {
	id, err := s.retag(ctx, c, b, aws.ToString(in.Key), aws.ToString(in.VersionId), nil, "ObjectTagging:Delete")
	return &sdk.DeleteObjectTaggingOutput{VersionId: id}, err
}

func isTagging(event string) bool { return strings.HasPrefix(event, "ObjectTagging:") }

// retag gives a version other tags.
func (s *Service) retag(
	ctx context.Context, c *service.Call, judged *bucket.Bucket, key, version string, tags []object.Tag, event string,
) (id *string, err error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	var marker *object.Version
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		b, err := read(tx, judged)
		if err != nil {
			return err
		}
		v, err := object.Find(tx, b.Name, key, version)
		if marker = nil; err != nil {
			return err
		}
		if v.Marker {
			marker = v
			return nil
		}
		v.Tags, id = tags, versionID(b.Versioning, v)
		if err := object.Update(tx, v); err != nil {
			return err
		}
		return s.note(tx, c, b, notification.Event{Name: event, Key: key, ETag: v.ETag, Version: v.ID}, object.NewStamp(tx, 0))
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, s.missing(ctx, c, judged, key, version)
	case err == nil && marker != nil:
		return nil, s.deleted(ctx, c, judged, marker, version)
	}
	return id, err
}

func (s *Service) getObjectTagging(
	ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.GetObjectTaggingInput,
) (*sdk.GetObjectTaggingOutput, error) {
	r, err := s.open(ctx, c, b, aws.ToString(in.Key), aws.ToString(in.VersionId), false)
	if err != nil {
		return nil, err
	}
	return &sdk.GetObjectTaggingOutput{TagSet: shownTags(r.version.Tags), VersionId: versionID(r.state, r.version)}, nil
}
