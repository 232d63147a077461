package restxml_test

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol/restxml"
	"github.com/licet/licet/internal/services/s3/s3controlapi"
)

// A service whose paths are not buckets and keys.
func newControl(t testing.TB) *restxml.Codec {
	t.Helper()
	codec, err := restxml.New(s3controlapi.API(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

func TestControlRoutes(t *testing.T) {
	codec := newControl(t)
	for _, c := range []struct{ method, target, want string }{
		{"GET", "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Ab", "ListTagsForResource"},
		{"POST", "/v20180820/tags/arn:aws:s3:::b", "TagResource"},
		{"DELETE", "/v20180820/tags/arn:aws:s3:::b/with/more?tagKeys=a", "UntagResource"},
		{"GET", "/v20180820/configuration/publicAccessBlock", "GetPublicAccessBlock"},
		{"GET", "/v20180820/accesspoint", "ListAccessPoints"},
		{"GET", "/v20180820/accesspoint/name", "GetAccessPoint"},
		{"GET", "/v20180820/accesspoint/name/policy", "GetAccessPointPolicy"},
		{"GET", "/v20180820/tags/", ""},
		{"GET", "/v20180820/configuration", ""},
		{"GET", "/", ""},
	} {
		op, err := codec.Operation(request(c.method, c.target, ""))
		if c.want == "" {
			if e, ok := errors.AsType[*awserr.Error](err); !ok || e.Code != "MethodNotAllowed" {
				t.Errorf("%s %s: got %v, %v", c.method, c.target, op, err)
			}
			continue
		}
		if err != nil || op.Name != c.want {
			t.Errorf("%s %s: got %v, %v, want %s", c.method, c.target, op, err, c.want)
		}
	}
}

func TestControlDecode(t *testing.T) {
	for _, c := range []struct {
		method, target, body string
		want                 any
	}{
		{"DELETE", "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Ab/x%20y?tagKeys=a&tagKeys=b", "", &s3control.UntagResourceInput{
			AccountId: aws.String("1"), ResourceArn: aws.String("arn:aws:s3:::b/x y"), TagKeys: []string{"a", "b"},
		}},
		{"POST", "/v20180820/tags/b", "<TagResourceRequest><Tags><Tag><Key>a</Key><Value>1</Value></Tag></Tags></TagResourceRequest>", &s3control.TagResourceInput{
			AccountId: aws.String("1"), ResourceArn: aws.String("b"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}},
		}},
	} {
		got, err := decode(newControl(t), request(c.method, c.target, c.body, "X-Amz-Account-Id: 1"))
		if diff := cmp.Diff(got, c.want, cmpopts.IgnoreUnexported(s3control.UntagResourceInput{}, s3control.TagResourceInput{}, types.Tag{})); diff != "" || err != nil {
			t.Errorf("%s: %v, -got +want:\n%s", c.target, err, diff)
		}
	}
}

func TestControlError(t *testing.T) {
	w := httptest.NewRecorder()
	newControl(t).EncodeError(w, awserr.New("AccessDenied", http.StatusForbidden, "no"), "id")
	want := xml.Header + "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message><RequestId>id</RequestId><HostId>id</HostId></Error>" +
		"<RequestId>id</RequestId></ErrorResponse>"
	if got := w.Body.String(); got != want || w.Code != http.StatusForbidden {
		t.Errorf("got %d %s", w.Code, got)
	}
}
