package s3

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/internal/services/s3/checksum"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/object"
)

// maxMetadata of an object, keys and values together (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html).
const maxMetadata = 2 << 10

// seconds is when a version was made: dates of objects have whole seconds.
func seconds(v *object.Version) *time.Time {
	t := v.Modified.UTC().Truncate(time.Second)
	return &t
}

// quoted is an ETag as it is written.
func quoted(etag string) *string {
	text := `"` + etag + `"`
	return &text
}

func unquoted(etag string) string { return strings.Trim(etag, `"`) }

// class is the storage class as lists have it; headers leave out the usual one.
func class(v *object.Version) string {
	if v.Class == "" {
		return string(types.StorageClassStandard)
	}
	return v.Class
}

func checksumType(composite bool) types.ChecksumType {
	if composite {
		return types.ChecksumTypeComposite
	}
	return types.ChecksumTypeFullObject
}

// versionID is nil for objects of buckets that never had versioning.
func versionID(state object.Versioning, v *object.Version) *string {
	if state == object.Unversioned {
		return nil
	}
	return &v.ID
}

// given are the headers that a request gives an object.
type given struct {
	operation                                              string
	cache, disposition, encoding, language, kind, redirect *string
	expires                                                *time.Time
	metadata                                               map[string]string
	class                                                  types.StorageClass
	tagging                                                *string
	acl                                                    types.ObjectCannedACL
	grants                                                 []*string
	encryption                                             types.ServerSideEncryption
	key, customer                                          *string
	lock                                                   bool
}

// headers checks what was given.
func (g *given) headers() (object.Headers, error) {
	h := object.Headers{
		CacheControl: aws.ToString(g.cache), ContentDisposition: aws.ToString(g.disposition), ContentEncoding: withoutChunked(aws.ToString(g.encoding)),
		ContentLanguage: aws.ToString(g.language), ContentType: aws.ToString(g.kind), Redirect: aws.ToString(g.redirect), Metadata: g.metadata,
	}
	if g.expires != nil {
		h.Expires = g.expires.UTC().Format(http.TimeFormat)
	}
	size := 0
	for k, v := range g.metadata {
		size += len(k) + len(v)
	}
	if size > maxMetadata {
		return h, fault.New("MetadataTooLarge", http.StatusBadRequest, "Your metadata headers exceed the maximum allowed metadata size")
	}
	return h, nil
}

// check refuses what is not here, and what is not known.
func (g *given) check() error {
	switch {
	case g.customer != nil:
		return fault.NotImplemented(g.operation, "x-amz-server-side-encryption-customer-algorithm")
	case g.encryption != "" && g.encryption != types.ServerSideEncryptionAes256:
		if !slices.Contains(g.encryption.Values(), g.encryption) {
			return fault.InvalidArgument("The encryption method specified is not supported", "x-amz-server-side-encryption", string(g.encryption))
		}
		return fault.NotImplemented(g.operation, "x-amz-server-side-encryption: "+string(g.encryption))
	case g.key != nil:
		return fault.NotImplemented(g.operation, "x-amz-server-side-encryption-aws-kms-key-id")
	case g.lock:
		return fault.InvalidRequest("Bucket is missing Object Lock Configuration")
	case firstSet(g.grants...), g.acl != "" && g.acl != types.ObjectCannedACLPrivate && g.acl != types.ObjectCannedACLBucketOwnerFullControl:
		if g.acl != "" && !slices.Contains(g.acl.Values(), g.acl) {
			return fault.InvalidArgument("", "x-amz-acl", string(g.acl))
		}
		return noACLs()
	case g.class != "" && !slices.Contains(g.class.Values(), g.class):
		return fault.New("InvalidStorageClass", http.StatusBadRequest, "The storage class you specified is not valid",
			"StorageClassRequested", string(g.class))
	case g.class != "" && !knownClass(string(g.class)):
		return fault.NotImplemented(g.operation, "x-amz-storage-class: "+string(g.class))
	}
	return nil
}

// storageClass is the class as it is kept.
func (g *given) storageClass() string {
	if g.class == types.StorageClassStandard {
		return ""
	}
	return string(g.class)
}

func noACLs() error {
	return fault.New("AccessControlListNotSupported", http.StatusBadRequest, "The bucket does not allow ACLs")
}

// withoutChunked takes the encoding of the way away from that of the object.
func withoutChunked(encoding string) string {
	var kept []string
	for part := range strings.SplitSeq(encoding, ",") {
		if part = strings.TrimSpace(part); part != "" && part != "aws-chunked" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ",")
}

// sums are the members that checksums have in inputs and outputs.
type sums struct{ crc32, crc32c, crc64, sha1, sha256 *string }

func (s *sums) of(a checksum.Algorithm) **string {
	switch a {
	case checksum.CRC32:
		return &s.crc32
	case checksum.CRC32C:
		return &s.crc32c
	case checksum.CRC64NVME:
		return &s.crc64
	case checksum.SHA1:
		return &s.sha1
	}
	return &s.sha256
}

// sumsOf spreads a checksum over the members.
func sumsOf(a checksum.Algorithm, value string) (s sums) {
	if a != "" && value != "" {
		*s.of(a) = &value
	}
	return s
}

// one finds the checksum that a client sent; "" for none.
func (s *sums) one() (a checksum.Algorithm, value string, err error) {
	for _, each := range checksum.All() {
		sent := *s.of(each)
		switch {
		case sent == nil:
		case a != "":
			return "", "", fault.InvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		case !each.Valid(*sent):
			return "", "", fault.InvalidRequest("Value for " + each.Header() + " header is invalid.")
		default:
			a, value = each, *sent
		}
	}
	return a, value, nil
}
