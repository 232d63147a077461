package iam

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/services/iam/request"
	"github.com/licet/licet/internal/store"
)

func (s *Service) deletePolicy(ctx context.Context, c *service.Call, in *sdk.DeletePolicyInput) (*sdk.DeletePolicyOutput, error) {
	arn := *in.PolicyArn
	err := s.DB.Update(ctx, func(tx store.Tx) error {
		p, err := s.OwnPolicy(tx, c.Account, arn, request.PolicyNotFound(arn))
		if err != nil {
			return err
		}
		for _, u := range []record.Use{record.Attached, record.Boundary} {
			n, err := record.Count(tx, record.UsePrefix(c.Account, u, arn), 1)
			if err != nil {
				return err
			}
			if n > 0 {
				return request.DeleteConflict("Cannot delete a policy attached to entities.")
			}
		}
		if len(p.Versions) > 1 {
			return request.DeleteConflict("This policy has more than one version. Before you delete a policy, " +
				"you must delete the policy's versions. The default version is deleted with the policy.")
		}
		return tx.Delete(record.PolicyKey(c.Account, p.Name))
	})
	return &sdk.DeletePolicyOutput{}, err
}
