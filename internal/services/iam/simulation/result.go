package simulation

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
)

// The names of policy types in results (recorded; the SDK's enumeration has others).
const (
	identityType = "IAM Policy"
	resourceType = "Resource Policy"
	boundaryType = "Permissions Boundary Policy"
)

// outcome is what came out for an action, on one resource or on several.
type outcome struct {
	decision   types.PolicyEvaluationDecisionType
	statements []types.Statement
	missing    []string
	// boundary and organizations tell whether these allow; nil when there are none.
	boundary, organizations *bool
	// details has the verdict of each type of policy, of cross-account requests only.
	details map[string]types.PolicyEvaluationDecisionType
}

// Result answers for one action: for all resources together, of which the most restrictive decides, and for each.
func (s *Simulator) Result(action string) types.EvaluationResult {
	resources := s.Resources
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	explicit := !slices.Equal(resources, []string{"*"})
	all := make([]outcome, len(resources))
	for i, resource := range resources {
		all[i] = s.outcome(action, resource)
	}
	total := combine(all)
	r := types.EvaluationResult{
		EvalActionName: &action, EvalResourceName: aws.String(s.resourceName(action, resources)), EvalDecision: total.decision,
		MatchedStatements:    append([]types.Statement{}, total.statements...),
		MissingContextValues: append([]string{}, total.missing...), EvalDecisionDetails: total.details,
		PermissionsBoundaryDecisionDetail: boundaryDetail(total.boundary),
	}
	if total.organizations != nil {
		r.OrganizationsDecisionDetail = &types.OrganizationsDecisionDetail{AllowedByOrganizations: *total.organizations}
	}
	if !explicit {
		return r
	}
	if r.EvalDecisionDetails == nil && (total.organizations == nil || *total.organizations) {
		r.EvalDecisionDetails = map[string]types.PolicyEvaluationDecisionType{} // present, but empty
	}
	for i, o := range all {
		r.ResourceSpecificResults = append(r.ResourceSpecificResults, types.ResourceSpecificResult{
			EvalResourceName: &resources[i], EvalResourceDecision: o.decision, MatchedStatements: o.statements,
			MissingContextValues: o.missing, EvalDecisionDetails: o.details, PermissionsBoundaryDecisionDetail: boundaryDetail(o.boundary),
		})
	}
	return r
}

// resourceName is the name that a result has as a whole: the only resource, or the format of the resources if there are several.
func (s *Simulator) resourceName(action string, resources []string) string {
	if len(resources) == 1 {
		return resources[0]
	}
	formats, _ := s.actions.ResourceFormats(action)
	if len(formats) == 0 {
		return "*"
	}
	partition := "aws"
	if parts := strings.SplitN(resources[0], ":", 3); len(parts) == 3 {
		partition = parts[1]
	}
	return strings.Replace(formats[0], "${Partition}", partition, 1)
}

func boundaryDetail(allowed *bool) *types.PermissionsBoundaryDecisionDetail {
	if allowed == nil {
		return nil
	}
	return &types.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: *allowed}
}

// outcome asks about one resource. When a service control policy denies, nothing else is told: "the simulation ends".
func (s *Simulator) outcome(action, resource string) outcome {
	d := s.Decide(action, resource)
	o := outcome{decision: Decision(d)}
	if s.SCPs != nil {
		v := trace(d, authz.ServiceControlPolicy).Verdict
		o.organizations = aws.Bool(v == authz.Allowed || v == authz.NotApplicable)
		if !*o.organizations {
			return o
		}
	}
	fits := s.fits(action, resource)
	if !fits {
		o.decision = types.PolicyEvaluationDecisionTypeImplicitDeny
	}
	if s.Boundary != nil {
		o.boundary = aws.Bool(fits && trace(d, authz.PermissionsBoundary).Verdict == authz.Allowed)
	}
	if d.CrossAccount {
		o.details = s.details(d, fits)
	}
	if o.decision == types.PolicyEvaluationDecisionTypeImplicitDeny {
		o.missing = s.missing
		return o
	}
	o.statements = s.statements(d)
	return o
}

// details says what each type of policy decides on its own.
func (s *Simulator) details(d authz.Decision, fits bool) map[string]types.PolicyEvaluationDecisionType {
	verdict := func(t authz.TypeTrace) types.PolicyEvaluationDecisionType {
		switch {
		case fits && t.Verdict == authz.Allowed:
			return types.PolicyEvaluationDecisionTypeAllowed
		case fits && t.Verdict == authz.ExplicitDeny:
			return types.PolicyEvaluationDecisionTypeExplicitDeny
		default:
			return types.PolicyEvaluationDecisionTypeImplicitDeny
		}
	}
	out := map[string]types.PolicyEvaluationDecisionType{
		identityType: verdict(trace(d, authz.IdentityBasedPolicy)),
		resourceType: verdict(trace(d, authz.ResourceBasedPolicy, authz.RoleTrustPolicy)),
	}
	if s.Boundary != nil {
		out[boundaryType] = verdict(trace(d, authz.PermissionsBoundary))
	}
	return out
}

// trace finds what a type of policy said; the zero value when it said nothing.
func trace(d authz.Decision, of ...authz.PolicyType) authz.TypeTrace {
	i := slices.IndexFunc(d.Types, func(t authz.TypeTrace) bool { return slices.Contains(of, t.Type) })
	if i < 0 {
		return authz.TypeTrace{}
	}
	return d.Types[i]
}

// combine makes one outcome of those of several resources: each part as restrictive as its most restrictive, statements and missing
// keys united. Beside an explicit denial only statements that deny are shown.
func combine(all []outcome) outcome {
	total := outcome{decision: types.PolicyEvaluationDecisionTypeAllowed}
	for _, o := range all {
		total.decision = stricter(total.decision, o.decision)
		total.boundary = both(total.boundary, o.boundary)
		total.organizations = both(total.organizations, o.organizations)
		if o.missing != nil {
			total.missing = o.missing // they are the same for all
		}
		for name, d := range o.details {
			if total.details == nil {
				total.details = make(map[string]types.PolicyEvaluationDecisionType, len(o.details))
			}
			if before, ok := total.details[name]; ok {
				d = stricter(before, d)
			}
			total.details[name] = d
		}
	}
	var statements union
	for _, o := range all {
		if total.decision == types.PolicyEvaluationDecisionTypeExplicitDeny && o.decision != total.decision {
			continue
		}
		for _, statement := range o.statements {
			statements.add(statement)
		}
	}
	total.statements = statements.list
	return total
}

func stricter(a, b types.PolicyEvaluationDecisionType) types.PolicyEvaluationDecisionType {
	for _, d := range []types.PolicyEvaluationDecisionType{
		types.PolicyEvaluationDecisionTypeExplicitDeny, types.PolicyEvaluationDecisionTypeImplicitDeny,
	} {
		if a == d || b == d {
			return d
		}
	}
	return types.PolicyEvaluationDecisionTypeAllowed
}

// both is true if both are, and nil if both are.
func both(a, b *bool) *bool {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	default:
		return aws.Bool(*a && *b)
	}
}
