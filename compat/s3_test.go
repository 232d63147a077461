package compat

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
)

// s3Of makes the S3 client of a caller, with checksums as in the SDK's own configuration. Paths name buckets: hosts would need a resolver.
func (l *licet) s3Of(c aws.Credentials) *s3.Client {
	return s3.NewFromConfig(l.config(c), func(o *s3.Options) {
		o.UsePathStyle = true
		o.RequestChecksumCalculation, o.ResponseChecksumValidation = aws.RequestChecksumCalculationWhenSupported, aws.ResponseChecksumValidationWhenSupported
	})
}

// controlOf makes the client of S3 Control of a caller, which puts the account before the host's name: that is the server, too.
func (l *licet) controlOf(c aws.Credentials) *s3control.Client {
	return s3control.NewFromConfig(l.everywhere(c))
}

// everywhere is the configuration of a client to which every host is the server.
func (l *licet) everywhere(c aws.Credentials) aws.Config {
	config := l.config(c)
	config.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(l.url, "http://"))
	}}}
	return config
}

// newBucket makes a bucket of a caller.
func newBucket(t *testing.T, c *s3.Client) string {
	t.Helper()
	name := unique("bucket")
	must(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}))(t)
	return name
}

// putObject puts a text, and gives the answer.
func putObject(t *testing.T, c *s3.Client, bucket, key, text string, changes ...func(*s3.PutObjectInput)) *s3.PutObjectOutput {
	t.Helper()
	in := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(text)}
	for _, change := range changes {
		change(in)
	}
	return must(c.PutObject(t.Context(), in))(t)
}

// getObject reads an object.
func getObject(ctx context.Context, c *s3.Client, bucket, key string, changes ...func(*s3.GetObjectInput)) (string, error) {
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &key}
	for _, change := range changes {
		change(in)
	}
	out, err := c.GetObject(ctx, in)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(out.Body)
	return string(text), errors.Join(err, out.Body.Close())
}

// s3Denied is S3's denial of an action to a caller of the bucket's account.
func s3Denied(caller, action, resource string) failure {
	return failure{403, "AccessDenied", noPolicyAllows(caller, action, `"arn:aws:s3:::`+resource+`"`, "identity-based policy")}
}

func TestS3Objects(t *testing.T) {
	t.Parallel()
	c, ctx := server.s3Of(server.root), t.Context()
	b := newBucket(t, c)
	const key, text = "dir//a b+ü/ .txt", "hello, world"
	expires := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	answer := putObject(t, c, b, key, text, func(in *s3.PutObjectInput) {
		in.ContentType, in.CacheControl, in.ContentLanguage = aws.String("text/plain"), aws.String("no-cache"), aws.String("en")
		in.Metadata, in.Expires, in.Tagging = map[string]string{"color": "red", "Shape": "round"}, &expires, aws.String("team=blue&x=y%20z")
	})
	if *answer.ETag != `"e4d7f1b4ed2e42d15898f4b27b019da4"` || answer.ChecksumCRC32 == nil || answer.VersionId != nil {
		t.Errorf("put: got %+v", answer)
	}
	head := must(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b, Key: aws.String(key), ChecksumMode: types.ChecksumModeEnabled}))(t)
	if diff := cmp.Diff(head.Metadata, map[string]string{"color": "red", "shape": "round"}); diff != "" {
		t.Errorf("metadata: -got +want:\n%s", diff)
	}
	if *head.ContentLength != 12 || *head.ContentType != "text/plain" || *head.CacheControl != "no-cache" || *head.ETag != *answer.ETag ||
		*head.ContentLanguage != "en" || *head.ExpiresString != expires.Format(http.TimeFormat) || *head.TagCount != 2 ||
		*head.ChecksumCRC32 != *answer.ChecksumCRC32 || time.Since(*head.LastModified).Abs() > time.Minute {
		t.Errorf("head: got %+v", head)
	}
	ranged := func(header string) func(*s3.GetObjectInput) {
		return func(in *s3.GetObjectInput) { in.Range = &header }
	}
	for header, want := range map[string]string{
		"bytes=0-4": "hello", "bytes=7-": "world", "bytes=-5": "world", "bytes=0-100": text, "bytes=-100": text, "bytes=11-11": "d",
		"bytes=0-1,3-4": text, "nonsense": text, "bytes=5-4": text,
	} {
		if got, err := getObject(ctx, c, b, key, ranged(header)); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", header, got, err, want)
		}
	}
	_, err := getObject(ctx, c, b, key, ranged("bytes=12-"))
	check(t, err, failure{416, "InvalidRange", "The requested range is not satisfiable"})

	for name, tt := range map[string]struct {
		change func(*s3.GetObjectInput)
		status int
	}{
		"match":          {func(in *s3.GetObjectInput) { in.IfMatch = answer.ETag }, 0},
		"no match":       {func(in *s3.GetObjectInput) { in.IfMatch = aws.String(`"x"`) }, 412},
		"none match":     {func(in *s3.GetObjectInput) { in.IfNoneMatch = answer.ETag }, 304},
		"not none match": {func(in *s3.GetObjectInput) { in.IfNoneMatch = aws.String(`"x"`) }, 0},
		"modified":       {func(in *s3.GetObjectInput) { in.IfModifiedSince = aws.Time(time.Now().Add(-time.Hour)) }, 0},
		"not modified":   {func(in *s3.GetObjectInput) { in.IfModifiedSince = aws.Time(time.Now().Add(time.Hour)) }, 304},
		"unmodified":     {func(in *s3.GetObjectInput) { in.IfUnmodifiedSince = aws.Time(time.Now().Add(time.Hour)) }, 0},
		"not unmodified": {func(in *s3.GetObjectInput) { in.IfUnmodifiedSince = aws.Time(time.Now().Add(-time.Hour)) }, 412},
		"match and since": {func(in *s3.GetObjectInput) {
			in.IfMatch, in.IfUnmodifiedSince = answer.ETag, aws.Time(time.Now().Add(-time.Hour))
		}, 0},
	} {
		if _, err := getObject(ctx, c, b, key, tt.change); failureOf(err).Status != tt.status {
			t.Errorf("%s: got %v, want status %d", name, err, tt.status)
		}
	}
	other := must(c.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &b, Key: aws.String(key), ResponseContentType: aws.String("x/y"), ResponseContentDisposition: aws.String("attachment"),
	}))(t)
	if *other.ContentType != "x/y" || *other.ContentDisposition != "attachment" {
		t.Errorf("overridden: got %+v", other)
	}

	copied := must(c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &b, Key: aws.String("copy"), CopySource: aws.String(b + "/dir//a%20b%2B%C3%BC/%20.txt")}))(t)
	tags := must(c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &b, Key: aws.String("copy")}))(t).TagSet
	if got, err := getObject(ctx, c, b, "copy"); got != text || err != nil || *copied.CopyObjectResult.ETag != *answer.ETag || len(tags) != 2 {
		t.Errorf("copy: got %q, %v, %d tags", got, err, len(tags))
	}
	_, err = getObject(ctx, c, b, "missing")
	check(t, err, failure{404, "NoSuchKey", "The specified key does not exist."})
	_, err = c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b, Key: aws.String("missing")})
	if f := failureOf(err); f.Status != 404 || f.Code != "NotFound" {
		t.Errorf("head of nothing: got %v", err)
	}
	_, err = getObject(ctx, c, unique("nobody"), "x")
	check(t, err, failure{404, "NoSuchBucket", "The specified bucket does not exist"})
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &b})
	check(t, err, failure{409, "BucketNotEmpty", "The bucket you tried to delete is not empty"})
	gone := must(c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &b, Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String(key)}, {Key: aws.String("copy")}, {Key: aws.String("never")}},
	}}))(t)
	if len(gone.Deleted) != 3 || len(gone.Errors) > 0 {
		t.Errorf("delete: got %+v", gone)
	}
	must(c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &b}))(t)
	_, err = c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b})
	if failureOf(err).Status != 404 {
		t.Errorf("deleted bucket: got %v", err)
	}
}

// Hosts name buckets, for who signs requests and who does not.
func TestS3Hosts(t *testing.T) {
	t.Parallel()
	ctx, b := t.Context(), newBucket(t, server.s3Of(server.root))
	port := server.url[strings.LastIndex(server.url, ":"):]
	for _, host := range []string{"s3.us-east-1.localhost", "s3.localhost", "localhost"} {
		config := server.everywhere(server.root)
		config.BaseEndpoint = aws.String("http://" + host + port)
		c := s3.NewFromConfig(config)
		putObject(t, c, b, "dir/k ü", host)
		if got, err := getObject(ctx, c, b, "dir/k ü"); got != host || err != nil {
			t.Errorf("%s: got %q, %v", host, got, err)
		}
		if list := must(c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b}))(t); *list.KeyCount != 1 {
			t.Errorf("%s: got %+v", host, list.Contents)
		}
		link := must(s3.NewPresignClient(c).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &b, Key: aws.String("dir/k ü")}))(t)
		if !strings.Contains(link.URL, "//"+b+"."+host) {
			t.Errorf("got link %s", link.URL)
		}
		resp := must(config.HTTPClient.Do(must(http.NewRequestWithContext(ctx, "GET", link.URL, nil))(t)))(t)
		text, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil || string(text) != host {
			t.Errorf("%s: got %s %s, %v", host, resp.Status, text, err)
		}
	}
}

// What is not what the client says that it is, is not kept.
func TestS3Integrity(t *testing.T) {
	t.Parallel()
	c, ctx := server.s3Of(server.root), t.Context()
	b := newBucket(t, c)
	for name, tt := range map[string]struct {
		change func(*s3.PutObjectInput)
		code   string
	}{
		"MD5":              {func(in *s3.PutObjectInput) { in.ContentMD5 = aws.String("1B2M2Y8AsgTpgAmY7PhCfg==") }, "BadDigest"},
		"no MD5":           {func(in *s3.PutObjectInput) { in.ContentMD5 = aws.String("x") }, "InvalidDigest"},
		"CRC32":            {func(in *s3.PutObjectInput) { in.ChecksumCRC32 = aws.String("AAAAAA==") }, "BadDigest"},
		"CRC64NVME":        {func(in *s3.PutObjectInput) { in.ChecksumCRC64NVME = aws.String("AAAAAAAAAAA=") }, "BadDigest"},
		"SHA256":           {func(in *s3.PutObjectInput) { in.ChecksumSHA256 = aws.String("AAAA") }, "InvalidRequest"},
		"if there is none": {func(in *s3.PutObjectInput) { in.IfMatch = aws.String("x") }, "NoSuchKey"},
		"ACL":              {func(in *s3.PutObjectInput) { in.ACL = types.ObjectCannedACLPublicRead }, "AccessControlListNotSupported"},
		"KMS":              {func(in *s3.PutObjectInput) { in.ServerSideEncryption = types.ServerSideEncryptionAwsKms }, "NotImplemented"},
		"class":            {func(in *s3.PutObjectInput) { in.StorageClass = "NONE" }, "InvalidStorageClass"},
		"tags":             {func(in *s3.PutObjectInput) { in.Tagging = aws.String("a=1&a=2") }, "InvalidTag"},
		"metadata":         {func(in *s3.PutObjectInput) { in.Metadata = map[string]string{"x": strings.Repeat("y", 2048)} }, "MetadataTooLarge"},
		"long key":         {func(in *s3.PutObjectInput) { in.Key = aws.String(strings.Repeat("k", 1025)) }, "KeyTooLongError"},
	} {
		in := &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: strings.NewReader("text")}
		tt.change(in)
		if _, err := c.PutObject(ctx, in); code(err) != tt.code {
			t.Errorf("%s: got %v, want %s", name, err, tt.code)
		}
	}
	if list := must(c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b}))(t); *list.KeyCount != 0 {
		t.Errorf("kept: %+v", list.Contents)
	}
	for _, a := range types.ChecksumAlgorithm("").Values() {
		if !slices.Contains([]string{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"}, string(a)) {
			continue
		}
		putObject(t, c, b, string(a), "text", func(in *s3.PutObjectInput) { in.ChecksumAlgorithm = a })
		if got, err := getObject(ctx, c, b, string(a), func(in *s3.GetObjectInput) { in.ChecksumMode = types.ChecksumModeEnabled }); got != "text" || err != nil {
			t.Errorf("%s: got %q, %v", a, got, err)
		}
	}
	putObject(t, c, b, "once", "1", func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") })
	_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("once"), IfNoneMatch: aws.String("*")})
	check(t, err, failure{412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"})
}

func TestS3List(t *testing.T) {
	t.Parallel()
	c, ctx := server.s3Of(server.root), t.Context()
	b := newBucket(t, c)
	keys := []string{"a", "a/1", "a/2", "a/b/3", "b c", "d/", "ü/x"}
	for _, k := range keys {
		putObject(t, c, b, k, k)
	}
	type page struct {
		Keys, Prefixes []string
		Truncated      bool
	}
	shown := func(contents []types.Object, prefixes []types.CommonPrefix, truncated *bool) (p page) {
		for _, o := range contents {
			p.Keys = append(p.Keys, *o.Key)
		}
		for _, o := range prefixes {
			p.Prefixes = append(p.Prefixes, *o.Prefix)
		}
		p.Truncated = aws.ToBool(truncated)
		return p
	}
	for name, tt := range map[string]struct {
		in   s3.ListObjectsV2Input
		want page
	}{
		"all":                 {s3.ListObjectsV2Input{}, page{Keys: keys}},
		"prefix":              {s3.ListObjectsV2Input{Prefix: aws.String("a/")}, page{Keys: keys[1:4]}},
		"delimiter":           {s3.ListObjectsV2Input{Delimiter: aws.String("/")}, page{[]string{"a", "b c"}, []string{"a/", "d/", "ü/"}, false}},
		"both":                {s3.ListObjectsV2Input{Delimiter: aws.String("/"), Prefix: aws.String("a/")}, page{keys[1:3], []string{"a/b/"}, false}},
		"start":               {s3.ListObjectsV2Input{StartAfter: aws.String("a/2")}, page{Keys: keys[3:]}},
		"start in a prefix":   {s3.ListObjectsV2Input{StartAfter: aws.String("a/1"), Delimiter: aws.String("/")}, page{[]string{"b c"}, []string{"d/", "ü/"}, false}},
		"start behind prefix": {s3.ListObjectsV2Input{StartAfter: aws.String("a/"), Delimiter: aws.String("/")}, page{[]string{"b c"}, []string{"d/", "ü/"}, false}},
		"first":               {s3.ListObjectsV2Input{MaxKeys: aws.Int32(2), Delimiter: aws.String("/")}, page{[]string{"a"}, []string{"a/"}, true}},
		"none":                {s3.ListObjectsV2Input{MaxKeys: aws.Int32(0)}, page{}},
		"no such prefix":      {s3.ListObjectsV2Input{Prefix: aws.String("z")}, page{}},
	} {
		tt.in.Bucket = &b
		out := must(c.ListObjectsV2(ctx, &tt.in))(t)
		if diff := cmp.Diff(shown(out.Contents, out.CommonPrefixes, out.IsTruncated), tt.want); diff != "" {
			t.Errorf("%s: -got +want:\n%s", name, diff)
		}
	}
	for limit := int32(1); limit < 5; limit++ {
		var all []string
		pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: &b, Delimiter: aws.String("/"), MaxKeys: &limit})
		for pages.HasMorePages() {
			out := must(pages.NextPage(ctx))(t)
			p := shown(out.Contents, out.CommonPrefixes, out.IsTruncated)
			all = append(append(all, p.Keys...), p.Prefixes...)
		}
		slices.Sort(all)
		if diff := cmp.Diff(all, []string{"a", "a/", "b c", "d/", "ü/"}); diff != "" {
			t.Errorf("pages of %d: -got +want:\n%s", limit, diff)
		}
	}
	old := must(c.ListObjects(ctx, &s3.ListObjectsInput{Bucket: &b, Delimiter: aws.String("/"), MaxKeys: aws.Int32(2)}))(t)
	if diff := cmp.Diff(shown(old.Contents, old.CommonPrefixes, old.IsTruncated), page{[]string{"a"}, []string{"a/"}, true}); diff != "" || *old.NextMarker != "a/" {
		t.Errorf("old list: marker %v, -got +want:\n%s", old.NextMarker, diff)
	}
	encoded := must(c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b, EncodingType: types.EncodingTypeUrl, Prefix: aws.String("ü")}))(t)
	if *encoded.Contents[0].Key != "%C3%BC/x" || *encoded.Prefix != "%C3%BC" {
		t.Errorf("encoded: got %s, %s", *encoded.Contents[0].Key, *encoded.Prefix)
	}
}

func TestS3Versions(t *testing.T) {
	t.Parallel()
	c, ctx := server.s3Of(server.root), t.Context()
	b, key := newBucket(t, c), aws.String("k")
	putObject(t, c, b, *key, "null")
	state := func(s types.BucketVersioningStatus) {
		must(c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &b, VersioningConfiguration: &types.VersioningConfiguration{Status: s}}))(t)
	}
	state(types.BucketVersioningStatusEnabled)
	one, two := putObject(t, c, b, *key, "one"), putObject(t, c, b, *key, "two")
	marker := must(c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: key}))(t)
	if !aws.ToBool(marker.DeleteMarker) || marker.VersionId == nil {
		t.Errorf("delete: got %+v", marker)
	}
	_, err := getObject(ctx, c, b, *key)
	check(t, err, failure{404, "NoSuchKey", "The specified key does not exist."})
	version := func(id *string) func(*s3.GetObjectInput) { return func(in *s3.GetObjectInput) { in.VersionId = id } }
	for id, want := range map[string]string{*one.VersionId: "one", *two.VersionId: "two", "null": "null"} {
		if got, err := getObject(ctx, c, b, *key, version(&id)); got != want || err != nil {
			t.Errorf("version %s: got %q, %v", id, got, err)
		}
	}
	_, err = getObject(ctx, c, b, *key, version(marker.VersionId))
	check(t, err, failure{405, "MethodNotAllowed", "The specified method is not allowed against this resource."})
	_, err = getObject(ctx, c, b, *key, version(aws.String("xyz")))
	check(t, err, failure{404, "NoSuchVersion", "The specified version does not exist."})
	list := must(c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &b}))(t)
	var ids []string
	for _, v := range list.Versions {
		ids = append(ids, *v.VersionId)
	}
	if diff := cmp.Diff(ids, []string{*two.VersionId, *one.VersionId, "null"}); diff != "" || len(list.DeleteMarkers) != 1 || !*list.DeleteMarkers[0].IsLatest {
		t.Errorf("list: %d markers, -got +want:\n%s", len(list.DeleteMarkers), diff)
	}
	var paged []string
	pages := s3.NewListObjectVersionsPaginator(c, &s3.ListObjectVersionsInput{Bucket: &b, MaxKeys: aws.Int32(1)})
	for pages.HasMorePages() {
		out := must(pages.NextPage(ctx))(t)
		for _, v := range out.Versions {
			paged = append(paged, *v.VersionId)
		}
	}
	if diff := cmp.Diff(paged, ids); diff != "" {
		t.Errorf("pages: -got +want:\n%s", diff)
	}
	must(c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: key, VersionId: marker.VersionId}))(t)
	if got, err := getObject(ctx, c, b, *key); got != "two" || err != nil {
		t.Errorf("without the marker: got %q, %v", got, err)
	}
	state(types.BucketVersioningStatusSuspended)
	if again := putObject(t, c, b, *key, "null again"); aws.ToString(again.VersionId) != "null" {
		t.Errorf("suspended: got %v", again.VersionId)
	}
	if list := must(c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &b}))(t); len(list.Versions) != 3 || *list.Versions[0].VersionId != "null" {
		t.Errorf("suspended: got %+v", list.Versions)
	}
}

// noise is bytes at random.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

func TestS3Multipart(t *testing.T) {
	t.Parallel()
	c, ctx := server.s3Of(server.root), t.Context()
	b, key := newBucket(t, c), aws.String("big")
	parts := [][]byte{noise(5 << 20), noise(5<<20 + 1), noise(7)}
	for _, tt := range []struct {
		algorithm types.ChecksumAlgorithm
		kind      types.ChecksumType
	}{{"", ""}, {"CRC32", ""}, {"CRC32", "FULL_OBJECT"}, {"CRC64NVME", ""}, {"SHA256", "COMPOSITE"}} {
		up := must(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
			Bucket: &b, Key: key, ContentType: aws.String("x/y"), ChecksumAlgorithm: tt.algorithm, ChecksumType: tt.kind,
		}))(t)
		var done types.CompletedMultipartUpload
		for i, p := range parts {
			out := must(c.UploadPart(ctx, &s3.UploadPartInput{
				Bucket: &b, Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(int32(2*i + 1)), Body: bytes.NewReader(p), ChecksumAlgorithm: tt.algorithm,
			}))(t)
			done.Parts = append(done.Parts, types.CompletedPart{PartNumber: aws.Int32(int32(2*i + 1)), ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32,
				ChecksumCRC64NVME: out.ChecksumCRC64NVME, ChecksumSHA256: out.ChecksumSHA256})
		}
		if list := must(c.ListParts(ctx, &s3.ListPartsInput{Bucket: &b, Key: key, UploadId: up.UploadId}))(t); len(list.Parts) != 3 {
			t.Errorf("got %d parts", len(list.Parts))
		}
		if list := must(c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &b}))(t); len(list.Uploads) != 1 || *list.Uploads[0].UploadId != *up.UploadId {
			t.Errorf("got uploads %+v", list.Uploads)
		}
		bad := done
		bad.Parts = []types.CompletedPart{done.Parts[1], done.Parts[0]}
		_, err := c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &b, Key: key, UploadId: up.UploadId, MultipartUpload: &bad})
		if code(err) != "InvalidPartOrder" {
			t.Errorf("wrong order: got %v", err)
		}
		out := must(c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &b, Key: key, UploadId: up.UploadId, MultipartUpload: &done}))(t)
		if !strings.HasSuffix(*out.ETag, `-3"`) {
			t.Errorf("got ETag %s", *out.ETag)
		}
		got, err := getObject(ctx, c, b, *key, func(in *s3.GetObjectInput) { in.ChecksumMode = types.ChecksumModeEnabled })
		if err != nil || got != string(bytes.Join(parts, nil)) {
			t.Errorf("%v: got %d bytes, %v", tt, len(got), err)
		}
		got, err = getObject(ctx, c, b, *key, func(in *s3.GetObjectInput) { in.Range = aws.String("bytes=5242879-10485761") })
		if want := string(parts[0][len(parts[0])-1:]) + string(parts[1]) + string(parts[2][:1]); got != want || err != nil {
			t.Errorf("a range over parts: got %d bytes, %v", len(got), err)
		}
		part := must(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b, Key: key, PartNumber: aws.Int32(2)}))(t)
		if *part.ContentLength != 5<<20+1 || *part.PartsCount != 3 {
			t.Errorf("a part: got %d bytes of %d parts", *part.ContentLength, *part.PartsCount)
		}
		_, err = c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b, Key: key, UploadId: up.UploadId})
		if code(err) != "NoSuchUpload" {
			t.Errorf("abort what is complete: got %v", err)
		}
	}
	up := must(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &b, Key: aws.String("copied")}))(t)
	first := must(c.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
		Bucket: &b, Key: aws.String("copied"), UploadId: up.UploadId, PartNumber: aws.Int32(1), CopySource: aws.String(b + "/big"), CopySourceRange: aws.String("bytes=1-5242880"),
	}))(t)
	must(c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &b, Key: aws.String("copied"), UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{
		Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: first.CopyPartResult.ETag}},
	}}))(t)
	if got, err := getObject(ctx, c, b, "copied"); err != nil || got != string(parts[0][1:])+string(parts[1][:1]) {
		t.Errorf("copied part: got %d bytes, %v", len(got), err)
	}
}

// Who may what: the caller's policies and the bucket's, with the condition keys of S3.
func TestS3Permissions(t *testing.T) {
	t.Parallel()
	root, ctx := server.s3Of(server.root), t.Context()
	b := newBucket(t, root)
	arn := "arn:aws:s3:::" + b
	putObject(t, root, b, "alice/x", "x", func(in *s3.PutObjectInput) { in.Tagging = aws.String("team=blue") })
	putObject(t, root, b, "bob/x", "x")
	p := server.newUser(t)
	c := server.s3Of(p.credentials)
	_, err := getObject(ctx, c, b, "alice/x")
	check(t, err, s3Denied(p.arn, "s3:GetObject", b+"/alice/x"))
	_, err = getObject(ctx, c, b, "missing")
	check(t, err, s3Denied(p.arn, "s3:GetObject", b+"/missing"))

	server.permit(t, p, allow("s3:GetObject", arn+"/alice/*"), allow("s3:GetObject", arn+"/*", `{"StringEquals":{"s3:ExistingObjectTag/team":"red"}}`),
		allow("s3:ListBucket", arn, `{"StringLike":{"s3:prefix":"alice/*"},"NumericLessThanEquals":{"s3:max-keys":"10"}}`),
		allow("s3:PutObject", arn+"/alice/*", `{"StringEquals":{"s3:x-amz-storage-class":"STANDARD_IA"}}`), allow("s3:DeleteObject", arn+"/alice/*"))
	if got, err := getObject(ctx, c, b, "alice/x"); got != "x" || err != nil {
		t.Errorf("allowed: got %q, %v", got, err)
	}
	_, err = getObject(ctx, c, b, "bob/x")
	check(t, err, s3Denied(p.arn, "s3:GetObject", b+"/bob/x"))
	must(root.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: &b, Key: aws.String("bob/x"), Tagging: &types.Tagging{
		TagSet: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}},
	}}))(t)
	if got, err := getObject(ctx, c, b, "bob/x"); got != "x" || err != nil {
		t.Errorf("allowed by tag: got %q, %v", got, err)
	}
	// Who may not list is not told what is missing.
	_, err = getObject(ctx, c, b, "alice/missing")
	check(t, err, failure{403, "AccessDenied", "Access Denied"})
	list := func(prefix string, max int32) error {
		_, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b, Prefix: &prefix, MaxKeys: &max})
		return err
	}
	check(t, list("alice/", 10), failure{})
	check(t, list("alice/", 11), s3Denied(p.arn, "s3:ListBucket", b))
	check(t, list("bob/", 10), s3Denied(p.arn, "s3:ListBucket", b))
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("alice/y"), Body: strings.NewReader("y")})
	check(t, err, s3Denied(p.arn, "s3:PutObject", b+"/alice/y"))
	putObject(t, c, b, "alice/y", "y", func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassStandardIa })
	_, err = c.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b, Key: aws.String("alice/z"), StorageClass: types.StorageClassStandardIa, Tagging: aws.String("a=b"),
	})
	check(t, err, s3Denied(p.arn, "s3:PutObjectTagging", b+"/alice/z"))

	// Of many objects those are deleted that may be.
	gone := must(c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &b, Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("bob/x")}, {Key: aws.String("alice/y")}},
	}}))(t)
	if len(gone.Deleted) != 1 || *gone.Deleted[0].Key != "alice/y" || len(gone.Errors) != 1 || *gone.Errors[0].Code != "AccessDenied" ||
		*gone.Errors[0].Message != s3Denied(p.arn, "s3:DeleteObject", b+"/bob/x").Message {
		t.Errorf("delete: got %+v, %+v", gone.Deleted, gone.Errors)
	}
	if e := server.explain(t, responseID(t, gone.ResultMetadata)); e.Record.Allowed {
		t.Errorf("the decision log says: %s", e.Text)
	}
	if got, err := getObject(ctx, root, b, "bob/x"); got != "x" || err != nil {
		t.Errorf("what may not be deleted: got %q, %v", got, err)
	}
	must(root.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &b, Policy: document(
		`{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"` + arn + `/alice/*"}`,
	)}))(t)
	_, err = getObject(ctx, c, b, "alice/x")
	check(t, err, failure{403, "AccessDenied", "User: " + p.arn + ` is not authorized to perform: s3:GetObject on resource: "` + arn +
		`/alice/x" with an explicit deny in a resource-based policy`})
}

// Across accounts both must allow; nobody at all is let in by the bucket's policy alone.
func TestS3OtherAccounts(t *testing.T) {
	t.Parallel()
	root, ctx := server.s3Of(server.root), t.Context()
	b := newBucket(t, root)
	arn := "arn:aws:s3:::" + b
	putObject(t, root, b, "k", "secret")
	other := server.newAccount(t)
	theirs, them := server.userOf(t, other, allow("s3:*", "*"))
	c := server.s3Of(them.credentials)
	plain := failure{403, "AccessDenied", "Access Denied"}
	_, err := getObject(ctx, c, b, "k")
	check(t, err, plain)
	_, err = c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &b})
	if code(err) != "BucketAlreadyExists" {
		t.Errorf("another's name: got %v", err)
	}
	policy := func(principal, action, condition string) *string {
		return document(`{"Effect":"Allow","Principal":` + principal + `,"Action":` + action + `,"Resource":["` + arn + `","` + arn + `/*"]` + condition + `}`)
	}
	must(root.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &b, Policy: policy(`{"AWS":"`+theirs+`"}`, `"s3:GetObject"`, "")}))(t)
	if got, err := getObject(ctx, c, b, "k"); got != "secret" || err != nil {
		t.Errorf("let in: got %q, %v", got, err)
	}
	_, err = getObject(ctx, c, b, "missing")
	check(t, err, plain)
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: strings.NewReader("x")})
	check(t, err, plain)
	text := must(root.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &b}))(t)
	if !strings.Contains(*text.Policy, theirs) {
		t.Errorf("got policy %s", *text.Policy)
	}
	_, nobody := server.userOf(t, other, allow("s3:ListAllMyBuckets", "*"))
	_, err = getObject(ctx, server.s3Of(nobody.credentials), b, "k")
	check(t, err, plain)

	anonymous := func(method, path string) (int, string) {
		req := must(http.NewRequestWithContext(ctx, method, server.url+path, nil))(t)
		resp, body := do(t, req)
		return resp.StatusCode, string(body)
	}
	if status, body := anonymous("GET", "/"+b+"/k"); status != 403 {
		t.Errorf("nobody: got %d %s", status, body)
	}
	public := policy(`"*"`, `["s3:GetObject","s3:ListBucket"]`, "")
	_, err = root.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &b, Policy: public})
	if f := failureOf(err); f.Status != 403 || !strings.Contains(f.Message, "BlockPublicPolicy") {
		t.Errorf("public policy: got %v", err)
	}
	must(root.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: &b, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
		RestrictPublicBuckets: aws.Bool(true),
	}}))(t)
	must(root.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &b, Policy: public}))(t)
	if status, body := anonymous("GET", "/"+b+"/k"); status != 403 {
		t.Errorf("nobody in a restricted bucket: got %d %s", status, body)
	}
	_, err = getObject(ctx, c, b, "k")
	check(t, err, plain)
	must(root.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: &b}))(t)
	if status, body := anonymous("GET", "/"+b+"/k"); status != 200 || body != "secret" {
		t.Errorf("everybody: got %d %s", status, body)
	}
	if status, body := anonymous("GET", "/"+b+"/missing"); status != 404 || !strings.Contains(body, "<Code>NoSuchKey</Code>") {
		t.Errorf("what is not there: got %d %s", status, body)
	}
	if status, body := anonymous("PUT", "/"+b+"/k"); status != 403 {
		t.Errorf("nobody writes: got %d %s", status, body)
	}
	if status := must(root.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: &b}))(t); !*status.PolicyStatus.IsPublic {
		t.Error("the policy is not public")
	}
	host := must(http.NewRequestWithContext(ctx, "GET", server.url+"/k", nil))(t)
	host.Host = b + ".s3.us-east-1.localhost:4566"
	if resp, body := do(t, host); resp.StatusCode != 200 || string(body) != "secret" {
		t.Errorf("by host: got %s %s", resp.Status, body)
	}
}

func TestS3Presigned(t *testing.T) {
	t.Parallel()
	p := server.newUser(t)
	root, c, ctx := server.s3Of(server.root), server.s3Of(p.credentials), t.Context()
	b := newBucket(t, root)
	server.permit(t, p, allow("s3:*", "arn:aws:s3:::"+b+"/open/*", `{"StringEquals":{"s3:authType":"REST-QUERY-STRING"}}`))
	sign := s3.NewPresignClient(c)
	send := func(method, url, body string) (int, string) {
		req := must(http.NewRequestWithContext(ctx, method, url, strings.NewReader(body)))(t)
		resp, answer := do(t, req)
		return resp.StatusCode, string(answer)
	}
	up := must(sign.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("open/k")}))(t)
	if status, body := send(up.Method, up.URL, "by link"); status != 200 {
		t.Errorf("put: got %d %s", status, body)
	}
	down := must(sign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &b, Key: aws.String("open/k"), ResponseContentType: aws.String("x/y")}))(t)
	if status, body := send(down.Method, down.URL, ""); status != 200 || body != "by link" {
		t.Errorf("get: got %d %s", status, body)
	}
	if status, body := send(down.Method, strings.Replace(down.URL, "open/k", "open/l", 1), ""); status != 403 || !strings.Contains(body, "SignatureDoesNotMatch") {
		t.Errorf("another key: got %d %s", status, body)
	}
	closed := must(sign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &b, Key: aws.String("closed")}))(t)
	if status, body := send(closed.Method, closed.URL, ""); status != 403 || !strings.Contains(body, "AccessDenied") {
		t.Errorf("denied: got %d %s", status, body)
	}
	_, err := getObject(ctx, c, b, "open/k")
	check(t, err, s3Denied(p.arn, "s3:GetObject", b+"/open/k"))
}

// remember logs its event, so that a test finds it.
const remember = "import json\ndef handler(event, context):\n    for r in event['Records']:\n        print('got ' + json.dumps(r))\n"

// notifiedOf are the records that a function got.
func (l *licet) notifiedOf(t *testing.T, name string) (all []map[string]any) {
	t.Helper()
	out, err := l.as(l.root).logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("/aws/lambda/" + name), FilterPattern: aws.String("got"),
	})
	if err != nil {
		return nil
	}
	for _, e := range out.Events {
		if text, ok := strings.CutPrefix(strings.TrimSpace(*e.Message), "got "); ok {
			var r map[string]any
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
	}
	return all
}

func notify(arn string, events ...types.Event) *types.NotificationConfiguration {
	return &types.NotificationConfiguration{LambdaFunctionConfigurations: []types.LambdaFunctionConfiguration{{
		Id: aws.String("to-function"), LambdaFunctionArn: &arn, Events: events,
		Filter: &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{FilterRules: []types.FilterRule{
			{Name: "prefix", Value: aws.String("in/")}, {Name: "suffix", Value: aws.String(".txt")},
		}}},
	}}}
}

func TestS3Notification(t *testing.T) {
	t.Parallel()
	c, ctx := server.s3Of(server.root), t.Context()
	b := newBucket(t, c)
	f := server.newFunction(t, remember, func(in *lambda.CreateFunctionInput) {
		in.Role = aws.String(server.newRole(t, trustLambda, allow("logs:*", "*")).arn)
	})
	config := notify(f.arn, "s3:ObjectCreated:*", "s3:ObjectRemoved:Delete")
	in := &s3.PutBucketNotificationConfigurationInput{Bucket: &b, NotificationConfiguration: config}
	_, err := c.PutBucketNotificationConfiguration(ctx, in)
	check(t, err, failure{400, "InvalidArgument", "Unable to validate the following destination configurations"})
	permit := func(source string) {
		_, err := server.as(server.root).lambda.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &f.name, StatementId: aws.String("s3")})
		if err != nil && code(err) != "ResourceNotFoundException" {
			t.Fatal(err)
		}
		must(server.as(server.root).lambda.AddPermission(ctx, &lambda.AddPermissionInput{
			FunctionName: &f.name, StatementId: aws.String("s3"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("s3.amazonaws.com"),
			SourceArn: aws.String("arn:aws:s3:::" + source), SourceAccount: aws.String(account),
		}))(t)
	}
	permit("another")
	_, err = c.PutBucketNotificationConfiguration(ctx, in)
	check(t, err, failure{400, "InvalidArgument", "Unable to validate the following destination configurations"})
	permit(b)
	must(c.PutBucketNotificationConfiguration(ctx, in))(t)
	got := must(c.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: &b}))(t)
	rule := got.LambdaFunctionConfigurations[0]
	if *rule.Id != "to-function" || *rule.LambdaFunctionArn != f.arn || len(rule.Events) != 2 || len(rule.Filter.Key.FilterRules) != 2 {
		t.Errorf("got %+v", rule)
	}
	putObject(t, c, b, "out/a.txt", "x")
	putObject(t, c, b, "in/a.jpg", "x")
	answer := putObject(t, c, b, "in/a b+ü.txt", "hello")
	must(c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("in/a b+ü.txt")}))(t)
	var records []map[string]any
	if !eventually(t, func() bool { records = server.notifiedOf(t, f.name); return len(records) >= 2 }) {
		t.Fatalf("got %d records", len(records))
	}
	slices.SortFunc(records, func(a, b map[string]any) int {
		return strings.Compare(a["eventName"].(string), b["eventName"].(string))
	})
	created := records[0]
	object := created["s3"].(map[string]any)["object"].(map[string]any)
	if len(records) != 2 || created["eventName"] != "ObjectCreated:Put" || created["eventVersion"] != "2.1" || created["eventSource"] != "aws:s3" ||
		created["awsRegion"] != "us-east-1" || object["key"] != "in/a+b%2B%C3%BC.txt" || object["size"] != 5.0 ||
		object["eTag"] != strings.Trim(*answer.ETag, `"`) || object["sequencer"] == "" || records[1]["eventName"] != "ObjectRemoved:Delete" {
		t.Errorf("got %v", records)
	}
	// Without the permission nothing runs any more.
	permit("another")
	putObject(t, c, b, "in/late.txt", "x")
	permit(b)
	putObject(t, c, b, "in/last.txt", "x")
	if !eventually(t, func() bool { records = server.notifiedOf(t, f.name); return len(records) >= 3 }) {
		t.Fatalf("got %d records", len(records))
	}
}

// A queue gets a test event when it becomes a target, and then events, as far as its policy lets S3 in for this bucket.
func TestS3QueueNotification(t *testing.T) {
	t.Parallel()
	c, queues, ctx := server.s3Of(server.root), sqs.NewFromConfig(server.config(server.root)), t.Context()
	b, name := newBucket(t, c), unique("queue")
	url := must(queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name}))(t).QueueUrl
	arn := "arn:aws:sqs:us-east-1:" + account + ":" + name
	permit := func(source string) {
		must(queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"Policy": *document(
			`{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + arn +
				`","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::` + source + `"},"StringEquals":{"aws:SourceAccount":"` + account + `"}}}`,
		)}}))(t)
	}
	receive := func() (bodies []string) {
		out := must(queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 20, MaxNumberOfMessages: 10}))(t)
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
		}
		return bodies
	}
	in := &s3.PutBucketNotificationConfigurationInput{Bucket: &b, NotificationConfiguration: &types.NotificationConfiguration{
		QueueConfigurations: []types.QueueConfiguration{{QueueArn: &arn, Events: []types.Event{"s3:ObjectCreated:*"}}},
	}}
	_, err := c.PutBucketNotificationConfiguration(ctx, in)
	check(t, err, failure{400, "InvalidArgument", "Unable to validate the following destination configurations"})
	permit("another")
	_, err = c.PutBucketNotificationConfiguration(ctx, in)
	check(t, err, failure{400, "InvalidArgument", "Unable to validate the following destination configurations"})
	permit(b)
	must(c.PutBucketNotificationConfiguration(ctx, in))(t)
	if got := receive(); len(got) != 1 || !strings.Contains(got[0], `"Event":"s3:TestEvent"`) || !strings.Contains(got[0], `"Bucket":"`+b+`"`) {
		t.Errorf("got %v", got)
	}
	putObject(t, c, b, "k", "hello")
	if got := receive(); len(got) != 1 || !strings.Contains(got[0], `"eventName":"ObjectCreated:Put"`) || !strings.Contains(got[0], `"key":"k","size":5`) {
		t.Errorf("got %v", got)
	}
}

// Terraform's provider reads and writes tags of buckets by S3 Control, whose clients put the account before the host's name unless they are
// told not to. It asks for the whole configuration of a bucket, of which most is not there.
func TestTerraformBucket(t *testing.T) {
	t.Parallel()
	c, ctx := server.s3Of(server.root), t.Context()
	b := newBucket(t, c)
	control := server.controlOf(server.root)
	id, arn := aws.String(account), aws.String("arn:aws:s3:::"+b)
	tags := func() map[string]string {
		t.Helper()
		found := map[string]string{}
		for _, tag := range must(control.ListTagsForResource(ctx, &s3control.ListTagsForResourceInput{AccountId: id, ResourceArn: arn}))(t).Tags {
			found[*tag.Key] = *tag.Value
		}
		return found
	}
	must(control.TagResource(ctx, &s3control.TagResourceInput{AccountId: id, ResourceArn: arn, Tags: []controltypes.Tag{
		{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")},
	}}))(t)
	must(control.TagResource(ctx, &s3control.TagResourceInput{AccountId: id, ResourceArn: arn, Tags: []controltypes.Tag{{Key: aws.String("a"), Value: aws.String("3")}}}))(t)
	must(control.UntagResource(ctx, &s3control.UntagResourceInput{AccountId: id, ResourceArn: arn, TagKeys: []string{"b", "c"}}))(t)
	if diff := cmp.Diff(tags(), map[string]string{"a": "3"}); diff != "" {
		t.Errorf("tags: -got +want:\n%s", diff)
	}
	if shown := must(c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &b}))(t); len(shown.TagSet) != 1 {
		t.Errorf("got tags %+v", shown.TagSet)
	}
	p := server.newUser(t)
	_, err := server.controlOf(p.credentials).ListTagsForResource(ctx,
		&s3control.ListTagsForResourceInput{AccountId: id, ResourceArn: arn})
	check(t, err, s3Denied(p.arn, "s3:ListTagsForResource", b))

	all := &controltypes.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true)}
	other := server.newAccount(t)
	theirs := server.controlOf(other.credentials)
	must(theirs.PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{AccountId: &other.id, PublicAccessBlockConfiguration: all}))(t)
	block := must(theirs.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: &other.id}))(t).PublicAccessBlockConfiguration
	if !*block.BlockPublicPolicy || *block.RestrictPublicBuckets {
		t.Errorf("got %+v", block)
	}
	must(theirs.DeletePublicAccessBlock(ctx, &s3control.DeletePublicAccessBlockInput{AccountId: &other.id}))(t)
	_, err = theirs.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: &other.id})
	if code(err) != "NoSuchPublicAccessBlockConfiguration" {
		t.Errorf("got %v", err)
	}

	codeOf := func(_ any, err error) string { return code(err) }
	got := map[string]string{
		"acl":         codeOf(c.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: &b})),
		"cors":        codeOf(c.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: &b})),
		"website":     codeOf(c.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: &b})),
		"versioning":  codeOf(c.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &b})),
		"accelerate":  codeOf(c.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: &b})),
		"payment":     codeOf(c.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: &b})),
		"logging":     codeOf(c.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: &b})),
		"lifecycle":   codeOf(c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &b})),
		"replication": codeOf(c.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: &b})),
		"encryption":  codeOf(c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &b})),
		"lock":        codeOf(c.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &b})),
		"ownership":   codeOf(c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &b})),
		"policy":      codeOf(c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &b})),
		"location":    codeOf(c.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: &b})),
		"events":      codeOf(c.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: &b})),
		"write cors": codeOf(c.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: &b, CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{
			{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{"*"}},
		}}})),
	}
	const none = "no error"
	if diff := cmp.Diff(got, map[string]string{
		"acl": none, "cors": "NoSuchCORSConfiguration", "website": "NoSuchWebsiteConfiguration", "versioning": none, "accelerate": none, "payment": none, "logging": none,
		"lifecycle": "NoSuchLifecycleConfiguration", "replication": "ReplicationConfigurationNotFoundError", "encryption": none,
		"lock": "ObjectLockConfigurationNotFoundError", "ownership": none, "policy": "NoSuchBucketPolicy", "location": none, "events": none,
		"write cors": "NotImplemented",
	}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	must(c.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: &b, OwnershipControls: &types.OwnershipControls{
		Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}},
	}}))(t)
	must(c.DeleteBucketOwnershipControls(ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: &b}))(t)
	_, err = c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &b})
	if code(err) != "OwnershipControlsNotFoundError" {
		t.Errorf("got %v", err)
	}
	must(c.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: &b, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("x"), Value: aws.String("y")}}}}))(t)
	if diff := cmp.Diff(tags(), map[string]string{"x": "y"}); diff != "" {
		t.Errorf("tags: -got +want:\n%s", diff)
	}
	must(c.DeleteBucketTagging(ctx, &s3.DeleteBucketTaggingInput{Bucket: &b}))(t)
	// A policy that locks everybody out does not keep the root from taking it away.
	must(c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &b, Policy: document(
		`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["` + *arn + `","` + *arn + `/*"]}`,
	)}))(t)
	_, err = c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b})
	if failureOf(err).Status != 403 {
		t.Errorf("locked out: got %v", err)
	}
	must(c.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &b}))(t)
	must(c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &b}))(t)
}

// Functions and layers take their code from S3, with what their maker may read.
func TestS3Code(t *testing.T) {
	t.Parallel()
	root, ctx := server.s3Of(server.root), t.Context()
	b := newBucket(t, root)
	zip := archive(t, file{name: "code.py", text: echo})
	putObject(t, root, b, "code.zip", string(zip))
	r := server.newRole(t, trustLambda)
	p := server.newUser(t, allow("lambda:*", "*"), allow("iam:PassRole", "*"))
	in := &lambda.CreateFunctionInput{
		FunctionName: aws.String(unique("function")), Runtime: lambdatypes.RuntimePython311, Handler: aws.String("code.handler"), Role: &r.arn,
		Code: &lambdatypes.FunctionCode{S3Bucket: &b, S3Key: aws.String("code.zip")},
	}
	_, err := p.lambda.CreateFunction(ctx, in)
	if f := failureOf(err); f.Status != 403 || !strings.Contains(f.Message, "GetObject") {
		t.Errorf("denied: got %v", err)
	}
	server.permit(t, p, allow("lambda:*", "*"), allow("iam:PassRole", "*"), allow("s3:GetObject", "arn:aws:s3:::"+b+"/*"))
	must(p.lambda.CreateFunction(ctx, in))(t)
	if got, err := p.invoke(t, *in.FunctionName, `"from S3"`); got != `"from S3"` || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	must(p.lambda.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{
		LayerName: aws.String(unique("layer")), Content: &lambdatypes.LayerVersionContentInput{S3Bucket: &b, S3Key: aws.String("code.zip")},
	}))(t)
	in.FunctionName, in.Code.S3Key = aws.String(unique("function")), aws.String("missing.zip")
	_, err = server.as(server.root).lambda.CreateFunction(ctx, in)
	check(t, err, failure{400, "InvalidParameterValueException",
		"Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."})
}

// The commands of the AWS CLI that are more than an operation.
func TestS3ByCLI(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	aws := func(args ...string) (string, error) {
		return server.command(t, server.root, "/usr/bin/aws", append([]string{"--endpoint-url", server.url}, args...)...)
	}
	run := func(args ...string) string {
		t.Helper()
		return must(aws(args...))(t)
	}
	b := "s3://" + unique("bucket")
	run("s3", "mb", b)
	big := noise(20 << 20) // the CLI uploads what is larger than 8 MB in parts
	for name, text := range map[string][]byte{"big": big, "tree/a": []byte("a"), "tree/sub/b": []byte("b")} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	run("s3", "cp", "--no-progress", filepath.Join(dir, "big"), b+"/big")
	run("s3", "cp", "--no-progress", b+"/big", filepath.Join(dir, "back"))
	if back := must(os.ReadFile(filepath.Join(dir, "back")))(t); !bytes.Equal(back, big) {
		t.Errorf("got %d bytes back", len(back))
	}
	run("s3", "cp", "--no-progress", b+"/big", b+"/copy of big")
	run("s3", "sync", "--no-progress", filepath.Join(dir, "tree"), b+"/tree")
	if again := run("s3", "sync", "--no-progress", filepath.Join(dir, "tree"), b+"/tree"); again != "" {
		t.Errorf("a second sync: %s", again)
	}
	list := run("s3", "ls", "--recursive", b)
	var names []string
	for line := range strings.Lines(list) {
		names = append(names, strings.TrimSpace(line[31:]))
	}
	if diff := cmp.Diff(names, []string{"big", "copy of big", "tree/a", "tree/sub/b"}); diff != "" {
		t.Errorf("%s-got +want:\n%s", list, diff)
	}
	if top := run("s3", "ls", b+"/tree/"); !strings.Contains(top, "PRE sub/") || !strings.Contains(top, " a\n") {
		t.Errorf("got %s", top)
	}
	for _, region := range []string{"us-east-1"} {
		link := strings.TrimSpace(run("--region", region, "s3", "presign", b+"/tree/a"))
		if out, err := exec.CommandContext(t.Context(), "curl", "-sf", link).Output(); string(out) != "a" || err != nil {
			t.Errorf("%s: got %q, %v", link, out, err)
		}
	}
	run("s3", "rm", "--recursive", b+"/tree")
	if _, err := aws("s3", "rb", b); err == nil || !strings.Contains(err.Error(), "BucketNotEmpty") {
		t.Errorf("got %v", err)
	}
	run("s3", "rb", "--force", b)
	if _, err := aws("s3", "ls", b); err == nil || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("got %v", err)
	}
}

// boto3 sees the same as the Go SDK.
func TestS3ByBoto3(t *testing.T) {
	t.Parallel()
	out := must(server.command(t, server.root, "/usr/bin/python3", "s3.py", unique("bucket")))(t)
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if diff := cmp.Diff(got, map[string]any{
		"etag": `"5d41402abc4b2a76b9719d911017c592"`, "body": "hello", "range": "ell", "keys": []any{"k", "parts", "streamed"}, "missing": "NoSuchKey",
		"head": "404", "parts": 9437184.0, "streamed": "streamed", "link": "hello", "posted": 200.0, "tags": map[string]any{"a": "b"},
		"policy": "NoSuchBucketPolicy", "wrong": "SignatureDoesNotMatch", "unknown": "InvalidAccessKeyId",
	}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
