package s3

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/checksum"
	"github.com/licet/licet/internal/services/s3/content"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/object"
)

func invalidSource(header string) error {
	return fault.InvalidArgument("Invalid copy source object key", "x-amz-copy-source", header)
}

// readNeeds are those of reading the source of a copy.
func (s *Service) readNeeds(ctx context.Context, c *service.Call, header *string) ([]service.Need, error) {
	from, ok := parseSource(aws.ToString(header))
	if !ok {
		return nil, invalidSource(aws.ToString(header))
	}
	t, err := s.objectTarget(ctx, c, from.bucket, from.key, from.version)
	action := "s3:GetObject"
	if from.version != "" {
		action = "s3:GetObjectVersion"
	}
	return []service.Need{s.need(c, action, t)}, err
}

// copyObjectNeeds: tags that are copied are read and written (API_CopyObject, "Permissions").
func (s *Service) copyObjectNeeds(ctx context.Context, c *service.Call, in *sdk.CopyObjectInput) ([]service.Need, error) {
	var tagging *string
	if in.TaggingDirective == types.TaggingDirectiveReplace {
		tagging = in.Tagging
	}
	// The conditions of a copy are on its source.
	needs, err := s.writeNeeds(ctx, c, in, tagging, in.ACL)
	if err != nil {
		return nil, err
	}
	reads, err := s.readNeeds(ctx, c, in.CopySource)
	if err != nil {
		return nil, err
	}
	if tags := existingTags(reads[0].Target.Keys); len(tags) > 0 && in.TaggingDirective != types.TaggingDirectiveReplace {
		action := "s3:GetObjectTagging"
		if reads[0].Action == "s3:GetObjectVersion" {
			action = "s3:GetObjectVersionTagging"
		}
		reads = append(reads, s.need(c, action, reads[0].Target))
		t, err := s.target(ctx, c, bucketOf(in), keyOf(in))
		if err != nil {
			return nil, err
		}
		needs = append(needs, s.need(c, "s3:PutObjectTagging", t.With(func(k *authz.Context) { setRequestTags(tags, k) })))
	}
	return append(needs, reads...), nil
}

// existingTags are the tags that condition keys tell of.
func existingTags(k authz.Context) (tags []object.Tag) {
	const prefix = "s3:ExistingObjectTag/"
	for name, v := range k.All {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			tags = append(tags, object.Tag{Key: name[len(prefix):], Value: v.Values[0]})
		}
	}
	return tags
}

// copySource opens the source of a copy.
func (s *Service) copySource(
	ctx context.Context, c *service.Call, header, expectedOwner *string, when getConditions,
) (*reading, source, error) {
	from, ok := parseSource(aws.ToString(header))
	if !ok {
		return nil, from, invalidSource(aws.ToString(header))
	}
	b, err := s.find(ctx, from.bucket)
	if err != nil {
		return nil, from, err
	}
	if b == nil || !wasJudged(c, b) {
		return nil, from, fault.NoSuchBucket(from.bucket)
	}
	if owner := aws.ToString(expectedOwner); owner != "" && owner != b.Account {
		return nil, from, fault.AccessDenied()
	}
	r, err := s.open(ctx, c, b, from.key, from.version, true)
	if err != nil {
		return nil, from, err
	}
	if err := when.check(r.version); err != nil {
		r.unpin()
		return nil, from, fault.PreconditionFailed("x-amz-copy-source-If-*") // also where a read would answer 304
	}
	return r, from, nil
}

func (s *Service) copyObject(ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.CopyObjectInput) (*sdk.CopyObjectOutput, error) {
	g := given{
		operation: "CopyObject", cache: in.CacheControl, disposition: in.ContentDisposition, encoding: in.ContentEncoding, language: in.ContentLanguage,
		kind: in.ContentType, redirect: in.WebsiteRedirectLocation, expires: in.Expires, metadata: in.Metadata, class: in.StorageClass,
		acl: in.ACL, grants: []*string{in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWriteACP},
		encryption: in.ServerSideEncryption, key: in.SSEKMSKeyId, customer: in.SSECustomerAlgorithm,
		lock: in.ObjectLockMode != "" || in.ObjectLockLegalHoldStatus != "" || in.ObjectLockRetainUntilDate != nil,
	}
	replaceTags := in.TaggingDirective == types.TaggingDirectiveReplace
	if replaceTags {
		g.tagging = in.Tagging
	}
	v, err := newVersion(c, aws.ToString(in.Key), &g)
	if err != nil {
		return nil, err
	}
	r, from, err := s.copySource(ctx, c, in.CopySource, in.ExpectedSourceBucketOwner,
		getConditions{in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince})
	if err != nil {
		return nil, err
	}
	defer r.unpin()
	if err := inherit(v, r.version, in, from, b, replaceTags); err != nil {
		return nil, err
	}
	got, err := s.copyContent(ctx, r, v, in.ChecksumAlgorithm)
	if err != nil {
		return nil, err
	}
	defer got.Release()
	state, err := s.put(ctx, c, b, v, nil, "ObjectCreated:Copy", condition{in.IfMatch, in.IfNoneMatch})
	if err != nil {
		return nil, err
	}
	sum := sumsOf(v.Algorithm, v.Checksum)
	out := &sdk.CopyObjectOutput{
		CopyObjectResult: &types.CopyObjectResult{
			ETag: quoted(v.ETag), LastModified: millis(c.Time), ChecksumType: checksumType(false),
			ChecksumCRC32: sum.crc32, ChecksumCRC32C: sum.crc32c, ChecksumCRC64NVME: sum.crc64, ChecksumSHA1: sum.sha1, ChecksumSHA256: sum.sha256,
		},
		VersionId: versionID(state, v), ServerSideEncryption: types.ServerSideEncryptionAes256,
	}
	if r.state != object.Unversioned {
		out.CopySourceVersionId = &r.version.ID
	}
	return out, nil
}

// inherit gives a copy what it does not get by the request.
func inherit(v, of *object.Version, in *sdk.CopyObjectInput, from source, b *bucket.Bucket, replaceTags bool) error {
	replace := in.MetadataDirective == types.MetadataDirectiveReplace
	if from.bucket == b.Name && from.key == v.Key && from.version == "" && !replace && !replaceTags && in.StorageClass == "" &&
		in.WebsiteRedirectLocation == nil && in.ServerSideEncryption == "" && in.ChecksumAlgorithm == "" {
		return fault.InvalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's " +
			"metadata, storage class, website redirect location or encryption attributes.")
	}
	if !replace {
		redirect := v.Headers.Redirect // is not copied
		v.Headers = of.Headers
		v.Headers.Redirect = redirect
	}
	if !replaceTags {
		v.Tags = of.Tags
	}
	if of.Size > maxPut {
		return fault.New("InvalidRequest", http.StatusBadRequest,
			"The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
	}
	return nil
}

// copyContent makes one piece of the source. A source of one piece with the checksum that is wanted is not read again: the copy refers to the
// same bytes, which are pinned.
func (s *Service) copyContent(ctx context.Context, r *reading, v *object.Version, wanted types.ChecksumAlgorithm) (*content.Written, error) {
	of := r.version
	algorithm := of.Algorithm
	if of.Composite || algorithm == "" {
		algorithm = checksum.CRC64NVME
	}
	if wanted != "" {
		var ok bool
		if algorithm, ok = checksum.Parse(string(wanted)); !ok {
			return nil, fault.NotImplemented("CopyObject", "x-amz-checksum-algorithm: "+string(wanted))
		}
	}
	v.Size, v.Algorithm = of.Size, algorithm
	if r.manifest == nil && algorithm == of.Algorithm {
		v.ETag, v.Checksum, v.Pieces = of.ETag, of.Checksum, of.Pieces
		return &content.Written{}, nil
	}
	body := s.content.Open(ctx, r.pieces(), 0, of.Size, nil)
	defer func() { _ = body.Close() }() // it was read
	got, err := s.receive(ctx, payload{body: body, length: &of.Size, fallback: algorithm})
	if err != nil {
		return nil, err
	}
	v.ETag, v.Checksum = hex.EncodeToString(got.md5), got.checksum
	if v.Size > 0 {
		v.Pieces = []content.Piece{got.Piece}
	}
	return got.Written, nil
}

func millis(t time.Time) *time.Time {
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}
