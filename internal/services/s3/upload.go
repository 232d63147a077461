package s3

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/checksum"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/object"
	"github.com/licet/licet/internal/store"
)

func (s *Service) createUploadNeeds(ctx context.Context, c *service.Call, in *sdk.CreateMultipartUploadInput) ([]service.Need, error) {
	needs, err := s.writeNeeds(ctx, c, in, in.Tagging, in.ACL)
	if err == nil {
		needs[0].Target = needs[0].Target.With(func(k *authz.Context) { k.SetBool("s3:ObjectCreationOperation", false) })
	}
	return needs, err
}

func (s *Service) createMultipartUpload(
	ctx context.Context, c *service.Call, judged *bucket.Bucket, in *sdk.CreateMultipartUploadInput,
) (*sdk.CreateMultipartUploadOutput, error) {
	g := given{
		operation: "CreateMultipartUpload", cache: in.CacheControl, disposition: in.ContentDisposition, encoding: in.ContentEncoding,
		language: in.ContentLanguage, kind: in.ContentType, redirect: in.WebsiteRedirectLocation, expires: in.Expires, metadata: in.Metadata,
		class: in.StorageClass, tagging: in.Tagging, acl: in.ACL,
		grants:     []*string{in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWriteACP},
		encryption: in.ServerSideEncryption, key: in.SSEKMSKeyId, customer: in.SSECustomerAlgorithm,
		lock: in.ObjectLockMode != "" || in.ObjectLockLegalHoldStatus != "" || in.ObjectLockRetainUntilDate != nil,
	}
	v, err := newVersion(c, aws.ToString(in.Key), &g)
	if err != nil {
		return nil, err
	}
	u := &object.Upload{Key: v.Key, Started: c.Time.UTC(), Initiator: c.Caller.ARN, Headers: v.Headers, Tags: v.Tags, Class: v.Class}
	if err := setAlgorithm(u, in.ChecksumAlgorithm, in.ChecksumType); err != nil {
		return nil, err
	}
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		b, err := read(tx, judged)
		if err != nil {
			return err
		}
		return object.Begin(tx, b.Name, u, object.NewStamp(tx, 0))
	})
	if err != nil {
		return nil, err
	}
	out := &sdk.CreateMultipartUploadOutput{
		Bucket: &judged.Name, Key: &u.Key, UploadId: &u.ID, ServerSideEncryption: types.ServerSideEncryptionAes256,
		ChecksumAlgorithm: types.ChecksumAlgorithm(u.Algorithm),
	}
	if u.Algorithm != "" {
		out.ChecksumType = checksumType(u.Composite)
	}
	return out, nil
}

// setAlgorithm decides what the checksum of the object will be: only CRCs can be of the whole, and CRC64NVME is of nothing else
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html#ChecksumTypes).
func setAlgorithm(u *object.Upload, name types.ChecksumAlgorithm, kind types.ChecksumType) error {
	if name == "" {
		if kind != "" {
			return fault.InvalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return nil
	}
	a, ok := checksum.Parse(string(name))
	if !ok {
		return fault.InvalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: " +
			"[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	u.Algorithm, u.Composite = a, kind != types.ChecksumTypeFullObject
	if kind == "" && a == checksum.CRC64NVME {
		u.Composite = false
	}
	if u.Composite && a == checksum.CRC64NVME || !u.Composite && !a.Combines() {
		return fault.InvalidRequest(fmt.Sprintf("The %s checksum type cannot be used with the %s checksum algorithm.", checksumType(u.Composite), lower(a)))
	}
	return nil
}

func lower(a checksum.Algorithm) string { return a.Header()[len("x-amz-checksum-"):] }

// findUpload finds an upload in a bucket that is still there.
func findUpload(r store.Reader, judged *bucket.Bucket, key, id *string) (*bucket.Bucket, *object.Upload, error) {
	b, err := read(r, judged)
	if err != nil {
		return nil, nil, err
	}
	u, err := object.FindUpload(r, b.Name, aws.ToString(key), aws.ToString(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, fault.NoSuchUpload(aws.ToString(id))
	}
	return b, u, err
}

// viewUpload finds an upload before anything is read of what is sent for it.
func (s *Service) viewUpload(ctx context.Context, b *bucket.Bucket, key, id *string) (u *object.Upload, err error) {
	err = s.DB.View(ctx, func(r store.Reader) error {
		_, u, err = findUpload(r, b, key, id)
		return err
	})
	return u, err
}

func checkPartNumber(n *int32) error {
	if n == nil || *n < 1 || *n > object.MaxParts {
		return fault.InvalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", fmt.Sprint(aws.ToInt32(n)))
	}
	return nil
}

// partNeeds are those of what sends a part.
func partNeeds[In any](s *Service) service.Needs[In] {
	return func(ctx context.Context, c *service.Call, in *In) ([]service.Need, error) {
		t, err := s.target(ctx, c, bucketOf(in), keyOf(in))
		t.Keys.SetBool("s3:ObjectCreationOperation", false)
		return []service.Need{s.need(c, "s3:PutObject", t)}, err
	}
}

func (s *Service) uploadPart(ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.UploadPartInput) (*sdk.UploadPartOutput, error) {
	if in.SSECustomerAlgorithm != nil {
		return nil, fault.NotImplemented("UploadPart", "x-amz-server-side-encryption-customer-algorithm")
	}
	if err := checkPartNumber(in.PartNumber); err != nil {
		return nil, err
	}
	u, err := s.viewUpload(ctx, b, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	got, err := s.receive(ctx, payload{
		body: in.Body, length: in.ContentLength, md5: in.ContentMD5, algorithm: in.ChecksumAlgorithm, fallback: u.Algorithm,
		sums: sums{in.ChecksumCRC32, in.ChecksumCRC32C, in.ChecksumCRC64NVME, in.ChecksumSHA1, in.ChecksumSHA256},
	})
	if err != nil {
		return nil, err
	}
	defer got.Release()
	p, err := s.putPart(ctx, c, b, u, *in.PartNumber, got)
	if err != nil {
		return nil, err
	}
	sum := sumsOf(got.algorithm, got.checksum)
	return &sdk.UploadPartOutput{
		ETag: quoted(p.ETag), ServerSideEncryption: types.ServerSideEncryptionAes256, ChecksumCRC32: sum.crc32, ChecksumCRC32C: sum.crc32c,
		ChecksumCRC64NVME: sum.crc64, ChecksumSHA1: sum.sha1, ChecksumSHA256: sum.sha256,
	}, nil
}

// putPart keeps what was received as a part.
func (s *Service) putPart(
	ctx context.Context, c *service.Call, judged *bucket.Bucket, u *object.Upload, number int32, got *received,
) (*object.Part, error) {
	p := &object.Part{Number: number, Piece: got.Piece, ETag: hex.EncodeToString(got.md5), Modified: c.Time.UTC()}
	if got.algorithm == u.Algorithm {
		p.Checksum = got.checksum
	} else if u.Algorithm != "" {
		return nil, fault.InvalidRequest(fmt.Sprintf("Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
			lower(u.Algorithm), lower(got.algorithm)))
	}
	return p, s.DB.Update(ctx, func(tx store.Tx) error {
		_, u, err := findUpload(tx, judged, &u.Key, &u.ID)
		if err != nil {
			return err
		}
		return object.PutPart(tx, u, p, object.NewStamp(tx, 0))
	})
}

func (s *Service) uploadPartCopyNeeds(ctx context.Context, c *service.Call, in *sdk.UploadPartCopyInput) ([]service.Need, error) {
	needs, err := partNeeds[sdk.UploadPartCopyInput](s)(ctx, c, in)
	if err != nil {
		return nil, err
	}
	needs[0].Target = needs[0].Target.With(func(k *authz.Context) { setHeaders(in, k) })
	reads, err := s.readNeeds(ctx, c, in.CopySource)
	return append(needs, reads...), err
}

func (s *Service) uploadPartCopy(
	ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.UploadPartCopyInput,
) (*sdk.UploadPartCopyOutput, error) {
	if in.SSECustomerAlgorithm != nil || in.CopySourceSSECustomerAlgorithm != nil {
		return nil, fault.NotImplemented("UploadPartCopy", "x-amz-server-side-encryption-customer-algorithm")
	}
	if err := checkPartNumber(in.PartNumber); err != nil {
		return nil, err
	}
	u, err := s.viewUpload(ctx, b, in.Key, in.UploadId)
	if err != nil {
		return nil, err
	}
	r, _, err := s.copySource(ctx, c, in.CopySource, in.ExpectedSourceBucketOwner,
		getConditions{in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince})
	if err != nil {
		return nil, err
	}
	defer r.unpin()
	at := span{length: r.version.Size}
	if in.CopySourceRange != nil {
		if at, err = parseRange(*in.CopySourceRange, r.version.Size); err != nil || !at.partial {
			return nil, fault.InvalidArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "+
				"zero-based offsets of the first and last bytes to copy", "x-amz-copy-source-range", *in.CopySourceRange)
		}
	}
	body := s.content.Open(ctx, r.pieces(), at.offset, at.length, nil)
	defer func() { _ = body.Close() }() // it was read
	got, err := s.receive(ctx, payload{body: body, length: &at.length, fallback: u.Algorithm})
	if err != nil {
		return nil, err
	}
	defer got.Release()
	p, err := s.putPart(ctx, c, b, u, *in.PartNumber, got)
	if err != nil {
		return nil, err
	}
	sum := sumsOf(got.algorithm, got.checksum)
	out := &sdk.UploadPartCopyOutput{
		CopyPartResult: &types.CopyPartResult{
			ETag: quoted(p.ETag), LastModified: millis(c.Time), ChecksumCRC32: sum.crc32, ChecksumCRC32C: sum.crc32c,
			ChecksumCRC64NVME: sum.crc64, ChecksumSHA1: sum.sha1, ChecksumSHA256: sum.sha256,
		},
		ServerSideEncryption: types.ServerSideEncryptionAes256,
	}
	if r.state != object.Unversioned {
		out.CopySourceVersionId = &r.version.ID
	}
	return out, nil
}

func (s *Service) abortMultipartUpload(
	ctx context.Context, _ *service.Call, judged *bucket.Bucket, in *sdk.AbortMultipartUploadInput,
) (*sdk.AbortMultipartUploadOutput, error) {
	return &sdk.AbortMultipartUploadOutput{}, s.DB.Update(ctx, func(tx store.Tx) error {
		b, u, err := findUpload(tx, judged, in.Key, in.UploadId)
		if err != nil {
			return err
		}
		return object.End(tx, b.Name, u)
	})
}

func (s *Service) listParts(ctx context.Context, _ *service.Call, judged *bucket.Bucket, in *sdk.ListPartsInput) (*sdk.ListPartsOutput, error) {
	limit, err := limitOf("max-parts", in.MaxParts)
	if err != nil {
		return nil, err
	}
	after := atoi(aws.ToString(in.PartNumberMarker))
	if after < 0 {
		return nil, fault.InvalidArgument("Argument part-number-marker must be an integer between 0 and 2147483647", "part-number-marker",
			*in.PartNumberMarker)
	}
	var u *object.Upload
	var parts []object.Part
	err = s.DB.View(ctx, func(r store.Reader) error {
		if _, u, err = findUpload(r, judged, in.Key, in.UploadId); err != nil {
			return err
		}
		parts, err = object.Parts(r, u, after, limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &sdk.ListPartsOutput{
		Bucket: &judged.Name, Key: &u.Key, UploadId: &u.ID, Owner: owner(judged.Account), StorageClass: types.StorageClass(class(&object.Version{Class: u.Class})),
		Initiator: &types.Initiator{ID: &u.Initiator}, PartNumberMarker: aws.String(fmt.Sprint(after)),
		NextPartNumberMarker: aws.String(fmt.Sprint(after)), MaxParts: aws.Int32(int32(limit)), IsTruncated: aws.Bool(len(parts) > limit),
		ChecksumAlgorithm: types.ChecksumAlgorithm(u.Algorithm),
	}
	if u.Algorithm != "" {
		out.ChecksumType = checksumType(u.Composite)
	}
	for _, p := range parts[:min(limit, len(parts))] {
		sum := sumsOf(u.Algorithm, p.Checksum)
		out.Parts = append(out.Parts, types.Part{
			PartNumber: aws.Int32(p.Number), ETag: quoted(p.ETag), Size: aws.Int64(p.Piece.Size), LastModified: millis(p.Modified),
			ChecksumCRC32: sum.crc32, ChecksumCRC32C: sum.crc32c, ChecksumCRC64NVME: sum.crc64, ChecksumSHA1: sum.sha1, ChecksumSHA256: sum.sha256,
		})
		out.NextPartNumberMarker = aws.String(fmt.Sprint(p.Number))
	}
	return out, nil
}

func (s *Service) listMultipartUploads(
	ctx context.Context, _ *service.Call, b *bucket.Bucket, in *sdk.ListMultipartUploadsInput,
) (*sdk.ListMultipartUploadsOutput, error) {
	limit, err := limitOf("max-uploads", in.MaxUploads)
	if err != nil {
		return nil, err
	}
	encode, err := encoder(in.EncodingType)
	if err != nil {
		return nil, err
	}
	q := object.Query{
		Prefix: aws.ToString(in.Prefix), Delimiter: aws.ToString(in.Delimiter), After: aws.ToString(in.KeyMarker),
		AfterVersion: aws.ToString(in.UploadIdMarker), Max: limit,
	}
	var page object.UploadPage
	err = s.DB.View(ctx, func(r store.Reader) error {
		if _, err := read(r, b); err != nil {
			return err
		}
		page, err = object.ListUploads(r, b.Name, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &sdk.ListMultipartUploadsOutput{
		Bucket: &b.Name, KeyMarker: encode(q.After), UploadIdMarker: orEmpty(in.UploadIdMarker), Prefix: encode(q.Prefix),
		EncodingType: in.EncodingType, MaxUploads: aws.Int32(int32(limit)), IsTruncated: &page.Truncated,
		NextKeyMarker: encode(page.Last), NextUploadIdMarker: &page.LastID,
	}
	if q.Delimiter != "" {
		out.Delimiter = encode(q.Delimiter)
	}
	for _, p := range page.Prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, types.CommonPrefix{Prefix: encode(p)})
	}
	for _, u := range page.Uploads {
		entry := types.MultipartUpload{
			Key: encode(u.Key), UploadId: &u.ID, Initiated: millis(u.Started), Owner: owner(b.Account), Initiator: &types.Initiator{ID: &u.Initiator},
			StorageClass: types.StorageClass(class(&object.Version{Class: u.Class})), ChecksumAlgorithm: types.ChecksumAlgorithm(u.Algorithm),
		}
		if u.Algorithm != "" {
			entry.ChecksumType = checksumType(u.Composite)
		}
		out.Uploads = append(out.Uploads, entry)
	}
	return out, nil
}
