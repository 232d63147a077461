package restxml_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/protocoltest"
	"github.com/licet/licet/internal/protocol/restxml"
)

// request makes one of a method, a target and headers ("Name: value").
func request(method, target, body string, headers ...string) *protocol.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return &protocol.Request{HTTP: r, Body: []byte(body)}
}

func decode(codec *restxml.Codec, r *protocol.Request) (any, error) {
	op, err := codec.Operation(r)
	if err != nil {
		return nil, err
	}
	return codec.Decode(r, op)
}

func TestRoutes(t *testing.T) {
	codec := newCodec(t)
	const copySource = "X-Amz-Copy-Source: b/k"
	for _, c := range []struct {
		method, target, want string
		headers              []string
	}{
		{"GET", "/", "ListBuckets", nil},
		{"GET", "/b", "ListObjects", nil},
		{"GET", "/b/", "ListObjects", nil},
		{"GET", "/b?unknown", "ListObjects", nil},
		{"GET", "/b?list-type=2&prefix=x", "ListObjectsV2", nil},
		{"GET", "/b?list-type=1", "ListObjects", nil},
		{"GET", "/b?versions", "ListObjectVersions", nil},
		{"GET", "/b?uploads", "ListMultipartUploads", nil},
		{"GET", "/b?analytics", "ListBucketAnalyticsConfigurations", nil},
		{"GET", "/b?analytics&id=1", "GetBucketAnalyticsConfiguration", nil},
		{"PUT", "/b", "CreateBucket", nil},
		{"PUT", "/b?tagging", "PutBucketTagging", nil},
		{"PUT", "/b/k?tagging", "PutObjectTagging", nil},
		{"PUT", "/b/k", "PutObject", nil},
		{"PUT", "/b/k?x-id=PutObject", "PutObject", nil},
		{"PUT", "/b/k", "CopyObject", []string{copySource}},
		{"PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart", nil},
		{"PUT", "/b/k?partNumber=1&uploadId=u", "UploadPartCopy", []string{copySource}},
		{"POST", "/b/k?uploads", "CreateMultipartUpload", nil},
		{"POST", "/b/k?uploadId=u", "CompleteMultipartUpload", nil},
		{"POST", "/b?delete", "DeleteObjects", nil},
		{"DELETE", "/b/k?uploadId=u", "AbortMultipartUpload", nil},
		{"DELETE", "/b/k?versionId=v", "DeleteObject", nil},
		{"GET", "/b/k?uploadId=u", "ListParts", nil},
		{"GET", "/b/k?partNumber=1", "GetObject", nil},
		{"HEAD", "/b/k", "HeadObject", nil},
		{"HEAD", "/b", "HeadBucket", nil},
		{"GET", "http://b.s3.local/", "ListObjects", nil},
		{"GET", "http://b.s3.local/k", "GetObject", nil},
		{"GET", "http://b.s3.local/k/l/", "GetObject", nil},
		{"POST", "/b/k", "", nil},
		{"PATCH", "/b/k", "", nil},
		{"DELETE", "/", "", nil},
		{"POST", "/WriteGetObjectResponse", "", nil},
	} {
		op, err := codec.Operation(request(c.method, c.target, "", c.headers...))
		if c.want == "" {
			e, ok := errors.AsType[*awserr.Error](err)
			if !ok || e.Code != "MethodNotAllowed" || e.Status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: got %v, %v", c.method, c.target, op, err)
			}
			continue
		}
		if err != nil || op.Name != c.want {
			t.Errorf("%s %s: got %v, %v, want %s", c.method, c.target, op, err, c.want)
		}
	}
}

func TestDecode(t *testing.T) {
	codec := newCodec(t)
	date := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		r    *protocol.Request
		want any
	}{
		{request("GET", "/b%2Fc/a%20b/%2F//c+d", ""), &s3.GetObjectInput{Bucket: aws.String("b/c"), Key: aws.String("a b////c+d")}},
		{
			request("GET", "http://b.s3.local/k?partNumber=2", "", "If-Modified-Since: Thu, 02 Jan 2020 03:04:05 GMT"),
			&s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), PartNumber: aws.Int32(2), IfModifiedSince: &date},
		},
		{
			request("GET", "/b?list-type=2&max-keys=7&fetch-owner=true&prefix=", "", "X-Amz-Optional-Object-Attributes: RestoreStatus, Other"),
			&s3.ListObjectsV2Input{
				Bucket: aws.String("b"), MaxKeys: aws.Int32(7), FetchOwner: aws.Bool(true), Prefix: aws.String(""),
				OptionalObjectAttributes: []types.OptionalObjectAttributes{"RestoreStatus", "Other"},
			},
		},
		{
			request("PUT", "/b?policy", `{"a":1}`),
			&s3.PutBucketPolicyInput{Bucket: aws.String("b"), Policy: aws.String(`{"a":1}`)},
		},
		{
			request("PUT", "/b?tagging", `<?xml version="1.0"?><!-- c --><Tagging> <TagSet><Tag><Key>a&amp;b</Key><Value/></Tag></TagSet><Other/></Tagging>`),
			&s3.PutBucketTaggingInput{
				Bucket:  aws.String("b"),
				Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a&b"), Value: aws.String("")}}},
			},
		},
		{request("PUT", "/b?tagging", ""), &s3.PutBucketTaggingInput{Bucket: aws.String("b")}},
		{
			request("PUT", "/b?notification", `<NotificationConfiguration><CloudFunctionConfiguration><CloudFunction>arn</CloudFunction>`+
				`<Event>a</Event><Event>b</Event><Filter><S3Key><FilterRule><Name>prefix</Name><Value>p</Value></FilterRule></S3Key></Filter>`+
				`</CloudFunctionConfiguration></NotificationConfiguration>`),
			&s3.PutBucketNotificationConfigurationInput{
				Bucket: aws.String("b"),
				NotificationConfiguration: &types.NotificationConfiguration{LambdaFunctionConfigurations: []types.LambdaFunctionConfiguration{{
					LambdaFunctionArn: aws.String("arn"), Events: []types.Event{"a", "b"},
					Filter: &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{
						FilterRules: []types.FilterRule{{Name: "prefix", Value: aws.String("p")}},
					}},
				}}},
			},
		},
	} {
		got, err := decode(codec, c.r)
		if err != nil {
			t.Errorf("%s: %v", c.r.HTTP.URL, err)
			continue
		}
		if diff := cmp.Diff(got, c.want, cmpopts.IgnoreUnexported(
			s3.GetObjectInput{}, s3.ListObjectsV2Input{}, s3.PutBucketPolicyInput{}, s3.PutBucketTaggingInput{}, types.Tagging{}, types.Tag{},
			s3.PutBucketNotificationConfigurationInput{}, types.NotificationConfiguration{}, types.LambdaFunctionConfiguration{},
			types.NotificationConfigurationFilter{}, types.S3KeyFilter{}, types.FilterRule{},
		)); diff != "" {
			t.Errorf("%s (-got +want):\n%s", c.r.HTTP.URL, diff)
		}
	}
}

// TestDecodeObject: what is to be stored is read from a stream, and what is known of it stands in headers.
func TestDecodeObject(t *testing.T) {
	in, err := decode(newCodec(t), request("PUT", "/b/k", "body", "X-Amz-Meta-Color: red", "X-Amz-Meta-color: blue", "Content-Type: text/plain"))
	if err != nil {
		t.Fatal(err)
	}
	put := in.(*s3.PutObjectInput)
	body, err := io.ReadAll(put.Body)
	if err != nil || string(body) != "body" || *put.ContentLength != 4 || *put.ContentType != "text/plain" {
		t.Errorf("got %q, %v, %d bytes of %s", body, err, *put.ContentLength, *put.ContentType)
	}
	if diff := cmp.Diff(put.Metadata, map[string]string{"color": "red,blue"}); diff != "" {
		t.Errorf("metadata (-got +want):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	codec := newCodec(t)
	const tagging = "/b?tagging"
	for _, c := range []struct {
		r    *protocol.Request
		code string
	}{
		{request("GET", "/b?max-keys=x", ""), "InvalidArgument"},
		{request("GET", "/b?max-keys=", ""), "InvalidArgument"},
		{request("GET", "/b?max-keys=99999999999", ""), "InvalidArgument"},
		{request("GET", "/b?%zz", ""), "InvalidArgument"},
		{request("GET", "/b?list-type=2&fetch-owner=perhaps", ""), "InvalidArgument"},
		{request("GET", "/b/k", "", "If-Modified-Since: yesterday"), "InvalidArgument"},
		{request("PUT", tagging, "{}"), "MalformedXML"},
		{request("PUT", tagging, "<Tagging>"), "MalformedXML"},
		{request("PUT", tagging, "<Tagging/><Tagging/>"), "MalformedXML"},
		{request("PUT", tagging, "<Other/>"), "MalformedXML"},
		{request("PUT", tagging, "<Tagging><TagSet><Other/></TagSet></Tagging>"), "MalformedXML"},
		{request("PUT", tagging, "<Tagging>&entity;</Tagging>"), "MalformedXML"},
		{request("PUT", tagging, strings.Repeat("<Tagging>", 20)+strings.Repeat("</Tagging>", 20)), "MalformedXML"},
		{request("PUT", tagging, "<Tagging>"+strings.Repeat("<a/>", 100_000)+"</Tagging>"), "MalformedXML"},
		{request("POST", "/b?delete", "<Delete><Quiet>perhaps</Quiet></Delete>"), "MalformedXML"},
		{request("POST", "/b?delete", "<Delete><Object><Size>x</Size></Object></Delete>"), "MalformedXML"},
	} {
		_, err := decode(codec, c.r)
		e, ok := errors.AsType[*awserr.Error](err)
		if !ok || e.Code != c.code || e.Status != http.StatusBadRequest {
			t.Errorf("%s: got %v, want %s", c.r.HTTP.URL, err, c.code)
		}
	}
}

func encode(t *testing.T, method, target string, out any, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	codec := newCodec(t)
	op, err := codec.Operation(request(method, target, "", headers...))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := codec.Encode(w, op, out, protocoltest.RequestID); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestEncode(t *testing.T) {
	const namespace = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`
	date := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		method, target string
		out            any
		status         int
		kind, want     string
	}{
		{"DELETE", "/b/k", &s3.DeleteObjectOutput{}, 204, "", ""},
		{"PUT", "/b/k", &s3.PutObjectOutput{ETag: aws.String(`"e"`)}, 200, "", ""},
		{"GET", "/b?location", &s3.GetBucketLocationOutput{}, 200, "application/xml", "<LocationConstraint" + namespace + "</LocationConstraint>"},
		{
			"GET", "/b?location", &s3.GetBucketLocationOutput{LocationConstraint: "eu-west-1"}, 200, "application/xml",
			"<LocationConstraint" + namespace + "eu-west-1</LocationConstraint>",
		},
		{"GET", "/b?policy", &s3.GetBucketPolicyOutput{Policy: aws.String(`{}`)}, 200, "application/xml", "{}"},
		{
			"GET", "/b", &s3.ListObjectsOutput{Contents: []types.Object{{Key: aws.String("<k>"), LastModified: &date}, {}}, IsTruncated: aws.Bool(false)},
			200, "application/xml", "<ListBucketResult" + namespace + "<Contents><Key>&lt;k&gt;</Key><LastModified>2020-01-02T03:04:05.000Z</LastModified>" +
				"</Contents><Contents></Contents><IsTruncated>false</IsTruncated></ListBucketResult>",
		},
		{
			"GET", "/", &s3.ListBucketsOutput{Buckets: []types.Bucket{}}, 200, "application/xml",
			"<ListAllMyBucketsResult" + namespace + "<Buckets></Buckets></ListAllMyBucketsResult>",
		},
		{
			"GET", "/b?acl", &s3.GetBucketAclOutput{Grants: []types.Grant{{Grantee: &types.Grantee{Type: "Group", URI: aws.String("u")}}}},
			200, "application/xml", "<AccessControlPolicy" + namespace + `<AccessControlList><Grant><Grantee ` +
				`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>u</URI></Grantee></Grant></AccessControlList></AccessControlPolicy>`,
		},
	} {
		w := encode(t, c.method, c.target, c.out)
		got := strings.TrimPrefix(w.Body.String(), xml.Header)
		if got != c.want || w.Code != c.status || w.Header().Get("Content-Type") != c.kind ||
			w.Header().Get("X-Amz-Request-Id") != protocoltest.RequestID {
			t.Errorf("%s %s: got %d %v %s, want %s", c.method, c.target, w.Code, w.Header(), got, c.want)
		}
	}
}

// TestEncodeObject: an object is copied from a stream; a part of one has a status of its own.
func TestEncodeObject(t *testing.T) {
	out := &s3.GetObjectOutput{
		Body: io.NopCloser(strings.NewReader("body")), ContentLength: aws.Int64(4), ContentType: aws.String("text/plain"),
		Metadata: map[string]string{"color": "red"}, LastModified: aws.Time(time.Unix(0, 0)), ContentRange: aws.String("bytes 0-3/10"),
		ObjectLockRetainUntilDate: aws.Time(time.Unix(0, 0)),
	}
	w := encode(t, "GET", "/b/k", out)
	got := map[string]string{"status": http.StatusText(w.Code), "body": w.Body.String()}
	for name := range w.Header() {
		got[name] = w.Header().Get(name)
	}
	if diff := cmp.Diff(got, map[string]string{
		"status": "Partial Content", "body": "body", "Content-Length": "4", "Content-Type": "text/plain", "Content-Range": "bytes 0-3/10",
		"Last-Modified": "Thu, 01 Jan 1970 00:00:00 GMT", "X-Amz-Meta-Color": "red", "X-Amz-Request-Id": protocoltest.RequestID,
		"X-Amz-Id-2": protocoltest.RequestID, "X-Amz-Object-Lock-Retain-Until-Date": "1970-01-01T00:00:00Z",
	}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }

// TestEncodeBroken: an object that cannot be read to its end must not look like a whole one.
func TestEncodeBroken(t *testing.T) {
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("got %v, want that the answer is broken off", p)
		}
	}()
	encode(t, "GET", "/b/k", &s3.GetObjectOutput{Body: io.NopCloser(broken{})})
}

func TestEncodeError(t *testing.T) {
	w := httptest.NewRecorder()
	newCodec(t).EncodeError(w, &awserr.Error{
		Code: "NoSuchKey", Status: http.StatusNotFound, Message: "<no>", Members: map[string]string{"Key": "k"},
	}, "id")
	want := xml.Header + "<Error><Code>NoSuchKey</Code><Message>&lt;no&gt;</Message><Key>k</Key><RequestId>id</RequestId><HostId>id</HostId></Error>"
	if got := w.Body.String(); got != want || w.Code != http.StatusNotFound {
		t.Errorf("got %d %s", w.Code, got)
	}
	w = httptest.NewRecorder()
	newCodec(t).EncodeError(w, awserr.New("NotModified", http.StatusNotModified, ""), "id")
	if w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// FuzzDecode looks for requests that panic, and for errors that are not the client's.
func FuzzDecode(f *testing.F) {
	for _, r := range service(f).Snapshots(f) {
		f.Add(r.HTTP.Method, r.HTTP.URL.String(), string(r.Body))
	}
	codec := newCodec(f)
	f.Fuzz(func(t *testing.T, method, target, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		_, err = decode(codec, &protocol.Request{HTTP: &http.Request{Method: method, URL: u, Header: http.Header{}}, Body: []byte(body)})
		if e, ok := errors.AsType[*awserr.Error](err); err != nil && (!ok || !e.Sender()) {
			t.Errorf("got %v", err)
		}
	})
}
