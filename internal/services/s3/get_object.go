package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/content"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/object"
	"github.com/licet/licet/internal/store"
)

// reading is an object that was asked for.
type reading struct {
	version  *object.Version
	manifest *object.Manifest // nil for an object of one piece
	state    object.Versioning
	span     span
	unpin    func() // lets go of the bytes
}

// open looks an object up, and pins its bytes if they are wanted: until unpin they stay.
func (s *Service) open(
	ctx context.Context, c *service.Call, judged *bucket.Bucket, key, version string, pin bool,
) (*reading, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	out := &reading{unpin: func() {}}
	if pin {
		defer s.content.Hold().Release()
	}
	err := s.DB.View(ctx, func(r store.Reader) error {
		b, err := read(r, judged)
		if err != nil {
			return err
		}
		out.state = b.Versioning
		if out.version, err = object.Find(r, b.Name, key, version); err != nil {
			return err
		}
		if out.manifest, err = object.ReadManifest(r, out.version); err != nil || !pin {
			return err
		}
		out.unpin = s.content.Pin(out.pieces())
		return nil
	})
	if err != nil {
		out.unpin()
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, s.missing(ctx, c, judged, key, version)
	case err != nil:
		return nil, err
	case out.version.Marker:
		return nil, s.deleted(ctx, c, judged, out.version, version)
	}
	return out, nil
}

func (r *reading) pieces() []content.Piece {
	if r.manifest != nil {
		return r.manifest.Pieces
	}
	return r.version.Pieces
}

// deleted is the answer to who asks for a delete marker
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html).
func (s *Service) deleted(ctx context.Context, c *service.Call, b *bucket.Bucket, v *object.Version, asked string) error {
	if asked != "" {
		e := fault.New("MethodNotAllowed", http.StatusMethodNotAllowed, "The specified method is not allowed against this resource.",
			"Method", "GET", "ResourceType", "DeleteMarker")
		e.Headers = map[string]string{
			"x-amz-delete-marker": "true", "x-amz-version-id": v.ID, "Allow": http.MethodDelete, "Last-Modified": v.Modified.UTC().Format(http.TimeFormat),
		}
		return e
	}
	err := s.missing(ctx, c, b, v.Key, "")
	if e, ok := errors.AsType[*awserr.Error](err); ok && e.Status == http.StatusNotFound {
		e.Headers = map[string]string{"x-amz-delete-marker": "true", "x-amz-version-id": v.ID}
	}
	return err
}

// getConditions are those of GetObject and HeadObject.
type getConditions struct {
	ifMatch, ifNoneMatch *string
	modified, unmodified *time.Time
}

// check decides as RFC 9110 does: the conditions on the ETag come before those on the date.
func (g getConditions) check(v *object.Version) error {
	matches := func(list *string) bool { return *list == "*" || unquoted(*list) == v.ETag }
	date := *seconds(v)
	switch {
	case g.ifMatch != nil && !matches(g.ifMatch):
		return fault.PreconditionFailed("If-Match")
	case g.ifMatch == nil && g.unmodified != nil && date.After(*g.unmodified):
		return fault.PreconditionFailed("If-Unmodified-Since")
	case g.ifNoneMatch != nil && matches(g.ifNoneMatch), g.ifNoneMatch == nil && g.modified != nil && !date.After(*g.modified):
		e := fault.New("NotModified", http.StatusNotModified, "Not Modified")
		e.Headers = map[string]string{"ETag": *quoted(v.ETag), "Last-Modified": date.Format(http.TimeFormat)}
		return e
	}
	return nil
}

func (s *Service) getObject(ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.GetObjectInput) (_ *sdk.GetObjectOutput, err error) {
	if in.SSECustomerAlgorithm != nil {
		return nil, fault.NotImplemented("GetObject", "x-amz-server-side-encryption-customer-algorithm")
	}
	overridden := firstSet(in.ResponseCacheControl, in.ResponseContentDisposition, in.ResponseContentEncoding, in.ResponseContentLanguage,
		in.ResponseContentType) || in.ResponseExpires != nil
	if overridden && c.Caller.Kind == authz.Anonymous {
		return nil, fault.InvalidRequest("Request specific response headers cannot be used for anonymous GET requests.")
	}
	r, err := s.open(ctx, c, b, aws.ToString(in.Key), aws.ToString(in.VersionId), true)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.unpin()
		}
	}()
	out, err := s.described(ctx, c, b, r, &sdk.HeadObjectInput{
		IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch, IfModifiedSince: in.IfModifiedSince, IfUnmodifiedSince: in.IfUnmodifiedSince,
		Range: in.Range, PartNumber: in.PartNumber, ChecksumMode: in.ChecksumMode, ResponseCacheControl: in.ResponseCacheControl,
		ResponseContentDisposition: in.ResponseContentDisposition, ResponseContentEncoding: in.ResponseContentEncoding,
		ResponseContentLanguage: in.ResponseContentLanguage, ResponseContentType: in.ResponseContentType, ResponseExpires: in.ResponseExpires,
	})
	if err != nil {
		return nil, err
	}
	body := s.content.Open(ctx, r.pieces(), r.span.offset, r.span.length, r.unpin)
	if err := body.Begin(); err != nil { // an error that comes later ends an answer that has begun
		return nil, err
	}
	return &sdk.GetObjectOutput{
		AcceptRanges: out.AcceptRanges, ETag: out.ETag, LastModified: out.LastModified, VersionId: out.VersionId, Metadata: out.Metadata,
		CacheControl: out.CacheControl, ContentDisposition: out.ContentDisposition, ContentEncoding: out.ContentEncoding,
		ContentLanguage: out.ContentLanguage, ContentType: out.ContentType, ExpiresString: out.ExpiresString,
		WebsiteRedirectLocation: out.WebsiteRedirectLocation, ServerSideEncryption: out.ServerSideEncryption, StorageClass: out.StorageClass,
		ContentLength: out.ContentLength, ContentRange: out.ContentRange, PartsCount: out.PartsCount, ChecksumCRC32: out.ChecksumCRC32,
		ChecksumCRC32C: out.ChecksumCRC32C, ChecksumCRC64NVME: out.ChecksumCRC64NVME, ChecksumSHA1: out.ChecksumSHA1,
		ChecksumSHA256: out.ChecksumSHA256, ChecksumType: out.ChecksumType, TagCount: out.TagCount,
		Body: body,
	}, nil
}

func (s *Service) headObject(ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.HeadObjectInput) (*sdk.HeadObjectOutput, error) {
	if in.SSECustomerAlgorithm != nil {
		return nil, fault.NotImplemented("HeadObject", "x-amz-server-side-encryption-customer-algorithm")
	}
	r, err := s.open(ctx, c, b, aws.ToString(in.Key), aws.ToString(in.VersionId), false)
	if err != nil {
		return nil, err
	}
	return s.described(ctx, c, b, r, in)
}

// described is what both operations tell of an object, but for its bytes.
func (s *Service) described(
	ctx context.Context, c *service.Call, b *bucket.Bucket, r *reading, in *sdk.HeadObjectInput,
) (_ *sdk.HeadObjectOutput, err error) {
	v := r.version
	if err := (getConditions{in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince}).check(v); err != nil {
		return nil, err
	}
	if r.span, err = r.spanOf(in.Range, in.PartNumber); err != nil {
		return nil, err
	}
	h := v.Headers
	out := &sdk.HeadObjectOutput{
		AcceptRanges: aws.String("bytes"), ETag: quoted(v.ETag), LastModified: seconds(v), VersionId: versionID(r.state, v), Metadata: h.Metadata,
		CacheControl: either(in.ResponseCacheControl, h.CacheControl), ContentDisposition: either(in.ResponseContentDisposition, h.ContentDisposition),
		ContentEncoding: either(in.ResponseContentEncoding, h.ContentEncoding), ContentLanguage: either(in.ResponseContentLanguage, h.ContentLanguage),
		ContentType: either(in.ResponseContentType, contentType(h)), ExpiresString: nonEmpty(&h.Expires), WebsiteRedirectLocation: nonEmpty(&h.Redirect),
		ServerSideEncryption: types.ServerSideEncryptionAes256, StorageClass: types.StorageClass(v.Class),
		ContentLength: &r.span.length, ContentRange: r.span.header(v.Size), PartsCount: r.partsCount(in.PartNumber),
	}
	if in.ResponseExpires != nil {
		out.ExpiresString = aws.String(in.ResponseExpires.UTC().Format(http.TimeFormat))
	}
	if in.ChecksumMode == types.ChecksumModeEnabled && in.Range == nil && in.PartNumber == nil && v.Checksum != "" {
		sum := sumsOf(v.Algorithm, v.Checksum)
		out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME, out.ChecksumSHA1, out.ChecksumSHA256 = sum.crc32, sum.crc32c, sum.crc64, sum.sha1, sum.sha256
		out.ChecksumType = checksumType(v.Composite)
	}
	out.TagCount, err = s.tagCount(ctx, c, b, v)
	return out, err
}

// contentType is what an object without one has.
func contentType(h object.Headers) string {
	if h.ContentType == "" {
		return "binary/octet-stream"
	}
	return h.ContentType
}

// either is what the request wants a header to be or, if it does not say, what the object has; nil for none.
func either(wanted *string, has string) *string {
	if wanted != nil {
		return wanted
	}
	return nonEmpty(&has)
}

// tagCount is shown to who may see the tags.
func (s *Service) tagCount(ctx context.Context, c *service.Call, b *bucket.Bucket, v *object.Version) (*int32, error) {
	if len(v.Tags) == 0 {
		return nil, nil
	}
	t, err := s.target(ctx, c, b.Name, v.Key)
	if err != nil {
		return nil, err
	}
	may, err := s.Permissions.Allowed(ctx, c, s.need(c, "s3:GetObjectTagging", t))
	if err != nil || !may {
		return nil, err
	}
	return aws.Int32(int32(len(v.Tags))), nil
}

// partsCount is that of an object of parts, of which one was asked for.
func (r *reading) partsCount(part *int32) *int32 {
	if part == nil || r.version.Parts == 0 {
		return nil
	}
	return aws.Int32(int32(r.version.Parts))
}

func (s *Service) getObjectAttributesNeeds(ctx context.Context, c *service.Call, in *sdk.GetObjectAttributesInput) ([]service.Need, error) {
	version := aws.ToString(in.VersionId)
	t, err := s.objectTarget(ctx, c, bucketOf(in), keyOf(in), version)
	if version != "" {
		return []service.Need{s.need(c, "s3:GetObjectVersionAttributes", t), s.need(c, "s3:GetObjectVersion", t)}, err
	}
	return []service.Need{s.need(c, "s3:GetObjectAttributes", t), s.need(c, "s3:GetObject", t)}, err
}

func (s *Service) getObjectAttributes(
	ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.GetObjectAttributesInput,
) (*sdk.GetObjectAttributesOutput, error) {
	if len(in.ObjectAttributes) == 0 {
		return nil, fault.InvalidArgument("", "x-amz-object-attributes", "")
	}
	r, err := s.open(ctx, c, b, aws.ToString(in.Key), aws.ToString(in.VersionId), false)
	if err != nil {
		return nil, err
	}
	v := r.version
	out := &sdk.GetObjectAttributesOutput{LastModified: seconds(v), VersionId: versionID(r.state, v)}
	for _, a := range in.ObjectAttributes {
		switch a {
		case types.ObjectAttributesEtag:
			out.ETag = &v.ETag
		case types.ObjectAttributesObjectSize:
			out.ObjectSize = &v.Size
		case types.ObjectAttributesStorageClass:
			out.StorageClass = types.StorageClass(class(v))
		case types.ObjectAttributesChecksum:
			if v.Checksum != "" {
				sum := sumsOf(v.Algorithm, v.Checksum)
				out.Checksum = &types.Checksum{
					ChecksumCRC32: sum.crc32, ChecksumCRC32C: sum.crc32c, ChecksumCRC64NVME: sum.crc64, ChecksumSHA1: sum.sha1,
					ChecksumSHA256: sum.sha256, ChecksumType: checksumType(v.Composite),
				}
			}
		case types.ObjectAttributesObjectParts:
			if r.manifest != nil {
				out.ObjectParts = r.attributeParts(in)
			}
		default:
			return nil, fault.InvalidArgument("Invalid attribute name specified.", "x-amz-object-attributes", string(a))
		}
	}
	return out, nil
}

// attributeParts are the parts of an object; they are listed for one that has checksums only (API_GetObjectAttributes, ObjectParts).
func (r *reading) attributeParts(in *sdk.GetObjectAttributesInput) *types.GetObjectAttributesParts {
	m := r.manifest
	out := &types.GetObjectAttributesParts{TotalPartsCount: aws.Int32(int32(len(m.Pieces)))}
	if len(m.Checksums) == 0 || !r.version.Composite {
		return out
	}
	limit, after := int32(maxListed), atoi(aws.ToString(in.PartNumberMarker))
	if in.MaxParts != nil {
		limit = max(0, min(limit, *in.MaxParts))
	}
	out.MaxParts, out.PartNumberMarker, out.IsTruncated = &limit, aws.String(fmt.Sprint(after)), aws.Bool(false)
	for i, n := range m.Numbers {
		if n <= after {
			continue
		}
		if int32(len(out.Parts)) == limit {
			out.IsTruncated = aws.Bool(true)
			break
		}
		sum := sumsOf(r.version.Algorithm, m.Checksums[i])
		out.Parts = append(out.Parts, types.ObjectPart{
			PartNumber: aws.Int32(n), Size: &m.Pieces[i].Size, ChecksumCRC32: sum.crc32, ChecksumCRC32C: sum.crc32c,
			ChecksumCRC64NVME: sum.crc64, ChecksumSHA1: sum.sha1, ChecksumSHA256: sum.sha256,
		})
		out.NextPartNumberMarker = aws.String(fmt.Sprint(n))
	}
	return out
}

// readAll reads an object up to a length.
func (s *Service) readAll(ctx context.Context, r *reading, most int64) ([]byte, error) {
	body := s.content.Open(ctx, r.pieces(), 0, min(most, r.version.Size), r.unpin)
	read, err := io.ReadAll(body)
	return read, errors.Join(err, body.Close())
}
