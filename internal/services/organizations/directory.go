package organizations

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// keptMembers bounds how many accounts Directory remembers; whoever names a resource of an account makes it look that account up.
const keptMembers = 4096

// Directory tells what accounts are in their organizations, from memory. What it gives is never older than the last Update of this
// process that returned, nor than store.MaxAge before the last of another process. What an account is depends on many records, so that
// any change of an organization makes it forget everything: there are few. Safe for concurrent use; it must not be used inside a View or
// an Update.
type Directory struct {
	names
	db   store.DB
	stop func()

	mu      sync.RWMutex
	members map[string]*organization.Member // by account; nil for those in no organization
	changes uint64                          // counts the times that members was emptied
}

// NewDirectory makes the directory. Close ends it.
func NewDirectory(db store.DB, partition string) *Directory {
	d := &Directory{names: names{partition}, db: db, members: make(map[string]*organization.Member)}
	d.stop = db.Watch(d.forget)
	return d
}

// Close stops following the store.
func (d *Directory) Close() { d.stop() }

// forget empties the memory after a change of an organization. A change may be told by a prefix of its key, with a trailing "*".
func (d *Directory) forget(changed []string) {
	if !slices.ContainsFunc(changed, func(key string) bool {
		prefix, isPrefix := strings.CutSuffix(key, "*")
		return strings.HasPrefix(key, keyPrefix) || isPrefix && strings.HasPrefix(keyPrefix, prefix)
	}) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.members)
	d.changes++
}

// Member gives what an account is in its organization; nil when it is in none. An error means that this is not known, or that a policy
// cannot be read, and must deny.
func (d *Directory) Member(ctx context.Context, account string) (*organization.Member, error) {
	told := d.db.Told()
	d.mu.RLock()
	m, ok := d.members[account]
	changes := d.changes
	d.mu.RUnlock()
	if ok && store.Current(told) {
		return m, nil
	}
	return d.load(ctx, account, changes)
}

// load reads an account, and remembers it unless something has changed since changes was counted: what was read may be older.
func (d *Directory) load(ctx context.Context, account string, changes uint64) (m *organization.Member, err error) {
	err = d.db.View(ctx, func(r store.Reader) (err error) {
		m, err = d.read(r, account)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the organization of account %s: %w", account, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changes == changes {
		if len(d.members) >= keptMembers {
			clear(d.members)
		}
		d.members[strings.Clone(account)] = m
	}
	return m, nil
}

func (d *Directory) read(r store.Reader, account string) (*organization.Member, error) {
	o, err := organizationOf(r, account)
	if err != nil || o == nil {
		return nil, err
	}
	n := o.Nodes[account]
	if n == nil {
		return nil, fmt.Errorf("organization %s does not have its member %s", o.ID, account)
	}
	m := organization.Member{
		ID: o.ID, Account: account, ManagementAccount: o.Management, Path: o.path(o.Nodes[n.Parent]),
		AllFeatures: o.FeatureSet == types.OrganizationFeatureSetAll, Closed: n.Closed,
		Trusted: slices.Sorted(maps.Keys(o.Services)), Administers: slices.Sorted(maps.Keys(n.Services)),
	}
	if account == o.Management {
		return organization.New(m), nil
	}
	scps, err := d.levels(r, o, n, types.PolicyTypeServiceControlPolicy)
	if err != nil {
		return nil, err
	}
	rcps, err := d.levels(r, o, n, types.PolicyTypeResourceControlPolicy)
	if err != nil {
		return nil, err
	}
	if scps != nil {
		m.SCPs = authz.Compile(authz.Policies{SCPs: scps})
	}
	if rcps != nil {
		m.RCPs = authz.Compile(authz.Policies{RCPs: rcps})
	}
	return organization.New(m), nil
}

// levels are the policies of a type from the root to the account; nil when the type is not enabled.
func (d *Directory) levels(r store.Reader, o *tree, account *node, t types.PolicyType) ([][]authz.Policy, error) {
	if !o.enabled(t) {
		return nil, nil
	}
	var out [][]authz.Policy
	for _, n := range o.lineage(account) {
		level := []authz.Policy{}
		for _, id := range n.Attached {
			p, err := findPolicy(r, o.ID, id)
			if err != nil {
				return nil, fmt.Errorf("policy %s of %s: %w", id, n.ID, err)
			}
			if p.Type != t {
				continue
			}
			document, err := policy.Parse([]byte(p.Content))
			if err != nil {
				return nil, fmt.Errorf("policy %s of %s: %w", id, n.ID, err)
			}
			level = append(level, authz.Policy{ARN: d.policyARN(o, p), Name: p.Name, Document: document})
		}
		out = append(out, level)
	}
	return out, nil
}
