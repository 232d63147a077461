// Package bucket says what a bucket is: its record, its name, whether its policy is public, and what of it a public access block takes away.
//
// It never authorizes and does no I/O beyond reading and writing a record in a transaction of the caller's. A *Bucket that is shared, by a
// cache, must not be changed.
//
// Buckets of all accounts share their names. Keys in the store:
//
//	s3/bucket/<name>               a bucket
//	s3/owner/<account>/<name>      nothing: whose it is
//	s3/account/<account>           a public access block of an account
//
// To add a part of the configuration: a field of Bucket.
package bucket

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/services/s3/notification"
	"github.com/licet/licet/internal/services/s3/object"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// Bucket is a bucket as it is stored.
type Bucket struct {
	Name    string    `json:"name"`
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Created time.Time `json:"created"`
	// Policy is the document as it is judged: users and roles stand in it by their unique ids. "": there is none.
	Policy string `json:"policy,omitempty"`
	// Block is the public access block; nil after it was deleted.
	Block         *Block                      `json:"block,omitempty"`
	Versioning    object.Versioning           `json:"versioning,omitempty"`
	Tags          []object.Tag                `json:"tags,omitempty"`
	Ownership     string                      `json:"ownership,omitempty"` // "" after the controls were deleted
	Notifications *notification.Configuration `json:"notifications,omitempty"`
	// Documents are parts of the configuration that are kept and shown, as JSON, by what they are called.
	Documents map[string]string `json:"documents,omitempty"`

	compiled *authz.Policy
	public   bool
}

// Block is a public access block.
type Block struct {
	BlockPublicAcls       bool `json:"block_public_acls,omitempty"`
	IgnorePublicAcls      bool `json:"ignore_public_acls,omitempty"`
	BlockPublicPolicy     bool `json:"block_public_policy,omitempty"`
	RestrictPublicBuckets bool `json:"restrict_public_buckets,omitempty"`
}

// All is the block that new buckets have (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html).
func All() *Block { return &Block{true, true, true, true} }

// Or joins two blocks, of which either may be nil: the stricter counts.
func (b *Block) Or(other *Block) Block {
	var joined Block
	for _, one := range []*Block{b, other} {
		if one != nil {
			joined.BlockPublicAcls = joined.BlockPublicAcls || one.BlockPublicAcls
			joined.IgnorePublicAcls = joined.IgnorePublicAcls || one.IgnorePublicAcls
			joined.BlockPublicPolicy = joined.BlockPublicPolicy || one.BlockPublicPolicy
			joined.RestrictPublicBuckets = joined.RestrictPublicBuckets || one.RestrictPublicBuckets
		}
	}
	return joined
}

// Prefix begins the keys of buckets.
const Prefix = "s3/bucket/"

// Key is where a bucket is.
func Key(name string) string { return Prefix + name }

// OwnedBy begins the keys of an account's buckets, behind which their names stand.
func OwnedBy(account string) string { return "s3/owner/" + account + "/" }

// AccountKey is where the public access block of an account is.
func AccountKey(account string) string { return "s3/account/" + account }

// Decode makes a bucket from its item, its policy parsed once for all calls that it is consulted for.
func Decode(item store.Item) (*Bucket, error) {
	b, err := store.DecodeJSON[*Bucket](item)
	if err != nil || b.Policy == "" {
		return b, err
	}
	document, err := policy.Parse([]byte(b.Policy))
	if err != nil {
		return nil, fmt.Errorf("parse policy of bucket %s: %w", b.Name, err)
	}
	b.compiled = &authz.Policy{Name: "bucket policy of " + b.Name, Document: document}
	b.public = IsPublic(document)
	return b, nil
}

// Read reads a bucket in a transaction, or gives store.ErrNotFound.
func Read(r store.Reader, name string) (*Bucket, error) {
	if strings.Contains(name, "\x00") {
		return nil, store.ErrNotFound
	}
	item, err := r.Get(Key(name))
	if err != nil {
		return nil, err
	}
	return Decode(item)
}

// Write keeps a bucket.
func Write(tx store.Tx, b *Bucket) error { return store.PutJSON(tx, Key(b.Name), b) }

// Create keeps a bucket that was not there.
func Create(tx store.Tx, b *Bucket) error {
	return errors.Join(Write(tx, b), tx.Put(OwnedBy(b.Account)+b.Name, nil))
}

// Remove removes a bucket, which has to be empty.
func Remove(tx store.Tx, b *Bucket) error {
	return errors.Join(tx.Delete(Key(b.Name)), tx.Delete(OwnedBy(b.Account)+b.Name))
}

// Public tells whether the policy is public.
func (b *Bucket) Public() bool { return b.public }

// denyAll takes the place of a policy that a block takes away.
const denyAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}`

// Consulted is the policy that speaks about the bucket for a caller; nil when there is none. A public policy under RestrictPublicBuckets
// holds for services and for the bucket's own account alone.
func (b *Bucket) Consulted(caller *authz.Principal, account *Block) (*authz.Policy, error) {
	if b.compiled == nil || !b.public || caller.Account == b.Account || caller.Kind == authz.Service {
		return b.compiled, nil
	}
	if !b.Block.Or(account).RestrictPublicBuckets {
		return b.compiled, nil
	}
	document, err := policy.Parse([]byte(denyAll))
	if err != nil {
		return nil, err
	}
	return &authz.Policy{Name: "public access block of bucket " + b.Name + " (RestrictPublicBuckets)", Document: document}, nil
}

var nameForm = regexp.MustCompile(`\A[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\z`)

// ValidName tells whether a bucket can be called so
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
func ValidName(name string) bool {
	if !nameForm.MatchString(name) || strings.Contains(name, "..") {
		return false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return false
	}
	for _, prefix := range []string{"xn--", "sthree-"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, suffix) {
			return false
		}
	}
	return true
}
