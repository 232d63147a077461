package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/store"
)

func (s *Service) deletePolicy(ctx context.Context, c *service.Call, in *sdk.DeletePolicyInput) (*sdk.DeletePolicyOutput, error) {
	arn := *in.PolicyArn
	err := s.db.Update(ctx, func(tx store.Tx) error {
		p, err := s.ownPolicy(tx, c.Account, arn, policyNotFound(arn))
		if err != nil {
			return err
		}
		for _, u := range []use{attached, boundary} {
			n, err := count(tx, usePrefix(c.Account, u, arn), 1)
			if err != nil {
				return err
			}
			if n > 0 {
				return deleteConflict("Cannot delete a policy attached to entities.")
			}
		}
		if len(p.Versions) > 1 {
			return deleteConflict("This policy has more than one version. Before you delete a policy, " +
				"you must delete the policy's versions. The default version is deleted with the policy.")
		}
		return tx.Delete(policyKey(c.Account, p.Name))
	})
	return &sdk.DeletePolicyOutput{}, err
}
