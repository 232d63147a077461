package resourcepolicy

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
	"github.com/licet/licet/policy"
)

func removePermissionReference(c *service.Call, in *sdk.RemovePermissionInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.NamespacedName)
	v.RequiredText("statementId", in.StatementId, namespacedStatementText)
	return v.Resolve(c, r, in.Qualifier)
}

// removePermissionNeeds have the keys of the statement that is to be removed (lambda.md 2.4).
func (m *Service) removePermissionNeeds(ctx context.Context, c *service.Call, in *sdk.RemovePermissionInput) ([]service.Need, error) {
	r, err := removePermissionReference(c, in)
	if err != nil {
		return nil, err
	}
	p, err := m.find(ctx, m.key(r))
	if err != nil {
		return nil, err
	}
	var removed []policy.Statement
	if p != nil {
		if i := indexOf(p.document(), *in.StatementId); i >= 0 {
			removed = p.document().Statements[i : i+1]
		}
	}
	all, err := grantees(removed, m.kept(ctx))
	if err != nil {
		return nil, err
	}
	return m.needs(ctx, c, "lambda:RemovePermission", r, all)
}

func (m *Service) removePermission(
	ctx context.Context, c *service.Call, in *sdk.RemovePermissionInput,
) (*sdk.RemovePermissionOutput, error) {
	r, err := removePermissionReference(c, in)
	if err != nil {
		return nil, err
	}
	err = m.db.Update(ctx, func(tx store.Tx) error {
		p, err := m.toRemoveFrom(tx, r)
		if err != nil {
			return err
		}
		i := indexOf(p.document(), *in.StatementId)
		if i < 0 {
			return fault.NotFound("Statement %s is not found in resource policy.", *in.StatementId)
		}
		if in.RevisionId != nil && *in.RevisionId != p.RevisionID {
			return fault.PreconditionFailed("GetPolicy")
		}
		if len(p.document().Statements) == 1 { // no policy is left: lambda.md 1.3
			return tx.Delete(m.key(r))
		}
		text, err := withoutStatement(p.document(), i)
		if err != nil {
			return err
		}
		_, err = m.put(tx, r, text, p.Whole)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.RemovePermissionOutput{}, nil
}

// toRemoveFrom loads a policy that there must be. Texts: lambda.md 1.3.
func (m *Service) toRemoveFrom(tx store.Tx, r request.Function) (*record, error) {
	_, err := m.functions.Revision(tx, r)
	switch {
	case errors.Is(err, store.ErrNotFound) && r.IsAlias(): // recorded
		return nil, fault.AliasNotFound(r.ARN())
	case errors.Is(err, store.ErrNotFound):
		return nil, fault.NotFound("No policy found for: %s", r.ARN())
	case err != nil:
		return nil, err
	}
	p, err := m.load(tx, r)
	if err == nil && p == nil {
		return nil, fault.NotFound("No policy is associated with the given resource.")
	}
	return p, err
}
