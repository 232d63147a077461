package resourcepolicy

import (
	"context"
	"errors"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

// Functions knows what has policies.
type Functions interface {
	// Target is a function, version or alias as the resource of an action.
	Target(ctx context.Context, c *service.Call, action string, r request.Function) (service.Target, error)
	// Revision gives the RevisionId of a function, version or alias. The error wraps store.ErrNotFound when it is not there.
	Revision(reader store.Reader, r request.Function) (string, error)
	// Belongings is the prefix of the records that belong to a function and go with it.
	Belongings(r request.Function) string
}

// Principals knows about users and roles.
type Principals interface {
	// UniqueID gives the unique id of the user or role that this ARN names now; "" when there is none.
	UniqueID(ctx context.Context, arn string) (string, error)
	// PrincipalARN gives the ARN that the user or role of this unique id has now; "" when it is gone.
	PrincipalARN(ctx context.Context, id string) (string, error)
}

// Service is the room of all resource-based policies of functions.
type Service struct {
	db         store.DB
	functions  Functions
	principals Principals
	cache      *store.Cache[*record]
}

// New makes the room, which keeps up to size policies in memory. Close ends it.
func New(db store.DB, f Functions, p Principals, size int) *Service {
	return &Service{db: db, functions: f, principals: p, cache: store.NewCache(db, size, decode)}
}

// Close ends the cache. Nothing may run during or after it.
func (m *Service) Close() { m.cache.Close() }

// Operations are the rows of this room.
func (m *Service) Operations() []service.Operation {
	return []service.Operation{
		service.Op("AddPermission", "lambda:AddPermission", m.addPermissionTarget, m.addPermission),
		service.Op("DeleteResourcePolicy", "lambda:DeleteResourcePolicy",
			first(m.deleteResourcePolicyNeeds), m.deleteResourcePolicy, others(m.deleteResourcePolicyNeeds)),
		service.Op("GetPolicy", "lambda:GetPolicy", m.getPolicyTarget, m.getPolicy),
		service.Op("GetResourcePolicy", "lambda:GetResourcePolicy",
			first(m.getResourcePolicyNeeds), m.getResourcePolicy, others(m.getResourcePolicyNeeds)),
		service.Op("PutResourcePolicy", "lambda:PutResourcePolicy",
			first(m.putResourcePolicyNeeds), m.putResourcePolicy, others(m.putResourcePolicyNeeds)),
		service.Op("RemovePermission", "lambda:RemovePermission",
			first(m.removePermissionNeeds), m.removePermission, others(m.removePermissionNeeds)),
	}
}

// first is the target of the operation's own action among all its needs, others are the rest.
func first[In any](needs service.Needs[In]) service.Resource[In] {
	return func(ctx context.Context, c *service.Call, in *In) (service.Target, error) {
		all, err := needs(ctx, c, in)
		if err != nil {
			return service.Target{}, err
		}
		return all[0].Target, nil
	}
}

func others[In any](needs service.Needs[In]) service.Needs[In] {
	return func(ctx context.Context, c *service.Call, in *In) ([]service.Need, error) {
		all, err := needs(ctx, c, in)
		if err != nil {
			return nil, err
		}
		return all[1:], nil
	}
}

// revisionOf gives the revision of what a policy is made for. Texts: lambda.md 1.2.
func (m *Service) revisionOf(reader store.Reader, r request.Function) (string, error) {
	revision, err := m.functions.Revision(reader, r)
	switch {
	case errors.Is(err, store.ErrNotFound) && r.IsAlias():
		return "", fault.NotFound("Cannot find alias arn: %s", r.ARN())
	case errors.Is(err, store.ErrNotFound):
		return "", fault.FunctionNotFound(r.ARN())
	}
	return revision, err
}

// checkHasPolicy refuses the version that cannot have a policy (lambda.md 1.1).
func checkHasPolicy(r request.Function) error {
	if r.Qualifier == request.Latest {
		return fault.InvalidParameter("We currently do not support adding policies for $LATEST.")
	}
	return nil
}
