package directory

import (
	"context"
	"iter"
	"time"

	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/secret"
	"github.com/licet/licet/internal/store"
)

// ManagedPolicy is an AWS managed policy, as far as it is known.
type ManagedPolicy struct {
	ARN  string
	Name string
	Path string
	// VersionID of the default version, the only one.
	VersionID string
	Created   time.Time
	Updated   time.Time
	Document  string
}

// ManagedPolicies is the catalogue of AWS managed policies. It never changes and is safe for concurrent use.
type ManagedPolicies interface {
	// ManagedPolicy finds a policy by its ARN.
	ManagedPolicy(arn string) (ManagedPolicy, bool)
	// All yields the policies sorted by ARN. It may leave out the documents.
	All() iter.Seq[ManagedPolicy]
}

// Organizations knows which accounts belong together.
type Organizations interface {
	// Member gives what an account is in its organization; nil when it is in none.
	Member(ctx context.Context, account string) (*organization.Member, error)
}

// Config is what a Directory needs. All fields but FixedRoot, Issuer and Organizations are required.
type Config struct {
	DB      store.DB
	Keyring *secret.Keyring
	Managed ManagedPolicies
	// Partition of the ARNs, such as "aws".
	Partition string
	// Now tells the time to which session tokens are held.
	Now func() time.Time
	// FixedRoot gives accounts a root access key for as long as this process runs. It is never stored.
	FixedRoot map[string]principal.Credentials
	// Organizations is asked by what concerns root users of member accounts. Without it no account is in an organization.
	Organizations Organizations
	// Issuer gives the URL under which the world finds an issuer of tokens (PublicIssuer); without it issuers have no URL.
	Issuer func(id string) string
}

// IssuerURL is the URL of an issuer; "" when it has none.
func (c *Config) IssuerURL(id string) string {
	if c.Issuer == nil {
		return ""
	}
	return c.Issuer(id)
}
