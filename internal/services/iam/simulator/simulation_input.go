package simulator

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/arn"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/simulation"
	"github.com/licet/licet/policy"
)

// The texts in this file are recorded from AWS unless a comment says otherwise.

// checkActionNames checks the actions to simulate. AWS compares names with wildcards, and names that it does not know, like any
// other, though its page says that it does not support the former (recorded).
func checkActionNames(names []string) error {
	if len(names) == 0 {
		return request.Violation("actionNames", "Member must not be null")
	}
	for i, name := range names {
		if err := request.CheckLength(fmt.Sprintf("actionNames.%d.member", i+1), name, 3, 128); err != nil {
			return err
		}
		if !strings.Contains(name, ":") {
			return request.InvalidInput("The action is invalid since it is missing names")
		}
	}
	return nil
}

// checkResourceARNs checks the resources of a simulation: ARNs, or "*" alone.
func checkResourceARNs(resources []string) error {
	for i, r := range resources {
		if err := request.CheckLength(fmt.Sprintf("resourceArns.%d.member", i+1), r, 1, 2048); err != nil {
			return err
		}
		if _, err := arn.Parse(r); err != nil && (r != "*" || len(resources) > 1) {
			return request.InvalidInput("ResourceNames are not in a valid ARN format: %s.", r)
		}
	}
	return nil
}

// checkSameAuthorization refuses actions that AWS has beside some that it has not, where there are resources to try them on.
func (s *handlers) checkSameAuthorization(names []string) error {
	var known, unknown []string
	for _, name := range names {
		if _, ok := s.actions.ResourceFormats(name); ok {
			known = append(known, name)
		} else {
			unknown = append(unknown, name)
		}
	}
	if known == nil || unknown == nil {
		return nil
	}
	return request.InvalidInput("Invalid Input Actions: [%s] and [%s] require different authorization information.",
		strings.Join(known, ","), strings.Join(unknown, ","))
}

// checkResourceHandling takes the scenarios of EC2, which are about RunInstances. AWS does not insist on their resources (recorded).
func checkResourceHandling(option string, actions []string) error {
	if option == "" {
		return nil
	}
	if err := request.CheckLength("resourceHandlingOption", option, 1, 64); err != nil {
		return err
	}
	scenarios := []string{
		"EC2-Classic-InstanceStore", "EC2-Classic-EBS",
		"EC2-VPC-InstanceStore", "EC2-VPC-InstanceStore-Subnet", "EC2-VPC-EBS", "EC2-VPC-EBS-Subnet",
	}
	for _, action := range actions {
		if !slices.Contains(scenarios, option) || !strings.EqualFold(action, "ec2:RunInstances") {
			return request.InvalidInput("Invalid input resource handling options. Action does not support resource handling options: %s.", action)
		}
	}
	return nil
}

// simulatedPolicies adds the policies of a request to those that a question has. A boundary takes the place of the principal's own.
func (s *handlers) simulatedPolicies(in *sdk.SimulateCustomPolicyInput, q *simulation.Question) error {
	q.Resources = in.ResourceArns
	for i, text := range in.PolicyInputList {
		doc, err := simulatedPolicy("Policy input list item", i, text)
		if err != nil {
			return err
		}
		id := fmt.Sprintf("PolicyInputList.%d", i+1)
		q.Identity = append(q.Identity, simulation.Source{ID: id, Policy: authz.Policy{Name: id, Document: doc}})
	}
	if len(in.PermissionsBoundaryPolicyInputList) > 1 {
		return request.InvalidInput("The list of Permissions Boundary policies cannot exceed 1 items.")
	}
	for i, text := range in.PermissionsBoundaryPolicyInputList {
		doc, err := simulatedPolicy("Permissions boundary policy input list item", i, text) // AWS's text is not known
		if err != nil {
			return err
		}
		id := fmt.Sprintf("PermissionsBoundaryPolicyInputList.%d", i+1)
		q.Boundary = &simulation.Source{ID: id, Policy: authz.Policy{Name: id, Document: doc}}
	}
	for i, level := range in.OrderedOrganizationPolicyInputList {
		if len(level.ServiceControlPolicyInputList) == 0 {
			return request.InvalidInput("Organization policy at index %d must contain at least one service control policy", i+1)
		}
		var policies []authz.Policy
		for j, text := range level.ServiceControlPolicyInputList {
			doc, err := simulatedPolicy("Service control policy input list item", j, text) // AWS's text is not known
			if err != nil {
				return err
			}
			policies = append(policies, authz.Policy{Name: fmt.Sprintf("service control policy %d.%d", i+1, j+1), Document: doc})
		}
		q.SCPs = append(q.SCPs, policies)
	}
	return nil
}

// maxSimulatedPolicy is the bound of the API model on a policy's text.
const maxSimulatedPolicy = 131072

// simulatedPolicy reads a policy of a simulation. Its grammar counts alone: AWS takes any version, and an Id.
func simulatedPolicy(what string, index int, text string) (*policy.Document, error) {
	if len(text) > maxSimulatedPolicy {
		return nil, request.InvalidInput("%s %d has invalid content", what, index+1)
	}
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		refused := request.InvalidInput("%s %d has invalid content", what, index+1)
		refused.Detail = err.Error()
		return nil, refused
	}
	return doc, nil
}

// simulatedCaller says who makes the simulated requests, and what the resource's policy is.
func (s *handlers) simulatedCaller(in *sdk.SimulateCustomPolicyInput, q *simulation.Question) error {
	if in.CallerArn != nil && *in.CallerArn != identityOf(q.Principal) {
		caller, err := s.callerOf(*in.CallerArn)
		if err != nil {
			return err
		}
		q.Principal = caller
	}
	callerKeys(q)
	if in.ResourceOwner != nil {
		owner, err := arn.Parse(*in.ResourceOwner)
		if err != nil || owner.Service != "iam" || !record.IsAccount(owner.AccountID) {
			return request.InvalidInput("Invalid Resource Owner.")
		}
		q.Owner = owner.AccountID
	}
	if in.ResourcePolicy == nil {
		return nil
	}
	switch {
	case q.Principal.ARN == "":
		return request.InvalidInput("Invalid caller - Caller cannot be null or empty.")
	case len(in.ResourceArns) == 0 || in.ResourceArns[0] == "*":
		return request.InvalidInput("Invalid Entity Arn: * does not clearly define entity type and name.")
	}
	doc, err := policy.Parse([]byte(*in.ResourcePolicy))
	if err != nil {
		refused := request.InvalidInput("Resource policy has invalid content") // AWS's text is not known
		refused.Detail = err.Error()
		return refused
	}
	for _, statement := range doc.Statements {
		if slices.ContainsFunc(statement.Resource, func(t policy.Text) bool { return t.Value == "*" }) {
			return request.InvalidInput("ResourceNames are not in a valid ARN format: *.")
		}
	}
	q.Resource = &authz.Policy{Name: "ResourcePolicy", Document: doc}
	return nil
}

// callerOf is the principal that an ARN of a user, group or role stands for. A group is no principal that a policy could name. A role
// is a session of it, which no policy can name either: it has no name.
func (s *handlers) callerOf(text string) (authz.Principal, error) {
	a, k, name, ok := record.ParseIdentityARN(text)
	if !ok {
		return authz.Principal{}, request.InvalidInput("Invalid caller - Caller must be an IAM user, role or group in this context.")
	}
	if k == record.RoleKind {
		session := arn.ARN{Partition: a.Partition, Service: "sts", AccountID: a.AccountID, Resource: "assumed-role/" + name + "/"}
		return authz.Principal{
			Kind: authz.AssumedRole, Account: a.AccountID, ARN: session.String(), IssuerARN: text,
			ServiceLinked: strings.HasPrefix(a.Resource, string(record.RoleKind)+record.ServiceLinkedPath),
		}, nil
	}
	return authz.Principal{Kind: authz.User, Account: a.AccountID, ARN: text}, nil
}

// identityOf is the ARN of the user, group or role behind a principal.
func identityOf(p authz.Principal) string {
	if p.Kind == authz.AssumedRole {
		return p.IssuerARN
	}
	return p.ARN
}

// callerKeys sets the condition keys that AWS makes up for the simulated caller. Its aws:userid is not the unique id (recorded).
func callerKeys(q *simulation.Question) {
	q.Context.Set("aws:PrincipalAccount", q.Principal.Account)
	caller := identityOf(q.Principal)
	if caller == "" {
		q.Context.Set("aws:userid", "STUB_PRINCIPAL_FOR_POLICY_SIMULATOR")
		return
	}
	q.Context.Set("aws:PrincipalArn", caller)
	q.Context.Set("aws:userid", caller)
	if _, k, name, _ := record.ParseIdentityARN(caller); k == record.UserKind {
		q.Context.Set("aws:username", name)
	}
}

// weightOf is what a question costs for each action: how many statements and conditions are tried, on all resources. A long statement
// counts as several: it has many patterns to try, or long names of keys, which results repeat.
func weightOf(q *simulation.Question) int {
	const usual = 256 // bytes of a statement
	n := 1
	add := func(policies ...authz.Policy) {
		for _, p := range policies {
			if p.Document == nil {
				continue
			}
			for _, s := range p.Document.Statements {
				n += 1 + len(s.Condition) + (s.Span.End-s.Span.Start)/usual
			}
		}
	}
	for _, source := range q.Identity {
		add(source.Policy)
	}
	if q.Boundary != nil {
		add(q.Boundary.Policy)
	}
	if q.Resource != nil {
		add(*q.Resource)
	}
	for _, level := range q.SCPs {
		add(level...)
	}
	return n * max(1, len(q.Resources))
}

// simulationPage is a range of the actions of a simulation. Pages count actions, whose results hold all resources; what is asked may
// change from page to page.
type simulationPage struct{ first, end int }

// simulationSize bounds the weight of one answer, over all actions.
const simulationSize = 100_000

// newSimulationPage makes the page that a request asks for, or a shorter one where that would be too much work: "IAM might return
// fewer than the MaxItems number of results". each is the weight of an action.
func newSimulationPage(in *sdk.SimulateCustomPolicyInput, each int) (simulationPage, error) {
	if err := request.CheckRange("maxItems", in.MaxItems, 1, request.MaxPageSize); err != nil {
		return simulationPage{}, err
	}
	first := 0
	if in.Marker != nil {
		text, err := base64.RawURLEncoding.DecodeString(*in.Marker)
		n, found := strings.CutPrefix(string(text), simulationPrefix)
		if err == nil {
			first, err = strconv.Atoi(n)
		}
		if err != nil || !found || first < 0 {
			return simulationPage{}, request.InvalidInput("Invalid marker for pagination.")
		}
	}
	size := request.DefaultPageSize
	if in.MaxItems != nil {
		size = int(*in.MaxItems)
	}
	size = max(1, min(size, simulationSize/each))
	first = min(first, len(in.ActionNames))
	return simulationPage{first, min(first+size, len(in.ActionNames))}, nil
}

const simulationPrefix = "simulation/"

func simulationMarker(next int) string { return simulationPrefix + strconv.Itoa(next) }
