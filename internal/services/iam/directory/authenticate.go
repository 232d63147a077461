package directory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

// What Authenticate refuses.
var (
	// ErrUnknownKey means that there is no such access key, or nobody who owns it.
	ErrUnknownKey = errors.New("iam: unknown access key")
	// ErrInactiveKey means that the access key was made inactive.
	ErrInactiveKey = errors.New("iam: inactive access key")
	// ErrInvalidToken means that the session token is not of this server, belongs to another key, or that its role or user is
	// gone or has revoked it.
	ErrInvalidToken = errors.New("iam: invalid session token")
	// ErrExpiredToken means that the session has ended.
	ErrExpiredToken = errors.New("iam: expired session token")
)

// Authenticate finds the secret that a request must be signed with, and whose it is. sessionToken is "" for long-term keys. Its
// errors wrap one of the four above, or are failures to look up. It does not check the signature.
func (d *Directory) Authenticate(
	ctx context.Context, accessKeyID, sessionToken string,
) (secretAccessKey string, caller principal.Caller, err error) {
	if sessionToken != "" {
		return d.authenticateSession(ctx, accessKeyID, sessionToken)
	}
	if account, ok := d.fixed[accessKeyID]; ok {
		return d.config.FixedRoot[account].SecretAccessKey, d.rootCaller(account, accessKeyID), nil
	}
	if !isKeyID(accessKeyID) {
		return "", principal.Caller{}, ErrUnknownKey
	}
	key, err := d.keys.Get(ctx, record.AccessKeyKey(accessKeyID))
	if errors.Is(err, store.ErrNotFound) {
		return "", principal.Caller{}, ErrUnknownKey
	}
	if err != nil {
		return "", principal.Caller{}, fmt.Errorf("load access key %s: %w", accessKeyID, err)
	}
	if !key.Active {
		return "", principal.Caller{}, ErrInactiveKey
	}
	if key.Kind == record.RootKind {
		return key.secret, d.rootCaller(key.Account, accessKeyID), nil
	}
	e, err := d.identities.Get(ctx, record.IdentityKey(key.Account, key.Kind, key.OwnerID))
	if errors.Is(err, store.ErrNotFound) {
		return "", principal.Caller{}, ErrUnknownKey
	}
	if err != nil {
		return "", principal.Caller{}, fmt.Errorf("load owner of access key %s: %w", accessKeyID, err)
	}
	return key.secret, d.userCaller(e, accessKeyID), nil
}

// isKeyID keeps texts that cannot be an access key id away from the store
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html, AccessKeyId).
func isKeyID(text string) bool {
	notWord := func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	return text != "" && len(text) <= 128 && !strings.ContainsFunc(text, notWord)
}

// ForgetTokens forgets the session tokens that were opened: the keys that open them have changed.
func (d *Directory) ForgetTokens() { d.tokens.Forget() }

func (d *Directory) authenticateSession(ctx context.Context, accessKeyID, token string) (string, principal.Caller, error) {
	t, err := d.tokens.Get(token, func(text string) (*knownToken, error) {
		t, err := principal.OpenToken(d.config.Keyring, text)
		return &knownToken{Token: t}, err
	})
	if errors.Is(err, principal.ErrToken) {
		return "", principal.Caller{}, fmt.Errorf("%w: %v", ErrInvalidToken, err)
	}
	if err != nil {
		return "", principal.Caller{}, err
	}
	if t.AccessKeyID != accessKeyID {
		return "", principal.Caller{}, fmt.Errorf("%w: it belongs to another access key", ErrInvalidToken)
	}
	if !d.config.Now().Before(t.Session.Expires) {
		return "", principal.Caller{}, ErrExpiredToken
	}
	caller, err := d.sessionCaller(ctx, t)
	return t.SecretAccessKey, caller, err
}

// sessionCaller is whom a session stands for, as long as the role or user is there and the role has not revoked the session.
func (d *Directory) sessionCaller(ctx context.Context, t *knownToken) (principal.Caller, error) {
	s := &t.Session
	text, k, id := s.RoleARN, record.RoleKind, s.RoleID
	if s.RoleID == "" {
		text, k, id = s.UserARN, record.UserKind, s.UserID
	}
	owner, err := arn.Parse(text)
	if err != nil {
		return principal.Caller{}, fmt.Errorf("session token: %w", err)
	}
	if k == record.UserKind && owner.Resource == string(record.RootKind) {
		return d.userSession(d.rootCaller(owner.AccountID, t.AccessKeyID), t, nil), nil
	}
	e, err := d.identities.Get(ctx, record.IdentityKey(owner.AccountID, k, id))
	if errors.Is(err, store.ErrNotFound) {
		return principal.Caller{}, fmt.Errorf("%w: %s does not exist any more", ErrInvalidToken, text)
	}
	if err != nil {
		return principal.Caller{}, fmt.Errorf("load %s: %w", text, err)
	}
	if k == record.UserKind {
		return d.userSession(d.userCaller(e, t.AccessKeyID), t, e), nil
	}
	if e.Generation != s.Generation {
		return principal.Caller{}, fmt.Errorf("%w: %s has revoked its sessions", ErrInvalidToken, text)
	}
	return d.roleCaller(e, t), nil
}

func (d *Directory) rootCaller(account, accessKeyID string) principal.Caller {
	return principal.Caller{
		Principal:   authz.Principal{Kind: authz.Root, Account: account, ARN: d.ARN(account, string(record.RootKind))},
		AccessKeyID: accessKeyID,
	}
}

func (d *Directory) userCaller(e *Known, accessKeyID string) principal.Caller {
	return principal.Caller{
		Principal:   authz.Principal{Kind: authz.User, Account: e.Account, ARN: d.IdentityARN(e.Account, e.Identity), ID: e.ID},
		AccessKeyID: accessKeyID, UserName: e.Name, Tags: e.tags,
	}
}

// userSession is a session that a user or root user made: for itself or, if it has a name, for somebody else. of is nil for a root user.
func (d *Directory) userSession(owner principal.Caller, t *knownToken, of *Known) principal.Caller {
	owner.Session = &t.Session
	if t.Session.Name == "" {
		return owner
	}
	if of != nil {
		owner.Tags = t.tags(of)
	} else {
		owner.Tags = principal.NewTags(t.Session.Tags)
	}
	return d.federatedCaller(owner, t)
}

// roleCaller has the session's ARN, in which the role stands without its path (iam.md T6).
func (d *Directory) roleCaller(e *Known, t *knownToken) principal.Caller {
	session := arn.ARN{
		Partition: d.Partition, Service: "sts", AccountID: e.Account, Resource: "assumed-role/" + e.Name + "/" + t.Session.Name,
	}
	return principal.Caller{
		Principal: authz.Principal{
			Kind: authz.AssumedRole, Account: e.Account, ARN: session.String(), IssuerARN: d.IdentityARN(e.Account, e.Identity), ID: e.ID,
			SessionName: t.Session.Name, ServiceLinked: strings.HasPrefix(e.Path, record.ServiceLinkedPath),
		},
		AccessKeyID: t.AccessKeyID, Tags: t.tags(e), Session: &t.Session,
	}
}

// tags are those of a session of a role or user.
func (t *knownToken) tags(role *Known) principal.Tags {
	if len(t.Session.Tags) == 0 {
		return role.tags
	}
	if o := t.overlaid.Load(); o != nil && o.role == role {
		return o.tags
	}
	o := &overlaidTags{role: role, tags: principal.NewTags(overlay(tagsOf(role.Identity), t.Session.Tags))}
	t.overlaid.Store(o)
	return o.tags
}

// overlay gives the tags of a role session: a session tag takes the place of a role's tag of the same key, whatever the case
// (iam.md T7).
func overlay(role, session map[string]string) map[string]string {
	taken := make(map[string]bool, len(session))
	for key := range session {
		taken[authz.FoldKey(key)] = true
	}
	out := maps.Clone(session)
	for key, value := range role {
		if !taken[authz.FoldKey(key)] {
			out[key] = value
		}
	}
	return out
}
