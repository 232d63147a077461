package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/record"
)

// ErrNoPrincipal means that an ARN names nobody whose calls could be judged.
var ErrNoPrincipal = errors.New("iam: no such principal")

// supposedSession is how long the sessions last that Caller makes up, as those of functions do, and their name where the ARN has none.
const (
	supposedSession     = 12 * time.Hour
	supposedSessionName = "licet-explain"
)

// Caller is who would call with fresh credentials of the root user, user, role or role session that an ARN names, without session policies:
// a role is called by a session. No credentials are made. The error wraps ErrNoPrincipal when the ARN names none of these.
func (d *Directory) Caller(ctx context.Context, principalARN string) (principal.Caller, error) {
	e, account, err := d.find(ctx, principalARN)
	if err != nil {
		return principal.Caller{}, err
	}
	if e == nil {
		return principal.Caller{}, fmt.Errorf("%w: %s", ErrNoPrincipal, principalARN)
	}
	known := &Known{Identity: e, Account: account, tags: principal.NewTags(tagsOf(e))}
	switch e.Kind {
	case record.RootKind:
		return d.rootCaller(account, ""), nil
	case record.UserKind:
		return d.userCaller(known, ""), nil
	case record.RoleKind:
	default:
		return principal.Caller{}, fmt.Errorf("%w: %s", ErrNoPrincipal, principalARN)
	}
	name := supposedSessionName
	if a, err := arn.Parse(principalARN); err == nil && a.Service == "sts" {
		name = a.Resource[strings.LastIndexByte(a.Resource, '/')+1:]
	}
	now := d.config.Now()
	return d.roleCaller(known, &knownToken{Token: principal.Token{Session: principal.Session{
		RoleARN: d.IdentityARN(account, e), RoleID: e.ID, Name: name, Generation: e.Generation, IssuedAt: now, Expires: now.Add(supposedSession),
	}}}), nil
}

// ServicePrincipal is an AWS service as a caller, by its name such as lambda.amazonaws.com; false for other texts.
func ServicePrincipal(name string) (principal.Caller, bool) {
	if !strings.HasSuffix(name, ".amazonaws.com") || strings.ContainsAny(name, ":/*? ") {
		return principal.Caller{}, false
	}
	return principal.Caller{Principal: authz.Principal{Kind: authz.Service, ARN: name}}, true
}
