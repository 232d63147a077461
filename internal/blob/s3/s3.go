// Package s3 keeps a blob.Store in a bucket of S3, or of a server that speaks its protocol: one object for each blob, named by its hash.
//
// It never interprets blobs or authorizes callers. A Store is safe for concurrent use, by several processes too. Put reads all there is into
// a file without a name, for only then the hash is known, and sends it with its SHA-256, which S3 verifies: what S3 has acknowledged is
// there whole, and as durable as S3 is. Putting the same again writes the same, and heals what was damaged. Memory is bounded, whatever the size
// of a blob. Every call ends in time: a server that does not answer is an error, after the SDK's attempts.
//
// Open verifies. A blob of at most smallBlob bytes, or any where Options.Whole says so, is fetched whole and verified before a byte is handed out,
// and can be read whatever happens to its object. A larger one is a stream that goes on where a connection broke; who reads it from its start is
// given its last bytes only if all of them have the hash that its name says. Who seeks in it begins a range, which no hash can verify: there S3 and
// TLS are trusted. A range that is asked for after the object was deleted is an error.
//
// After an error or a crash at most an unfinished multipart upload is left, which a later Open removes when it is a day old, and an object
// that Names does not name.
//
// Layout: <prefix>/<folder>/<first two digits>/<name>, as that of package disk, so that files can be copied there and back.
// Behaviour is that of https://docs.aws.amazon.com/AmazonS3/latest/API/; only operations that other servers have, too, are used.
package s3

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/licet/licet/internal/blob"
)

const (
	// smallBlob is how large a blob is at most that Open fetches whole.
	smallBlob = 1 << 20
	// partSize is what is sent at once; a larger blob is a multipart upload. 10,000 parts, S3's most, are 640 GB.
	partSize = 64 << 20
	// abandoned is the age from which an upload is taken for the remains of a crash.
	abandoned = 24 * time.Hour
	// unfinished begins names that are not blobs', as in package disk.
	unfinished = "put-"
)

// Options are how a Store works.
type Options struct {
	// Dir is a directory for what is being put or read, in files that have no name. Required.
	Dir string
	// Whole fetches and verifies each blob whole before it is read.
	Whole bool
}

// Store is a blob.Store in a bucket.
type Store struct {
	bucket *Bucket
	prefix string
	Options
	smallBlob, partSize int64
	// stall is how long what is read may not go on.
	stall time.Duration
}

var _ blob.Store = (*Store)(nil)

// Open opens the store in a folder of the place, once it is clear that the credentials may do there what a store does.
func (b *Bucket) Open(ctx context.Context, folder string, o Options) (*Store, error) {
	s := &Store{bucket: b, prefix: b.place.folder(folder), Options: o, smallBlob: smallBlob, partSize: partSize, stall: patience}
	if err := b.try(ctx, folder); err != nil {
		return nil, err
	}
	if err := s.removeUploads(ctx, time.Now().Add(-abandoned)); err != nil {
		return nil, b.advise(err)
	}
	return s, nil
}

// Put keeps the bytes of r.
func (s *Store) Put(ctx context.Context, r io.Reader) (_ blob.Name, size int64, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("put blob: %w", err)
		}
	}()
	if err := ctx.Err(); err != nil {
		return "", 0, err
	}
	f, err := s.file()
	if err != nil {
		return "", 0, err
	}
	defer f.Close() // nothing of it is kept
	hash := sha256.New()
	if size, err = io.Copy(io.MultiWriter(f, hash), r); err != nil {
		return "", 0, err
	}
	sum := hash.Sum(nil)
	name := blob.Name(hex.EncodeToString(sum))
	if size > s.partSize {
		return name, size, s.upload(ctx, name, f, size)
	}
	ctx, cancel := limit(ctx, size)
	defer cancel()
	_, err = s.bucket.client.PutObject(ctx, &sdk.PutObjectInput{
		Bucket: s.in(), Key: s.key(name), Body: io.NewSectionReader(f, 0, size), ContentLength: &size, ChecksumSHA256: encode(sum),
	})
	return name, size, err
}

// upload puts a large blob part by part.
func (s *Store) upload(ctx context.Context, name blob.Name, f io.ReaderAt, size int64) (err error) {
	ctx, cancel := limit(ctx, size)
	defer cancel()
	begun, err := s.bucket.client.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{
		Bucket: s.in(), Key: s.key(name), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.abort(context.WithoutCancel(ctx), *s.key(name), *begun.UploadId))
		}
	}()
	var parts []types.CompletedPart
	for at := int64(0); at < size; at += s.partSize {
		part, err := s.uploadPart(ctx, name, begun.UploadId, int32(len(parts)+1), io.NewSectionReader(f, at, min(s.partSize, size-at)))
		if err != nil {
			return err
		}
		parts = append(parts, part)
	}
	_, err = s.bucket.client.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{
		Bucket: s.in(), Key: s.key(name), UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	return err
}

func (s *Store) uploadPart(ctx context.Context, name blob.Name, upload *string, number int32, part *io.SectionReader) (types.CompletedPart, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, part); err != nil {
		return types.CompletedPart{}, err
	}
	if _, err := part.Seek(0, io.SeekStart); err != nil {
		return types.CompletedPart{}, err
	}
	done := types.CompletedPart{PartNumber: &number, ChecksumSHA256: encode(hash.Sum(nil))}
	out, err := s.bucket.client.UploadPart(ctx, &sdk.UploadPartInput{
		Bucket: s.in(), Key: s.key(name), UploadId: upload, PartNumber: &number, Body: part, ContentLength: aws.Int64(part.Size()),
		ChecksumSHA256: done.ChecksumSHA256,
	})
	if err != nil {
		return types.CompletedPart{}, err
	}
	done.ETag = out.ETag
	return done, nil
}

// abort gives an upload up; one that is not there is no error.
func (s *Store) abort(ctx context.Context, key, upload string) error {
	ctx, cancel := limit(ctx, 0)
	defer cancel()
	_, err := s.bucket.client.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{Bucket: s.in(), Key: &key, UploadId: &upload})
	var none *types.NoSuchUpload
	if errors.As(err, &none) {
		return nil
	}
	return err
}

// removeUploads gives up the uploads that began before a time.
func (s *Store) removeUploads(ctx context.Context, before time.Time) error {
	pages := sdk.NewListMultipartUploadsPaginator(s.bucket.client, &sdk.ListMultipartUploadsInput{Bucket: s.in(), Prefix: &s.prefix})
	for pages.HasMorePages() {
		page, err := next(ctx, pages.NextPage)
		if err != nil {
			return err
		}
		for _, u := range page.Uploads {
			if u.Initiated == nil || !u.Initiated.Before(before) {
				continue
			}
			if err := s.abort(ctx, aws.ToString(u.Key), aws.ToString(u.UploadId)); err != nil {
				return err
			}
		}
	}
	return nil
}

// next gets one page of a list in bounded time.
func next[T any](ctx context.Context, page func(context.Context, ...func(*sdk.Options)) (T, error)) (T, error) {
	ctx, cancel := limit(ctx, 0)
	defer cancel()
	return page(ctx)
}

// Open reads a blob.
func (s *Store) Open(ctx context.Context, name blob.Name) (io.ReadSeekCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !name.Valid() {
		return nil, fmt.Errorf("%w: %q is not a name", blob.ErrNotFound, name)
	}
	r, err := s.open(ctx, name)
	var none *types.NoSuchKey
	switch {
	case errors.As(err, &none):
		return nil, fmt.Errorf("%w: %s", blob.ErrNotFound, name)
	case err != nil:
		return nil, fmt.Errorf("open blob: %w", err)
	case !s.Whole && r.size > s.smallBlob:
		return r, nil
	}
	f, err := s.fetch(r)
	if err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	return f, nil
}

// fetch reads all of a blob, which the reader verifies, into a file.
func (s *Store) fetch(r *reader) (_ *os.File, err error) {
	f, err := s.file()
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	_, err = io.Copy(f, r)
	if err = errors.Join(err, r.Close()); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// file makes a file without a name.
func (s *Store) file() (*os.File, error) {
	f, err := os.CreateTemp(s.Dir, unfinished+"*") // mode 0600
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Delete removes a blob. In a bucket with versions its bytes stay.
func (s *Store) Delete(ctx context.Context, name blob.Name) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !name.Valid() {
		return nil // there is no such blob
	}
	ctx, cancel := limit(ctx, 0)
	defer cancel()
	if _, err := s.bucket.client.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: s.in(), Key: s.key(name)}); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}

// Names gives the names of all blobs, in order.
func (s *Store) Names(ctx context.Context) iter.Seq2[blob.Name, error] {
	return func(yield func(blob.Name, error) bool) {
		pages := sdk.NewListObjectsV2Paginator(s.bucket.client, &sdk.ListObjectsV2Input{Bucket: s.in(), Prefix: &s.prefix})
		for pages.HasMorePages() {
			page, err := next(ctx, pages.NextPage)
			if err != nil {
				yield("", fmt.Errorf("list blobs: %w", err))
				return
			}
			for _, o := range page.Contents {
				name := s.nameOf(aws.ToString(o.Key))
				if name != "" && !yield(name, nil) {
					return
				}
			}
		}
	}
}

// nameOf is the blob that has a key; "" for none.
func (s *Store) nameOf(key string) blob.Name {
	name := blob.Name(key[strings.LastIndexByte(key, '/')+1:])
	if !name.Valid() || key != *s.key(name) {
		return ""
	}
	return name
}

func (s *Store) in() *string { return &s.bucket.place.Bucket }

func (s *Store) key(name blob.Name) *string {
	return aws.String(s.prefix + string(name[:2]) + "/" + string(name))
}

// encode is a checksum as S3 has it.
func encode(sum []byte) *string { return aws.String(base64.StdEncoding.EncodeToString(sum)) }
