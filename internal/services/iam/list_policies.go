package iam

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

// listPolicies lists the account's own policies by name, then those of AWS by ARN.
func (s *Service) listPolicies(ctx context.Context, c *service.Call, in *sdk.ListPoliciesInput) (*sdk.ListPoliciesOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	if err := checkListPolicies(in); err != nil {
		return nil, err
	}
	var all []entry
	err = s.DB.View(ctx, func(r store.Reader) (err error) {
		all, err = s.policies(r, c.Account, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	l := request.Cut(p, all, func(e entry) string { return e.order })
	out := &sdk.ListPoliciesOutput{Policies: []types.Policy{}, IsTruncated: l.Truncated, Marker: l.Marker}
	for _, e := range l.Items {
		out.Policies = append(out.Policies, listedPolicy(e.arn, e.policy, e.uses))
	}
	return out, nil
}

// entry is a policy in the list of all. order puts customer managed policies before those of AWS.
type entry struct {
	order, arn string
	policy     *record.ManagedPolicy
	uses       uses
}

// entriesOfAWS makes the entries of AWS's policies, which are many and never change.
func entriesOfAWS(m directory.ManagedPolicies) []entry {
	var out []entry
	for p := range m.All() {
		out = append(out, entry{order: "1" + p.ARN, arn: p.ARN, policy: target.FromAWS(p)})
	}
	return out
}

func checkListPolicies(in *sdk.ListPoliciesInput) error {
	switch in.Scope {
	case "", types.PolicyScopeTypeAll, types.PolicyScopeTypeAws, types.PolicyScopeTypeLocal:
	default:
		return request.Violation("scope", "Member must satisfy enum value set: [All, AWS, Local]")
	}
	return checkUsageFilter(in.PolicyUsageFilter)
}

func checkUsageFilter(f types.PolicyUsageType) error {
	switch f {
	case "", types.PolicyUsageTypePermissionsPolicy, types.PolicyUsageTypePermissionsBoundary:
		return nil
	}
	return request.Violation("policyUsageFilter", "Member must satisfy enum value set: [PermissionsPolicy, PermissionsBoundary]")
}

// policies gives all policies that pass the filters of a request, in order.
func (s *Service) policies(r store.Reader, account string, in *sdk.ListPoliciesInput) ([]entry, error) {
	counts, err := allUses(r, account)
	if err != nil {
		return nil, err
	}
	var out []entry
	add := func(e entry) {
		if e.uses = counts[e.arn]; passes(in, e.policy, e.uses) {
			out = append(out, e)
		}
	}
	if in.Scope != types.PolicyScopeTypeAws {
		items, err := r.Scan(record.PolicyPrefix(account), "", 0)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			p, err := store.DecodeJSON[*record.ManagedPolicy](item)
			if err != nil {
				return nil, err
			}
			add(entry{order: "0" + strings.ToLower(p.Name), arn: s.PolicyARN(account, p), policy: p})
		}
	}
	if in.Scope != types.PolicyScopeTypeLocal {
		for _, e := range s.entriesOfAWS() {
			add(e)
		}
	}
	return out, nil
}

// passes tells whether a policy is asked for.
func passes(in *sdk.ListPoliciesInput, p *record.ManagedPolicy, n uses) bool {
	switch {
	case in.PathPrefix != nil && !strings.HasPrefix(p.Path, *in.PathPrefix),
		in.OnlyAttached && n == uses{},
		in.PolicyUsageFilter == types.PolicyUsageTypePermissionsPolicy && n.attached == 0,
		in.PolicyUsageFilter == types.PolicyUsageTypePermissionsBoundary && n.boundary == 0:
		return false
	}
	return true
}

// allUses counts what uses each policy in an account, by ARN.
func allUses(r store.Reader, account string) (map[string]uses, error) {
	out := make(map[string]uses)
	for _, u := range []record.Use{record.Attached, record.Boundary} {
		prefix := "iam/" + account + "/" + string(u) + "/"
		items, err := r.Scan(prefix, "", 0)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			escaped, _, _ := strings.Cut(strings.TrimPrefix(item.Key, prefix), "/")
			arn, err := url.PathUnescape(escaped)
			if err != nil {
				return nil, fmt.Errorf("read key %s: %w", item.Key, err)
			}
			n := out[arn]
			if u == record.Attached {
				n.attached++
			} else {
				n.boundary++
			}
			out[arn] = n
		}
	}
	return out, nil
}
