package resourcepolicy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/fault"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func addPermissionReference(c *service.Call, in *sdk.AddPermissionInput) (request.Function, error) {
	var v request.Validator
	r := v.Function(c, in.FunctionName, request.NamespacedName)
	v.RequiredText("statementId", in.StatementId, request.StatementID)
	v.RequiredText("action", in.Action, actionText)
	v.RequiredText("principal", in.Principal, principalText)
	v.Text("sourceArn", in.SourceArn, sourceARNText)
	v.Text("sourceAccount", in.SourceAccount, sourceAccountText)
	v.Text("eventSourceToken", in.EventSourceToken, eventSourceTokenText)
	v.Text("principalOrgID", in.PrincipalOrgID, request.OrganizationID)
	request.Enum(&v, "functionUrlAuthType", in.FunctionUrlAuthType, in.FunctionUrlAuthType.Values())
	return v.Resolve(c, r, in.Qualifier)
}

func (m *Service) addPermissionTarget(ctx context.Context, c *service.Call, in *sdk.AddPermissionInput) (service.Target, error) {
	r, err := addPermissionReference(c, in)
	if err != nil {
		return service.Target{}, err
	}
	t, err := m.functions.Target(ctx, c, "lambda:AddPermission", r)
	if err != nil {
		return service.Target{}, err
	}
	return t.With(grantee{*in.Principal, string(in.FunctionUrlAuthType)}.keys), nil
}

func (m *Service) addPermission(ctx context.Context, c *service.Call, in *sdk.AddPermissionInput) (*sdk.AddPermissionOutput, error) {
	r, err := addPermissionReference(c, in)
	if err != nil {
		return nil, err
	}
	if err := checkHasPolicy(r); err != nil {
		return nil, err
	}
	if in.FunctionUrlAuthType != "" && *in.Action != "lambda:InvokeFunctionUrl" { // recorded
		return nil, fault.InvalidParameter("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
	}
	shown, stored, err := m.newPermission(ctx, r, in)
	if err != nil {
		return nil, err
	}
	err = m.db.Update(ctx, func(tx store.Tx) error {
		p, err := m.toAddTo(tx, r, in.RevisionId)
		if err != nil {
			return err
		}
		if p == nil {
			text, err := withStatement(nil, stored)
			if err != nil {
				return err
			}
			_, err = m.put(tx, r, text, false)
			return err
		}
		if indexOf(p.document(), *in.StatementId) >= 0 {
			return fault.Conflict("The statement id (%s) provided already exists. "+
				"Please provide a new statement id, or remove the existing statement.", *in.StatementId)
		}
		text, err := withStatement(p.document(), stored)
		if err != nil {
			return err
		}
		_, err = m.put(tx, r, text, p.Whole)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.AddPermissionOutput{Statement: aws.String(shown)}, nil
}

// toAddTo loads a policy; nil when there is none yet. With a policy, the revision must be the policy's; without, that of the function,
// version or alias (lambda.md 1.3, U12).
func (m *Service) toAddTo(tx store.Tx, r request.Function, revision *string) (*record, error) {
	current, err := m.revisionOf(tx, r)
	if err != nil {
		return nil, err
	}
	p, err := m.load(tx, r)
	if err != nil {
		return nil, err
	}
	if p != nil {
		current = p.RevisionID
	}
	if revision != nil && *revision != current {
		return nil, fault.PreconditionFailed("GetPolicy")
	}
	return p, nil
}

// newPermission is a new statement as clients see it and as it is kept.
func (m *Service) newPermission(ctx context.Context, r request.Function, in *sdk.AddPermissionInput) (shown, stored string, err error) {
	if *in.Principal == "*" {
		shown, err = newStatement(r, in, "*")
		return shown, shown, err
	}
	e := entryOf(*in.Principal)
	if isUniqueID(e.Value.Value) {
		return "", "", invalidPrincipal()
	}
	if e.Value.Value, err = m.stored(ctx, r.Partition, e); err != nil {
		return "", "", err
	}
	if stored, err = newStatement(r, in, elementOf(e)); err != nil {
		return "", "", err
	}
	if isUniqueID(e.Value.Value) {
		e.Value.Value = *in.Principal
	}
	shown, err = newStatement(r, in, elementOf(e))
	return shown, stored, err
}
