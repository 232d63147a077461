package s3

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/checksum"
	"github.com/licet/licet/internal/services/s3/content"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/notification"
	"github.com/licet/licet/internal/services/s3/object"
	"github.com/licet/licet/internal/store"
)

// writeNeeds are those of what makes an object: putting its tags and its access control list are actions of their own.
func (s *Service) writeNeeds(ctx context.Context, c *service.Call, in any, tagging *string, acl types.ObjectCannedACL, except ...string) ([]service.Need, error) {
	t, err := s.target(ctx, c, bucketOf(in), keyOf(in))
	if err != nil {
		return nil, err
	}
	tags, err := parseTagging(tagging)
	if err != nil {
		return nil, err
	}
	write := t.With(func(k *authz.Context) {
		setHeaders(in, k, except...)
		setRequestTags(tags, k)
		k.SetBool("s3:ObjectCreationOperation", true)
	})
	needs := []service.Need{s.need(c, "s3:PutObject", write)}
	if len(tags) > 0 {
		needs = append(needs, s.need(c, "s3:PutObjectTagging", t.With(func(k *authz.Context) { setRequestTags(tags, k) })))
	}
	if acl != "" {
		needs = append(needs, s.need(c, "s3:PutObjectAcl", t.With(func(k *authz.Context) { k.Set("s3:x-amz-acl", string(acl)) })))
	}
	return needs, nil
}

func (s *Service) putObjectNeeds(ctx context.Context, c *service.Call, in *sdk.PutObjectInput) ([]service.Need, error) {
	return s.writeNeeds(ctx, c, in, in.Tagging, in.ACL)
}

func (s *Service) putObject(ctx context.Context, c *service.Call, b *bucket.Bucket, in *sdk.PutObjectInput) (*sdk.PutObjectOutput, error) {
	g := given{
		operation: "PutObject", cache: in.CacheControl, disposition: in.ContentDisposition, encoding: in.ContentEncoding, language: in.ContentLanguage,
		kind: in.ContentType, redirect: in.WebsiteRedirectLocation, expires: in.Expires, metadata: in.Metadata, class: in.StorageClass, tagging: in.Tagging,
		acl: in.ACL, grants: []*string{in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWriteACP},
		encryption: in.ServerSideEncryption, key: in.SSEKMSKeyId, customer: in.SSECustomerAlgorithm,
		lock: in.ObjectLockMode != "" || in.ObjectLockLegalHoldStatus != "" || in.ObjectLockRetainUntilDate != nil,
	}
	if in.WriteOffsetBytes != nil {
		return nil, fault.NotImplemented("PutObject", "x-amz-write-offset-bytes")
	}
	v, err := newVersion(c, aws.ToString(in.Key), &g)
	if err != nil {
		return nil, err
	}
	got, err := s.receive(ctx, payload{
		body: in.Body, length: in.ContentLength, md5: in.ContentMD5, algorithm: in.ChecksumAlgorithm, fallback: checksum.CRC64NVME,
		sums: sums{in.ChecksumCRC32, in.ChecksumCRC32C, in.ChecksumCRC64NVME, in.ChecksumSHA1, in.ChecksumSHA256},
	})
	if err != nil {
		return nil, err
	}
	defer got.Release()
	v.ETag, v.Size, v.Algorithm, v.Checksum = hex.EncodeToString(got.md5), got.Size, got.algorithm, got.checksum
	if v.Size > 0 {
		v.Pieces = []content.Piece{got.Piece}
	}
	state, err := s.put(ctx, c, b, v, nil, "ObjectCreated:Put", condition{in.IfMatch, in.IfNoneMatch})
	if err != nil {
		return nil, err
	}
	sum := sumsOf(v.Algorithm, v.Checksum)
	return &sdk.PutObjectOutput{
		ETag: quoted(v.ETag), VersionId: versionID(state, v), ServerSideEncryption: types.ServerSideEncryptionAes256,
		ChecksumCRC32: sum.crc32, ChecksumCRC32C: sum.crc32c, ChecksumCRC64NVME: sum.crc64, ChecksumSHA1: sum.sha1, ChecksumSHA256: sum.sha256,
		ChecksumType: checksumType(v.Composite),
	}, nil
}

// newVersion makes a version of what was given, without its content.
func newVersion(c *service.Call, key string, g *given) (*object.Version, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := g.check(); err != nil {
		return nil, err
	}
	h, err := g.headers()
	if err != nil {
		return nil, err
	}
	tags, err := parseTagging(g.tagging)
	if err != nil {
		return nil, err
	}
	return &object.Version{Key: key, Modified: c.Time.UTC(), Headers: h, Tags: tags, Class: g.storageClass()}, nil
}

func checkKey(key string) error {
	switch {
	case len(key) > object.MaxKey:
		return fault.New("KeyTooLongError", http.StatusBadRequest, "Your key is too long", "MaxSizeAllowed", "1024", "Size", itoa(len(key)))
	case !utf8.ValidString(key): // "The name for a key is a sequence of Unicode characters whose UTF-8 encoding is at most 1,024 bytes long"
		return fault.New("InvalidURI", http.StatusBadRequest, "Couldn't parse the specified URI.")
	}
	return nil
}

// condition is what must hold for an object to be written.
type condition struct{ ifMatch, ifNoneMatch *string }

// check looks at what is there
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
func (w condition) check(r store.Reader, bucket, key string) error {
	if w.ifMatch == nil && w.ifNoneMatch == nil {
		return nil
	}
	// AWS's own answer to what it does not offer, too (API_PutObject: If-None-Match "expects the '*' character").
	if w.ifNoneMatch != nil && (*w.ifNoneMatch != "*" || w.ifMatch != nil) {
		return fault.New("NotImplemented", http.StatusNotImplemented, "A header you provided implies functionality that is not implemented",
			"Header", "If-None-Match")
	}
	old, err := object.Newest(r, bucket, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	there := err == nil && !old.Marker
	switch {
	case w.ifNoneMatch != nil && there:
		return fault.PreconditionFailed("If-None-Match")
	case w.ifMatch != nil && !there:
		return fault.NoSuchKey(key)
	case w.ifMatch != nil && unquoted(*w.ifMatch) != old.ETag && *w.ifMatch != "*":
		return fault.PreconditionFailed("If-Match")
	}
	return nil
}

// put keeps a version, and notes the event that it is, in one transaction. It gives the state of versioning that the bucket had in it.
func (s *Service) put(
	ctx context.Context, c *service.Call, judged *bucket.Bucket, v *object.Version, m *object.Manifest, event string, when condition,
	more ...func(tx store.Tx) error,
) (state object.Versioning, err error) {
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		b, err := read(tx, judged)
		if err != nil {
			return err
		}
		if err := when.check(tx, b.Name, v.Key); err != nil {
			return err
		}
		made, stamp := *v, object.NewStamp(tx, 0) // this may run twice
		if err := object.Put(tx, b.Name, &made, m, b.Versioning, stamp); err != nil {
			return err
		}
		for _, f := range more {
			if err := f(tx); err != nil {
				return err
			}
		}
		if err := s.note(tx, c, b, created(event, &made), stamp); err != nil {
			return err
		}
		v.ID, state = made.ID, b.Versioning
		return nil
	})
	return state, err
}

// created is the event of an object that was made.
func created(name string, v *object.Version) notification.Event {
	return notification.Event{Name: name, Key: v.Key, Size: aws.Int64(v.Size), ETag: v.ETag, Version: v.ID}
}

// note keeps an event of a bucket for its targets.
func (s *Service) note(tx store.Tx, c *service.Call, b *bucket.Bucket, e notification.Event, stamp object.Stamp) error {
	if b.Notifications == nil {
		return nil
	}
	e.Bucket, e.Account, e.Region, e.Time, e.Made, e.RequestID = b.Name, b.Account, b.Region, c.Time, s.Now(), c.RequestID
	if e.Version == object.Null {
		e.Version = ""
	}
	if e.Sequencer = stamp.Text(); isTagging(e.Name) { // recorded
		e.Sequencer = ""
	}
	e.Principal = principalID(c)
	if c.SourceIP.IsValid() {
		e.SourceIP = c.SourceIP.String()
	}
	return notification.Note(tx, b.Notifications, &e, stamp.Text(), Owner(b.Account), s.Partition)
}

// principalID is the caller as events name it: the value of aws:userid
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable).
func principalID(c *service.Call) string {
	switch p := c.Caller.Principal; p.Kind {
	case authz.Anonymous:
		return "anonymous"
	case authz.Root:
		return p.Account
	case authz.AssumedRole:
		return p.ID + ":" + p.SessionName
	case authz.FederatedUser:
		return p.Account + ":" + p.SessionName
	default:
		return p.ID
	}
}
