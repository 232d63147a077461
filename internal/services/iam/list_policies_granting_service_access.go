package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
)

// maxNamespaces is how many services a call may ask about.
const maxNamespaces = 200

// listPoliciesGrantingServiceAccess tells which of an identity's policies allow an action of a service, whatever the resources and
// conditions are, and whatever other policies deny. It answers in the order of the question.
func (s *reportHandlers) listPoliciesGrantingServiceAccess(
	ctx context.Context, c *service.Call, in *sdk.ListPoliciesGrantingServiceAccessInput,
) (*sdk.ListPoliciesGrantingServiceAccessOutput, error) {
	p, err := newPage(in.Marker, nil)
	if err != nil {
		return nil, err
	}
	if err := s.checkNamespaces(in.ServiceNamespaces); err != nil {
		return nil, err
	}
	e, err := s.policySource(ctx, c, *in.Arn)
	if err != nil {
		return nil, err
	}
	sources, err := s.directory.sources(ctx, e)
	if err != nil {
		return nil, err
	}
	outlines := make([]*grants, len(sources)) // made once for all services: large policies take long
	for i, src := range sources {
		outlines[i] = newGrants([]authz.Policy{src.policy})
	}
	places := make([]string, len(in.ServiceNamespaces))
	for i := range places {
		places[i] = fmt.Sprintf("%03d", i)
	}
	l := cut(p, places, func(place string) string { return place })
	out := &sdk.ListPoliciesGrantingServiceAccessOutput{
		IsTruncated: l.truncated, Marker: l.marker, PoliciesGrantingServiceAccess: []types.ListPoliciesGrantingServiceAccessEntry{},
	}
	for _, place := range l.items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		namespace := in.ServiceNamespaces[slices.Index(places, place)]
		out.PoliciesGrantingServiceAccess = append(out.PoliciesGrantingServiceAccess, types.ListPoliciesGrantingServiceAccessEntry{
			ServiceNamespace: aws.String(namespace), Policies: granting(sources, outlines, namespace, s.actions),
		})
	}
	return out, nil
}

func (s *reportHandlers) checkNamespaces(namespaces []string) error {
	switch n := len(namespaces); {
	case n < 1:
		return violation("serviceNamespaces", "Member must have length greater than or equal to 1")
	case n > maxNamespaces:
		return violation("serviceNamespaces", "Member must have length less than or equal to %d", maxNamespaces)
	}
	known := s.actions.Services()
	for _, n := range namespaces {
		if _, ok := slices.BinarySearch(known, n); !ok {
			return invalidInput("Invalid service namespace: %s", n) // AWS's text is not known
		}
	}
	return nil
}

// onArn is the resource of operations on the user, group or role of Arn.
func (s *reportHandlers) onArn(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	text := member[*string](in, "Arn")
	if err := checkLength("arn", aws.ToString(text), 20, maxARN); err != nil {
		return service.Target{}, err
	}
	_, k, name, err := s.parsePolicySource(c, *text)
	if err != nil {
		return service.Target{}, err
	}
	return s.identityTarget(ctx, c, k, name, in, nil)
}

// granting gives the policies, with their outlines, that grant an action of a service, managed ones once.
func granting(sources []source, outlines []*grants, namespace string, actions Actions) []types.PolicyGrantingServiceAccess {
	out := []types.PolicyGrantingServiceAccess{}
	seen := make(map[string]bool)
	for i, src := range sources {
		if seen[src.policy.ARN] || !outlines[i].service(namespace, actions) {
			continue
		}
		if src.inline != "" {
			out = append(out, types.PolicyGrantingServiceAccess{
				PolicyName: aws.String(src.inline), PolicyType: types.PolicyTypeInline, EntityName: aws.String(src.owner.Name),
				EntityType: types.PolicyOwnerEntityType(strings.ToUpper(string(src.owner.Kind))),
			})
			continue
		}
		seen[src.policy.ARN] = true
		out = append(out, types.PolicyGrantingServiceAccess{
			PolicyName: aws.String(src.policy.Name), PolicyType: types.PolicyTypeManaged, PolicyArn: aws.String(src.policy.ARN),
		})
	}
	return out
}
