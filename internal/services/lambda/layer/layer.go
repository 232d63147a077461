package layer

import (
	"time"

	"github.com/licet/licet/internal/blob"
	"github.com/licet/licet/internal/codesign"
	"github.com/licet/licet/internal/services/lambda/bundle"
	"github.com/licet/licet/internal/store"
)

// Config is what layers need. Every field without an "unset" is required.
type Config struct {
	DB    store.DB
	Blobs blob.Store
	URLs  bundle.URLs
	// Objects are where archives may come from. Unset: content in S3 is not implemented.
	Objects bundle.Objects
	// Signature gives what is known of the signature of an archive; zero if it has none that is good.
	Signature func(archive []byte, now time.Time) codesign.Signature
}

// Service has the layers.
type Service struct {
	Config
	policies *store.Cache[*versionPolicy]
}

// cacheSize bounds the policies that are kept decoded.
const cacheSize = 10_000

// New makes the service. Close ends it.
func New(config Config) *Service {
	return &Service{Config: config, policies: store.NewCache(config.DB, cacheSize, decodePolicy)}
}

// Close ends the cache. No operation may run during or after it.
func (s *Service) Close() { s.policies.Close() }
