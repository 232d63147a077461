package dispatch

import (
	"context"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/service"
)

// members are what the accounts that take part in a need are in their organizations; nil for those that are in none.
type members struct {
	// caller's account, the resource's, and that of the resource on whose behalf a service calls.
	caller, owner, source *organization.Member
}

// membersOf looks the accounts of a need up.
func (d *Dispatcher) membersOf(ctx context.Context, c *service.Call, need *service.Need) (m members, err error) {
	if m.caller, err = d.member(ctx, c.Caller.Account); err != nil {
		return members{}, err
	}
	if owner := ownerOf(c, need); owner == c.Caller.Account {
		m.owner = m.caller
	} else if m.owner, err = d.member(ctx, owner); err != nil {
		return members{}, err
	}
	if c.Internal != nil {
		if source, ok := c.Internal.Keys.Get("aws:SourceAccount"); ok && !source.Multi {
			m.source, err = d.member(ctx, source.Values[0])
		}
	}
	return m, err
}

// member looks one account up; nil for callers without account.
func (d *Dispatcher) member(ctx context.Context, account string) (*organization.Member, error) {
	if account == "" {
		return nil, nil
	}
	m, err := d.config.Organizations.Member(ctx, account)
	if err != nil {
		return nil, internal(err, "find the organization of account %s", account)
	}
	return m, nil
}

// policies are the SCPs and RCPs that a need is judged by. RCPs "apply to the resources that are authorized as part of an operation
// request", of which an action without a resource has none.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html (#rcp-effects-on-permissions)
func (m *members) policies(need *service.Need) (scps, rcps *authz.Set) {
	if m.caller != nil {
		scps = m.caller.SCPs
	}
	if m.owner != nil && need.Target.ARN != "*" && organization.BoundByRCPs(need.Action) {
		rcps = m.owner.RCPs
	}
	return scps, rcps
}

// keys sets the condition keys about organizations.
func (m *members) keys(k *authz.Context) {
	if m.caller != nil {
		k.Merge(m.caller.CallerKeys())
	}
	if m.owner != nil {
		k.Merge(m.owner.OwnerKeys())
	}
	if m.source != nil {
		k.Merge(m.source.SourceKeys())
	}
}
