package sigv4

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// TestVersion2 is the example of https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html#RESTAuthenticationQueryStringAuth,
// and what must not become of it: a link to an object in one bucket is none to anything else.
func TestVersion2(t *testing.T) {
	const query = "?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1175139620&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"
	before, after := time.Unix(1175139619, 0), time.Unix(1175139621, 0)
	for _, c := range []struct {
		method, target, bucket string
		now                    time.Time
		want                   string
	}{
		{"GET", "/photos/puppy.jpg" + query, "johnsmith", before, ""},
		{"GET", "/johnsmith/photos/puppy.jpg" + query, "", before, ""},
		{"GET", "/photos/puppy.jpg" + query, "johnsmith", after, "AccessDenied"},
		{"PUT", "/photos/puppy.jpg" + query, "johnsmith", before, "SignatureDoesNotMatch"},
		{"GET", "/photos/puppy.jpg" + query, "other", before, "SignatureDoesNotMatch"},
		{"GET", "/photos/puppy.jpg" + query, "", before, "SignatureDoesNotMatch"},
		{"GET", "/johnsmith/photos/puppy.jpg" + query, "other", before, "SignatureDoesNotMatch"},
		{"GET", "/photos/puppy.jpg" + query + "&acl", "johnsmith", before, "SignatureDoesNotMatch"},
		{"GET", "/photos/puppy.jpg" + query + "&attributes", "johnsmith", before, "AccessDenied"},
	} {
		if code := checkVersion2(c.method, c.target, c.bucket, docSecret, c.now); code != c.want {
			t.Errorf("%+v: got %q", c, code)
		}
	}
}

// TestVersion2Subresources: what names an operation is signed, or is not there.
func TestVersion2Subresources(t *testing.T) {
	link := func(signed, sent string) string {
		mac := hmac.New(sha1.New, []byte("secret"))
		mac.Write([]byte("GET\n\n\n1175139620\n/bucket" + signed))
		return "/bucket?AWSAccessKeyId=k&Expires=1175139620&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))) + sent
	}
	for _, c := range []struct{ signed, sent, want string }{
		{"", "", ""},
		{"", "&prefix=a&list-type=2&max-keys=1", ""},
		{"?inventory", "&inventory", ""},
		{"?versionId=1", "&versionId=1", ""},
		{"", "&inventory", "SignatureDoesNotMatch"},
		{"", "&publicAccessBlock", "AccessDenied"},
		{"", "&encryption", "AccessDenied"},
		{"", "&x-id=GetBucketPolicyStatus", "AccessDenied"},
		{"?versionId=1", "&versionId=1&versionId=2", "AccessDenied"},
	} {
		if code := checkVersion2("GET", link(c.signed, c.sent), "", "secret", time.Unix(1175139619, 0)); code != c.want {
			t.Errorf("%+v: got %q", c, code)
		}
	}
}

// checkVersion2 gives the code of the answer; "" for a good signature.
func checkVersion2(method, target, bucket, secret string, now time.Time) string {
	r := httptest.NewRequest(method, target, nil)
	s, err := Parse(r)
	if err == nil {
		_, err = New().CheckPayload(r, s, secret, Scope{Services: []string{"s3"}, Bucket: bucket}, now)
	}
	e, ok := errors.AsType[*Error](err)
	switch {
	case err == nil:
		return ""
	case !ok:
		return err.Error()
	}
	return e.AWS(S3).Code
}
