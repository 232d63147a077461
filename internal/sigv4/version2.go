package sigv4

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/internal/awserr"
)

// S3 takes one signature of the older version 2, in queries: the AWS CLI of version 1 and boto3 make links with it for us-east-1, unless told
// otherwise (https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html). It says nothing of region and payload.

// parseVersion2 reads it; nil when the query does not have one.
func parseVersion2(query url.Values) (*Signed, error) {
	const key, signature, expires = "AWSAccessKeyId", "Signature", "Expires"
	if !query.Has(key) || !query.Has(signature) {
		return nil, nil
	}
	for _, name := range []string{key, signature, expires} {
		if len(query[name]) != 1 {
			return nil, incompleteVersion2()
		}
	}
	at, err := strconv.ParseInt(query.Get(expires), 10, 64)
	if err != nil {
		return nil, &Error{Kind: Incomplete, s3: awserr.New("AccessDenied", http.StatusForbidden, "Invalid date (should be seconds since epoch): %s",
			query.Get(expires))}
	}
	s := &Signed{AccessKeyID: query.Get(key), Service: serviceS3, Presigned: true, version2: true, until: time.Unix(at, 0)}
	for name, values := range query {
		if strings.EqualFold(name, "x-amz-security-token") {
			s.Token = values[0]
		}
	}
	if s.signature, err = base64.StdEncoding.DecodeString(query.Get(signature)); err != nil {
		return nil, invalid("%s", mismatchText)
	}
	return s, nil
}

func incompleteVersion2() error {
	return &Error{Kind: Incomplete, s3: awserr.New("AccessDenied", http.StatusForbidden,
		"Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")}
}

// Version2 tells whether the signature is of the older version.
func (s *Signed) Version2() bool { return s.version2 }

// checkVersion2 proves that r was signed with the secret key, and that its time is not over.
func (s *Signed) checkVersion2(r *http.Request, secret string, now time.Time) error {
	if now.After(s.until) {
		return &Error{Kind: Expired}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return incomplete("Unable to parse the query string: %v", err)
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(r.Method + "\n" + r.Header.Get("Content-Md5") + "\n" + r.Header.Get("Content-Type") + "\n" +
		strconv.FormatInt(s.until.Unix(), 10) + "\n" + amzHeaders(r.Header, query) + resource(r, query)))
	if !hmac.Equal(mac.Sum(nil), s.signature) {
		return invalid("%s", mismatchText)
	}
	return nil
}

// amzHeaders are those that are signed, of which some stand in the query.
func amzHeaders(h http.Header, query url.Values) string {
	values := map[string][]string{}
	for _, from := range []map[string][]string{h, query} {
		for name, v := range from {
			if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
				values[name] = append(values[name], v...)
			}
		}
	}
	var lines []string
	for name, v := range values {
		lines = append(lines, name+":"+strings.Join(v, ",")+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// subresources are the parameters that are signed, beside those that override headers of the answer.
var subresources = []string{
	"accelerate", "acl", "cors", "defaultObjectAcl", "delete", "lifecycle", "location", "logging", "notification", "partNumber", "policy",
	"replication", "requestPayment", "restore", "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning",
	"versions", "website",
}

// resource is what the request is for: the path as it was sent, and signed parameters.
func resource(r *http.Request, query url.Values) string {
	var signed []string
	for name, values := range query {
		if !slices.Contains(subresources, name) && !strings.HasPrefix(name, "response-") {
			continue
		}
		if values[0] != "" {
			name += "=" + values[0]
		}
		signed = append(signed, name)
	}
	if len(signed) == 0 {
		return wirePath(r)
	}
	slices.Sort(signed)
	return wirePath(r) + "?" + strings.Join(signed, "&")
}
