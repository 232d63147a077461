package iam

import (
	"context"
	"strings"

	"github.com/licet/licet/internal/service"
	"github.com/licet/licet/internal/services/iam/record"
	"github.com/licet/licet/internal/store"
)

// checkAttachable wants a policy to exist and not to be one of those that AWS keeps for its service-linked roles.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html, PolicyNotAttachable
func (s *Service) checkAttachable(r store.Reader, account, policyARN string, to record.Kind) error {
	_, err := s.FindPolicy(r, account, policyARN)
	if err == nil && strings.HasPrefix(policyARN, s.ARN(record.AWSAccount, "policy"+record.ServiceLinkedPath)) {
		return policyNotAttachable(to)
	}
	return err
}

// changePolicy reads a customer managed policy, lets fn change it, and writes it, in one transaction.
func (s *Service) changePolicy(
	ctx context.Context, c *service.Call, policyARN string, missing error, fn func(*record.ManagedPolicy) error,
) error {
	return s.DB.Update(ctx, func(tx store.Tx) error {
		p, err := s.OwnPolicy(tx, c.Account, policyARN, missing)
		if err != nil {
			return err
		}
		if err := fn(p); err != nil {
			return err
		}
		return store.PutJSON(tx, record.PolicyKey(c.Account, p.Name), p)
	})
}
