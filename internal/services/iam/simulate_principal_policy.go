package iam

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/simulation"
	"github.com/licet/licet/internal/store"
)

// simulatePrincipalPolicy simulates with the policies of a user and its groups, of a group or of a role, with its boundary and with
// those of its organization. Resource control policies are left out, as by AWS ("not supported in this release").
func (s *simulatorHandlers) simulatePrincipalPolicy(
	ctx context.Context, c *service.Call, in *sdk.SimulatePrincipalPolicyInput,
) (*sdk.SimulatePrincipalPolicyOutput, error) {
	excluded, err := newExclusions(in.PolicyExclusionList)
	if err != nil {
		return nil, err
	}
	e, err := s.policySource(ctx, c, aws.ToString(in.PolicySourceArn))
	if err != nil {
		return nil, err
	}
	q, err := s.questionAbout(ctx, e, excluded)
	if err != nil {
		return nil, err
	}
	r, err := s.simulate(ctx, &sdk.SimulateCustomPolicyInput{
		ActionNames: in.ActionNames, CallerArn: in.CallerArn, ContextEntries: in.ContextEntries, Marker: in.Marker, MaxItems: in.MaxItems,
		PermissionsBoundaryPolicyInputList: in.PermissionsBoundaryPolicyInputList, PolicyInputList: in.PolicyInputList,
		ResourceArns: in.ResourceArns, ResourceHandlingOption: in.ResourceHandlingOption, ResourceOwner: in.ResourceOwner,
		ResourcePolicy: in.ResourcePolicy,
	}, q)
	if err != nil {
		return nil, err
	}
	return &sdk.SimulatePrincipalPolicyOutput{EvaluationResults: r.items, IsTruncated: r.truncated, Marker: r.marker}, nil
}

// onPolicySource is the resource of operations on the user, group or role of PolicySourceArn.
func (s *Store) onPolicySource(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	text := aws.ToString(member[*string](in, "PolicySourceArn"))
	if err := checkLength("policySourceArn", text, 0, maxARN); err != nil {
		return service.Target{}, err
	}
	_, k, name, err := s.parsePolicySource(c, text)
	if err != nil {
		return service.Target{}, err
	}
	return s.identityTarget(ctx, c, k, name, in, nil)
}

// parsePolicySource splits the ARN of a user, group or role of the caller's account.
func (s *Store) parsePolicySource(c *service.Call, text string) (account string, k kind, name string, err error) {
	a, k, name, ok := parseIdentityARN(text)
	switch {
	case !ok || a.Partition != s.partition:
		return "", "", "", invalidInput("Invalid Entity Arn: %s does not clearly define entity type and name.", text)
	case a.AccountID != c.Account:
		return "", "", "", invalidInput("Invalid Policy Source Arn: caller's account %s does not have access to policies in account %s",
			c.Account, a.AccountID)
	}
	return a.AccountID, k, name, nil
}

// policySource finds the user, group or role of an ARN, as the directory knows it.
func (s *Store) policySource(ctx context.Context, c *service.Call, text string) (*knownIdentity, error) {
	account, k, name, err := s.parsePolicySource(c, text)
	if err != nil {
		return nil, err
	}
	e, err := s.directory.named(ctx, account, k, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noSuchIdentity(k, name)
	}
	return e, err
}

// questionAbout is the start of a question about an identity: who it is, and its policies.
func (s *simulatorHandlers) questionAbout(ctx context.Context, e *knownIdentity, excluded exclusions) (simulation.Question, error) {
	caller, err := s.callerOf(s.arnOf(e.account, e.identity))
	if err != nil {
		return simulation.Question{}, err
	}
	if e.Kind != groupKind {
		caller.ID = e.ID
	}
	q := simulation.Question{Principal: caller}
	sources, err := s.directory.sources(ctx, e)
	if err != nil {
		return simulation.Question{}, err
	}
	for _, source := range sources {
		if !excluded.has(source) {
			q.Identity = append(q.Identity, simulation.Source{ID: source.id(), Policy: source.policy})
		}
	}
	if e.Kind != groupKind {
		p, err := s.directory.Policies(ctx, principal.Caller{Principal: caller})
		if err != nil {
			return simulation.Question{}, err
		}
		if p.Boundary != nil && !excluded.boundary {
			q.Boundary = &simulation.Source{ID: p.Boundary.Name, Policy: *p.Boundary}
		}
	}
	if !excluded.scp {
		q.SCPs, err = s.scps(ctx, e.account)
	}
	return q, err
}

// scps are those that bind an account, by level; nil when none do.
func (s *simulatorHandlers) scps(ctx context.Context, account string) ([][]authz.Policy, error) {
	if s.organizations == nil {
		return nil, nil
	}
	m, err := s.organizations.Member(ctx, account)
	if err != nil || m == nil || m.SCPs == nil {
		return nil, err
	}
	return m.SCPs.Policies().SCPs, nil
}

// source is a policy of an identity, with whom it comes from: the identity or one of its groups.
type source struct {
	owner *knownIdentity
	// inline is the name of an inline policy; "" for a managed one.
	inline string
	policy authz.Policy
}

// id is how AWS calls the policy in results (recorded).
func (s source) id() string {
	if s.inline == "" {
		return s.policy.Name
	}
	return string(s.owner.Kind) + "_" + s.owner.Name + "_" + s.inline
}

// sources gives the identity-based policies of an identity, each with where it comes from.
func (d *Directory) sources(ctx context.Context, e *knownIdentity) ([]source, error) {
	grants, err := d.grants(ctx, e)
	if err != nil {
		return nil, err
	}
	var out []source
	for _, g := range grants {
		for i, name := range g.inlineNames() {
			out = append(out, source{owner: g, inline: name, policy: g.inline[i]})
		}
		for _, policyARN := range g.Attached {
			managed, err := d.policy(ctx, policyARN)
			if err != nil {
				return nil, fmt.Errorf("load policy of %s %s: %w", g.Kind, g.Name, err)
			}
			out = append(out, source{owner: g, policy: managed})
		}
	}
	return out, nil
}
