// Package object keeps what S3 knows of objects: their versions and delete markers, in the order in which they are listed, and uploads of
// objects in parts.
//
// It never authorizes, reads no clock and knows no bytes: content has these. All functions work in a transaction of the caller's, and hold
// nothing. What they keep refers to its pieces, and what they remove drops them.
//
// An object is its versions, newest first. In a bucket without versioning there is one, called "null". A delete marker is a version without
// content, by which an object is gone although older versions are there.
//
// Keys in the store, where path is a key of S3 in which bytes below 3 are two, so that a byte below 3 can end it without a change of order:
//
//	s3/object/<bucket>/<path>\x01<time>     a version; time counts down from the largest, so that the newest comes first
//	s3/manifest/<id of the content>         the pieces of an object of several
//	s3/upload/<bucket>/<path>\x01<id>       an upload
//	s3/part/<id of the upload>/<number>     a part of it
//
// Behaviour: https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html.
package object

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/licet/licet/internal/services/s3/checksum"
	"github.com/licet/licet/internal/services/s3/content"
	"github.com/licet/licet/internal/store"
)

// Null is the id of the version that an object has without versioning.
const Null = "null"

// Versioning is the state of a bucket.
type Versioning string

// The states.
const (
	Unversioned Versioning = ""
	Enabled     Versioning = "Enabled"
	Suspended   Versioning = "Suspended"
)

// Headers are those that a client gives an object, and gets back with it.
type Headers struct {
	CacheControl       string            `json:"cache_control,omitempty"`
	ContentDisposition string            `json:"content_disposition,omitempty"`
	ContentEncoding    string            `json:"content_encoding,omitempty"`
	ContentLanguage    string            `json:"content_language,omitempty"`
	ContentType        string            `json:"content_type,omitempty"`
	Expires            string            `json:"expires,omitempty"`
	Redirect           string            `json:"redirect,omitempty"` // x-amz-website-redirect-location
	Metadata           map[string]string `json:"metadata,omitempty"`
}

// Version is one version of an object, or a delete marker.
type Version struct {
	Key string `json:"key"`
	ID  string `json:"id"`
	// Marker is true of a delete marker, which has none of what follows Modified.
	Marker   bool      `json:"marker,omitempty"`
	Modified time.Time `json:"modified"`
	ETag     string    `json:"etag,omitempty"` // without quotes
	Size     int64     `json:"size,omitempty"`
	// Content is what the references to its pieces are called; Pieces are in a manifest when they are more than one.
	Content string          `json:"content,omitempty"`
	Pieces  []content.Piece `json:"pieces,omitempty"`
	Headers Headers         `json:"headers,omitzero"`
	Tags    []Tag           `json:"tags,omitempty"`
	Class   string          `json:"class,omitempty"` // storage class; "" for STANDARD
	// Checksum is of the whole or, when Composite, of the parts' checksums.
	Algorithm checksum.Algorithm `json:"algorithm,omitempty"`
	Checksum  string             `json:"checksum,omitempty"`
	Composite bool               `json:"composite,omitempty"`
	// Parts is how many parts the object was uploaded in; 0 for one that was put.
	Parts int `json:"parts,omitempty"`

	place string // its key in the store; "" before it is there
}

// Tag is one of an object's tags.
type Tag struct {
	Key   string `json:"k"`
	Value string `json:"v"`
}

// Manifest is what objects of several pieces are made of.
type Manifest struct {
	Pieces []content.Piece `json:"pieces"`
	// Numbers and Checksums are those of the parts.
	Numbers   []int32  `json:"numbers"`
	Checksums []string `json:"checksums,omitempty"`
}

// MaxKey is the longest key, in bytes.
const MaxKey = 1024

const (
	objectPrefix   = "s3/object/"
	manifestPrefix = "s3/manifest/"
	end            = "\x01"
	// past is greater than every byte of a key: keys are UTF-8.
	past = "\xff"
)

// path writes a key so that it may be followed by end.
func path(key string) string {
	if strings.IndexFunc(key, func(r rune) bool { return r < 3 }) < 0 {
		return key
	}
	var b strings.Builder
	for i := range len(key) {
		if c := key[i]; c < 3 {
			b.WriteByte(2)
			b.WriteByte(c + 1)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func bucketPrefix(bucket string) string { return objectPrefix + bucket + "/" }

// versionsOf begins the places of all versions of an object.
func versionsOf(bucket, key string) string { return bucketPrefix(bucket) + path(key) + end }

// Stamp orders what a transaction makes: it is the transaction's number and, behind that, a count within it.
type Stamp int64

const perTransaction = 1 << 12

// NewStamp makes the n-th stamp of a transaction.
func NewStamp(tx store.Tx, n int) Stamp { return Stamp(tx.Revision()*perTransaction + int64(n)) }

// Text is the stamp in hexadecimal, of a fixed width.
func (s Stamp) Text() string { return fmt.Sprintf("%016X", int64(s)) }

func (s Stamp) place(bucket, key string) string {
	return versionsOf(bucket, key) + fmt.Sprintf("%016x", math.MaxInt64-int64(s))
}

// newID makes the id of a version, in which its stamp is.
func (s Stamp) newID() string {
	var raw [24]byte
	binary.BigEndian.PutUint64(raw[:], uint64(s))
	_, _ = rand.Read(raw[8:]) // never fails
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func stampOf(id string) (Stamp, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil || len(raw) != 24 {
		return 0, false
	}
	return Stamp(binary.BigEndian.Uint64(raw)), true
}

func decode(item store.Item) (*Version, error) {
	v, err := store.DecodeJSON[*Version](item)
	if err == nil {
		v.place = item.Key
	}
	return v, err
}

// Newest gives the newest version of an object, which may be a marker, or store.ErrNotFound.
func Newest(r store.Reader, bucket, key string) (*Version, error) {
	items, err := r.Scan(versionsOf(bucket, key), "", 1)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, store.ErrNotFound
	}
	return decode(items[0])
}

// Find gives a version by its id, the newest for "", or store.ErrNotFound.
func Find(r store.Reader, bucket, key, id string) (*Version, error) {
	switch id {
	case "":
		return Newest(r, bucket, key)
	case Null:
		return null(r, bucket, key)
	}
	stamp, ok := stampOf(id)
	if !ok {
		return nil, store.ErrNotFound
	}
	item, err := r.Get(stamp.place(bucket, key))
	if err != nil {
		return nil, err
	}
	v, err := decode(item)
	if err == nil && v.ID != id {
		return nil, store.ErrNotFound
	}
	return v, err
}

// null finds the version that was made without versioning.
func null(r store.Reader, bucket, key string) (*Version, error) {
	items, err := r.Scan(versionsOf(bucket, key), "", 0)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		v, err := decode(item)
		if err != nil || v.ID == Null {
			return v, err
		}
	}
	return nil, store.ErrNotFound
}

// Put keeps a new version, of which ID and Content are made here. Without versioning it takes the place of the one that was there.
func Put(tx store.Tx, bucket string, v *Version, m *Manifest, state Versioning, stamp Stamp) error {
	v.ID, v.Content = stamp.newID(), stamp.Text()
	pieces := v.Pieces
	if m != nil {
		pieces, v.Pieces = m.Pieces, nil
		if err := store.PutJSON(tx, manifestPrefix+v.Content, m); err != nil {
			return err
		}
	}
	for i, p := range pieces { // before the old version drops them: it may have the same
		if err := content.Refer(tx, p, v.owner(i)); err != nil {
			return err
		}
	}
	if state != Enabled {
		v.ID = Null
		if err := removeNull(tx, bucket, v.Key); err != nil {
			return err
		}
	}
	v.place = stamp.place(bucket, v.Key)
	return store.PutJSON(tx, v.place, v)
}

// owner names who refers to a piece: two pieces of one object may be one blob.
func (v *Version) owner(piece int) string { return fmt.Sprintf("%s-%d", v.Content, piece) }

// Update keeps what has changed of a version that was read in this transaction: its tags.
func Update(tx store.Tx, v *Version) error { return store.PutJSON(tx, v.place, v) }

func removeNull(tx store.Tx, bucket, key string) error {
	old, err := null(tx, bucket, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return remove(tx, old)
}

// remove removes a version for good.
func remove(tx store.Tx, v *Version) error {
	pieces, err := Pieces(tx, v)
	if err != nil {
		return err
	}
	for i, p := range pieces {
		if err := content.Drop(tx, p, v.owner(i)); err != nil {
			return err
		}
	}
	if len(v.Pieces) == 0 && v.Content != "" {
		if err := tx.Delete(manifestPrefix + v.Content); err != nil {
			return err
		}
	}
	return tx.Delete(v.place)
}

// Pieces are what a version is made of.
func Pieces(r store.Reader, v *Version) ([]content.Piece, error) {
	m, err := ReadManifest(r, v)
	if m == nil || err != nil {
		return v.Pieces, err
	}
	return m.Pieces, nil
}

// ReadManifest gives that of an object of parts; nil for others.
func ReadManifest(r store.Reader, v *Version) (*Manifest, error) {
	if v.Marker || len(v.Pieces) > 0 || v.Parts == 0 {
		return nil, nil
	}
	return store.GetJSON[*Manifest](r, manifestPrefix+v.Content)
}

// Removal is what Delete did.
type Removal struct {
	// Removed is the version that is gone for good; nil for none.
	Removed *Version
	// Marker is the delete marker that was made; nil for none.
	Marker *Version
}

// Delete removes a version or, without an id, makes an object look gone: with a marker in a bucket that has, or had, versioning. What is not
// there is no error.
func Delete(tx store.Tx, bucket, key, id string, state Versioning, stamp Stamp, now time.Time) (Removal, error) {
	if id != "" {
		v, err := Find(tx, bucket, key, id)
		if errors.Is(err, store.ErrNotFound) {
			return Removal{}, nil
		}
		if err != nil {
			return Removal{}, err
		}
		return Removal{Removed: v}, remove(tx, v)
	}
	if state == Unversioned {
		return Delete(tx, bucket, key, Null, state, stamp, now)
	}
	m := &Version{Key: key, ID: stamp.newID(), Marker: true, Modified: now}
	if state == Suspended {
		m.ID = Null
		if err := removeNull(tx, bucket, key); err != nil {
			return Removal{}, err
		}
	}
	m.place = stamp.place(bucket, key)
	return Removal{Marker: m}, store.PutJSON(tx, m.place, m)
}

// Empty tells whether a bucket has no versions, markers and uploads. What is uploaded does not keep a bucket from being deleted in AWS either,
// but it must be gone with it.
func Empty(r store.Reader, bucket string) (bool, error) {
	items, err := r.Scan(bucketPrefix(bucket), "", 1)
	return len(items) == 0, err
}
