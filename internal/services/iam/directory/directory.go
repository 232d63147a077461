package directory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/saml"
	"github.com/licet/licet/internal/services/iam/memo"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// Sizes of the directory's caches, in entries.
const (
	cachedKeys       = 4096
	cachedIdentities = 4096
	cachedPolicies   = 4096
	cachedAccounts   = 1024
	cachedTokens     = 1024
	cachedDocuments  = 4096
	cachedNames      = 65536
)

// Directory answers what authentication and decisions ask about identities, from memory. A change that Update has acknowledged is
// seen by the next question. It writes nothing but new accounts, and which MFA codes were used.
type Directory struct {
	record.Names
	config     Config
	fixed      map[string]string // account by fixed access key id
	keys       *store.Cache[*knownKey]
	identities *store.Cache[*Known]
	ids        *store.Cache[string] // of identities, by name
	listed     *store.Pages[ListedName]
	policies   *store.Cache[authz.Policy]
	passwords  *store.Cache[*record.PasswordPolicy] // password policies of accounts
	tokens     *memo.Of[*knownToken]
	aws        *memo.Of[authz.Policy]
	documents  *memo.Of[*policy.Document]
	attempts   attempts

	// samlProviders are asked for by callers who are not known yet, and may have long metadata.
	samlProviders *store.Cache[saml.Provider]
	// issuers are asked for by everybody; issuerAccounts are their accounts, by id.
	issuers        *store.Cache[*knownIssuer]
	issuerAccounts *store.Cache[string]
}

// knownKey is an access key with its secret open.
type knownKey struct {
	record.AccessKey
	secret string
}

// Known is an identity with what is made from it once.
type Known struct {
	*record.Identity
	Account string
	inline  []authz.Policy
	tags    principal.Tags
	// Shown is a role as it was last shown in a list.
	Shown atomic.Pointer[ShownRole]
}

// ShownRole is a role in the form of ListRoles. What it points to must not be changed.
type ShownRole struct {
	Role types.Role
	// ARNs are those that users and roles had whom the trust policy names by their ids; by id.
	ARNs map[string]string
}

// ListedName is an entry of the names of a kind.
type ListedName struct{ Key, identityKey string }

func decodeListedName(item store.Item) (ListedName, error) {
	identityKey, ok := record.IdentityKeyOfName(item.Key, string(item.Value))
	if !ok {
		return ListedName{}, fmt.Errorf("%s is not the key of a name", item.Key)
	}
	return ListedName{Key: item.Key, identityKey: identityKey}, nil
}

// inlineNames are the names of the policies in inline.
func (e *Known) inlineNames() []string { return slices.Sorted(maps.Keys(e.Inline)) }

// knownToken is an open session token.
type knownToken struct {
	principal.Token
	// overlaid are the tags of the session, as long as its role is the same.
	overlaid atomic.Pointer[overlaidTags]
}

type overlaidTags struct {
	role *Known
	tags principal.Tags
}

// New makes the directory. Close ends it.
func New(c Config) *Directory {
	d := &Directory{
		Names: record.Names{Partition: c.Partition}, config: c, fixed: make(map[string]string, len(c.FixedRoot)),
		tokens: memo.New[*knownToken](cachedTokens), aws: memo.New[authz.Policy](cachedPolicies),
		documents: memo.New[*policy.Document](cachedDocuments),
	}
	for account, key := range c.FixedRoot {
		d.fixed[key.AccessKeyID] = account
	}
	d.keys = store.NewCache(c.DB, cachedKeys, d.decodeKey)
	d.identities = store.NewCache(c.DB, cachedIdentities, d.decodeIdentity)
	text := func(item store.Item) (string, error) { return string(item.Value), nil }
	d.ids = store.NewCache(c.DB, cachedIdentities, text)
	d.listed = store.NewPages(c.DB, cachedNames, decodeListedName)
	d.policies = store.NewCache(c.DB, cachedPolicies, d.decodePolicy)
	d.passwords = store.NewCache(c.DB, cachedAccounts, store.DecodeJSON[*record.PasswordPolicy])
	d.samlProviders = store.NewCache(c.DB, cachedAccounts, d.decodeSAMLProvider)
	d.issuers = store.NewCache(c.DB, cachedAccounts, d.decodeIssuer)
	d.issuerAccounts = store.NewCache(c.DB, cachedAccounts, text)
	return d
}

// Close stops following the store.
func (d *Directory) Close() {
	d.keys.Close()
	d.identities.Close()
	d.ids.Close()
	d.listed.Close()
	d.policies.Close()
	d.passwords.Close()
	d.samlProviders.Close()
	d.issuers.Close()
	d.issuerAccounts.Close()
}

func (d *Directory) decodeKey(item store.Item) (*knownKey, error) {
	key, err := store.DecodeJSON[record.AccessKey](item)
	if err != nil {
		return nil, err
	}
	secretKey, err := record.OpenSecret(d.config.Keyring, record.AccessKeyPurpose, key.ID, key.Secret)
	if err != nil {
		return nil, fmt.Errorf("open secret of access key %s: %w", key.ID, err)
	}
	return &knownKey{key, secretKey}, nil
}

func (d *Directory) decodeIdentity(item store.Item) (*Known, error) {
	e, err := store.DecodeJSON[*record.Identity](item)
	if err != nil {
		return nil, err
	}
	known := &Known{Identity: e, Account: accountOfKey(item.Key), tags: principal.NewTags(tagsOf(e))}
	for _, name := range known.inlineNames() {
		doc, err := d.Parse(e.Inline[name])
		if err != nil {
			return nil, fmt.Errorf("inline policy %s of %s %s: %w", name, e.Kind, e.Name, err)
		}
		known.inline = append(known.inline, authz.Policy{Name: e.Name + "/inline/" + name, Document: doc})
	}
	return known, nil
}

// Named finds an identity by its name, which must be spelled as it was made. The error wraps store.ErrNotFound when there is none.
func (d *Directory) Named(ctx context.Context, account string, k record.Kind, name string) (*Known, error) {
	id := account // of the root user
	if k != record.RootKind {
		var err error
		if id, err = d.ids.Get(ctx, record.NameKey(account, k, name)); err != nil {
			return nil, fmt.Errorf("find %s %s: %w", k, name, err)
		}
	}
	e, err := d.identities.Get(ctx, record.IdentityKey(account, k, id))
	if err == nil && e.Name != name {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("load %s %s: %w", k, name, err)
	}
	return e, nil
}

// List gives names of the store below a prefix, after a key.
func (d *Directory) List(ctx context.Context, prefix, after string, most int) ([]ListedName, error) {
	return d.listed.Scan(ctx, prefix, after, most)
}

// Listed gives the identity that had a name when it was listed. The error wraps store.ErrNotFound when it is gone.
func (d *Directory) Listed(ctx context.Context, name ListedName) (*Known, error) {
	return d.identities.Get(ctx, name.identityKey)
}

func (d *Directory) decodePolicy(item store.Item) (authz.Policy, error) {
	p, err := store.DecodeJSON[*record.ManagedPolicy](item)
	if err != nil {
		return authz.Policy{}, err
	}
	arn := d.PolicyARN(accountOfKey(item.Key), p)
	v, ok := p.Version(p.Default)
	if !ok {
		return authz.Policy{}, fmt.Errorf("policy %s has no version %s", arn, p.Default)
	}
	return d.managedPolicy(arn, v.Document)
}

// accountOfKey is the account in "iam/<account>/…".
func accountOfKey(key string) string {
	_, rest, _ := strings.Cut(key, "/")
	account, _, _ := strings.Cut(rest, "/")
	return account
}

func (d *Directory) managedPolicy(arn, text string) (authz.Policy, error) {
	doc, err := d.Parse(text)
	if err != nil {
		return authz.Policy{}, fmt.Errorf("policy %s: %w", arn, err)
	}
	_, name := record.PolicyPathAndName(arn)
	return authz.Policy{ARN: arn, Name: name, Document: doc}, nil
}

// Parse gives the same document for the same text.
func (d *Directory) Parse(text string) (*policy.Document, error) {
	return d.documents.Get(text, func(t string) (*policy.Document, error) { return policy.Parse([]byte(t)) })
}

// Role finds a role by its ARN. The error wraps principal.ErrNoRole when there is none.
func (d *Directory) Role(ctx context.Context, roleARN string) (principal.Role, error) {
	e, account, err := d.find(ctx, roleARN)
	if err != nil {
		return principal.Role{}, err
	}
	if e == nil || e.Kind != record.RoleKind || d.IdentityARN(account, e) != roleARN {
		return principal.Role{}, fmt.Errorf("%w: %s", principal.ErrNoRole, roleARN)
	}
	trust, err := d.Parse(e.Trust)
	if err != nil {
		return principal.Role{}, fmt.Errorf("trust policy of %s: %w", roleARN, err)
	}
	role := principal.Role{
		ARN: roleARN, Name: e.Name, ID: e.ID, Account: account, MaxSessionSeconds: e.MaxSessionSeconds, Generation: e.Generation,
		Tags: tagsOf(e), Trust: trust,
	}
	return role, nil
}

func tagsOf(e *record.Identity) map[string]string {
	tags := make(map[string]string, len(e.Tags))
	for _, t := range e.Tags {
		tags[t.Key] = t.Value
	}
	return tags
}

// UniqueID gives the unique id of the user or role that an ARN names; "" when there is none. What is granted to the id does not
// pass on to who is made again under the name.
func (d *Directory) UniqueID(ctx context.Context, principalARN string) (string, error) {
	e, account, err := d.find(ctx, principalARN)
	if err != nil || e == nil || e.Kind == record.RootKind || d.IdentityARN(account, e) != principalARN {
		return "", err
	}
	return e.ID, nil
}

// PrincipalARN gives the ARN that the user or role of a unique id has now; "" when it is gone.
func (d *Directory) PrincipalARN(ctx context.Context, id string) (principalARN string, err error) {
	key, ok := record.PrincipalKey(id)
	if !ok {
		return "", nil
	}
	e, err := d.identities.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("load %s: %w", id, err)
	}
	return d.IdentityARN(e.Account, e.Identity), nil
}

// find finds who an ARN names, whom nobody may change; nil when there is nobody.
func (d *Directory) find(ctx context.Context, text string) (e *record.Identity, account string, err error) {
	a, err := arn.Parse(text)
	if err != nil || a.Partition != d.Partition {
		return nil, "", nil
	}
	e, err = d.FindPrincipal(a, func(account string, k record.Kind, name string) (*record.Identity, error) {
		known, err := d.Named(ctx, account, k, name)
		if errors.Is(err, store.ErrNotFound) {
			return nil, record.NoSuchIdentity(k, name)
		}
		if err != nil {
			return nil, err
		}
		return known.Identity, nil
	})
	return e, a.AccountID, err
}

// HasPolicy tells whether a managed policy exists in an account or among those of AWS.
func (d *Directory) HasPolicy(ctx context.Context, account, policyARN string) (bool, error) {
	a, err := record.ParsePolicyARN(policyARN)
	if err != nil || a.Partition != d.Partition || a.AccountID != record.AWSAccount && a.AccountID != account {
		return false, nil
	}
	_, err = d.Policy(ctx, policyARN)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
