package s3

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/restxml"
	"github.com/licet/licet/internal/services/s3/s3api"
	"github.com/licet/licet/internal/services/s3/s3controlapi"
)

// FuzzRequests looks for requests to S3 and its control plane, with their XML, whose reading panics, or whose errors are not the client's.
func FuzzRequests(f *testing.F) {
	const host = " HTTP/1.1\r\nHost: b.s3.localhost\r\n"
	const xml = host + "Transfer-Encoding: chunked\r\n\r\n100\r\n"
	for _, raw := range []string{
		"GET /k?versionId=1&response-content-type=a" + host + "Range: bytes=0-1\r\nIf-Modified-Since: Fri, 27 Nov 2026 12:00:00 GMT\r\n\r\n",
		"GET /?list-type=2&prefix=a&delimiter=/&max-keys=x" + host + "\r\n",
		"PUT /k" + host + "X-Amz-Copy-Source: /b/k?versionId=2\r\nX-Amz-Meta-A: =?UTF-8?B?w7w=?=\r\nContent-Length: 2\r\n\r\nhi",
		"POST /?delete" + host + "Content-Length: 81\r\n\r\n<Delete><Object><Key>a</Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>",
		"POST /k?uploadId=1" + host + "Content-Length: 117\r\n\r\n<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"x\"</ETag></Part></CompleteMultipartUpload>           ",
		"PUT /?tagging" + host + "Content-Length: 75\r\n\r\n<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
		"PUT /?notification" + host + "Content-Length: 124\r\n\r\n<NotificationConfiguration><QueueConfiguration><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>",
		"PUT /?versioning" + xml + "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><VersioningConfiguration>&a;</VersioningConfiguration>",
		"GET /v20180820/tags/arn:aws:s3:::b" + host + "X-Amz-Account-Id: 111122223333\r\n\r\n",
	} {
		f.Add([]byte(raw))
	}
	s := &Service{Config: Config{Region: "us-east-1"}}
	bucket, err := restxml.New(s3api.API(), s.Hosted)
	if err != nil {
		f.Fatal(err)
	}
	control, err := restxml.New(s3controlapi.API(), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return
		}
		for _, codec := range []*restxml.Codec{bucket, control} {
			req := &protocol.Request{HTTP: r, Body: body, Stream: bytes.NewReader(body)}
			op, err := codec.Operation(req)
			if err == nil {
				_, err = codec.Decode(req, op)
			}
			if e, ok := errors.AsType[*awserr.Error](err); err != nil && (!ok || !e.Sender() && e.Status != http.StatusNotImplemented) {
				t.Errorf("got %v", err)
			}
		}
	})
}
