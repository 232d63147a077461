package s3

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/object"
	"github.com/licet/licet/internal/store"
)

// maxListed is the most that a list has.
const maxListed = 1000

// limitOf reads a number of entries that are wanted.
func limitOf(name string, value *int32) (int, error) {
	if value == nil {
		return maxListed, nil
	}
	if *value < 0 {
		return 0, fault.InvalidArgument("Argument "+name+" must be an integer between 0 and 2147483647", name, fmt.Sprint(*value))
	}
	return min(int(*value), maxListed), nil
}

// encoder writes keys as the client wants them.
func encoder(t types.EncodingType) (func(string) *string, error) {
	switch t {
	case "":
		return func(s string) *string { return &s }, nil
	case types.EncodingTypeUrl:
		return func(s string) *string {
			encoded := strings.ReplaceAll(url.QueryEscape(s), "%2F", "/")
			return &encoded
		}, nil
	}
	return nil, fault.InvalidArgument("Invalid Encoding Method specified in Request", "encoding-type", string(t))
}

// listing is what the lists of objects have in common.
type listing struct {
	encode func(string) *string
	page   object.Page
	max    int
}

func (s *Service) list(
	ctx context.Context, b *bucket.Bucket, q object.Query, maxKeys *int32, encoding types.EncodingType,
	list func(store.Reader, string, object.Query) (object.Page, error),
) (l listing, err error) {
	if l.max, err = limitOf("max-keys", maxKeys); err != nil {
		return l, err
	}
	if l.encode, err = encoder(encoding); err != nil {
		return l, err
	}
	q.Max = l.max
	err = s.DB.View(ctx, func(r store.Reader) error {
		if _, err := read(r, b); err != nil {
			return err
		}
		l.page, err = list(r, b.Name, q)
		return err
	})
	return l, err
}

// encoded is a member that is repeated from the input, if it is there.
func (l *listing) encoded(text *string) *string {
	if text == nil {
		return nil
	}
	return l.encode(*text)
}

func (l *listing) prefixes() []types.CommonPrefix {
	var out []types.CommonPrefix
	for _, p := range l.page.Prefixes {
		out = append(out, types.CommonPrefix{Prefix: l.encode(p)})
	}
	return out
}

func (l *listing) contents(b *bucket.Bucket, withOwner bool) []types.Object {
	var out []types.Object
	for _, v := range l.page.Versions {
		o := types.Object{
			Key: l.encode(v.Key), ETag: quoted(v.ETag), Size: &v.Size, LastModified: seconds(v.Version), StorageClass: types.ObjectStorageClass(class(v.Version)),
		}
		if v.Algorithm != "" {
			o.ChecksumAlgorithm, o.ChecksumType = []types.ChecksumAlgorithm{types.ChecksumAlgorithm(v.Algorithm)}, checksumType(v.Composite)
		}
		if withOwner {
			o.Owner = owner(b.Account)
		}
		out = append(out, o)
	}
	return out
}

// empty stands for a text of which S3 writes an empty element.
func orEmpty(text *string) *string {
	if text == nil {
		return aws.String("")
	}
	return text
}

func nonEmpty(text *string) *string {
	if aws.ToString(text) == "" {
		return nil
	}
	return text
}

func (s *Service) listObjectsV2(
	ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.ListObjectsV2Input,
) (*sdk.ListObjectsV2Output, error) {
	q := object.Query{Prefix: aws.ToString(in.Prefix), Delimiter: aws.ToString(in.Delimiter), After: aws.ToString(in.StartAfter)}
	if in.ContinuationToken != nil {
		after, err := base64.RawURLEncoding.DecodeString(*in.ContinuationToken)
		if err != nil || len(after) == 0 {
			return nil, fault.InvalidArgument("The continuation token provided is incorrect", "continuation-token", *in.ContinuationToken)
		}
		q.After = string(after)
	}
	l, err := s.list(ctx, b, q, in.MaxKeys, in.EncodingType, object.List)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListObjectsV2Output{
		Name: &b.Name, Prefix: l.encode(q.Prefix), Delimiter: l.encoded(nonEmpty(in.Delimiter)), MaxKeys: aws.Int32(int32(l.max)),
		EncodingType: in.EncodingType, StartAfter: l.encoded(in.StartAfter), ContinuationToken: in.ContinuationToken,
		Contents: l.contents(b, aws.ToBool(in.FetchOwner)), CommonPrefixes: l.prefixes(), IsTruncated: &l.page.Truncated,
		KeyCount: aws.Int32(int32(len(l.page.Versions) + len(l.page.Prefixes))),
	}
	if l.page.Truncated {
		out.NextContinuationToken = aws.String(base64.RawURLEncoding.EncodeToString([]byte(l.page.Last)))
	}
	return out, nil
}

func (s *Service) listObjects(
	ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.ListObjectsInput,
) (*sdk.ListObjectsOutput, error) {
	q := object.Query{Prefix: aws.ToString(in.Prefix), Delimiter: aws.ToString(in.Delimiter), After: aws.ToString(in.Marker)}
	l, err := s.list(ctx, b, q, in.MaxKeys, in.EncodingType, object.List)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListObjectsOutput{
		Name: &b.Name, Prefix: l.encode(q.Prefix), Delimiter: l.encoded(nonEmpty(in.Delimiter)), MaxKeys: aws.Int32(int32(l.max)),
		EncodingType: in.EncodingType, Marker: l.encode(q.After), Contents: l.contents(b, true), CommonPrefixes: l.prefixes(),
		IsTruncated: &l.page.Truncated,
	}
	if l.page.Truncated && q.Delimiter != "" { // "This element is returned only if you have the delimiter request parameter specified"
		out.NextMarker = l.encode(l.page.Last)
	}
	return out, nil
}

func (s *Service) listObjectVersions(
	ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.ListObjectVersionsInput,
) (*sdk.ListObjectVersionsOutput, error) {
	q := object.Query{
		Prefix: aws.ToString(in.Prefix), Delimiter: aws.ToString(in.Delimiter), After: aws.ToString(in.KeyMarker),
		AfterVersion: aws.ToString(in.VersionIdMarker),
	}
	if q.AfterVersion != "" && q.After == "" {
		return nil, fault.InvalidArgument("A version-id marker cannot be specified without a key marker.", "version-id-marker", q.AfterVersion)
	}
	l, err := s.list(ctx, b, q, in.MaxKeys, in.EncodingType, object.ListVersions)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListObjectVersionsOutput{
		Name: &b.Name, Prefix: l.encode(q.Prefix), Delimiter: l.encoded(nonEmpty(in.Delimiter)), MaxKeys: aws.Int32(int32(l.max)),
		EncodingType: in.EncodingType, KeyMarker: l.encode(q.After), VersionIdMarker: orEmpty(in.VersionIdMarker),
		CommonPrefixes: l.prefixes(), IsTruncated: &l.page.Truncated,
	}
	for _, v := range l.page.Versions {
		if v.Marker {
			out.DeleteMarkers = append(out.DeleteMarkers, types.DeleteMarkerEntry{
				Key: l.encode(v.Key), VersionId: &v.ID, IsLatest: aws.Bool(v.Newest), LastModified: seconds(v.Version), Owner: owner(b.Account),
			})
			continue
		}
		entry := types.ObjectVersion{
			Key: l.encode(v.Key), VersionId: &v.ID, IsLatest: aws.Bool(v.Newest), LastModified: seconds(v.Version), Owner: owner(b.Account),
			ETag: quoted(v.ETag), Size: &v.Size, StorageClass: types.ObjectVersionStorageClass(class(v.Version)),
		}
		if v.Algorithm != "" {
			entry.ChecksumAlgorithm, entry.ChecksumType = []types.ChecksumAlgorithm{types.ChecksumAlgorithm(v.Algorithm)}, checksumType(v.Composite)
		}
		out.Versions = append(out.Versions, entry)
	}
	if l.page.Truncated {
		out.NextKeyMarker = l.encode(l.page.Last)
		out.NextVersionIdMarker = nonEmpty(&l.page.LastVersion)
	}
	return out, nil
}

// storageClasses are those that objects can have here: of the others, some cannot be read at once.
var storageClasses = []string{"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING"}

func knownClass(name string) bool { return slices.Contains(storageClasses, name) }
