package report

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
	"github.com/licet/licet/internal/services/iam/directory"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
)

// maxNamespaces is how many services a call may ask about.
const maxNamespaces = 200

// listPoliciesGrantingServiceAccess tells which of an identity's policies allow an action of a service, whatever the resources and
// conditions are, and whatever other policies deny. It answers in the order of the question.
func (s *handlers) listPoliciesGrantingServiceAccess(
	ctx context.Context, c *service.Call, in *sdk.ListPoliciesGrantingServiceAccessInput,
) (*sdk.ListPoliciesGrantingServiceAccessOutput, error) {
	p, err := request.NewPage(in.Marker, nil)
	if err != nil {
		return nil, err
	}
	if err := s.checkNamespaces(in.ServiceNamespaces); err != nil {
		return nil, err
	}
	e, err := s.PolicySource(ctx, c, *in.Arn)
	if err != nil {
		return nil, err
	}
	sources, err := s.Directory.Sources(ctx, e)
	if err != nil {
		return nil, err
	}
	outlines := make([]*grants, len(sources)) // made once for all services: large policies take long
	for i, src := range sources {
		outlines[i] = newGrants([]authz.Policy{src.Policy})
	}
	places := make([]string, len(in.ServiceNamespaces))
	for i := range places {
		places[i] = fmt.Sprintf("%03d", i)
	}
	l := request.Cut(p, places, func(place string) string { return place })
	out := &sdk.ListPoliciesGrantingServiceAccessOutput{
		IsTruncated: l.Truncated, Marker: l.Marker, PoliciesGrantingServiceAccess: []types.ListPoliciesGrantingServiceAccessEntry{},
	}
	for _, place := range l.Items {
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

func (s *handlers) checkNamespaces(namespaces []string) error {
	switch n := len(namespaces); {
	case n < 1:
		return request.Violation("serviceNamespaces", "Member must have length greater than or equal to 1")
	case n > maxNamespaces:
		return request.Violation("serviceNamespaces", "Member must have length less than or equal to %d", maxNamespaces)
	}
	known := s.actions.Services()
	for _, n := range namespaces {
		if _, ok := slices.BinarySearch(known, n); !ok {
			return request.InvalidInput("Invalid service namespace: %s", n) // AWS's text is not known
		}
	}
	return nil
}

// onArn is the resource of operations on the user, group or role of Arn.
func (s *handlers) onArn(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	text := target.Member[*string](in, "Arn")
	if err := request.CheckLength("arn", aws.ToString(text), 20, request.MaxARN); err != nil {
		return service.Target{}, err
	}
	_, k, name, err := s.ParsePolicySource(c, *text)
	if err != nil {
		return service.Target{}, err
	}
	return s.IdentityTarget(ctx, c, k, name, in, nil)
}

// granting gives the policies, with their outlines, that grant an action of a service, managed ones once.
func granting(sources []directory.Source, outlines []*grants, namespace string, actions Actions) []types.PolicyGrantingServiceAccess {
	out := []types.PolicyGrantingServiceAccess{}
	seen := make(map[string]bool)
	for i, src := range sources {
		if seen[src.Policy.ARN] || !outlines[i].service(namespace, actions) {
			continue
		}
		if src.Inline != "" {
			out = append(out, types.PolicyGrantingServiceAccess{
				PolicyName: aws.String(src.Inline), PolicyType: types.PolicyTypeInline, EntityName: aws.String(src.Owner.Name),
				EntityType: types.PolicyOwnerEntityType(strings.ToUpper(string(src.Owner.Kind))),
			})
			continue
		}
		seen[src.Policy.ARN] = true
		out = append(out, types.PolicyGrantingServiceAccess{
			PolicyName: aws.String(src.Policy.Name), PolicyType: types.PolicyTypeManaged, PolicyArn: aws.String(src.Policy.ARN),
		})
	}
	return out
}
