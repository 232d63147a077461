package object

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/internal/services/s3/checksum"
	"github.com/licet/licet/internal/services/s3/content"
	"github.com/licet/licet/internal/store"
)

// Upload is an object that is uploaded in parts.
type Upload struct {
	Key       string             `json:"key"`
	ID        string             `json:"id"`
	Started   time.Time          `json:"started"`
	Initiator string             `json:"initiator"` // ARN
	Headers   Headers            `json:"headers,omitzero"`
	Tags      []Tag              `json:"tags,omitempty"`
	Class     string             `json:"class,omitempty"`
	Algorithm checksum.Algorithm `json:"algorithm,omitempty"`
	// Composite tells of what the checksum of the object is to be made.
	Composite bool `json:"composite,omitempty"`
}

// Part is one part of an upload.
type Part struct {
	Number   int32         `json:"number"`
	Piece    content.Piece `json:"piece"`
	ETag     string        `json:"etag"`
	Modified time.Time     `json:"modified"`
	// Checksum by the algorithm of the upload; "" for an upload without.
	Checksum string `json:"checksum,omitempty"`
	// Content is what the reference to the piece is called.
	Content string `json:"content"`
}

const (
	uploadPrefix = "s3/upload/"
	partPrefix   = "s3/part/"
	// MaxParts is the highest number of a part (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
	MaxParts = 10_000
)

func uploadsOf(bucket string) string { return uploadPrefix + bucket + "/" }

func uploadKey(bucket, key, id string) string { return uploadsOf(bucket) + path(key) + end + id }

func partsOf(id string) string { return partPrefix + id + "/" }

func partKey(id string, number int32) string { return partsOf(id) + fmt.Sprintf("%05d", number) }

// Begin keeps a new upload, whose ID is made here.
func Begin(tx store.Tx, bucket string, u *Upload, stamp Stamp) error {
	u.ID = stamp.newID()
	return store.PutJSON(tx, uploadKey(bucket, u.Key, u.ID), u)
}

// FindUpload gives an upload, or store.ErrNotFound.
func FindUpload(r store.Reader, bucket, key, id string) (*Upload, error) {
	if strings.ContainsAny(id, "/\x00") {
		return nil, store.ErrNotFound
	}
	return store.GetJSON[*Upload](r, uploadKey(bucket, key, id))
}

// PutPart keeps a part of an upload that is there, in the place of one with the same number.
func PutPart(tx store.Tx, u *Upload, p *Part, stamp Stamp) error {
	if err := dropPart(tx, u.ID, p.Number); err != nil {
		return err
	}
	p.Content = stamp.Text()
	if err := content.Refer(tx, p.Piece, p.Content); err != nil {
		return err
	}
	return store.PutJSON(tx, partKey(u.ID, p.Number), p)
}

func dropPart(tx store.Tx, id string, number int32) error {
	old, err := store.GetJSON[Part](tx, partKey(id, number))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return content.Drop(tx, old.Piece, old.Content)
}

// Parts gives up to limit parts of an upload with numbers greater than after, in order; all for a limit of 0.
func Parts(r store.Reader, u *Upload, after int32, limit int) ([]Part, error) {
	items, err := r.Scan(partsOf(u.ID), partKey(u.ID, after), limit)
	if err != nil {
		return nil, err
	}
	parts := make([]Part, len(items))
	for i, item := range items {
		if parts[i], err = store.DecodeJSON[Part](item); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// End removes an upload with its parts. What an object was made of must refer to its pieces before.
func End(tx store.Tx, bucket string, u *Upload) error {
	parts, err := Parts(tx, u, 0, 0)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := content.Drop(tx, p.Piece, p.Content); err != nil {
			return err
		}
	}
	if len(parts) > 0 {
		if err := tx.DeletePrefix(partsOf(u.ID)); err != nil {
			return err
		}
	}
	return tx.Delete(uploadKey(bucket, u.Key, u.ID))
}

// EndAll removes all uploads of a bucket.
func EndAll(tx store.Tx, bucket string) error {
	items, err := tx.Scan(uploadsOf(bucket), "", 0)
	if err != nil {
		return err
	}
	for _, item := range items {
		u, err := store.DecodeJSON[*Upload](item)
		if err != nil {
			return err
		}
		if err := End(tx, bucket, u); err != nil {
			return err
		}
	}
	return nil
}

// UploadPage is a part of a list of uploads.
type UploadPage struct {
	Uploads   []*Upload
	Prefixes  []string
	Truncated bool
	// Last is the key of the last entry, or its common prefix, and LastID the id of the upload.
	Last, LastID string
}

// ListUploads lists the uploads of a bucket; q.AfterVersion is the id of an upload. Those of one key are in the order of their beginning.
func ListUploads(r store.Reader, bucket string, q Query) (UploadPage, error) {
	items, err := r.Scan(uploadsOf(bucket)+path(q.Prefix), "", 0)
	if err != nil {
		return UploadPage{}, err
	}
	var page UploadPage
	l := lister{q: q}
	for _, item := range items {
		u, err := store.DecodeJSON[*Upload](item)
		if err != nil {
			return UploadPage{}, err
		}
		prefix, isPrefix := l.common(u.Key)
		switch {
		case isPrefix && (prefix <= q.After || slices.Contains(page.Prefixes, prefix)):
			continue
		case !isPrefix && (u.Key < q.After || u.Key == q.After && (q.AfterVersion == "" || u.ID <= q.AfterVersion)):
			continue
		}
		if len(page.Uploads)+len(page.Prefixes) >= q.Max {
			page.Truncated = true
			return page, nil
		}
		if page.Last = u.Key; isPrefix {
			page.Prefixes = append(page.Prefixes, prefix)
			page.Last, page.LastID = prefix, ""
			continue
		}
		page.Uploads = append(page.Uploads, u)
		page.LastID = u.ID
	}
	return page, nil
}

// ETagOfParts is the ETag of an object of parts by theirs: an MD5 of MD5s, and how many they are.
func ETagOfParts(sum []byte, parts int) string { return fmt.Sprintf("%x-", sum) + strconv.Itoa(parts) }
