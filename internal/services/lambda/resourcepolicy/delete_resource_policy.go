package resourcepolicy

import (
	"context"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/lambda/request"
	"github.com/licet/licet/internal/store"
)

func deleteResourcePolicyReference(c *service.Call, in *sdk.DeleteResourcePolicyInput) (request.Function, error) {
	var v request.Validator
	v.RequiredText("resourceArn", in.ResourceArn, resourceARNText)
	v.Text("revisionId", in.RevisionId, revisionText)
	return resource(c, &v, in.ResourceArn)
}

// deleteResourcePolicyNeeds: see putResourcePolicyNeeds.
func (m *Service) deleteResourcePolicyNeeds(ctx context.Context, c *service.Call, in *sdk.DeleteResourcePolicyInput) ([]service.Need, error) {
	r, err := deleteResourcePolicyReference(c, in)
	if err != nil {
		return nil, err
	}
	removed, err := m.standing(ctx, r)
	if err != nil {
		return nil, err
	}
	whole, err := m.needs(ctx, c, "lambda:DeleteResourcePolicy", r, principalsOf(removed))
	if err != nil {
		return nil, err
	}
	remove, err := m.needs(ctx, c, "lambda:RemovePermission", r, removed)
	if err != nil {
		return nil, err
	}
	return slices.Concat(whole, remove), nil
}

func (m *Service) deleteResourcePolicy(
	ctx context.Context, c *service.Call, in *sdk.DeleteResourcePolicyInput,
) (*sdk.DeleteResourcePolicyOutput, error) {
	r, err := deleteResourcePolicyReference(c, in)
	if err != nil {
		return nil, err
	}
	err = m.db.Update(ctx, func(tx store.Tx) error {
		p, err := m.toRemoveFrom(tx, r)
		if err != nil {
			return err
		}
		if err := checkRevision(in.RevisionId, p); err != nil {
			return err
		}
		return tx.Delete(m.key(r))
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteResourcePolicyOutput{}, nil
}
