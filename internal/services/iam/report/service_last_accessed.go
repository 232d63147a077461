package report

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/uuid"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
	"github.com/licet/licet/internal/store"
)

// onReported is the resource of GenerateServiceLastAccessedDetails: a user, group, role or managed policy.
func (s *handlers) onReported(ctx context.Context, c *service.Call, in any) (service.Target, error) {
	text := aws.ToString(target.Member[*string](in, "Arn"))
	if err := request.CheckLength("arn", text, 0, request.MaxARN); err != nil {
		return service.Target{}, err
	}
	if isPolicyARN(text) {
		return s.PolicyTarget(ctx, c, text, in, nil)
	}
	_, k, name, err := s.ParsePolicySource(c, text)
	if err != nil {
		return service.Target{}, err
	}
	return s.IdentityTarget(ctx, c, k, name, in, nil)
}

func isPolicyARN(text string) bool {
	parts := strings.SplitN(text, ":", 6)
	return len(parts) == 6 && strings.HasPrefix(parts[5], "policy/")
}

// generateServiceLastAccessedDetails makes the report at once: its job is complete when it is answered.
func (s *handlers) generateServiceLastAccessedDetails(
	ctx context.Context, c *service.Call, in *sdk.GenerateServiceLastAccessedDetailsInput,
) (*sdk.GenerateServiceLastAccessedDetailsOutput, error) {
	granularity := in.Granularity
	if granularity == "" {
		granularity = types.AccessAdvisorUsageGranularityTypeServiceLevel
	}
	if !slices.Contains(granularity.Values(), granularity) {
		return nil, request.Violation("granularity", "Member must satisfy enum value set: [SERVICE_LEVEL, ACTION_LEVEL]")
	}
	policies, entities, err := s.reported(ctx, c, *in.Arn)
	if err != nil {
		return nil, err
	}
	r, err := s.reportOn(ctx, c, policies, entities)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	r.ID, r.Owner, r.Granularity, r.Created = id.String(), reportOwner(&c.Caller), string(granularity), c.Time.UTC().Truncate(time.Second)
	if err := s.putReport(ctx, reportPrefix(c.Account), r.ID, r.Created, r); err != nil {
		return nil, err
	}
	return &sdk.GenerateServiceLastAccessedDetailsOutput{JobId: &r.ID}, nil
}

// reported finds the identity-based policies of what a report is about, and the users and roles that have them: members of a group,
// and who has a policy attached, directly or by a group.
func (s *handlers) reported(ctx context.Context, c *service.Call, text string) ([]authz.Policy, []*record.Identity, error) {
	if isPolicyARN(text) {
		return s.reportedPolicy(ctx, c, text)
	}
	e, err := s.PolicySource(ctx, c, text)
	if err != nil {
		return nil, nil, err
	}
	sources, err := s.Directory.Sources(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	policies := make([]authz.Policy, len(sources))
	for i, source := range sources {
		policies[i] = source.Policy
	}
	if e.Kind != record.GroupKind {
		return policies, []*record.Identity{e.Identity}, nil
	}
	var members []*record.Identity
	err = s.DB.View(ctx, func(r store.Reader) (err error) {
		members, err = record.IdentitiesByID(r, c.Account, record.UserKind, record.MemberPrefix(c.Account, e.ID))
		return err
	})
	return policies, members, err
}

func (s *handlers) reportedPolicy(ctx context.Context, c *service.Call, policyARN string) ([]authz.Policy, []*record.Identity, error) {
	if _, err := s.ReadPolicy(ctx, c.Account, policyARN, request.PolicyNotFound(policyARN)); err != nil {
		return nil, nil, err
	}
	p, err := s.Directory.Policy(ctx, policyARN)
	if err != nil {
		return nil, nil, fmt.Errorf("load policy: %w", err)
	}
	entities := make(map[string]*record.Identity)
	err = s.DB.View(ctx, func(r store.Reader) error {
		prefix := record.UsePrefix(c.Account, record.Attached, policyARN)
		groups, err := r.Scan(prefix+string(record.GroupKind)+"/", "", 0)
		if err != nil {
			return err
		}
		places := map[string]record.Kind{prefix + string(record.UserKind) + "/": record.UserKind, prefix + string(record.RoleKind) + "/": record.RoleKind}
		for _, g := range groups {
			places[record.MemberPrefix(c.Account, path.Base(g.Key))] = record.UserKind
		}
		for place, k := range places {
			found, err := record.IdentitiesByID(r, c.Account, k, place)
			if err != nil {
				return err
			}
			for _, e := range found {
				entities[e.ID] = e
			}
		}
		return nil
	})
	return []authz.Policy{p}, slices.SortedFunc(maps.Values(entities), func(a, b *record.Identity) int { return strings.Compare(a.ID, b.ID) }), err
}

func (s *handlers) getServiceLastAccessedDetails(
	ctx context.Context, c *service.Call, in *sdk.GetServiceLastAccessedDetailsInput,
) (*sdk.GetServiceLastAccessedDetailsOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	r, err := s.report(ctx, c, in.JobId)
	if err != nil {
		return nil, err
	}
	l := request.Cut(p, r.Services, func(service string) string { return service })
	out := &sdk.GetServiceLastAccessedDetailsOutput{
		JobStatus: types.JobStatusTypeCompleted, JobType: types.AccessAdvisorUsageGranularityType(r.Granularity),
		JobCreationDate: &r.Created, JobCompletionDate: &r.Created, IsTruncated: l.Truncated, Marker: l.Marker,
		ServicesLastAccessed: []types.ServiceLastAccessed{},
	}
	for _, service := range l.Items {
		out.ServicesLastAccessed = append(out.ServicesLastAccessed, r.lastAccessed(service))
	}
	return out, nil
}

// lastAccessed is the line of a service in a report.
func (r *accessReport) lastAccessed(service string) types.ServiceLastAccessed {
	users := r.users(service)
	out := types.ServiceLastAccessed{
		ServiceName: aws.String(serviceName(service)), ServiceNamespace: &service, TotalAuthenticatedEntities: aws.Int32(int32(len(users))),
	}
	if len(users) == 0 {
		return out
	}
	last := users[0].Uses[service]
	out.LastAuthenticated, out.LastAuthenticatedEntity, out.LastAuthenticatedRegion = aws.Time(last.Time), &users[0].ARN, &last.Region
	if r.Granularity == string(types.AccessAdvisorUsageGranularityTypeActionLevel) {
		out.TrackedActionsLastAccessed = trackedActions(service, users)
	}
	return out
}

// trackedActions are the actions of a service that were used, each by who used it last.
func trackedActions(service string, users []reportEntity) []types.TrackedActionLastAccessed {
	last := make(map[string]types.TrackedActionLastAccessed)
	for _, user := range users {
		for name, use := range user.Uses[service].Actions {
			if known, ok := last[name]; ok && !use.Time.After(*known.LastAccessedTime) {
				continue
			}
			last[name] = types.TrackedActionLastAccessed{
				ActionName: aws.String(name), LastAccessedEntity: aws.String(user.ARN), LastAccessedRegion: aws.String(use.Region),
				LastAccessedTime: aws.Time(use.Time),
			}
		}
	}
	out := make([]types.TrackedActionLastAccessed, 0, len(last))
	for _, name := range slices.Sorted(maps.Keys(last)) {
		out = append(out, last[name])
	}
	return out
}

// serviceName is what AWS calls a service. Of those that are not here the namespace must do: no table that we have knows their names.
func serviceName(namespace string) string {
	name, ok := map[string]string{
		"iam": "AWS Identity and Access Management", "lambda": "AWS Lambda", "logs": "Amazon CloudWatch Logs",
		"organizations": "AWS Organizations", "sts": "AWS Security Token Service",
	}[namespace]
	if !ok {
		return namespace
	}
	return name
}

// getServiceLastAccessedDetailsWithEntities lists the users and roles of a report, the last that used the service first. Those that
// are gone by now are left out.
func (s *handlers) getServiceLastAccessedDetailsWithEntities(
	ctx context.Context, c *service.Call, in *sdk.GetServiceLastAccessedDetailsWithEntitiesInput,
) (*sdk.GetServiceLastAccessedDetailsWithEntitiesOutput, error) {
	p, err := request.NewPage(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	namespace := aws.ToString(in.ServiceNamespace)
	if err := request.CheckLength("serviceNamespace", namespace, 1, 64); err != nil {
		return nil, err
	}
	if !slices.Contains(s.actions.Services(), namespace) {
		return nil, request.InvalidInput("Invalid service namespace.") // AWS's text is not known
	}
	r, err := s.report(ctx, c, in.JobId)
	if err != nil {
		return nil, err
	}
	var all []types.EntityDetails
	if _, granted := slices.BinarySearch(r.Services, namespace); granted {
		if all, err = s.entityDetails(ctx, c, &r, namespace); err != nil {
			return nil, err
		}
	}
	order := make(map[string]string, len(all))
	for i, e := range all {
		order[*e.EntityInfo.Id] = fmt.Sprintf("%08d", i)
	}
	l := request.Cut(p, all, func(e types.EntityDetails) string { return order[*e.EntityInfo.Id] })
	return &sdk.GetServiceLastAccessedDetailsWithEntitiesOutput{
		JobStatus: types.JobStatusTypeCompleted, JobCreationDate: &r.Created, JobCompletionDate: &r.Created,
		EntityDetailsList: append([]types.EntityDetails{}, l.Items...), IsTruncated: l.Truncated, Marker: l.Marker,
	}, nil
}

// entityDetails are the entities of a report under their present names.
func (s *handlers) entityDetails(ctx context.Context, c *service.Call, r *accessReport, namespace string) ([]types.EntityDetails, error) {
	entities := r.users(namespace)
	for _, e := range r.Entities {
		if _, used := e.Uses[namespace]; !used {
			entities = append(entities, e)
		}
	}
	var out []types.EntityDetails
	err := s.DB.View(ctx, func(tx store.Reader) error {
		out = nil
		for _, e := range entities {
			now, err := record.GetIdentity(tx, c.Account, e.Kind, e.ID)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			d := types.EntityDetails{EntityInfo: &types.EntityInfo{
				Arn: aws.String(s.IdentityARN(c.Account, now)), Id: &now.ID, Name: &now.Name, Path: &now.Path,
				Type: types.PolicyOwnerEntityType(strings.ToUpper(string(now.Kind))),
			}}
			if use, used := e.Uses[namespace]; used {
				d.LastAuthenticated = aws.Time(use.Time)
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}
