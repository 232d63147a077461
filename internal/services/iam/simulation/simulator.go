package simulation

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
)

// Source is a policy with the name by which results point at it.
type Source struct {
	ID     string
	Policy authz.Policy
}

// Question is what a simulation is about.
type Question struct {
	// Principal makes the requests.
	Principal authz.Principal
	// Identity policies are those of the principal, Boundary its permissions boundary, if it has one.
	Identity []Source
	Boundary *Source
	// Resource is the policy of every resource. Without it the resource's side is left out, whoever owns it: "The simulation does not
	// automatically retrieve policies for the specified resources."
	Resource *authz.Policy
	// SCPs by level, from the organization's root to the account; nil when none apply.
	SCPs [][]authz.Policy
	// Owner is the account of resources whose ARN names none; "" means the principal's.
	Owner string
	// Context has the condition keys of the requests. Given are the folded names of those that were passed to the simulator: the
	// others, which it makes up, are reported as missing where a condition asks for them (recorded).
	Context authz.Context
	Given   map[string]bool
	// Resources are what each action is tried on; nil means "*".
	Resources []string
}

// Actions knows the actions of AWS. It is safe for concurrent use.
type Actions interface {
	// ResourceFormats gives the ARN formats of the resources that an action takes, with placeholders such as "${Account}", the one
	// that it cannot do without first. known is false for an action that AWS does not have.
	ResourceFormats(action string) (formats []string, known bool)
	// Fits tells whether an ARN has a format.
	Fits(arn, format string) bool
}

// Simulator answers a question for one action after the other.
type Simulator struct {
	Question
	actions Actions
	own     *authz.Set
	// resource and trust hold the resource's policy: once as one that adds to the principal's, once as one without which nobody has
	// access. Both are nil when there is none.
	resource, trust *authz.Set
	// missing are the condition keys that policies ask for and that were not given.
	missing []string
	places  places
}

// New makes a simulator.
func New(q Question, actions Actions) *Simulator {
	s := &Simulator{Question: q, actions: actions, missing: missingKeys(&q), places: newPlaces(&q)}
	p := authz.Policies{SCPs: q.SCPs, Identity: make([]authz.Policy, 0, len(q.Identity))}
	for i := range q.Identity {
		p.Identity = append(p.Identity, q.Identity[i].Policy)
	}
	if q.Boundary != nil {
		p.Boundary = &q.Boundary.Policy
	}
	s.own = authz.Compile(p)
	if q.Resource != nil {
		s.resource = authz.Compile(authz.Policies{Resource: q.Resource})
		s.trust = authz.Compile(authz.Policies{Resource: q.Resource, Trust: true})
	}
	return s
}

// Decide is the decision about one request, with its trace.
func (s *Simulator) Decide(action, resource string) authz.Decision {
	req := authz.Request{
		Principal: s.Principal, Action: action, Resource: resource, ResourceAccount: s.owner(resource), Context: s.Context,
	}
	set := s.own.WithResource(s.resourceSet(action))
	return set.Trace(&req)
}

// resourceSet is what the resource says to an action. Trust policies and the policies of KMS keys must allow (iam.md D4).
func (s *Simulator) resourceSet(action string) *authz.Set {
	switch service, _, _ := strings.Cut(strings.ToLower(action), ":"); service {
	case "sts", "kms":
		return s.trust
	default:
		return s.resource
	}
}

// owner is the account of a resource. Without the resource's policy nothing is decided across accounts.
func (s *Simulator) owner(resource string) string {
	if s.Resource == nil {
		return s.Principal.Account
	}
	if parts := strings.SplitN(resource, ":", 6); len(parts) == 6 && parts[4] != "" {
		return parts[4]
	}
	if s.Owner != "" {
		return s.Owner
	}
	return s.Principal.Account
}

// fits tells whether an action can be about a resource. AWS denies implicitly what cannot be (recorded), but takes buckets and objects
// for each other.
func (s *Simulator) fits(action, resource string) bool {
	formats, _ := s.actions.ResourceFormats(action)
	return resource == "*" || len(formats) == 0 || slices.ContainsFunc(formats, func(format string) bool {
		return s.actions.Fits(resource, format) || isInS3(format) && isInS3(resource)
	})
}

// isInS3 recognizes ARNs of buckets and objects, and their formats.
func isInS3(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	return len(parts) == 6 && parts[2] == "s3" && parts[3] == "" && parts[4] == ""
}

// missingKeys are the keys of all conditions that were not given, as the first that asks spells them; those of service control
// policies are left out, and so are those that only variables ask for (recorded).
func missingKeys(q *Question) []string {
	policies := make([]authz.Policy, 0, len(q.Identity)+2)
	for i := range q.Identity {
		policies = append(policies, q.Identity[i].Policy)
	}
	if q.Boundary != nil {
		policies = append(policies, q.Boundary.Policy)
	}
	if q.Resource != nil {
		policies = append(policies, *q.Resource)
	}
	var missing []string
	seen := make(map[string]bool)
	for _, p := range policies {
		for _, statement := range p.Document.Statements {
			for _, c := range statement.Condition {
				if folded := authz.FoldKey(c.Key.Value); !q.Given[folded] && !seen[folded] {
					seen[folded] = true
					missing = append(missing, c.Key.Value)
				}
			}
		}
	}
	return missing
}

// Decision is a decision in the simulator's words.
func Decision(d authz.Decision) types.PolicyEvaluationDecisionType {
	switch {
	case d.Allowed:
		return types.PolicyEvaluationDecisionTypeAllowed
	case d.Explicit:
		return types.PolicyEvaluationDecisionTypeExplicitDeny
	default:
		return types.PolicyEvaluationDecisionTypeImplicitDeny
	}
}
