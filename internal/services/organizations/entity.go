package organizations

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

// Entity gives the node at a path ("o-…/r-…/ou-…") of the organization that an account is in; nil when there is none.
func (d *Directory) Entity(ctx context.Context, account, path string) (e *organization.Entity, err error) {
	err = d.db.View(ctx, func(r store.Reader) error {
		e = nil
		o, err := organizationOf(r, account)
		if err != nil || o == nil {
			return err
		}
		n := o.Nodes[path[strings.LastIndexByte(path, '/')+1:]]
		if n == nil || o.path(n) != path+"/" {
			return nil
		}
		e, err = d.entity(r, o, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return e, nil
}

func (d *Directory) entity(r store.Reader, o *tree, n *node) (*organization.Entity, error) {
	e := &organization.Entity{Management: n.ID == o.Management}
	for _, above := range o.lineage(n) {
		e.Lineage = append(e.Lineage, organization.Node{ARN: d.nodeARN(o, above.ID), Tags: tagsOf(above.Tags)})
	}
	if o.enabled(types.PolicyTypeServiceControlPolicy) {
		e.SCPs = [][]organization.SCP{}
		for _, above := range o.lineage(n) {
			level, err := d.attachedSCPs(r, o, above)
			if err != nil {
				return nil, err
			}
			e.SCPs = append(e.SCPs, level)
		}
	}
	for _, below := range o.sorted(func(a *node) bool { return a.Kind == types.TargetTypeAccount }) {
		if below != n && (below.ID == o.Management || !slices.Contains(o.lineage(below), n)) {
			continue
		}
		a := organization.EntityAccount{ID: below.ID, Path: strings.TrimSuffix(o.path(below), "/")}
		for _, above := range o.lineage(below) {
			a.Policies = append(a.Policies, above.Attached...)
		}
		e.Accounts = append(e.Accounts, a)
	}
	return e, nil
}

func (d *Directory) attachedSCPs(r store.Reader, o *tree, n *node) (level []organization.SCP, err error) {
	for _, id := range n.Attached {
		p, err := d.findSCP(r, o, id)
		if err != nil {
			return nil, fmt.Errorf("policy %s of %s: %w", id, n.ID, err)
		}
		if p != nil {
			level = append(level, *p)
		}
	}
	return level, nil
}

// findSCP reads a policy; nil when there is none of the id, or it is of another type.
func (d *Directory) findSCP(r store.Reader, o *tree, id string) (*organization.SCP, error) {
	p, err := findPolicy(r, o.ID, id)
	if isMissing(err) || err == nil && p.Type != types.PolicyTypeServiceControlPolicy {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	document, err := policy.Parse([]byte(p.Content))
	if err != nil {
		return nil, err
	}
	return &organization.SCP{Policy: authz.Policy{ARN: d.policyARN(o, p), Name: p.Name, Document: document}, Tags: tagsOf(p.Tags)}, nil
}

// SCP gives a service control policy of the organization that an account is in, or of AWS; nil when there is none.
func (d *Directory) SCP(ctx context.Context, account, id string) (found *organization.SCP, err error) {
	err = d.db.View(ctx, func(r store.Reader) error {
		found = nil
		o, err := organizationOf(r, account)
		if err != nil || o == nil {
			return err
		}
		found, err = d.findSCP(r, o, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read policy %s: %w", id, err)
	}
	return found, nil
}

func tagsOf(tags []tag) map[string]string {
	out := make(map[string]string, len(tags))
	for _, t := range tags {
		out[t.Key] = t.Value
	}
	return out
}
