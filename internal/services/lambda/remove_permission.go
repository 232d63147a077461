package lambda

import (
	"context"
	"errors"
	"fmt"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/uuid"

	"github.com/licet/licet/authz"
	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func removePermissionReference(c *service.Call, in *sdk.RemovePermissionInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.NamespacedName)
	v.RequiredText("statementId", in.StatementId, namespacedStatementText)
	return v.Resolve(c, r, in.Qualifier)
}

// removePermissionTarget has the keys of the statement that is to be removed (lambda.md 2.4).
func (s *Service) removePermissionTarget(
	ctx context.Context, c *service.Call, in *sdk.RemovePermissionInput,
) (service.Target, error) {
	r, err := removePermissionReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	t, err := s.target(ctx, c, "lambda:RemovePermission", r)
	if err != nil {
		return t, err
	}
	p, err := s.policies.Get(ctx, policyKey(r))
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err != nil {
		return service.Target{}, fmt.Errorf("find policy of %s: %w", r.ARN(), err)
	}
	i := p.find(*in.StatementId)
	if i < 0 {
		return t, nil
	}
	return withKeys(t, func(keys *authz.Context) {
		keys.Set("lambda:Principal", p.Statements[i].Principal)
		if auth := p.Statements[i].FunctionURLAuthType; auth != "" {
			keys.Set("lambda:FunctionUrlAuthType", auth)
		}
	}), nil
}

func (s *Service) removePermission(
	ctx context.Context, c *service.Call, in *sdk.RemovePermissionInput,
) (*sdk.RemovePermissionOutput, error) {
	r, err := removePermissionReference(c, in)
	if err != nil {
		return nil, err
	}
	revision := uuid.NewString()
	err = s.DB.Update(ctx, func(tx store.Tx) error {
		p, err := s.policyToRemoveFrom(tx, r)
		if err != nil {
			return err
		}
		i := p.find(*in.StatementId)
		if i < 0 {
			return fault.NotFound("Statement %s is not found in resource policy.", *in.StatementId)
		}
		if in.RevisionId != nil && *in.RevisionId != p.RevisionID {
			return fault.PreconditionFailed("GetPolicy")
		}
		p.RevisionID = revision
		p.Statements = slices.Delete(p.Statements, i, i+1)
		return putPolicy(tx, r, p)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.RemovePermissionOutput{}, nil
}

// policyToRemoveFrom loads a function's policy. Texts: lambda.md 1.3.
func (s *Service) policyToRemoveFrom(tx store.Tx, r request.Function) (*resourcePolicy, error) {
	_, err := s.load(tx, r)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.NotFound("No policy found for: %s", r.ARN())
	}
	if err != nil {
		return nil, err
	}
	p, err := store.GetJSON[resourcePolicy](tx, policyKey(r))
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.NotFound("No policy is associated with the given resource.")
	}
	return &p, err
}
