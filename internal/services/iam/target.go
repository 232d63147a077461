package iam

import (
	"context"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/services/iam/target"
)

// toMake is the resource of operations that make a user, group or role: its ARN to be.
func (s *Service) toMake(k record.Kind, more ...target.Keys) target.Resource {
	return func(_ context.Context, c *service.Call, in any) (service.Target, error) {
		name, path := target.Member[*string](in, target.NameMember(k)), target.Member[*string](in, "Path")
		if err := s.CheckIdentityName(k, name); err != nil {
			return service.Target{}, err
		}
		if err := s.Patterns.CheckPath("path", path); err != nil {
			return service.Target{}, err
		}
		t := service.Target{ARN: s.IdentityARN(c.Account, &record.Identity{Kind: k, Name: *name, Path: request.PathOr(path)}), Account: c.Account}
		for _, m := range more {
			m(in, nil, &t.Keys)
		}
		return t, nil
	}
}

// onAll is the resource of operations that list identities: what their ARNs begin with, as AWS's denials show it
// ("… is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::123456789012:user/").
func (s *Service) onAll(k record.Kind) target.Resource {
	return func(_ context.Context, c *service.Call, in any) (service.Target, error) {
		prefix := target.Member[*string](in, "PathPrefix")
		if err := s.Patterns.CheckPathPrefix(prefix); err != nil {
			return service.Target{}, err
		}
		return service.Target{ARN: s.ARN(c.Account, string(k)+request.PathOr(prefix)), Account: c.Account}, nil
	}
}

// onPolicies is the resource of ListPolicies: judged on all, named by the path.
func (s *Service) onPolicies(_ context.Context, _ *service.Call, in any) (service.Target, error) {
	prefix := target.Member[*string](in, "PathPrefix")
	if err := s.Patterns.CheckPathPrefix(prefix); err != nil {
		return service.Target{}, err
	}
	return service.Target{ARN: "*", Named: "policy path " + request.PathOr(prefix)}, nil
}

// onNewPolicy is the resource of CreatePolicy: the policy's ARN to be.
func (s *Service) onNewPolicy(_ context.Context, c *service.Call, in any) (service.Target, error) {
	name, path := target.Member[*string](in, "PolicyName"), target.Member[*string](in, "Path")
	if err := s.Patterns.CheckName("policyName", name, request.MaxPolicyName); err != nil {
		return service.Target{}, err
	}
	if err := s.Patterns.CheckPath("path", path); err != nil {
		return service.Target{}, err
	}
	t := service.Target{
		ARN: s.PolicyARN(c.Account, &record.ManagedPolicy{Name: *name, Path: request.PathOr(path)}), Named: "policy " + *name, Account: c.Account,
	}
	target.NewTags(in, nil, &t.Keys)
	return t, nil
}

// policyToAttach sets iam:PolicyARN to the policy that is attached or detached.
func policyToAttach(in any, _ *record.Identity, k *authz.Context) {
	if p := target.Member[*string](in, "PolicyArn"); p != nil {
		k.Set("iam:PolicyARN", *p)
	}
}

// requestedBoundary sets iam:PermissionsBoundary to the boundary that the call sets.
func requestedBoundary(in any, _ *record.Identity, k *authz.Context) {
	if b := target.Member[*string](in, "PermissionsBoundary"); b != nil {
		k.Set("iam:PermissionsBoundary", *b)
	}
}

// currentBoundary sets iam:PermissionsBoundary to the boundary that the identity has.
func currentBoundary(_ any, e *record.Identity, k *authz.Context) {
	if e != nil && e.Boundary != "" {
		k.Set("iam:PermissionsBoundary", e.Boundary)
	}
}
