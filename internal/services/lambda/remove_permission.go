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
	"github.com/licet/licet/internal/store"
)

func removePermissionReference(c *service.Call, in *sdk.RemovePermissionInput) (reference, error) {
	var v validator
	r := v.name(c, in.FunctionName, namespacedNameText)
	v.requiredText("statementId", in.StatementId, namespacedStatementText)
	return v.resolve(c, r, in.Qualifier)
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
	if err != nil || r.qualifier != "" {
		return t, err
	}
	p, err := s.policies.Get(ctx, policyKey(r))
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err != nil {
		return service.Target{}, fmt.Errorf("find policy of %s: %w", r.arn(), err)
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
		p, err := policyToRemoveFrom(tx, r)
		if err != nil {
			return err
		}
		i := p.find(*in.StatementId)
		if i < 0 {
			return notFound("Statement %s is not found in resource policy.", *in.StatementId)
		}
		if in.RevisionId != nil && *in.RevisionId != p.RevisionID {
			return preconditionFailed("GetPolicy")
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
func policyToRemoveFrom(tx store.Tx, r reference) (*resourcePolicy, error) {
	_, err := tx.Get(functionKey(r))
	if errors.Is(err, store.ErrNotFound) || (err == nil && !r.exists()) {
		return nil, notFound("No policy found for: %s", r.arn())
	}
	if err != nil {
		return nil, err
	}
	p, err := store.GetJSON[resourcePolicy](tx, policyKey(r))
	if errors.Is(err, store.ErrNotFound) || (err == nil && r.qualifier != "") {
		return nil, notFound("No policy is associated with the given resource.")
	}
	return &p, err
}
