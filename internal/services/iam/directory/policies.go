package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

// Policies gives the policies of a caller: identity-based ones (a user's with those of its groups, a role's), the boundary, and
// those of the session. An error means that they are not all known, and must deny. Root users, services, anonymous callers and
// those whom only a provider vouches for have none. Documents are the same pointers as long as their text is the same.
func (d *Directory) Policies(ctx context.Context, caller principal.Caller) (authz.Policies, error) {
	var p authz.Policies
	switch caller.Kind {
	case authz.Root, authz.Service, authz.Anonymous, authz.WebIdentity, authz.SAML:
	case authz.User, authz.AssumedRole, authz.FederatedUser:
		if caller.Kind == authz.FederatedUser && caller.ID == "" { // whom a root user federates
			break
		}
		k := record.UserKind
		if caller.Kind == authz.AssumedRole {
			k = record.RoleKind
		}
		var err error
		if p, err = d.policiesOf(ctx, caller.Account, k, caller.ID); err != nil {
			return authz.Policies{}, err
		}
	default:
		return authz.Policies{}, fmt.Errorf("no policies are known for callers of kind %s", caller.Kind)
	}
	if caller.Kind == authz.FederatedUser { // without session policies it may nothing of itself (iam.md D7)
		p.Session = []authz.Policy{}
	}
	if caller.Session != nil && caller.Session.HasPolicies {
		var err error
		if p.Session, err = d.sessionPolicies(ctx, caller.Session); err != nil {
			return authz.Policies{}, err
		}
		if caller.Kind == authz.Root { // AssumeRoot: the task's policy only denies, and leaves of a root user's permissions what it is about
			all, err := d.Parse(fullAccess)
			if err != nil {
				return authz.Policies{}, fmt.Errorf("permissions of a root user: %w", err)
			}
			p.Session = append(p.Session, authz.Policy{Name: "permissions of the root user", Document: all})
		}
	}
	return p, nil
}

// policiesOf gives the policies of a user or role. A group or policy that it has lost since it was read may be gone: then it is read again.
func (d *Directory) policiesOf(ctx context.Context, account string, k record.Kind, id string) (p authz.Policies, err error) {
	const attempts = 3
	for range attempts {
		var e *Known
		if e, err = d.identities.Get(ctx, record.IdentityKey(account, k, id)); err != nil {
			return p, fmt.Errorf("load %s %s: %w", k, id, err)
		}
		p = authz.Policies{}
		if err = d.identityPolicies(ctx, e, &p); err == nil && k == record.UserKind {
			err = d.passwordPolicies(ctx, e, &p)
		}
		if !errors.Is(err, store.ErrNotFound) {
			break
		}
	}
	return p, err
}

// fullAccess is what a root user may.
const fullAccess = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

func (d *Directory) identityPolicies(ctx context.Context, e *Known, p *authz.Policies) error {
	grants, err := d.grants(ctx, e)
	if err != nil {
		return err
	}
	size := 0
	for _, g := range grants {
		size += len(g.inline) + len(g.Attached)
	}
	p.Identity = make([]authz.Policy, 0, size)
	for _, g := range grants {
		p.Identity = append(p.Identity, g.inline...)
		for _, arn := range g.Attached {
			managed, err := d.Policy(ctx, arn)
			if err != nil {
				return fmt.Errorf("load policy of %s %s: %w", g.Kind, g.Name, err)
			}
			p.Identity = append(p.Identity, managed)
		}
	}
	if e.Boundary != "" {
		b, err := d.Policy(ctx, e.Boundary)
		if err != nil {
			return fmt.Errorf("load permissions boundary of %s %s: %w", e.Kind, e.Name, err)
		}
		p.Boundary = &b
	}
	return nil
}

// passwordPolicies adds what an account's password policy grants its users: to change their own password, and to read the policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PasswordPolicy.html, AllowUsersToChangePassword
func (d *Directory) passwordPolicies(ctx context.Context, e *Known, p *authz.Policies) error {
	password, err := d.passwords.Get(ctx, record.PasswordPolicyKey(e.Account))
	if errors.Is(err, store.ErrNotFound) || err == nil && !password.AllowChange {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load password policy of account %s: %w", e.Account, err)
	}
	user, err := json.Marshal(d.IdentityARN(e.Account, e.Identity))
	if err != nil {
		return fmt.Errorf("password policy for %s: %w", e.Name, err)
	}
	doc, err := d.Parse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ChangePassword","Resource":` + string(user) +
		`},{"Effect":"Allow","Action":"iam:GetAccountPasswordPolicy","Resource":"*"}]}`)
	if err != nil {
		return fmt.Errorf("password policy for %s: %w", e.Name, err)
	}
	p.Identity = append(p.Identity, authz.Policy{Name: "password policy of the account", Document: doc})
	return nil
}

// grants are those whose identity-based policies an identity has: itself and its groups.
func (d *Directory) grants(ctx context.Context, e *Known) ([]*Known, error) {
	grants := make([]*Known, 1, 1+len(e.Groups))
	grants[0] = e
	for _, id := range e.Groups {
		g, err := d.identities.Get(ctx, record.IdentityKey(e.Account, record.GroupKind, id))
		if err != nil {
			return nil, fmt.Errorf("load group %s of user %s: %w", id, e.Name, err)
		}
		grants = append(grants, g)
	}
	return grants, nil
}

// sessionPolicies are the policies that were given when a session was made. One that is gone is an error: what it denied must
// not be allowed for that.
func (d *Directory) sessionPolicies(ctx context.Context, s *principal.Session) ([]authz.Policy, error) {
	out := make([]authz.Policy, 0, 1+len(s.PolicyARNs))
	if s.Policy != "" {
		doc, err := d.Parse(s.Policy)
		if err != nil {
			return nil, fmt.Errorf("session policy of %s: %w", s.Name, err)
		}
		out = append(out, authz.Policy{Name: "session policy of " + s.Name, Document: doc})
	}
	for _, arn := range s.PolicyARNs {
		managed, err := d.Policy(ctx, arn)
		if err != nil {
			return nil, fmt.Errorf("load session policy of %s: %w", s.Name, err)
		}
		out = append(out, managed)
	}
	return out, nil
}

// Policy gives the version in effect of a managed policy. The error wraps store.ErrNotFound when there is none.
func (d *Directory) Policy(ctx context.Context, arn string) (authz.Policy, error) {
	a, err := record.ParsePolicyARN(arn)
	if err != nil {
		return authz.Policy{}, err
	}
	if a.AccountID == record.AWSAccount {
		return d.aws.Get(arn, func(arn string) (authz.Policy, error) {
			p, ok := d.config.Managed.ManagedPolicy(arn)
			if !ok {
				return authz.Policy{}, fmt.Errorf("policy %s: %w", arn, store.ErrNotFound)
			}
			return d.managedPolicy(arn, p.Document)
		})
	}
	_, name := record.PolicyPathAndName(arn)
	p, err := d.policies.Get(ctx, record.PolicyKey(a.AccountID, name))
	if err != nil {
		return authz.Policy{}, fmt.Errorf("policy %s: %w", arn, err)
	}
	if p.ARN != arn {
		return authz.Policy{}, fmt.Errorf("policy %s: %w", arn, store.ErrNotFound)
	}
	return p, nil
}
