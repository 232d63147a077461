package s3

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/object"
	"github.com/licet/licet/internal/store"
)

// Condition keys: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html. Those of things that are not here
// (access points, access grants, object lock, ABAC of buckets, which is off unless enabled) no request carries.

// requestKeys sets the keys of every request.
func requestKeys(c *service.Call, owner string, k *authz.Context) {
	k.Set("s3:ResourceAccount", owner)
	if c.Signature == nil {
		return
	}
	k.Set("s3:authType", "REST-HEADER")
	if c.Signature.Presigned {
		k.Set("s3:authType", "REST-QUERY-STRING")
	}
	if c.Signature.Version2 {
		k.Set("s3:signatureversion", "AWS")
	} else {
		k.Set("s3:signatureversion", "AWS4-HMAC-SHA256")
		k.SetNumber("s3:signatureAge", max(0, c.Time.Sub(c.Signature.Time).Milliseconds()))
	}
	k.Set("s3:x-amz-content-sha256", c.Signature.Content)
}

// listKeys sets those of lists.
func listKeys(prefix, delimiter *string, max *int32, k *authz.Context) {
	setText(k, "s3:prefix", prefix)
	setText(k, "s3:delimiter", delimiter)
	if max != nil {
		k.SetNumber("s3:max-keys", int64(*max))
	}
}

func setText(k *authz.Context, name string, value *string) {
	if value != nil {
		k.Set(name, *value)
	}
}

// headerKeys are the keys that say what stands in a header, by the member of the input.
var headerKeys = map[string]string{
	"ACL": "s3:x-amz-acl", "GrantFullControl": "s3:x-amz-grant-full-control", "GrantRead": "s3:x-amz-grant-read",
	"GrantReadACP": "s3:x-amz-grant-read-acp", "GrantWrite": "s3:x-amz-grant-write", "GrantWriteACP": "s3:x-amz-grant-write-acp",
	"CopySource": "s3:x-amz-copy-source", "MetadataDirective": "s3:x-amz-metadata-directive",
	"ServerSideEncryption": "s3:x-amz-server-side-encryption", "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
	"SSECustomerAlgorithm": "s3:x-amz-server-side-encryption-customer-algorithm", "StorageClass": "s3:x-amz-storage-class",
	"WebsiteRedirectLocation": "s3:x-amz-website-redirect-location", "IfMatch": "s3:if-match", "IfNoneMatch": "s3:if-none-match",
	"ObjectOwnership": "s3:x-amz-object-ownership",
}

// setHeaders sets the keys of headers that an input has, but for some.
func setHeaders(in any, k *authz.Context, except ...string) {
	v := reflect.ValueOf(in).Elem()
	for member, name := range headerKeys {
		f := v.FieldByName(member)
		if !f.IsValid() || f.IsZero() || contains(except, member) {
			continue
		}
		if f.Kind() == reflect.Pointer {
			f = f.Elem()
		}
		text := f.String()
		if from, ok := parseSource(text); ok && member == "CopySource" {
			text = from.text()
		}
		k.Set(name, text)
	}
}

func contains(list []string, text string) bool {
	for _, l := range list {
		if l == text {
			return true
		}
	}
	return false
}

// setRequestTags sets the keys of the tags that a request gives an object.
func setRequestTags(tags []object.Tag, k *authz.Context) {
	if len(tags) == 0 {
		return
	}
	names := make([]string, len(tags))
	for i, t := range tags {
		names[i] = t.Key
		k.Set("s3:RequestObjectTag/"+t.Key, t.Value)
	}
	k.SetList("s3:RequestObjectTagKeys", names...)
}

// objectTarget is an object as it is: its tags are condition keys.
func (s *Service) objectTarget(ctx context.Context, c *service.Call, name, key, version string) (service.Target, error) {
	t, err := s.target(ctx, c, name, key)
	if err != nil {
		return t, err
	}
	var v *object.Version
	err = s.DB.View(ctx, func(r store.Reader) (err error) {
		// Whose bucket it is was found above: the tags of an object of anybody else, or of no bucket, must not get into the decision.
		b, err := bucket.Read(r, name)
		if err == nil && b.Account == t.Account {
			v, err = object.Find(r, name, key, version)
		}
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return t, fmt.Errorf("find object: %w", err)
	}
	if v != nil {
		for _, tag := range v.Tags {
			t.Keys.Set("s3:ExistingObjectTag/"+tag.Key, tag.Value)
		}
	}
	if version != "" {
		t.Keys.Set("s3:versionid", version)
	}
	return t, nil
}

// onVersion makes the needs of an operation on an object as it is: action or, when the request names a version, ofVersion.
func onVersion[In any](s *Service, action, ofVersion string) service.Needs[In] {
	return func(ctx context.Context, c *service.Call, in *In) ([]service.Need, error) {
		version := aws.ToString(service.Member[*string](in, "VersionId"))
		t, err := s.objectTarget(ctx, c, bucketOf(in), keyOf(in), version)
		if version != "" {
			return []service.Need{s.need(c, ofVersion, t)}, err
		}
		return []service.Need{s.need(c, action, t)}, err
	}
}

// onKey makes the needs of an operation that does not look at what is there.
func onKey[In any](s *Service, action string) service.Needs[In] {
	return func(ctx context.Context, c *service.Call, in *In) ([]service.Need, error) {
		t, err := s.target(ctx, c, bucketOf(in), keyOf(in))
		return []service.Need{s.need(c, action, t)}, err
	}
}

func keyOf(in any) string { return aws.ToString(service.Member[*string](in, "Key")) }

// expectedOwner is the account that a client expects a bucket to belong to; "" for none.
func expectedOwner(in any) string {
	f := reflect.ValueOf(in).Elem().FieldByName("ExpectedBucketOwner")
	if !f.IsValid() || f.IsNil() {
		return ""
	}
	return f.Elem().String()
}

// source is the object that a copy is of.
type source struct{ bucket, key, version string }

// text is the source as policies name it, "/bucket/key" in AWS's examples: however the header encodes it, so that no Deny is got round.
func (f source) text() string {
	text := "/" + f.bucket + "/" + f.key
	if f.version != "" {
		text += "?versionId=" + f.version
	}
	return text
}

// parseSource reads the header x-amz-copy-source: [/]bucket/key[?versionId=…], URL-encoded.
func parseSource(header string) (source, bool) {
	path, query, _ := strings.Cut(header, "?")
	text, err := url.PathUnescape(strings.TrimPrefix(path, "/"))
	if err != nil {
		return source{}, false
	}
	var from source
	var ok bool
	if from.bucket, from.key, ok = strings.Cut(text, "/"); !ok || from.key == "" || from.bucket == "" {
		return source{}, false
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return source{}, false
	}
	from.version = values.Get("versionId")
	return from, true
}
