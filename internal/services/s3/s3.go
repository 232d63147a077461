package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/licet/licet/internal/awserr"
	"github.com/licet/licet/internal/protocol"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/s3/bucket"
	"github.com/licet/licet/internal/services/s3/content"
	"github.com/licet/licet/internal/services/s3/fault"
	"github.com/licet/licet/internal/services/s3/notification"
	"github.com/licet/licet/internal/store"
)

// Principals knows users and roles, by whose unique ids policies are kept.
type Principals interface {
	// UniqueID gives the id of a user or role; "" when it does not exist.
	UniqueID(ctx context.Context, arn string) (string, error)
	// PrincipalARN gives the ARN of a unique id; "" when nobody has it.
	PrincipalARN(ctx context.Context, id string) (string, error)
}

// Permissions tells what a caller may do beside what was judged for its call.
type Permissions interface {
	// Allowed tells whether the policies give the caller a permission.
	Allowed(ctx context.Context, c *service.Call, need service.Need) (bool, error)
}

// Config holds what a Service needs; every field is required.
type Config struct {
	DB store.DB
	// Blobs are S3's own: what nothing refers to is removed from them.
	Blobs content.Blobs
	// SharedBlobs tells whether other servers may use them.
	SharedBlobs bool
	Principals  Principals
	Permissions Permissions
	// Targets get the events of buckets.
	Targets notification.Targets
	// Room tells whether the disk has place for more; while it says no, nothing is put.
	Room func() bool
	// Region that the server serves, Partition that of ARNs.
	Region, Partition string
	// Now is the time of deliveries, a clock that does not jump; operations have that of their call.
	Now    func() time.Time
	Logger *slog.Logger
}

// Service is S3.
type Service struct {
	Config
	buckets *store.Cache[*bucket.Bucket]
	// blocks are the public access blocks of accounts.
	blocks  *store.Cache[*bucket.Block]
	content *content.Store
	events  *notification.Queue
}

// cached is how many buckets, and accounts, are kept in memory.
const cached = 10_000

// New makes the service. Close ends it.
func New(c Config) *Service {
	return &Service{
		Config:  c,
		buckets: store.NewCache(c.DB, cached, bucket.Decode),
		blocks:  store.NewCache(c.DB, cached, store.DecodeJSON[*bucket.Block]),
		content: content.New(content.Config{DB: c.DB, Blobs: c.Blobs, Shared: c.SharedBlobs, Logger: c.Logger}),
		events:  notification.New(c.DB, c.Targets, c.Now, c.Logger),
	}
}

// Close lets go of the store.
func (s *Service) Close() {
	s.buckets.Close()
	s.blocks.Close()
}

// Sweep removes bytes that a crash left. It must end before the first operation.
func (s *Service) Sweep(ctx context.Context) error { return s.content.Sweep(ctx) }

// Run delivers events until ctx ends.
func (s *Service) Run(ctx context.Context) error { return s.events.Run(ctx) }

// Collect removes bytes that this server has written in vain until ctx ends.
func (s *Service) Collect(ctx context.Context) error { return s.content.Run(ctx) }

// CollectGarbage removes bytes that no object needs any more until ctx ends. One server at a time does it.
func (s *Service) CollectGarbage(ctx context.Context) error { return s.content.RunGarbage(ctx) }

// Definition joins the operations with their wire form.
func (s *Service) Definition(api *protocol.API, codec protocol.Codec) service.Service {
	return service.Service{API: api, Codec: codec, Operations: s.operations(), Denial: denial}
}

// denial is an explained one (https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html).
func denial(message string) error {
	return awserr.New("AccessDenied", http.StatusForbidden, "%s", message)
}

// Hosted gives the bucket that a host names: bucket.s3.<region>.localhost, bucket.s3.localhost, bucket.localhost, and the same under
// amazonaws.com; "" for none (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html).
func (s *Service) Hosted(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	host = strings.ToLower(host)
	for _, suffix := range []string{
		".s3." + s.Region + ".localhost", ".s3.localhost", ".s3." + s.Region + ".amazonaws.com", ".s3.amazonaws.com",
	} {
		if name, ok := strings.CutSuffix(host, suffix); ok {
			return name
		}
	}
	name, ok := strings.CutSuffix(host, ".localhost")
	if !ok || name == "s3" || strings.HasSuffix(name, ".s3") || name == "s3."+s.Region || strings.Contains(name, ".lambda-url.") {
		return ""
	}
	return name
}

// Owner is the canonical id of an account: 64 hexadecimal digits that say nothing of it.
func Owner(account string) string {
	sum := sha256.Sum256([]byte("licet canonical user " + account))
	return hex.EncodeToString(sum[:])
}

// find gives a bucket from memory; nil when it is not there.
func (s *Service) find(ctx context.Context, name string) (*bucket.Bucket, error) {
	if strings.ContainsAny(name, "/\x00") { // as in the path /a%2Fb: the keys of another bucket's objects begin so, too
		return nil, nil
	}
	b, err := s.buckets.Get(ctx, bucket.Key(name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find bucket %s: %w", name, err)
	}
	return b, nil
}

// block gives the public access block of an account; nil for none.
func (s *Service) block(ctx context.Context, account string) (*bucket.Block, error) {
	b, err := s.blocks.Get(ctx, bucket.AccountKey(account))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find public access block of %s: %w", account, err)
	}
	return b, nil
}

// read reads a bucket in a transaction, or answers that it is not there. It may have become another's since the call was judged.
func read(r store.Reader, judged *bucket.Bucket) (*bucket.Bucket, error) {
	b, err := bucket.Read(r, judged.Name)
	if errors.Is(err, store.ErrNotFound) || err == nil && !(b.Account == judged.Account && b.Created.Equal(judged.Created)) {
		return nil, fault.NoSuchBucket(judged.Name)
	}
	return b, err
}

// change changes a bucket in a transaction.
func (s *Service) change(ctx context.Context, judged *bucket.Bucket, fn func(*bucket.Bucket) error) error {
	return s.DB.Update(ctx, func(tx store.Tx) error {
		b, err := read(tx, judged)
		if err != nil {
			return err
		}
		if err := fn(b); err != nil {
			return err
		}
		return bucket.Write(tx, b)
	})
}
