package restxml_test

import (
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/protocol/protocoltest"
	"github.com/licet/licet/internal/protocol/restxml"
	"github.com/licet/licet/internal/services/s3/s3api"
)

func newCodec(t testing.TB) *restxml.Codec {
	t.Helper()
	codec, err := restxml.New(s3api.API(), func(host string) string {
		bucket, _, _ := strings.Cut(host, ".s3.")
		if bucket == host {
			return ""
		}
		return bucket
	})
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

// elsewhere are the operations of other services' hosts, to which the SDK sends no request of a client of S3: S3 Object Lambda and S3
// Express One Zone.
var elsewhere = map[string]bool{"WriteGetObjectResponse": true, "ListDirectoryBuckets": true}

func service(t testing.TB) protocoltest.Service {
	api := s3api.API()
	inBucket := map[string]bool{}
	api.Operations = slices.DeleteFunc(api.Operations, func(op protocol.Operation) bool { return elsewhere[op.Name] })
	for _, op := range api.Operations {
		_, inBucket[op.Name] = op.Input.FieldByName("Bucket")
	}
	return protocoltest.Service{
		Module: "github.com/aws/aws-sdk-go-v2/service/s3", API: api, Codec: newCodec(t),
		Client: func(c aws.Config) any {
			c.RequestChecksumCalculation, c.ResponseChecksumValidation = aws.RequestChecksumCalculationWhenRequired, aws.ResponseChecksumValidationWhenRequired
			return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
		},
		Added: []string{"Accept-Encoding", "X-Amz-Content-Sha256", "X-Amz-Checksum-Crc32", "X-Amz-Sdk-Checksum-Algorithm", "Content-Type"},
		Complete: func(op string, r *protocol.Request) {
			if inBucket[op] {
				r.HTTP.URL.Path = strings.TrimSuffix("/__Bucket__"+r.HTTP.URL.Path, "/")
			}
			r.HTTP.ContentLength = int64(len(r.Body))
		},
		Prepare: func(out any) {
			if f := reflect.ValueOf(out).Elem().FieldByName("ExpiresString"); f.IsValid() { // the same header as Expires
				f.Set(reflect.ValueOf(aws.String("Fri, 14 Jul 2017 02:40:00 GMT")))
			}
			for _, name := range []string{"Body", "AnnotationPayload"} {
				if f := reflect.ValueOf(out).Elem().FieldByName(name); f.IsValid() {
					f.Set(reflect.ValueOf(io.NopCloser(&always{})))
				}
			}
		},
		Unwritable: map[string]string{"SelectObjectContent": "it is a stream of events"},
	}
}

// always reads as "x", again and again.
type always struct{ read bool }

func (a *always) Read(b []byte) (int, error) {
	if a.read = !a.read; !a.read {
		return 0, io.EOF
	}
	return copy(b, "x"), nil
}

func TestRequests(t *testing.T)  { service(t).Requests(t) }
func TestResponses(t *testing.T) { service(t).Responses(t) }
