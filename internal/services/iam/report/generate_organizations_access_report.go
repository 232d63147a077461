package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/uuid"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/organization"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
)

// Entities tells what reports about an organization need. It is safe for concurrent use.
type Entities interface {
	// Member gives what an account is in its organization; nil when it is in none.
	Member(ctx context.Context, account string) (*organization.Member, error)
	// Entity gives the node at a path of the organization that an account is in, SCP a service control policy; nil when there is none.
	Entity(ctx context.Context, account, path string) (*organization.Entity, error)
	SCP(ctx context.Context, account, id string) (*organization.SCP, error)
}

// organizationsReport is the stored form of a report of last uses in an organization.
type organizationsReport struct {
	Created time.Time `json:"created"`
	// Failure says why there is no report; nil for one that there is.
	Failure  *reportFailure `json:"failure,omitempty"`
	Services []entityUse    `json:"services,omitempty"` // by namespace
}

type reportFailure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// entityUse is when and from where the accounts of an entity last asked something of a service; only the service is set when they
// never did.
type entityUse struct {
	Service string `json:"service"`
	Use
	EntityPath string `json:"entity_path,omitempty"`
	Accounts   int    `json:"accounts,omitempty"`
}

func organizationsReportPrefix(account string) string {
	return "iam/" + account + "/organizations-access-report/"
}

// onEntity is the resource of GenerateOrganizationsAccessReport.
func (s *handlers) onEntity(_ context.Context, c *service.Call, in any) (service.Target, error) {
	path, id := target.Member[*string](in, "EntityPath"), target.Member[*string](in, "OrganizationsPolicyId")
	if path == nil {
		return service.Target{}, request.Violation("entityPath", "Member must not be null")
	}
	if err := request.CheckLength("entityPath", *path, 19, 427); err != nil {
		return service.Target{}, err
	}
	if err := s.Patterns.EntityPath.Check("entityPath", *path); err != nil {
		return service.Target{}, err
	}
	t := service.Target{ARN: s.ARN(c.Account, "access-report/"+*path), Account: c.Account}
	if id == nil {
		return t, nil
	}
	if err := s.Patterns.OrganizationsPolicyID.Check("organizationsPolicyId", *id); err != nil {
		return service.Target{}, err
	}
	t.Keys.Set("iam:OrganizationsPolicyId", *id)
	return t, nil
}

// readsOrganization needs the permissions of Organizations that the caller must have besides, each on what the report reads by it: on
// which resources AWS asks for them it does not say.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html#access_policies_last-accessed-permissions
func (s *handlers) readsOrganization(
	ctx context.Context, c *service.Call, in *sdk.GenerateOrganizationsAccessReportInput,
) ([]service.Need, error) {
	e, asked, err := s.reportedEntity(ctx, c, in)
	if err != nil {
		return nil, err
	}
	var needs []service.Need
	need := func(action, arn string, tags map[string]string, policyType string) {
		t := service.Target{ARN: arn, Account: c.Account}
		for key, value := range tags {
			t.Keys.Set("aws:ResourceTag/"+key, value)
		}
		if policyType != "" {
			t.Keys.Set("organizations:PolicyType", policyType)
		}
		needs = append(needs, service.Need{Action: "organizations:" + action, Target: t})
	}
	const scp = "SERVICE_CONTROL_POLICY"
	need("ListRoots", "*", nil, "")
	lineage := e.Lineage
	for i, n := range lineage {
		need("ListPoliciesForTarget", n.ARN, n.Tags, scp)
		if i > 0 {
			need("ListParents", n.ARN, n.Tags, "")
		}
		if i == len(lineage)-1 && !strings.Contains(n.ARN, ":account/") {
			need("ListChildren", n.ARN, n.Tags, "")
		}
	}
	if asked != nil {
		need("DescribePolicy", asked.Policy.ARN, asked.Tags, scp)
		need("ListTargetsForPolicy", asked.Policy.ARN, asked.Tags, scp)
		return needs, nil
	}
	seen := make(map[string]bool)
	for _, p := range slices.Concat(e.SCPs...) {
		if !seen[p.Policy.ARN] {
			need("DescribePolicy", p.Policy.ARN, p.Tags, scp)
		}
		seen[p.Policy.ARN] = true
	}
	return needs, nil
}

// reportedEntity finds what a report is to be about; asked is nil when it is about no policy. What is not there has the ARNs of what
// would be, and nothing else: who may not act learns nothing. For members of an organization nothing is there, because denials name
// the policies, and their records the tags, of what only the management account may see.
func (s *handlers) reportedEntity(
	ctx context.Context, c *service.Call, in *sdk.GenerateOrganizationsAccessReportInput,
) (e *organization.Entity, asked *organization.SCP, err error) {
	managed, err := s.isManagement(ctx, c.Account)
	if err != nil {
		return nil, nil, err
	}
	if managed {
		if e, err = s.entities.Entity(ctx, c.Account, *in.EntityPath); err != nil {
			return nil, nil, err
		}
	}
	id, _, _ := strings.Cut(*in.EntityPath, "/")
	if e == nil {
		e = &organization.Entity{Lineage: s.lineage(c.Account, *in.EntityPath)}
	}
	if in.OrganizationsPolicyId == nil {
		return e, nil, nil
	}
	if managed {
		if asked, err = s.entities.SCP(ctx, c.Account, *in.OrganizationsPolicyId); err != nil {
			return nil, nil, err
		}
	}
	if asked == nil {
		asked = &organization.SCP{Policy: authz.Policy{
			ARN: s.organizationsARN(c.Account, "policy/"+id+"/service_control_policy/"+*in.OrganizationsPolicyId),
		}}
	}
	return e, asked, nil
}

// isManagement tells whether an account is the management account of an organization.
func (s *handlers) isManagement(ctx context.Context, account string) (bool, error) {
	if s.entities == nil {
		return false, nil
	}
	m, err := s.entities.Member(ctx, account)
	return m != nil && m.IsManagement(), err
}

// maxLineage is that of an account in the deepest of units. What a path has beyond it is of its last node: each node makes decisions,
// which the decision log keeps.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html, "OU maximum nesting in a root"
const maxLineage = 1 + 5 + 1

// lineage are the nodes that a path names.
func (s *handlers) lineage(account, path string) []organization.Node {
	id, rest, _ := strings.Cut(path, "/")
	var out []organization.Node
	for _, part := range strings.SplitN(rest, "/", maxLineage) {
		word := "account"
		switch {
		case strings.HasPrefix(part, "r-"):
			word = "root"
		case strings.HasPrefix(part, "ou-"):
			word = "ou"
		}
		out = append(out, organization.Node{ARN: s.organizationsARN(account, word+"/"+id+"/"+part)})
	}
	return out
}

func (s *handlers) organizationsARN(account, resource string) string {
	return arn.ARN{Partition: s.Partition, Service: "organizations", AccountID: account, Resource: resource}.String()
}

// generateOrganizationsAccessReport makes the report at once, like generateServiceLastAccessedDetails. A job about what is not there
// fails; its codes and texts are ours, and so is the answer to other accounts than the management account: AWS documents none.
func (s *handlers) generateOrganizationsAccessReport(
	ctx context.Context, c *service.Call, in *sdk.GenerateOrganizationsAccessReportInput,
) (*sdk.GenerateOrganizationsAccessReportOutput, error) {
	managed, err := s.isManagement(ctx, c.Account)
	if err != nil {
		return nil, err
	}
	if !managed {
		return nil, request.AccessDenied("Only the management account of an organization can generate a report about it.")
	}
	r, err := s.organizationsReportOn(ctx, c, in)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	r.Created = c.Time.UTC().Truncate(time.Second)
	if err := s.putReport(ctx, organizationsReportPrefix(c.Account), id.String(), r.Created, r); err != nil {
		return nil, err
	}
	return &sdk.GenerateOrganizationsAccessReportOutput{JobId: aws.String(id.String())}, nil
}

func (s *handlers) organizationsReportOn(
	ctx context.Context, c *service.Call, in *sdk.GenerateOrganizationsAccessReportInput,
) (*organizationsReport, error) {
	failed := func(code, format string, args ...any) (*organizationsReport, error) {
		return &organizationsReport{Failure: &reportFailure{code, fmt.Sprintf(format, args...)}}, nil
	}
	e, err := s.entities.Entity(ctx, c.Account, *in.EntityPath)
	switch {
	case err != nil:
		return nil, err
	case e == nil:
		return failed("NoSuchEntity", "The entity with path %s cannot be found.", *in.EntityPath)
	case e.SCPs == nil:
		return failed("PolicyTypeNotEnabled", "Service control policies are not enabled for the root of the organization.")
	}
	levels := make([][]authz.Policy, len(e.SCPs))
	for i, level := range e.SCPs {
		for _, p := range level {
			levels[i] = append(levels[i], p.Policy)
		}
	}
	accounts := e.Accounts
	switch {
	case e.Management: // no SCP binds it: "If you specify a policy ID in the CLI or API, the policy is ignored"
		levels = nil
	case in.OrganizationsPolicyId != nil:
		p, err := s.entities.SCP(ctx, c.Account, *in.OrganizationsPolicyId)
		if err != nil {
			return nil, err
		}
		if p == nil {
			return failed("NoSuchEntity", "The service control policy with id %s cannot be found.", *in.OrganizationsPolicyId)
		}
		levels = [][]authz.Policy{{p.Policy}}
		accounts = slices.DeleteFunc(slices.Clone(accounts), func(a organization.EntityAccount) bool {
			return !slices.Contains(a.Policies, *in.OrganizationsPolicyId)
		})
	}
	services, err := boundServices(ctx, s.actions, levels)
	if err != nil {
		return nil, err
	}
	r := &organizationsReport{}
	r.Services, err = s.entityUses(ctx, services, accounts)
	return r, err
}

// entityUses tells of each service which of the accounts last asked something of it.
func (s *handlers) entityUses(ctx context.Context, services []string, accounts []organization.EntityAccount) ([]entityUse, error) {
	out := make([]entityUse, len(services))
	for i, name := range services {
		out[i].Service = name
	}
	for _, a := range accounts {
		uses, err := s.usage.AccountUses(ctx, a.ID)
		if err != nil {
			return nil, fmt.Errorf("find last uses of account %s: %w", a.ID, err)
		}
		for _, u := range uses {
			i, granted := slices.BinarySearch(services, u.Service)
			if !granted {
				continue
			}
			out[i].Accounts++
			if u.Time.After(out[i].Time) {
				out[i].Use, out[i].EntityPath = u.Use, a.Path
			}
		}
	}
	return out, nil
}
