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
func (s *Signed) checkVersion2(r *http.Request, secret, bucket string, now time.Time) error {
	if now.After(s.until) {
		return &Error{Kind: Expired}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return incomplete("Unable to parse the query string: %v", err)
	}
	if name := unsigned(query); name != "" {
		return invalid("%s", mismatchText).forS3(awserr.New("AccessDenied", http.StatusForbidden, "There were query parameters present in the "+
			"request which a signature of version 2 does not cover: %s", name))
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(r.Method + "\n" + r.Header.Get("Content-Md5") + "\n" + r.Header.Get("Content-Type") + "\n" +
		strconv.FormatInt(s.until.Unix(), 10) + "\n" + amzHeaders(r.Header, query) + resource(r, bucket, query)))
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
	"accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location", "logging", "metrics",
	"notification", "object-lock", "partNumber", "policy", "replication", "requestPayment", "restore", "select", "select-type", "storageClass",
	"tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
}

// selections are the parameters that may be there without being signed: they choose what a list shows, and never the operation. Any other,
// such as publicAccessBlock, would make of a link to one operation a link to another.
var selections = []string{
	"AWSAccessKeyId", "Expires", "Signature", "continuation-token", "delimiter", "encoding-type", "fetch-owner", "key-marker", "list-type",
	"marker", "max-keys", "max-parts", "max-uploads", "part-number-marker", "prefix", "start-after", "upload-id-marker", "version-id-marker",
}

func isSigned(name string) bool {
	return slices.Contains(subresources, name) || strings.HasPrefix(name, "response-")
}

// unsigned gives a parameter that is not signed although it says what is asked for; "" for none.
func unsigned(query url.Values) string {
	for name, values := range query {
		lower := strings.ToLower(name)
		switch {
		case isSigned(name) && len(values) == 1, slices.Contains(selections, name), strings.HasPrefix(lower, "x-amz-"):
		default: // of parameters that come twice the first alone is signed
			return name
		}
	}
	return ""
}

// resource is what the request is for: the bucket that the host names, the path as it was sent, and signed parameters.
func resource(r *http.Request, bucket string, query url.Values) string {
	path := wirePath(r)
	if bucket != "" {
		path = "/" + bucket + path
	}
	var signed []string
	for name, values := range query {
		if !isSigned(name) {
			continue
		}
		if values[0] != "" {
			name += "=" + values[0]
		}
		signed = append(signed, name)
	}
	if len(signed) == 0 {
		return path
	}
	slices.Sort(signed)
	return path + "?" + strings.Join(signed, "&")
}
