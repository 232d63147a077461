package simulator

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/principal"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/simulation"
)

// simulatePrincipalPolicy simulates with the policies of a user and its groups, of a group or of a role, with its boundary and with
// those of its organization. Resource control policies are left out, as by AWS ("not supported in this release").
func (s *handlers) simulatePrincipalPolicy(
	ctx context.Context, c *service.Call, in *sdk.SimulatePrincipalPolicyInput,
) (*sdk.SimulatePrincipalPolicyOutput, error) {
	excluded, err := newExclusions(in.PolicyExclusionList)
	if err != nil {
		return nil, err
	}
	e, err := s.PolicySource(ctx, c, aws.ToString(in.PolicySourceArn))
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
	return &sdk.SimulatePrincipalPolicyOutput{EvaluationResults: r.Items, IsTruncated: r.Truncated, Marker: r.Marker}, nil
}

// questionAbout is the start of a question about an identity: who it is, and its policies.
func (s *handlers) questionAbout(ctx context.Context, e *directory.Known, excluded exclusions) (simulation.Question, error) {
	caller, err := s.callerOf(s.IdentityARN(e.Account, e.Identity))
	if err != nil {
		return simulation.Question{}, err
	}
	if e.Kind != record.GroupKind {
		caller.ID = e.ID
	}
	q := simulation.Question{Principal: caller}
	sources, err := s.Directory.Sources(ctx, e)
	if err != nil {
		return simulation.Question{}, err
	}
	for _, source := range sources {
		if !excluded.has(source) {
			q.Identity = append(q.Identity, simulation.Source{ID: source.Id(), Policy: source.Policy})
		}
	}
	if e.Kind != record.GroupKind {
		p, err := s.Directory.Policies(ctx, principal.Caller{Principal: caller})
		if err != nil {
			return simulation.Question{}, err
		}
		if p.Boundary != nil && !excluded.boundary {
			q.Boundary = &simulation.Source{ID: p.Boundary.Name, Policy: *p.Boundary}
		}
	}
	if !excluded.scp {
		q.SCPs, err = s.scps(ctx, e.Account)
	}
	return q, err
}

// scps are those that bind an account, by level; nil when none do.
func (s *handlers) scps(ctx context.Context, account string) ([][]authz.Policy, error) {
	if s.organizations == nil {
		return nil, nil
	}
	m, err := s.organizations.Member(ctx, account)
	if err != nil || m == nil || m.SCPs == nil {
		return nil, err
	}
	return m.SCPs.Policies().SCPs, nil
}
